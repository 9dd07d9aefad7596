"""The server: what boto3 needs, and what others may try."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from kmsjwt.errors import ConfigError
from kmsjwt.local import LocalKms
from kmsjwt.local.http import running, serve

TARGET = "TrentService.ListKeys"


@pytest.fixture
def server(kms: LocalKms) -> Any:
    with running(kms) as started:
        yield started


@pytest.fixture(scope="module")
def bystander() -> Any:
    """A server that no test changes."""
    with running(LocalKms()) as started:
        yield started


def post(server: Any, body: bytes = b"{}", target: str | None = TARGET, **headers: str) -> Any:
    return ask(server, "POST", "/", body, {"X-Amz-Target": target, **headers})


def ask(server: Any, method: str, path: str, body: bytes, headers: dict[str, str | None]) -> Any:
    connection = HTTPConnection(server.host, server.port, timeout=20)
    try:
        sent = {name: value for name, value in headers.items() if value is not None}
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def test_a_request_needs_no_credentials(bystander: Any) -> None:
    status, headers, body = post(bystander)
    assert (status, json.loads(body)) == (200, {"Keys": [], "Truncated": False})
    assert headers["content-type"] == "application/x-amz-json-1.1"
    assert len(headers["x-amzn-RequestId"]) == 36


def test_the_date_is_the_clocks(server: Any) -> None:
    assert post(server)[1]["Date"] == "Fri, 15 Jan 2027 08:00:00 GMT"


def test_an_answer_without_members_has_an_empty_body(
    kms: LocalKms, server: Any, new_key: Any
) -> None:
    body = json.dumps({"KeyId": new_key(kms)}).encode()
    status, headers, content = post(server, body, "TrentService.EnableKey")
    assert (status, content, headers["content-length"]) == (200, b"", "0")


def test_the_region_is_the_signatures(kms: LocalKms, server: Any, boto3_client: Any) -> None:
    there = boto3_client(server.endpoint_url, region="us-west-2")
    arn = there.create_key()["KeyMetadata"]["Arn"]
    assert arn.startswith("arn:aws:kms:us-west-2:")
    assert kms.in_region("us-west-2").describe_key(KeyId=arn)
    assert kms.list_keys()["Keys"] == []


def test_a_reader_is_known_by_its_access_key_id(
    kms: LocalKms, server: Any, boto3_client: Any, new_key: Any, sign: Any
) -> None:
    key = new_key(kms)
    kms.reader("issuer")
    kms.permissions.deny("Sign", reader="issuer")
    with pytest.raises(kms.exceptions.ClientError.__mro__[1], match="user/issuer"):
        sign(boto3_client(server.endpoint_url, access_key="issuer"), key)
    assert sign(boto3_client(server.endpoint_url, access_key="else"), key)


@pytest.mark.parametrize(
    ("target", "body", "code"),
    [
        ("TrentService.Decrypt", b"{}", "UnknownOperationException"),
        ("TrentService.__class__", b"{}", "UnknownOperationException"),
        ("TrentService.", b"{}", "UnknownOperationException"),
        ("DynamoDB_20120810.ListKeys", b"{}", "UnknownOperationException"),
        ("ListKeys", b"{}", "UnknownOperationException"),
        (None, b"{}", "UnknownOperationException"),
        (TARGET, b"{", "SerializationException"),
        (TARGET, b"[]", "SerializationException"),
        (TARGET, b"\xff\xfe", "SerializationException"),
        (TARGET, b"[" * 100_000, "SerializationException"),
        (TARGET, b'{"Limit": "ten"}', "SerializationException"),
        (TARGET, b'{"Limit": true}', "SerializationException"),
        (TARGET, b'{"Limit": 0}', "ValidationException"),
        ("TrentService.Sign", b'{"KeyId": "a", "Message": "?"}', "SerializationException"),
        ("TrentService.Sign", b'{"KeyId": "a", "Message": 7}', "SerializationException"),
        ("TrentService.Sign", b'{"KeyId": {"a": 1}}', "SerializationException"),
        ("TrentService.TagResource", b'{"KeyId": "a", "Tags": [1]}', "SerializationException"),
        ("TrentService.Sign", b"{}", "ValidationException"),
        ("TrentService.DescribeKey", b'{"KeyId": "a"}', "NotFoundException"),
    ],
)
def test_a_bad_request_is_told_so(bystander: Any, target: str, body: bytes, code: str) -> None:
    status, _, content = post(bystander, body, target)
    assert (status, json.loads(content)["__type"]) == (400, code)


def test_members_that_kms_does_not_know_are_ignored(bystander: Any) -> None:
    assert post(bystander, b'{"Whatever": {"a": [1]}}')[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "0.0.0.0", ""]
)
def test_another_host_name_is_refused(bystander: Any, host: str) -> None:
    status, _, body = post(bystander, Host=host)
    assert (status, json.loads(body)["__type"]) == (403, "ForbiddenException")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:4711", "127.0.0.1", "[::1]:80"])
def test_a_loopback_host_name_is_accepted(bystander: Any, host: str) -> None:
    assert post(bystander, Host=host)[0] == 200


def test_a_huge_body_is_refused(bystander: Any) -> None:
    status, _, body = post(bystander, b'{"Marker": "' + b"m" * 300_000 + b'"}')
    assert (status, json.loads(body)["__type"]) == (413, "RequestEntityTooLargeException")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 200), ("PUT", "/", 405), ("POST", "/other", 404), ("GET", "/../etc", 404)],
)
def test_other_verbs_and_paths(bystander: Any, method: str, path: str, status: int) -> None:
    assert ask(bystander, method, path, b"", {"X-Amz-Target": TARGET})[0] == status


def test_another_application_can_live_beside_it(kms: LocalKms) -> None:
    async def guest(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    with running(kms, mounts={"/gateway": guest}) as server:
        assert ask(server, "GET", "/gateway/a/b", b"", {})[2] == b"/gateway/a/b"
        assert ask(server, "GET", "/gateways", b"", {})[0] == 404
        assert ask(server, "GET", "/gateway", b"", {"Host": "evil.example"})[0] == 403
        assert post(server)[0] == 200


# --- connections


@pytest.mark.parametrize("kind", ["drop", "drop_after"])
def test_a_dropped_connection_is_closed_without_a_byte(
    kms: LocalKms, server: Any, kind: Any
) -> None:
    kms.faults.add("CreateKey", kind=kind)
    request = (
        "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: TrentService.CreateKey\r\n"
        "Content-Length: 2\r\n\r\n{}"
    )
    with socket.create_connection((server.host, server.port), timeout=20) as connection:
        connection.sendall(request.encode())
        with suppress(ConnectionResetError):
            assert connection.recv(1) == b""
    assert len(kms.list_keys()["Keys"]) == (kind == "drop_after")
    assert post(server)[0] == 200


def test_boto3_meets_a_dropped_connection_as_on_a_bad_network(
    kms: LocalKms, server: Any, boto3_client: Any, new_key: Any, sign: Any
) -> None:
    key = new_key(kms)
    client = boto3_client(server.endpoint_url)
    assert sign(client, key)
    kms.faults.add("Sign", kind="drop")
    with pytest.raises(ConnectionClosedError):
        sign(client, key)
    assert sign(client, key)


def test_64_clients_at_once_lose_nothing(kms: LocalKms, server: Any, new_key: Any) -> None:
    key = new_key(kms)
    gate = threading.Barrier(64)
    body = json.dumps(
        {"KeyId": key, "Message": "bQ==", "SigningAlgorithm": "ECDSA_SHA_256"}
    ).encode()

    def client(_: int) -> list[tuple[int, str]]:
        connection = HTTPConnection(server.host, server.port, timeout=20)
        answers = []
        gate.wait()
        for _ in range(5):
            connection.request("POST", "/", body, {"X-Amz-Target": "TrentService.Sign"})
            response = connection.getresponse()
            answers.append((response.status, json.loads(response.read())["Signature"]))
        connection.close()
        return answers

    with ThreadPoolExecutor(64) as pool:
        answers = [answer for answers in pool.map(client, range(64)) for answer in answers]
    assert len(answers) == 320
    assert {status for status, _ in answers} == {200}
    assert len({signature for _, signature in answers}) == 320


def test_a_slow_answer_holds_up_nobody_else(new_key: Any, boto3_client: Any, sign: Any) -> None:
    gate = threading.Event()
    kms = LocalKms(sleep=lambda _: assert_true(gate.wait(20)))
    key = new_key(kms)
    with running(kms) as server, ThreadPoolExecutor(1) as pool:
        kms.faults.add("Sign", kind="latency", seconds=9)
        slow = pool.submit(sign, boto3_client(server.endpoint_url), key)
        while kms.faults:  # until the slow request has met its fault
            assert post(server)[0] == 200
        assert post(server)[0] == 200
        assert not slow.done()
        gate.set()
        assert slow.result(20)["Signature"]


def assert_true(value: object) -> None:
    assert value


def test_keys_are_made_and_used_from_many_threads_at_once(
    kms: LocalKms, new_key: Any, sign: Any
) -> None:
    def work(number: int) -> Any:
        key = new_key(kms)
        kms.create_alias(AliasName=f"alias/a{number}", TargetKeyId=key)
        kms.tag_resource(KeyId=key, Tags=[{"TagKey": "n", "TagValue": str(number)}])
        assert sign(kms, f"alias/a{number}")["KeyId"] == key
        return key

    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(work, range(48)))
    assert {key["KeyArn"] for key in kms.list_keys()["Keys"]} == keys
    assert len(kms.list_aliases()["Aliases"]) == 48


# --- where it listens


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.com"])
def test_nothing_but_loopback_is_bound(kms: LocalKms, host: str) -> None:
    with pytest.raises(ConfigError) as error:
        serve(kms, host=host)
    assert error.value.code == "not_loopback"


def test_a_port_that_is_taken_is_a_config_error(kms: LocalKms, server: Any) -> None:
    with pytest.raises(ConfigError) as error:
        serve(kms, port=server.port)
    assert error.value.code == "port_unusable"


SERVER = """
from kmsjwt.local import LocalKms
from kmsjwt.local.http import serve
serve(LocalKms(), announce=lambda server: print(server.port, flush=True))
print("stopped", flush=True)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_serve_blocks_until_interrupted_and_then_ends_quietly(how: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        connection = HTTPConnection("127.0.0.1", int(process.stdout.readline()), timeout=20)
        connection.request("POST", "/", b"{}", {"X-Amz-Target": TARGET})
        assert connection.getresponse().status == 200
        connection.close()
        process.send_signal(how)
        output, errors = process.communicate(timeout=20)
        assert (process.returncode, output, errors) == (0, b"stopped\n", b"")
