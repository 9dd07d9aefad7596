"""The reader of compiled libraries, beside readelf and beside what wheels promise."""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.bundling import wheelhouse

from kmsjwt.bundling import elf

STDLIB = Path(sysconfig.get_path("platstdlib")) / "lib-dynload"
LIBRARIES = [
    *sorted(STDLIB.glob("*.so"))[:25],
    *sorted(Path(sysconfig.get_path("platlib")).rglob("_rust*.so")),
    *sorted(Path(sysconfig.get_path("platlib")).glob("_cffi*.so")),
]


@pytest.fixture(scope="module")
def small() -> bytes:
    return wheelhouse.member(wheelhouse.wheel("cffi", "cp313-manylinux2014_x86_64"), ".so")


@pytest.mark.skipif(shutil.which("readelf") is None, reason="readelf is not installed")
@pytest.mark.parametrize("path", LIBRARIES, ids=lambda path: path.name)
def test_it_reads_what_readelf_reads(path):
    told = subprocess.run(
        ["readelf", "--wide", "-h", "-d", "-V", str(path)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    needs = told.partition("Version needs section")[2]

    library = elf.read(path.read_bytes())

    assert list(library.libraries) == re.findall(r"NEEDED.*\[(.*)\]", told)
    minors = [int(minor) for minor in re.findall(r"Name: GLIBC_2\.(\d+)", needs)]
    assert library.glibc == max(minors, default=0)
    machine = {"x86_64": "X86-64", "aarch64": "AArch64"}[library.machine]
    assert re.search(rf"Machine:.*{machine}", told)


def test_a_library_keeps_what_its_wheels_tag_promises():
    """PEP 600: a tag names the newest C library that the wheel may need, and the processor."""
    read = 0
    for path in wheelhouse.wheels().glob("*.whl"):
        tag = re.search(r"manylinux_2_(\d+)_(\w+)\.whl$", path.name)
        if tag is None:
            continue
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(".so"):
                    library = elf.read(archive.read(name))
                    assert (library.machine, library.is_of_musl) == (tag[2], False)
                    assert 0 < library.glibc <= int(tag[1])
                    read += 1
    assert read >= 8


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_is_broken_is_an_elf_file_or_none_and_nothing_else(small, data):
    cut = data.draw(st.integers(0, len(small)))
    contents = bytearray(small[:cut] if data.draw(st.booleans()) else small)
    for _ in range(data.draw(st.integers(0, 4))):
        if contents:
            # The headers are at the start, and break more than the code that follows.
            at = data.draw(st.integers(0, min(len(contents), 2_000) - 1))
            contents[at] = data.draw(st.integers(0, 255))

    try:
        library = elf.read(bytes(contents))
    except elf.NotElf:
        return

    assert library.glibc >= 0


@pytest.mark.parametrize(
    "contents",
    [b"", b"\x7fELF", b"\xcf\xfa\xed\xfe" + bytes(100), b"MZ" + bytes(100), b"!<arch>\n"],
    ids=["empty", "a beginning", "macOS", "Windows", "an archive"],
)
def test_what_is_no_elf_file_is_none(contents):
    with pytest.raises(elf.NotElf):
        elf.read(contents)
