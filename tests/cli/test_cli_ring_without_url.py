"""A withdrawal at the command line while the issuer's URL does not answer."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest

from kmsjwt.cli.local import environment
from kmsjwt.local import LocalKms
from kmsjwt.local.http import running


@pytest.fixture
def rotate(monkeypatch, typed) -> Any:
    """Rotate a ring that is published in ./site, at a URL where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    site = ["--issuer", f"http://127.0.0.1:{port}", "--to", "site"]
    with running(LocalKms()) as server:
        for name, value in environment(os.environ, server.endpoint_url, "eu-central-1").items():
            monkeypatch.setenv(name, value)
        made = typed("key", "rotate", "auth", *site, "--start", "--spec", "ECC_NIST_P256")
        assert made.code == 0, made.err
        assert typed("key", "rotate", "auth", *site, "--start").code == 0
        yield lambda *more: typed("key", "rotate", "auth", *site, "--public", *more)


def test_what_it_would_do_is_told(rotate):
    done = rotate("--compromised", "1", "--dry-run")

    assert done.code == 0
    assert done.out.startswith("due   withdraw 1 · ")
    assert "what consumers read is not known" in done.err
    assert "accepts the old key until" in done.err


def test_what_is_left_of_it_is_told_and_to_whom_that_matters(rotate):
    done = rotate("--compromised", "2")

    assert done.code != 0
    assert "accepts the old key until" in done.err
    assert "its KMS key is still enabled" in done.err
    assert "jwks.json failed" in done.err
