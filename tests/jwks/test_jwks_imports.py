"""What a cold start pays for."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.jwks.servers import Server, jwks

import kmsjwt.jwks

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = {
    "http",
    "http.client",
    "ssl",
    "socket",
    "_socket",
    "email",
    "urllib",
    "urllib.request",
    "urllib.parse",
    "ipaddress",
    "logging",
    "asyncio",
    "dataclasses",
}


def loaded_by(code: str, *arguments: str) -> set[str]:
    script = f"import sys, json\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, check=True, text=True
    )
    return set(json.loads(done.stdout))


def test_nothing_of_http_before_something_is_fetched(tmp_path: Path) -> None:
    seed = tmp_path / "jwks.json"
    seed.write_text(json.dumps(jwks("a")))
    code = (
        "from kmsjwt.jwks import JwksUrl\n"
        "keys = JwksUrl('https://id.example/jwks.json', seed=sys.argv[1])\n"
        "keys.key('a')\n"
        "JwksUrl.from_issuer('https://id.example')\n"
        "from kmsjwt.jwks import jwks_document, discovery_document\n"
        "jwks_document(keys.key_set())\n"
    )
    assert loaded_by(code, str(seed)) & HEAVY == set()


def test_no_threads_are_prepared_by_the_import_alone() -> None:
    assert "threading" not in loaded_by("from kmsjwt.jwks import JwksUrl")


def test_bundled_keys_do_not_load_what_follows_urls() -> None:
    loaded = loaded_by("from kmsjwt.jwks import JwksFile, StaticKeys")
    assert {name for name in loaded if name.startswith("kmsjwt.jwks")} == {
        "kmsjwt.jwks",
        "kmsjwt.jwks.static",
    }


def test_every_public_name_is_there() -> None:
    for name in kmsjwt.jwks.__all__:
        assert getattr(kmsjwt.jwks, name).__doc__
    with pytest.raises(AttributeError, match="JwksURL"):
        kmsjwt.jwks.JwksURL  # type: ignore[attr-defined]  # noqa: B018  it is not there


def test_a_fetch_leaves_no_thread_behind(server: Server) -> None:
    code = (
        "from kmsjwt.jwks import JwksUrl\n"
        "JwksUrl(sys.argv[1]).key('a')\n"
        "import threading\n"
        "assert threading.active_count() == 1\n"
    )
    assert "http.client" in loaded_by(code, server.url)
