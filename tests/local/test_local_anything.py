"""Whatever is sent, the server answers as KMS does: 200 or 400, never a fault of its own."""

from __future__ import annotations

import base64
import json
from http.client import HTTPConnection
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kmsjwt.local import LocalKms
from kmsjwt.local.http import running
from kmsjwt.local.shapes import OPERATIONS

KEYS = ("alias/a", "alias/", "arn:aws:kms:eu-central-1:111122223333:alias/a", "arn:aws:kms:::key/")
NAMES = sorted({name for members in OPERATIONS.values() for name in members})
SLOW = {"RSA_3072", "RSA_4096"}  # to make
CHOICES = sorted(
    {c for members in OPERATIONS.values() for m in members.values() for c in m.choices} - SLOW
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 2000)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=70).map(lambda raw: base64.b64encode(raw).decode())
    | st.sampled_from((*KEYS, *CHOICES))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("TagKey", "TagValue", "x")), inner, max_size=3)
    ),
    max_leaves=6,
)
REQUESTS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6)


@pytest.fixture(scope="module")
def connection() -> Any:
    kms = LocalKms()
    kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    key = kms.list_keys()["Keys"][0]["KeyId"]
    kms.create_alias(AliasName="alias/a", TargetKeyId=key)
    with running(kms) as server:
        opened = HTTPConnection(server.host, server.port, timeout=20)
        yield opened
        opened.close()


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(operation=st.sampled_from(sorted(OPERATIONS)), request_=REQUESTS | VALUES)
def test_any_request_gets_an_answer(connection: Any, operation: str, request_: Any) -> None:
    headers = {"X-Amz-Target": f"TrentService.{operation}"}
    connection.request("POST", "/", json.dumps(request_).encode(), headers)
    response = connection.getresponse()
    body = response.read()
    assert response.status in {200, 400}
    if response.status == 400:
        assert json.loads(body)["__type"].endswith("Exception")
