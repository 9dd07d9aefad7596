"""What there is to compare with, and how each program is started.

Nothing is installed but Node's packages, which the tests use too; compilers write to a folder that
is thrown away.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from interop.adapters import Adapter, Missing
from tests.js import node

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[[Path], list[str]]

ADAPTERS = Path(__file__).parent / "adapters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """One program that speaks for one or several libraries.

    Attributes:
        language: what it is written in.
        speaks_for: names of its libraries.
        command: makes the command; it may build in the folder it is given. Raises Missing.
        folder: where the command runs.
        packages: the Debian packages that bring it; none for what this project installs itself.
    """

    language: str
    speaks_for: tuple[str, ...]
    command: Command
    folder: Path = ADAPTERS
    packages: tuple[str, ...] = ()

    def start(self, scratch: Path) -> Adapter:
        """Start the program; ``scratch`` is a folder to build in. Raises Missing."""
        adapter = Adapter(self.command(scratch), self.folder)
        if set(adapter.libraries) != set(self.speaks_for):
            adapter.close()
            raise Missing(f"it speaks for {', '.join(adapter.libraries)}")
        return adapter

    @property
    def advice(self) -> str:
        """The command that brings what is missing."""
        if not self.packages:
            return "make test"
        return "apt-get install --no-install-recommends " + " ".join(self.packages)


def _python(_: Path) -> list[str]:
    return [sys.executable, str(ADAPTERS / "python_libraries.py")]


def _node(_: Path) -> list[str]:
    try:
        return node.command(ADAPTERS / "node_libraries.mjs")
    except node.CannotInstall as error:
        raise Missing(str(error)) from error


def _script(interpreter: str, script: str) -> Command:
    return lambda _: [_found(interpreter), str(ADAPTERS / script)]


def _c(library: str, package: str) -> Command:
    def build(scratch: Path) -> list[str]:
        program = scratch / library
        config = _found("pkg-config")
        version = _run(config, "--modversion", package).strip()
        flags = _run(config, "--cflags", "--libs", package, "jansson").split()
        source = str(ADAPTERS / f"c_{library}.c")
        known = f'-DLIBRARY_VERSION="{version}"'
        _run(_found("gcc"), "-O1", known, "-o", str(program), source, *flags)
        return [str(program)]

    return build


def _go(scratch: Path) -> list[str]:
    program = scratch / "go_libraries"
    # Debian's Go libraries are sources in a GOPATH, not modules.
    settings = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""}
    cache = {"GOCACHE": str(scratch / "go-cache")}
    source = str(ADAPTERS / "go_libraries.go")
    _run(_found("go"), "build", "-o", str(program), source, **settings, **cache)
    return [str(program)]


def _found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise Missing(f"no {program} on the PATH")
    return path


def _run(*command: str, **env: str) -> str:
    done = subprocess.run(
        command, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Missing((done.stderr.strip() or "it failed without a word").splitlines()[0])
    return done.stdout


PYTHON = Runtime(
    language="Python",
    speaks_for=("PyJWT", "oxyjwt", "joserfc", "Authlib", "jwcrypto", "python-jose"),
    command=_python,
)
NODE = Runtime(
    language="JavaScript",
    speaks_for=("jose", "jsonwebtoken", "fast-jwt", "aws-jwt-verify"),
    command=_node,
    folder=node.HERE,
)
RUNTIMES = (
    PYTHON,
    NODE,
    Runtime(
        language="Ruby",
        speaks_for=("ruby-jwt", "json-jwt"),
        command=_script("ruby", "ruby_libraries.rb"),
        packages=("ruby", "ruby-jwt", "ruby-json-jwt", "ruby-rbnacl"),
    ),
    Runtime(
        language="Perl",
        speaks_for=("Crypt::JWT",),
        command=_script("perl", "perl_libraries.pl"),
        packages=("perl", "libcrypt-jwt-perl"),
    ),
    Runtime(
        language="Go",
        speaks_for=("golang-jwt", "go-jose"),
        command=_go,
        packages=(
            "golang-go",
            "golang-github-golang-jwt-jwt-dev",
            "golang-gopkg-square-go-jose.v2-dev",
        ),
    ),
    *(
        Runtime(
            language="C",
            speaks_for=(library,),
            command=_c(library, pkg_config),
            packages=("gcc", "libc6-dev", "pkg-config", "libjansson-dev", package),
        )
        for library, pkg_config, package in (
            ("libjwt", "libjwt", "libjwt-dev"),
            ("cjose", "cjose", "libcjose-dev"),
            ("rhonabwy", "librhonabwy", "librhonabwy-dev"),
        )
    ),
)
