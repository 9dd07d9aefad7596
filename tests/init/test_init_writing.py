"""What is in the way of a project is said before anything is written."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from kmsjwt.cli.scaffold import writing
from kmsjwt.errors import ConfigError

PROJECT = {"README.md": "# Mine\n", "hello.py": "mine = True\n", "tests/test_hello.py": ""}


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_it_says_of_each_file_what_becomes_of_it_before_it_writes(tmp_path):
    (tmp_path / "README.md").write_text("# Mine\n")
    (tmp_path / "hello.py").write_text("other = True\n")

    planned = writing.plan(str(tmp_path), PROJECT, force=True)

    assert [planned.what(name) for name in PROJECT] == ["unchanged", "replaced", "written"]
    assert planned.replaced == ("hello.py",)
    assert (tmp_path / "hello.py").read_text() == "other = True\n"
    assert list(planned.write()) == list(PROJECT)
    assert contents(tmp_path) == PROJECT


@pytest.mark.parametrize(
    ("there", "told"),
    [
        (lambda folder: (folder / "hello.py").mkdir(), "in the way: hello.py is a folder"),
        (lambda folder: (folder / "tests").write_text(""), "in the way: tests is no folder"),
        (lambda folder: (folder / "tests").symlink_to("nowhere"), "in the way: tests is no folder"),
    ],
    ids=["a folder in a file's place", "a file in a folder's", "a link that leads nowhere"],
)
@pytest.mark.parametrize("force", [False, True], ids=["", "forced"])
def test_nothing_is_written_where_something_is_in_the_way(there, told, force, tmp_path):
    there(tmp_path)
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(ConfigError, match=told) as caught:
        writing.plan(str(tmp_path), PROJECT, force=force)

    assert caught.value.code == "init_folder"
    assert "nothing was written" in str(caught.value.fix)
    assert sorted(tmp_path.rglob("*")) == before


def test_nor_where_a_folder_may_not_be_written_to(tmp_path, monkeypatch):
    """Whoever runs the tests may be root, who may write everywhere: the system's answer is set."""
    (tmp_path / "tests").mkdir()
    allowed = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: path.name != "tests" and allowed(path, mode)
    )

    with pytest.raises(ConfigError, match="tests may not be written to"):
        writing.plan(str(tmp_path), PROJECT, force=True)

    assert contents(tmp_path) == {}


def test_what_differs_is_named_and_no_more_than_a_few(tmp_path):
    project = {f"{each}.py": "new = True\n" for each in "abcdefg"}
    for name in project:
        (tmp_path / name).write_text("old = True\n")

    with pytest.raises(ConfigError, match=r"a\.py, .*, e\.py and 2 more") as caught:
        writing.plan(str(tmp_path), project, force=False)

    assert caught.value.code == "init_exists"


def test_a_disk_that_is_full_leaves_no_half_file_and_names_the_file(tmp_path, monkeypatch):
    (tmp_path / "hello.py").write_text("other = True\n")
    planned = writing.plan(str(tmp_path), PROJECT, force=True)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ConfigError) as caught:
        list(planned.write())

    assert "README.md' cannot be written: No space left on device" in str(caught.value)
    assert "unfinished" not in str(caught.value)
    assert caught.value.fix
    assert contents(tmp_path) == {"hello.py": "other = True\n"}


def test_files_are_as_readable_as_any_other(tmp_path):
    mask = os.umask(0o027)
    try:
        list(writing.plan(str(tmp_path), PROJECT, force=False).write())
    finally:
        os.umask(mask)

    assert stat.S_IMODE((tmp_path / "hello.py").stat().st_mode) == 0o640


@pytest.mark.parametrize("name", ["", " "])
def test_no_name_is_not_the_folder_where_one_is(name):
    with pytest.raises(ConfigError, match="DIR is empty") as caught:
        writing.require_name(name)

    assert "kmsjwt init ." in str(caught.value.fix)


def test_a_dot_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert writing.require_name(".").resolve() == tmp_path
