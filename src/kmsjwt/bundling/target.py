"""What a bundle is for: one of Lambda's Python runtimes on one of its processors."""

from __future__ import annotations

from dataclasses import dataclass

from kmsjwt.errors import ConfigError, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runtime:
    """One of Lambda's runtimes.

    Attributes:
        system: Amazon Linux of which year.
        glibc: the minor version of its C library, 26 for 2.26.
        magic: the number that begins the compiled files of this Python (its ``MAGIC_NUMBER``).
    """

    system: str
    glibc: int
    magic: int


# AWS Lambda developer guide, "Lambda runtimes"; the C library is that of the Amazon Linux.
_RUNTIMES = {
    "3.11": _Runtime(system="Amazon Linux 2", glibc=26, magic=3495),
    "3.12": _Runtime(system="Amazon Linux 2023", glibc=34, magic=3531),
    "3.13": _Runtime(system="Amazon Linux 2023", glibc=34, magic=3571),
    "3.14": _Runtime(system="Amazon Linux 2023", glibc=34, magic=3627),
}
# As Lambda spells them, and as Linux does.
_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
_OTHER_NAMES = {"aarch64": "arm64", "amd64": "x86_64"}
_FIRST_GLIBC = 17  # of manylinux2014, the oldest that wheels of today are made for

PYTHONS = tuple(_RUNTIMES)
"""The Python versions that a bundle can be made for."""
ARCHITECTURES = tuple(_MACHINES)
"""The processors, as Lambda spells them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A runtime and a processor.

    Attributes:
        arch: ``x86_64`` or ``arm64``.
        python: the minor version, such as ``3.13``.
    """

    arch: str
    python: str

    def __post_init__(self) -> None:
        """Refuse what Lambda does not have.

        Raises:
            ConfigError: no such processor or Python.
        """
        if self.arch not in ARCHITECTURES:
            raise ConfigError(
                f"arch is {shown(self.arch)}, expected {' or '.join(ARCHITECTURES)}",
                code="bundle_target",
                fix=f"Lambda calls it {name}" if (name := _OTHER_NAMES.get(self.arch)) else None,
            )
        if self.python not in _RUNTIMES:
            raise ConfigError(
                f"python is {shown(self.python)}, expected {', '.join(PYTHONS)}",
                code="bundle_target",
            )

    def __str__(self) -> str:
        return f"python{self.python} on {self.arch}"

    @property
    def machine(self) -> str:
        """The processor as Linux spells it: ``x86_64`` or ``aarch64``."""
        return _MACHINES[self.arch]

    @property
    def system(self) -> str:
        """Amazon Linux of which year."""
        return _RUNTIMES[self.python].system

    @property
    def glibc(self) -> int:
        """The minor version of its C library, 26 for 2.26."""
        return _RUNTIMES[self.python].glibc

    @property
    def magic(self) -> int:
        """The number that begins compiled files which its Python reads."""
        return _RUNTIMES[self.python].magic

    @property
    def platforms(self) -> tuple[str, ...]:
        """The tags of wheels that run there, the best first (PEP 600)."""
        newest_first = range(self.glibc, _FIRST_GLIBC - 1, -1)
        tags = [f"manylinux_2_{minor}_{self.machine}" for minor in newest_first]
        return (*tags, f"manylinux2014_{self.machine}")
