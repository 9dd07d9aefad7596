"""What ``kmsjwt bundle --jwks`` takes, and what it refuses before anything is built."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.jwks.servers import Server, jwks, private_jwk

from kmsjwt.bundling import Target, build, wheels
from kmsjwt.cli import main
from kmsjwt.cli.bundle_seed import Seed
from kmsjwt.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = 86_400
URL = "https://id.example/jwks.json"


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.stop()


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def write(document: Any) -> str:
        path = tmp_path / "jwks.json"
        path.write_text(json.dumps(document))
        return str(path)

    return write


def copy(**members: Any) -> dict[str, Any]:
    """Return a seed that was read an hour ago."""
    return {**jwks("a"), "read_at": int(time.time()) - 3_600, "read_from": URL, **members}


def test_from_a_url_it_is_read_now(server: Server) -> None:
    before = int(time.time())
    server.publish("b", "a")

    put = json.loads(Seed.of(server.url).to_bytes())

    assert [jwk["kid"] for jwk in put["keys"]] == ["a", "b"]
    assert before <= put["read_at"] <= time.time()
    assert put["read_from"] == server.url


def test_what_is_said_of_it_leaves_a_query_out(server: Server) -> None:
    """Some put secrets there. The seed has it: with another query it may be another JWKS."""
    seed = Seed.of(f"{server.url}?code=hush")

    assert json.loads(seed.to_bytes())["read_from"] == f"{server.url}?code=hush"
    assert seed.to_dict()["read_from"] == server.url
    assert server.url in " ".join(seed.told(layer=False))
    assert "hush" not in " ".join(seed.told(layer=False))


def test_a_copy_stays_as_old_as_it_is(file: Any) -> None:
    read_at = int(time.time()) - 6 * DAY
    copy = file({**jwks("a"), "read_at": read_at, "read_from": URL})

    once = Seed.of(copy).to_bytes()

    assert json.loads(once)["read_at"] == read_at
    assert json.loads(once)["read_from"] == URL
    assert Seed.of(file(json.loads(once))).to_bytes() == once


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (lambda: copy(read_at=int(time.time()) - 7 * DAY), "within the last week"),
        (lambda: copy(read_at=int(time.time()) + DAY), "within the last week"),
        (lambda: jwks("a"), "give the URL"),
        (lambda: {**jwks("a"), "read_at": int(time.time())}, "has read_from None"),
        (lambda: copy(read_at=None), "give the URL"),
        (lambda: copy(read_at=10**18), "has read_at 1000"),
        (lambda: copy(read_from=7), "has read_from 7"),
        (lambda: {"keys": [private_jwk("a")]}, "private"),
        (lambda: {"keys": []}, "no usable key"),
        (list, "is no JWKS"),
    ],
    ids=[
        "a week old",
        "of tomorrow",
        "a plain JWKS",
        "of no URL",
        "of no time",
        "of no calendar",
        "of a number",
        "private keys",
        "no keys",
        "no JWKS",
    ],
)
def test_what_no_authorizer_should_begin_with_is_refused(
    document: Any, told: str, file: Any, tmp_path: Path, capsys: Any
) -> None:
    out = tmp_path / "function.zip"

    code = main(["bundle", "--jwks", file(document()), "--out", str(out)])

    said = capsys.readouterr().err
    assert (code, told in said) == (2, True), said
    assert not out.exists()


def test_a_url_that_cannot_be_read_may_be_tried_again(server: Server, capsys: Any) -> None:
    server.fail()

    assert main(["bundle", "--jwks", server.url]) == 3
    assert "503" in capsys.readouterr().err


@pytest.mark.parametrize("given", [True, False], ids=["beside --jwks", "instead of it"])
def test_a_file_of_your_own_has_not_their_name(
    given: bool, file: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    """Put in so, nobody would look whether it may still serve."""
    own = tmp_path / "jwks-seed.json"
    own.write_text("{}")
    monkeypatch.setattr(wheels, "install", lambda *_, **__: None)

    with pytest.raises(ConfigError, match=r"jwks-seed\.json' has the name .* --jwks URL"):
        build(
            Target(arch="x86_64", python="3.13"),
            tmp_path / "function.zip",
            files=[own],
            seed=Seed.of(file(copy())).to_bytes() if given else None,
        )
