"""What a compiled library asks of the machine that loads it, read as the dynamic loader does.

System V ABI, "Object files" and "Dynamic linking"; the versions of symbols as the Linux Standard
Base describes them ("Symbol versioning", version requirements). 64 bits, little-endian: both of
Lambda's processors.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

_MACHINES = {3: "i386", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv"}
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_ENTRY = struct.Struct("<qQ")
_LOAD, _DYNAMIC = 1, 2
_DT_NEEDED, _DT_STRTAB = 1, 5
_DT_VERNEED, _DT_VERNEEDNUM = 0x6FFFFFFE, 0x6FFFFFFF
_NEED = struct.Struct("<HHIII")
_VERSION = struct.Struct("<IHHII")
# Written by linkers that pack relocations; glibc knows it from 2.36 on.
_PACKED = ("GLIBC_ABI_DT_RELR", 36)


class NotElf(ValueError):
    """The bytes are no 64-bit little-endian ELF file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A compiled library.

    Attributes:
        machine: the processor as Linux spells it.
        glibc: the minor version of the C library that it needs, 17 for 2.17; 0 if none is named.
        libraries: the libraries that are loaded with it.
    """

    machine: str
    glibc: int
    libraries: tuple[str, ...]

    @property
    def is_of_musl(self) -> bool:
        """Whether it was made for another C library, Alpine's."""
        return any("musl" in name for name in self.libraries)


def read(contents: bytes) -> Library:
    """Read a library.

    Raises:
        NotElf: it is none, or it is cut off.
    """
    if contents[:6] != b"\x7fELF\x02\x01":
        raise NotElf("no 64-bit little-endian ELF file")
    try:
        return _Reader(contents).library()
    except (struct.error, ValueError, KeyError) as error:
        raise NotElf("an ELF file that is cut off or damaged") from error


class _Reader:
    def __init__(self, contents: bytes) -> None:
        self._contents = contents
        header = _HEADER.unpack_from(contents)
        self._machine, at, size, count = header[2], header[5], header[9], header[10]
        segments = [_SEGMENT.unpack_from(contents, at + size * each) for each in range(count)]
        # Where each piece of the file lies in memory: (address, offset, length).
        self._loaded: list[tuple[int, int, int]] = [
            (each[3], each[2], each[5]) for each in segments if each[0] == _LOAD
        ]
        offset, length = next((each[2:6:3] for each in segments if each[0] == _DYNAMIC), (0, 0))
        self._entries = [
            _ENTRY.unpack_from(contents, offset + at) for at in range(0, length, _ENTRY.size)
        ]
        self._table = dict(self._entries)

    def library(self) -> Library:
        names = tuple(self._name(value) for tag, value in self._entries if tag == _DT_NEEDED)
        return Library(
            machine=_MACHINES.get(self._machine, f"machine {self._machine}"),
            glibc=max(map(_glibc, self._versions()), default=0),
            libraries=names,
        )

    def _versions(self) -> list[str]:
        """Return the name of each symbol version that it needs, such as ``GLIBC_2.17``."""
        if _DT_VERNEED not in self._table:
            return []
        names: list[str] = []
        at = self._offset(self._table[_DT_VERNEED])
        for _ in range(self._table[_DT_VERNEEDNUM]):
            _, count, _, first, onward = _NEED.unpack_from(self._contents, at)
            of_one = at + first
            for _ in range(count):
                _, _, _, name, step = _VERSION.unpack_from(self._contents, of_one)
                names.append(self._name(name))
                of_one += step
            if not onward:
                break
            at += onward
        return names

    def _name(self, at: int) -> str:
        start = self._offset(self._table[_DT_STRTAB]) + at
        return self._contents[start : self._contents.index(b"\0", start)].decode("ascii", "replace")

    def _offset(self, address: int) -> int:
        for start, offset, length in self._loaded:
            if start <= address < start + length:
                return offset + address - start
        raise NotElf("an address that no part of the file is loaded to")


def _glibc(version: str) -> int:
    if version == _PACKED[0]:
        return _PACKED[1]
    found = re.match(r"GLIBC_2\.(\d+)", version)
    return int(found[1]) if found else 0
