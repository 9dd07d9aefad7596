"""`kmsjwt init` writes where nothing is, and says what becomes of what is there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from kmsjwt.cli.scaffold import ring_name, stack_name
from kmsjwt.key_names import RING_NAME

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "sam": {"samconfig.toml", "template.yaml"},
    "cdk": {"app.py", "cdk.json", "settings.py"},
}
COMMON = {
    ".gitignore",
    "README.md",
    "conftest.py",
    "hello.py",
    "pyproject.toml",
    "requirements.txt",
    "tests/test_hello.py",
    "tests/test_settings.py",
    "tests/test_stack.py",
}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_it_says_each_file_that_it_writes(typed, tool, tmp_path):
    said = typed("my-auth", "--with", tool)

    wanted = COMMON | FILES[tool]
    assert set(contents(tmp_path / "my-auth")) == wanted
    assert [line.split() for line in said.out.splitlines()] == [
        ["written", f"my-auth/{name}"] for name in sorted(wanted)
    ]
    assert "README.md" in said.err


def test_sam_is_what_one_gets(typed, tmp_path):
    typed("my-auth")

    assert (tmp_path / "my-auth" / "template.yaml").exists()


def test_a_second_time_nothing_changes(typed, tool, tmp_path):
    typed("my-auth", "--with", tool)
    before = contents(tmp_path / "my-auth")

    said = typed("my-auth", "--with", tool)

    assert said.code == 0
    assert {line.split()[0] for line in said.out.splitlines()} == {"unchanged"}
    assert contents(tmp_path / "my-auth") == before


def test_it_never_overwrites(typed, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "hello.py").write_text("mine = True\n")
    (folder / "README.md").write_text("# Mine\n")
    before = contents(folder)

    said = typed("mine")

    assert (said.code, said.out) == (2, "")
    assert "not as they would be written: README.md, hello.py" in said.err
    assert "nothing was written" in said.err
    assert contents(folder) == before


def test_force_says_what_it_replaces_and_leaves_the_rest(typed, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "hello.py").write_text("mine = True\n")
    (folder / "notes.txt").write_text("mine\n")

    said = typed("mine", "--force")

    assert said.code == 0
    assert re.findall(r"^will replace (.*)$", said.err, re.MULTILINE) == ["mine/hello.py"]
    assert re.findall(r"^replaced +(.*)$", said.out, re.MULTILINE) == ["mine/hello.py"]
    assert "def handler" in (folder / "hello.py").read_text()
    assert (folder / "notes.txt").read_text() == "mine\n"


@pytest.mark.parametrize("forced", [False, True], ids=["refused", "forced"])
def test_what_a_link_leads_to_is_not_written(typed, tmp_path, forced):
    elsewhere = tmp_path / "precious.py"
    elsewhere.write_text("precious = True\n")
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "hello.py").symlink_to(elsewhere)

    said = typed("mine", *(["--force"] if forced else []))

    assert said.code == (0 if forced else 2)
    assert elsewhere.read_text() == "precious = True\n"


@pytest.mark.parametrize(
    ("tool", "other"), [("cdk", "sam"), ("sam", "cdk")], ids=["over SAM", "over the CDK"]
)
def test_what_another_tool_left_is_told(typed, tmp_path, tool, other):
    typed("mine", "--with", other)

    said = typed("mine", "--with", tool, "--force")

    [line] = re.findall(rf"^left there, of a project --with {other}: (.*)$", said.err, re.MULTILINE)
    assert set(line.split(", ")) == FILES[other]
    assert all((tmp_path / "mine" / name).exists() for name in FILES[other])


def test_somebodys_own_files_are_nothing_that_was_left(typed, tmp_path):
    """The CDK is not alone in calling a file app.py."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "app.py").write_text("mine = True\n")
    (folder / "settings.py").write_text("mine = True\n")

    assert "left there" not in typed("mine").err
    assert "left there" not in typed("mine").err


@pytest.mark.parametrize(
    ("name", "stack", "ring"),
    [("my-auth", "my-auth", "my-auth"), ("müsli", "m-sli", "m-sli"), ("日本", "auth", "auth")],
)
def test_the_names_that_the_folder_gave_are_told(typed, tmp_path, name, stack, ring):
    said = typed(name)

    assert f"the stack is {stack}, its key ring {ring}\n" in said.err
    text = (tmp_path / name / "samconfig.toml").read_text("utf-8")
    assert f'stack_name = "{stack}"' in text
    assert f'"RingName={ring}"' in text
    assert f"kmsjwt key list {ring}\n" in (tmp_path / name / "README.md").read_text("utf-8")


def test_a_folder_that_cannot_be_made_is_named(typed):
    said = typed("/proc/nowhere")

    assert said.code == 2
    assert "'/proc/nowhere' cannot be made" in said.err
    assert ".gitignore" not in said.err
    assert re.search(r"^  fix: name one ", said.err, re.MULTILINE)


def test_a_file_is_no_folder(typed, tmp_path):
    (tmp_path / "mine").write_text("")

    said = typed("mine")

    assert said.code == 2
    assert "'mine' is no folder" in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["p", "--with", "terraform"], "invalid choice: 'terraform'"),
        (["p", "--arch", "arm"], "arch is 'arm'"),
        (["p", "--python", "2.7"], "python is '2.7'"),
        ([], "DIR"),
    ],
)
def test_words_that_make_no_sense_write_nothing(typed, tmp_path, words, told):
    said = typed(*words)

    assert said.code == 2
    assert told in said.err
    assert list(tmp_path.iterdir()) == []


# CloudFormation, CreateStack, StackName.
@pytest.mark.parametrize(
    "name", ["my auth", "1st", "Zażółć", "a_b", "-x-", "...", "ok", "a" * 200, "1" * 200, "a-" * 90]
)
def test_any_folder_makes_a_name_that_cloudformation_takes(name):
    assert re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", stack_name(name))
    assert re.fullmatch(RING_NAME, ring_name(name))


@pytest.mark.parametrize("name", ["aws", "AWS", "-aws-"])
def test_a_ring_is_not_called_what_aws_keeps_to_itself(name):
    """KMS, CreateAlias: no alias begins with alias/aws/."""
    assert not f"alias/{ring_name(name)}/1".lower().startswith("alias/aws/")
