"""A zip takes no other file's place, and where it cannot be written there is a way on."""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kmsjwt.bundling import wheels
from kmsjwt.cli import main

HELLO = "def handler(event, context): ...\n"


@pytest.fixture
def typed(monkeypatch, capsys, tmp_path) -> Any:
    """Type `kmsjwt bundle` in a folder with hello.py, the wheels left out of it."""
    installed: list[object] = []
    monkeypatch.setattr(wheels, "install", lambda *words, **_: installed.append(words))
    monkeypatch.chdir(tmp_path)
    Path("hello.py").write_text(HELLO)

    def run(*words: str) -> SimpleNamespace:
        code = main(["bundle", "--no-measure", *words])
        out, err = capsys.readouterr()
        return SimpleNamespace(code=code, out=out, err=err, installed=bool(installed))

    return run


def zipped(name: str, *, holds: str = "a.txt") -> None:
    with zipfile.ZipFile(name, "w") as archive:
        archive.writestr(holds, "a")


def refused(said: SimpleNamespace, told: str) -> None:
    assert said.code == 2
    assert told in said.err
    assert "fix:" in said.err
    assert len(said.err.splitlines()) <= 3
    # It says so before it downloads anything.
    assert not said.installed


@pytest.mark.parametrize(
    "words",
    [["--out", "hello.py"], ["--with", "hello.py", "--out", "./hello.py"]],
    ids=["beside", "into itself"],
)
def test_a_file_of_ones_own_is_not_replaced(words, typed):
    refused(typed(*words), "hello.py' is ")

    assert Path("hello.py").read_text() == HELLO


def test_nor_is_a_zip_that_goes_into_it(typed):
    zipped("data.zip")
    before = Path("data.zip").read_bytes()

    refused(typed("--with", "data.zip", "--out", "data.zip"), "one of the files in it")

    assert Path("data.zip").read_bytes() == before


def test_nor_by_another_name_of_it(typed):
    zipped("data.zip")
    Path("linked.zip").symlink_to("data.zip")

    refused(typed("--with", "data.zip", "--out", "linked.zip"), "one of the files in it")


def test_nor_what_is_no_file_at_all(typed):
    os.mkfifo("pipe")

    refused(typed("--out", "pipe"), "'pipe' is there already and is no bundle")


@pytest.mark.parametrize("name", ["mine.whl", "dist/function.zip"])
def test_nor_is_another_programs_zip(name, typed):
    """A wheel and an office document are zips as well."""
    Path("dist").mkdir()
    zipped(name, holds="deeper/kmsjwt-bundle.json")
    before = Path(name).read_bytes()

    refused(typed("--out", name), f"'{name}' is there already and is no bundle of kmsjwt")

    assert Path(name).read_bytes() == before


def test_nor_is_a_link_to_nothing(typed):
    Path("linked.zip").symlink_to("nowhere.zip")

    refused(typed("--out", "linked.zip"), "'linked.zip' is a link to nothing")

    assert Path("linked.zip").is_symlink()


@pytest.mark.parametrize("out", ["src/in.zip", "src/deeper/in.zip", "linked/in.zip"])
def test_a_zip_does_not_lie_in_a_folder_that_goes_into_it(out, typed):
    """The next one would have the first in it, and so on."""
    Path("src").mkdir()
    Path("linked").symlink_to("src")

    refused(typed("--with", "src", "--out", out), "lies in 'src', which goes into it")

    assert typed("--with", "src", "--out", "src.zip").code == 0


@pytest.mark.parametrize(
    ("out", "what"), [("nope/", "a folder"), ("dist/nope//", "a folder"), ("-", "standard output")]
)
def test_what_is_no_files_name_makes_no_file(out, what, typed):
    refused(typed("--out", out), f"--out is '{out}', which is {what}, expected the name of a zip")

    assert [path.name for path in Path().iterdir()] == ["hello.py"]


@pytest.mark.parametrize(
    "there",
    [
        lambda: None,
        lambda: zipped("a.zip", holds="kmsjwt-bundle.json"),
        lambda: zipped("a.zip", holds="python/kmsjwt-bundle.json"),
        Path("a.zip").touch,
    ],
    ids=["nothing", "a function", "a layer", "an empty file"],
)
def test_a_former_bundle_and_an_empty_file_are(there, typed):
    there()

    said = typed("--out", "a.zip", "--with", "hello.py")

    assert said.code == 0, said.err
    with zipfile.ZipFile("a.zip") as archive:
        assert archive.read("hello.py").decode() == HELLO


@pytest.mark.parametrize("out", ["hello.py/x.zip", "hello.py/deeper/x.zip"])
def test_a_file_is_no_folder(out, typed):
    refused(typed("--out", out), "hello.py' is no folder, in which 'hello.py/")


def test_nor_is_a_link_to_itself(typed):
    Path("src").mkdir()
    Path("loop").symlink_to("loop")

    refused(typed("--with", "src", "--out", "loop/x.zip"), "'loop' is no folder, in which")


@pytest.mark.skipif(sys.platform != "linux", reason="it has a folder that nobody writes to")
@pytest.mark.parametrize("out", ["/proc/x.zip", "/proc/deeper/x.zip"])
def test_a_folder_that_cannot_be_written_to(out, typed):
    """Whoever runs the tests may be root, who may write everywhere but there."""
    refused(typed("--out", out), f"'/proc' cannot be written to, in which '{out}' was wanted")


def test_what_the_system_refuses_in_the_end_has_a_way_on(typed):
    """Such as a name that is too long once it is that of the unfinished file."""
    said = typed("--out", f"{'a' * 250}.zip")

    assert said.code == 2
    assert "cannot be written: File name too long" in said.err
    assert "fix:" in said.err
    assert not list(Path().glob(".a*"))
