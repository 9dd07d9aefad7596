"""A folder, and what a text names."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.publish.goods import ALL, ISSUER, JWKS, OAUTH, document, keys

from kmsjwt.errors import ConfigError, DocumentUnusable, PlaceDenied, PublishError
from kmsjwt.publish import S3, Conflict, Folder, Publisher, Stored, place

if TYPE_CHECKING:
    from collections.abc import Iterator


def publisher(folder: Path, issuer: str = ISSUER) -> Publisher:
    return Publisher(Folder(folder), issuer=issuer)


def files(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


def test_three_files_and_nothing_else(tmp_path):
    done = publisher(tmp_path / "new" / "site").publish(keys("a"))

    assert files(tmp_path / "new" / "site") == sorted(ALL)
    assert done.written == tuple(str(tmp_path / "new" / "site" / each) for each in ALL)
    assert publisher(tmp_path / "new" / "site").kids() == {"a"}


def test_anybody_may_read_them(tmp_path):
    old_umask = os.umask(0o077)
    try:
        publisher(tmp_path).publish(keys("a"))
    finally:
        os.umask(old_umask)

    assert stat.S_IMODE((tmp_path / JWKS).stat().st_mode) == 0o644


def test_the_same_again_touches_no_file(tmp_path):
    publisher(tmp_path).publish(keys("a"))
    before = [(tmp_path / each).stat() for each in ALL]

    assert publisher(tmp_path).publish(keys("a")).written == ()
    after = [(tmp_path / each).stat() for each in ALL]
    assert [each.st_ino for each in after] == [each.st_ino for each in before]


def test_a_reader_never_sees_half_a_file(tmp_path):
    """Who has the old file open reads it to its end: it was replaced, not written over."""
    publisher(tmp_path).publish(keys("a"))
    with (tmp_path / JWKS).open() as file:
        publisher(tmp_path).publish(keys("b"))
        assert [each["kid"] for each in json.load(file)["keys"]] == ["a"]
    assert publisher(tmp_path).kids() == {"a", "b"}


@pytest.mark.parametrize(
    ("there", "over"),
    [(b"1", None), (None, Stored(b"1")), (b"2", Stored(b"1"))],
    ids=["came", "went", "changed"],
)
def test_what_changed_since_it_was_read_is_a_conflict(tmp_path, there, over):
    if there is not None:
        (tmp_path / "a.json").write_bytes(there)

    with pytest.raises(Conflict):
        Folder(tmp_path).write("a.json", b"new", over=over, max_age=300)

    assert files(tmp_path) == ([] if there is None else ["a.json"])


def test_a_broken_file_stays(tmp_path):
    (tmp_path / JWKS).parent.mkdir(parents=True)
    (tmp_path / JWKS).write_bytes(b'{"keys": [')

    with pytest.raises(DocumentUnusable):
        publisher(tmp_path).publish(keys("a"))

    assert (tmp_path / JWKS).read_bytes() == b'{"keys": ['


def test_a_large_file_is_not_read(tmp_path):
    (tmp_path / JWKS).parent.mkdir(parents=True)
    (tmp_path / JWKS).write_bytes(b" " * 150_001)

    with pytest.raises(DocumentUnusable, match="larger"):
        publisher(tmp_path).publish(keys("a"))


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_is_no_file_is_neither_waited_for_nor_read_nor_replaced(tmp_path, kind):
    """A pipe that nobody writes to would be waited for without end, and /dev/zero has none."""
    (tmp_path / JWKS).parent.mkdir(parents=True)
    if kind == "pipe":
        os.mkfifo(tmp_path / JWKS)
    else:
        (tmp_path / JWKS).symlink_to("/dev/zero")
    before = (tmp_path / JWKS).lstat().st_mode

    with pytest.raises(DocumentUnusable, match="expected a file") as raised:
        publisher(tmp_path).publish(keys("a"))

    assert raised.value.code == "folder_no_file"
    assert (tmp_path / JWKS).lstat().st_mode == before


def test_a_file_may_be_a_link_to_one(tmp_path):
    publisher(tmp_path / "elsewhere").publish(keys("a"))
    (tmp_path / JWKS).parent.mkdir(parents=True)
    (tmp_path / JWKS).symlink_to(tmp_path / "elsewhere" / JWKS)

    assert publisher(tmp_path).kids() == {"a"}


def test_a_kept_key(tmp_path):
    (tmp_path / JWKS).parent.mkdir(parents=True)
    (tmp_path / JWKS).write_bytes(document(keys("old")[0].to_jwk()))

    assert publisher(tmp_path).publish(keys("new")).kept == ("old",)


@pytest.mark.parametrize("first", [ISSUER, "https://id.example"])
def test_two_issuers_that_do_not_fit_into_one_folder(tmp_path, first):
    """OAuth's document of the one is a folder for the other's."""
    second = {ISSUER: "https://id.example"}.get(first, ISSUER)
    publisher(tmp_path, first).publish(keys("a"))

    with pytest.raises(DocumentUnusable) as raised:
        publisher(tmp_path, second).publish(keys("b"))

    assert raised.value.code == "folder_shared"
    assert (tmp_path / OAUTH.removesuffix("/auth")).exists()


@pytest.fixture
def forbidden(tmp_path) -> Iterator[Path]:
    """A folder that this process may not enter, whoever runs the tests."""
    folder, me = tmp_path / "forbidden", os.geteuid()
    folder.mkdir(mode=0)
    if me == 0:
        os.seteuid(65_534)
    yield folder
    os.seteuid(me)
    folder.chmod(0o700)


def test_a_folder_that_may_not_be_read(forbidden):
    with pytest.raises(PlaceDenied) as raised:
        publisher(forbidden).publish(keys("b"))

    assert raised.value.fix
    assert not raised.value.retryable


def test_a_full_disk():
    """/dev/full takes no byte; here it is the folder's own name that no folder can have."""
    with pytest.raises(PublishError) as raised:
        publisher(Path("/dev/null/site")).publish(keys("a"))
    assert raised.value.where.startswith("/dev/null/site")


def test_names_of_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("site", "./other", str(tmp_path / "third"), "s3", "a.b"):
        Publisher(place(name), issuer=ISSUER).publish(keys("a"))
        assert (tmp_path / name / JWKS).is_file()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("s3://bucket", "s3://bucket/a"),
        ("s3://bucket/", "s3://bucket/a"),
        ("s3://bucket/site/id/", "s3://bucket/site/id/a"),
    ],
)
def test_names_of_buckets(text, shown):
    named = place(text, client=object())

    assert isinstance(named, S3)
    assert named.where("a") == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a\0b",
        "s3:bucket",
        "s3://",
        "s3:///prefix",
        "s3://Bucket",
        "s3://bucket/a//b",
        "https://id.example/.well-known/jwks.json",
        "https://user:secret@id.example/",
        "gs://bucket",
        "file:///srv/www",
        "arn:aws:s3:::bucket",
        "S3://bucket",
    ],
)
def test_what_is_no_place(text):
    with pytest.raises(ConfigError) as raised:
        place(text)

    assert raised.value.code == "place"
    assert "secret" not in str(raised.value)
