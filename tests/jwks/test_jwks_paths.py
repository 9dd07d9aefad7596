"""What a path may be: text or an os.PathLike. Anything else is refused before it is opened."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from tests.core.awkward import Awkward, raises
from tests.jwks.servers import jwks

from kmsjwt import ConfigError
from kmsjwt.jwks import JwksFile, JwksUrl
from kmsjwt.jwks.seed import read_copy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

URL = "https://id.example/jwks.json"


class Odd:
    """A path of the user's own, of which no more is asked than its path."""

    def __init__(self, path: Any) -> None:
        self._path = path

    def __fspath__(self) -> Any:
        return self._path

    __str__ = __repr__ = __eq__ = raises
    __hash__ = None  # type: ignore[assignment]  # nobody looks it up


class OwnText(str):
    __slots__ = ()
    __str__ = __repr__ = __format__ = encode = __len__ = __eq__ = raises
    __hash__ = None  # type: ignore[assignment]  # nobody looks it up


READERS: dict[str, Callable[[Any], object]] = {
    "file": JwksFile,
    "seed": lambda path: JwksUrl(URL, seed=path),
    "seed with an end": lambda path: JwksUrl(URL, seed=path, seed_max_age=60),
    "copy": read_copy,
}
NO_PATHS: dict[str, Any] = {
    "number": 1_000_000,
    "negative number": -1,
    "float": 0.5,
    "bytes": b"jwks.json",
    "list": ["jwks.json"],
    "mapping": {"keys": []},
    "what raises": Awkward(),
    "a path of a number": Odd(5),
    "a path of None": Odd(None),
    "a path of bytes": Odd(b"jwks.json"),
    "a path of a path": Odd(Odd("jwks.json")),
}


@pytest.mark.parametrize("name", NO_PATHS)
@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_what_is_no_path_is_refused(read: Callable[[Any], object], name: str):
    with pytest.raises(ConfigError, match=r"expected a path, as text or os\.PathLike") as caught:
        read(NO_PATHS[name])
    assert caught.value.code == "jwks_file"
    assert caught.value.fix
    assert str(caught.value).isascii()
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("read", [JwksFile, read_copy])
def test_no_path_at_all_is_refused(read: Callable[[Any], object]):
    with pytest.raises(ConfigError, match="is None, expected a path") as caught:
        read(None)
    assert caught.value.code == "jwks_file"


def test_an_open_file_is_not_read_by_its_number(tmp_path: Path):
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(jwks("a")))
    descriptor = os.open(file, os.O_RDONLY)
    try:
        with pytest.raises(ConfigError, match=f"is {descriptor}, expected a path"):
            JwksFile(descriptor)  # type: ignore[arg-type]  # wrong on purpose
        assert os.lseek(descriptor, 0, os.SEEK_CUR) == 0
    finally:
        os.close(descriptor)


@pytest.fixture
def standard_streams() -> Iterator[None]:
    """Let them be open after a test that may close them, by their numbers 0 and 1."""
    kept = [os.dup(number) for number in (0, 1)]
    yield
    for number, copy in enumerate(kept):
        os.dup2(copy, number)
        os.close(copy)


@pytest.mark.usefixtures("standard_streams")
@pytest.mark.parametrize("path", [0, False, True], ids=repr)
def test_a_standard_stream_is_not_read(path: Any):
    with pytest.raises(ConfigError, match=f"is {path}, expected a path"):
        JwksFile(path)


@pytest.mark.parametrize("kind", [str, OwnText, Odd, lambda path: Odd(OwnText(path))])
@pytest.mark.parametrize("name", ["missing.json", "", "a\0b", "\ud800", "\u0142\n.json"], ids=ascii)
def test_a_path_that_cannot_be_read_is_named_by_its_text_alone(
    kind: Callable[[str], Any], name: str, tmp_path: Path
):
    for read in READERS.values():
        with pytest.raises(ConfigError, match="cannot be read") as caught:
            read(kind(f"{tmp_path}/{name}"))
        assert caught.value.code == "jwks_file"
        assert str(tmp_path) in str(caught.value)
        assert str(caught.value).isascii()
        assert str(caught.value).isprintable()


@pytest.mark.parametrize("kind", [str, OwnText, Odd, lambda path: Odd(OwnText(path))])
def test_a_path_is_what_its_text_says(kind: Callable[[str], Any], tmp_path: Path):
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({**jwks("a"), "read_at": 1_790_000_000, "read_from": URL}))

    assert JwksFile(kind(str(file))).key("a").kid == "a"
    source = JwksUrl(URL, seed=kind(str(file)), seed_max_age=60, clock=lambda: 1_790_000_000.0)
    assert source.key("a").kid == "a"
    assert read_copy(kind(str(file)))[1:] == (1_790_000_000, URL)


@pytest.mark.parametrize(
    "contents",
    [b"<html>", b'{"keys": []}', b" " * 150_001, json.dumps(jwks("a")).encode()],
    ids=["no JSON", "no key", "too large", "no date"],
)
@pytest.mark.parametrize("read", ["seed with an end", "copy"])
@pytest.mark.parametrize("kind", [OwnText, Odd])
def test_a_file_that_cannot_be_used_is_named_by_its_text_alone(
    kind: Callable[[str], Any], read: str, contents: bytes, tmp_path: Path
):
    file = tmp_path / "published-\u0142.json"
    file.write_bytes(contents)

    with pytest.raises(ConfigError, match=r"published-") as caught:
        READERS[read](kind(str(file)))
    assert str(caught.value).isascii()
