"""What would not run on Lambda is refused here, with what to do instead."""

from __future__ import annotations

import importlib.util
import os
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.bundling import wheelhouse
from tests.bundling.wheelhouse import locked, make_wheel, member, wheel
from tests.runtime.environments import HERE

from kmsjwt.bundling import Target, build, coldstart, wheels
from kmsjwt.cli import main
from kmsjwt.errors import ConfigError

RUST, CFFI = "_rust.abi3.so", ".so"
OF_MACOS = b"\xcf\xfa\xed\xfe" + bytes(60)  # Mach-O's magic number


@pytest.fixture
def refused(tmp_path, monkeypatch) -> Any:
    """Build with wheels left out of it, and return the refusal."""

    # What pip does is another test's; here it would take most of the time.
    def run(*files: Path, arch: str = "x86_64", python: str = "3.13", **settings: Any) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(wheels, "install", lambda *_, **__: None)
            with pytest.raises(ConfigError) as caught:
                build(
                    Target(arch=arch, python=python),
                    tmp_path / "out" / "function.zip",
                    files=files,
                    **settings,
                )
        assert not (tmp_path / "out" / "function.zip").exists()
        return caught.value

    return run


@pytest.fixture
def library(tmp_path) -> Any:
    def write(name: str, contents: bytes) -> Path:
        path: Path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents)
        return path

    return write


def of_wheel(name: str, tag: str, ending: str = CFFI) -> bytes:
    return member(wheel(name, tag), ending)


@pytest.mark.parametrize(
    ("name", "contents", "target", "fault"),
    [
        pytest.param(
            "fast.so",
            lambda: of_wheel("cffi", "cp313-manylinux2014_aarch64"),
            ("x86_64", "3.13"),
            "is for aarch64, expected x86_64",
            id="the other processor's",
        ),
        pytest.param(
            "fast.abi3.so",
            lambda: of_wheel("cffi", "cp313-manylinux2014_x86_64"),
            ("arm64", "3.12"),
            "is for x86_64, expected aarch64",
            id="this processor's, for the other",
        ),
        pytest.param(
            "fast.cpython-311-x86_64-linux-gnu.so",
            lambda: of_wheel("cffi", "cp311-manylinux2014_x86_64"),
            ("x86_64", "3.13"),
            "is for Python 3.11, expected 3.13",
            id="another Python's",
        ),
        pytest.param(
            "fast.so",
            lambda: of_wheel("cryptography", "manylinux_2_34_x86_64", RUST),
            ("x86_64", "3.11"),
            "needs GLIBC 2.34, expected 2.26 or lower, which python3.11 has",
            id="made for Amazon Linux 2023, for Amazon Linux 2",
        ),
        pytest.param(
            "fast.so",
            lambda: of_wheel("cffi", "cp313-manylinux2014_x86_64").replace(
                b"\0libc.so.6\0", b"\0libc.musl\0"
            ),
            ("x86_64", "3.13"),
            "is for musl (Alpine Linux), expected glibc",
            id="Alpine's",
        ),
        pytest.param(
            "fast.cpython-313-darwin.so",
            lambda: OF_MACOS,
            ("x86_64", "3.13"),
            "is no library of Linux, expected ELF for x86_64",
            id="macOS's",
        ),
        pytest.param(
            "fast.pyd",
            lambda: b"MZ" + bytes(60),
            ("arm64", "3.13"),
            "is no library of Linux, expected ELF for aarch64",
            id="Windows's",
        ),
    ],
)
def test_a_library_that_the_runtime_cannot_load(
    name, contents, target, fault, refused, library, tmp_path
):
    arch, python = target

    inside = refused(library(f"mine/{name}", contents()).parent, arch=arch, python=python)
    alone = refused(library(name, contents()), arch=arch, python=python)

    assert inside.code == alone.code == "bundle_binary"
    assert str(inside).startswith(f"'mine/{name}' {fault}")
    assert str(alone).startswith(f"'{name}' {fault}")
    assert "manylinux" in inside.fix


def test_all_of_them_are_told_together(refused, library):
    for each in "abcde":
        library(f"mine/{each}.so", OF_MACOS)

    error = refused(library("mine/f.so", OF_MACOS).parent)

    assert error.message.count("is no library of Linux") == 3
    assert error.message.endswith("and 3 more")


def test_a_wheel_that_lies_about_itself(tmp_path, monkeypatch, typed):
    """Its tag says that it runs anywhere, and in it is a library for one processor."""
    contents = of_wheel("cffi", "cp313-manylinux2014_aarch64")
    lying = make_wheel(tmp_path, "lying", {"lying/__init__.py": b"", "lying/fast.so": contents})
    needed = [
        wheel("cryptography", "manylinux_2_34_x86_64"),
        wheel("cffi", "cp313-manylinux2014_x86_64"),
        wheel("pycparser", "any"),
    ]
    lock = tmp_path / "requirements.txt"
    lock.write_text(locked(lying, *needed))
    monkeypatch.setenv("PIP_FIND_LINKS", f"{tmp_path} {wheelhouse.wheels()}")

    said = typed("--arch", "x86_64", "--requirements", str(lock))

    assert said.code == 2
    assert "'lying/fast.so' is for aarch64, expected x86_64" in said.err
    assert not (tmp_path / "dist").exists()


@pytest.fixture
def typed(monkeypatch, capsys, tmp_path) -> Any:
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Any:
        code = main(["bundle", *words])
        out, err = capsys.readouterr()
        assert out == ""
        assert len(err.splitlines()) <= 3
        return SimpleNamespace(code=code, err=err)

    return run


@pytest.mark.parametrize(
    ("lines", "code", "told"),
    [
        pytest.param(
            lambda: "cryptography\n", 2, "took no wheel that is not as the requirements", id="bare"
        ),
        pytest.param(
            lambda: locked(wheel("pycparser", "any")).replace("sha256:", "sha256:0")[:-2] + "\n",
            2,
            "took no wheel that is not as the requirements",
            id="another hash",
        ),
        pytest.param(
            lambda: locked(wheel("pycparser", "any")),
            2,
            "has no cryptography, which kmsjwt needs",
            id="without cryptography",
        ),
        pytest.param(
            lambda: f"nowhere==1 --hash=sha256:{'0' * 64}\n",
            2,
            "found no wheels for this runtime: Could not find a version that satisfies the"
            " requirement nowhere==1",
            id="not to be had",
        ),
    ],
)
def test_requirements_that_cannot_be_met(lines, code, told, typed, tmp_path):
    (tmp_path / "requirements.txt").write_text(lines())

    said = typed("--requirements", "requirements.txt")

    assert (said.code, told in said.err) == (code, True), said.err


def test_an_index_that_cannot_be_reached_may_be_asked_again(typed, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")

    said = typed()

    assert said.code == 3
    assert "pip could not reach the package index" in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--arch", "aarch64"], "arch is 'aarch64', expected x86_64 or arm64"),
        (["--arch", "aarch64"], "Lambda calls it arm64"),
        (["--python", "3.10"], "python is '3.10', expected 3.11, 3.12, 3.13"),
        (["--with", "nowhere.py"], "'nowhere.py' is not there"),
        (["--requirements", "nowhere.txt"], "'nowhere.txt' is not there"),
        (["--out", "."], "'.' is a folder, expected the name of a zip"),
    ],
)
def test_words_that_make_no_sense(words, told, typed, monkeypatch):
    monkeypatch.setattr(wheels, "install", lambda *_, **__: None)

    said = typed(*words)

    assert said.code == 2
    assert told in said.err


def test_a_file_takes_no_name_that_is_taken(refused, library):
    error = refused(library("mine/kmsjwt/__init__.py", b"").parent)

    assert "mine/kmsjwt' would replace what the bundle has under the name 'kmsjwt'" in str(error)


def test_nor_that_of_what_a_bundle_says_of_itself(refused, library):
    error = refused(library("kmsjwt-bundle.json", b"{}"))

    assert "would replace what the bundle has under the name 'kmsjwt-bundle.json'" in str(error)


@pytest.mark.parametrize("name", [".", "..", "mine/..", "/"])
def test_a_folder_without_a_name_of_its_own(name, typed, library):
    """Python would not find what is in it, under whatever name it went in."""
    library("mine/app.py", b"")

    said = typed("--with", name)

    assert said.code == 2
    assert f"'{name}' has no name of its own to go in under" in said.err
    assert "fix: name the files and folders one by one" in said.err


NEITHER, BACK = "is neither a file nor a folder, nor a link to one", "is a link back to a folder"


@pytest.mark.parametrize(
    ("make", "alone", "inside"),
    [
        (lambda path: path.symlink_to("nowhere"), NEITHER, NEITHER),
        (lambda path: path.symlink_to(path.name), NEITHER, NEITHER),
        (os.mkfifo, NEITHER, NEITHER),
        (lambda path: path.symlink_to(".."), "odd/deeper/odd' is a link back", BACK),
    ],
    ids=["a link to nothing", "a link to itself", "a pipe", "a link back"],
)
def test_what_is_neither_a_file_nor_a_folder(make, alone, inside, refused, library):
    odd = library("mine/deeper/app.py", b"").with_name("odd")
    make(odd)

    by_itself, in_a_folder = refused(odd), refused(odd.parents[1])

    assert alone in by_itself.message
    assert f"mine/deeper/odd' {inside}" in in_a_folder.message
    assert by_itself.code == in_a_folder.code == "bundle_file"
    assert by_itself.fix.startswith("remove it")


@pytest.mark.skipif(sys.platform != "linux", reason="it has a file that nobody can read")
def test_a_file_that_cannot_be_read(refused):
    error = refused(Path("/proc/self/mem"))

    assert "'/proc/self/mem' cannot be copied: " in error.message


def test_a_folder_goes_in_by_its_own_name_with_what_its_links_lead_to(
    library, tmp_path, monkeypatch
):
    monkeypatch.setattr(wheels, "install", lambda *_, **__: None)
    for name in ("mine/a.txt", "mine/.git/b", "mine/__pycache__/c", "mine/d.pyc", "other/e.txt"):
        library(name, name.encode())
    (tmp_path / "mine" / "folder").symlink_to(tmp_path / "other")
    (tmp_path / "mine" / "file").symlink_to(tmp_path / "other" / "e.txt")
    (tmp_path / "linked").symlink_to("mine")

    build(Target(arch="arm64", python="3.13"), tmp_path / "x.zip", files=[tmp_path / "linked"])

    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        own = {name: archive.read(name) for name in archive.namelist() if "linked" in name}
    assert own == {
        "linked/a.txt": b"mine/a.txt",
        "linked/file": b"other/e.txt",
        "linked/folder/e.txt": b"other/e.txt",
    }


def test_a_source_that_does_not_compile(refused, library, monkeypatch):
    error = refused(library("app.py", b"def handler(:\n"), python=HERE)

    assert error.code == "bundle_source"
    assert "'app.py' does not compile" in str(error)


def test_where_that_python_is_not_here_it_says_that_nobody_looked(
    capsys, library, monkeypatch, tmp_path
):
    monkeypatch.setattr(wheels, "install", lambda *_, **__: None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    library("app.py", b"def handler(:\n")
    other = "3.14" if HERE == "3.13" else "3.13"

    told = {}
    for given in ((), ("--with", "app.py")):
        assert main(["bundle", "--python", other, "--no-measure", *given]) == 0
        told[given] = capsys.readouterr().err

    nobody = "warning: your own files were not compiled either, so nobody looked for errors"
    assert [nobody in said for said in told.values()] == [False, True]


def test_without_pip_it_says_so(typed, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)

    said = typed()

    assert said.code == 2
    assert "pip is not in the Python that runs kmsjwt" in said.err
    assert "ensurepip" in said.err


def test_what_does_not_run_here_is_not_measured():
    other = "arm64" if os.uname().machine == "x86_64" else "x86_64"

    assert coldstart.runs_here(Target(arch=other, python=HERE)) is None


def test_a_measure_that_was_asked_for_and_cannot_be_had(capsys, monkeypatch, tmp_path):
    """Where it was not asked for, the same is said and no fault."""
    monkeypatch.setattr(wheels, "install", lambda *_, **__: None)
    monkeypatch.chdir(tmp_path)
    other = "arm64" if os.uname().machine == "x86_64" else "x86_64"
    wanted = ("--arch", other, "--python", HERE)

    assert main(["bundle", *wanted, "--measure"]) == 2
    assert f"for python{HERE} on {other} does not run here, so nothing" in capsys.readouterr().err
    assert main(["bundle", *wanted]) == 0
    assert f"python{HERE} on {other} does not run here" in capsys.readouterr().err


def test_a_bundle_that_does_not_run_on_this_linux_is_no_fault_of_it(capsys, monkeypatch, tmp_path):
    """One without cryptography stands for it here."""
    monkeypatch.setattr(wheels, "install", lambda *_, **__: None)
    monkeypatch.chdir(tmp_path)
    here = {"x86_64": "x86_64", "aarch64": "arm64"}[os.uname().machine]

    code = main(["bundle", "--arch", here, "--python", HERE])

    assert code == 0
    assert (
        "warning: its cold start was not measured: the bundle's author" in capsys.readouterr().err
    )
    assert (tmp_path / "dist" / "function.zip").is_file()


def test_a_target_says_what_it_is():
    """AWS: python3.11 is of Amazon Linux 2 (glibc 2.26), later ones of 2023 (2.34)."""
    old, new = Target(arch="arm64", python="3.11"), Target(arch="x86_64", python="3.12")

    assert (old.glibc, old.platforms[0]) == (26, "manylinux_2_26_aarch64")
    assert (new.glibc, new.platforms[0]) == (34, "manylinux_2_34_x86_64")
    assert old.platforms[-1] == "manylinux2014_aarch64"
    assert Target(arch="x86_64", python=HERE).magic == int.from_bytes(
        importlib.util.MAGIC_NUMBER[:2], "little"
    )
