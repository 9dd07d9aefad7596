"""The AWS SDK for JavaScript drives the local KMS over HTTP."""

from __future__ import annotations

import pytest
from tests.js import node

from kmsjwt.local import LocalKms
from kmsjwt.local.http import running


@pytest.fixture(scope="session", autouse=True)
def _sdk() -> None:
    node.install()


def test_the_sdk_for_javascript_finds_a_kms() -> None:
    with running(LocalKms()) as server:
        done = node.run_script(
            node.HERE / "local_kms.mjs",
            AWS_REGION="eu-west-1",
            AWS_ENDPOINT_URL_KMS=server.endpoint_url,
            AWS_ACCESS_KEY_ID="any",
            AWS_SECRET_ACCESS_KEY="any",
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, "all good\n", "")
