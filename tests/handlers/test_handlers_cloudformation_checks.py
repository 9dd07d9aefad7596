"""What is read of a custom resource's request, and how often its answer is sent."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from typing import Any, Self

import pytest
from tests.ministack import certificate as certificates

from kmsjwt.errors import ConfigError
from kmsjwt.handlers._cloudformation import NotAnswered, Request, is_request, put

URL = "https://cloudformation.example/answer?X-Amz-Signature=very-secret"
EVENT = {
    "RequestType": "Create",
    "ResponseURL": URL,
    "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/auth/1",
    "RequestId": "r-1",
    "LogicalResourceId": "Ring",
}


class Answers:
    """CloudFormation's side: what it is sent, and what it says."""

    def __init__(self, *statuses: int | Exception) -> None:
        self._statuses = list(statuses)
        self.sent: list[tuple[str, bytes]] = []
        self.pauses: list[float] = []

    def __call__(self, url: str, body: bytes) -> int:
        self.sent.append((url, body))
        status = self._statuses.pop(0)
        if isinstance(status, Exception):
            raise status
        return status

    @property
    def last(self) -> Any:
        return json.loads(self.sent[-1][1])


def answer(answers: Answers, event: dict[str, Any] = EVENT, **more: Any) -> None:
    Request(event).answer("ring", send=answers, pause=answers.pauses.append, **more)


@pytest.mark.parametrize("status", [200, 201, 299])
def test_an_answer_names_the_request_and_goes_to_its_url(status):
    answers = Answers(status)

    answer(answers, data={"Kid": "k"})

    ((url, _),) = answers.sent
    assert (url, answers.pauses) == (URL, [])
    assert answers.last == {
        "Status": "SUCCESS",
        "PhysicalResourceId": "ring",
        "StackId": EVENT["StackId"],
        "RequestId": "r-1",
        "LogicalResourceId": "Ring",
        "Data": {"Kid": "k"},
    }


def test_a_long_reason_is_cut_so_that_the_answer_is_taken():
    """It has 4,096 bytes at most."""
    answers = Answers(200)

    answer(answers, failure="why " * 2_000)

    assert answers.last["Status"] == "FAILED"
    assert answers.last["Reason"].startswith("why why")
    assert 1_000 < len(answers.sent[0][1]) <= 4_096


@pytest.mark.parametrize(
    ("statuses", "tried", "told"),
    [
        ([500, 599, 503], 3, "HTTP status 503"),
        ([499], 1, "HTTP status 499"),
        ([403], 1, "HTTP status 403"),
        ([199], 1, "HTTP status 199"),
        ([300], 1, "HTTP status 300"),
        ([307], 1, "HTTP status 307"),
        ([OSError(URL)] * 3, 3, "OSError"),
        ([TimeoutError(URL)] * 3, 3, "TimeoutError"),
        ([ValueError(URL)] * 3, 3, "ValueError"),
    ],
    ids=str,
)
def test_an_answer_that_is_not_taken_is_told_of_and_its_url_is_not(statuses, tried, told):
    answers = Answers(*statuses)

    with pytest.raises(NotAnswered, match=told) as caught:
        answer(answers)

    assert (len(answers.sent), answers.pauses) == (tried, [2.0] * (tried - 1))
    assert "very-secret" not in f"{caught.value} {caught.value.fix}"
    assert (caught.value.code, caught.value.retryable) == ("not_answered", True)


@pytest.mark.parametrize("before", [500, OSError("reset")], ids=["500", "reset"])
def test_a_second_answer_that_is_taken_is_enough(before):
    answers = Answers(before, 200)

    answer(answers)

    assert len(answers.sent) == 2


@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_what_is_read_of_a_request(kind):
    event = {**EVENT, "RequestType": kind, "PhysicalResourceId": "ring", "ResourceProperties": {}}
    request = Request({**event, "ResourceProperties": {"ExistingKey": "arn"}})

    assert (request.kind, request.physical_id) == (kind, "ring")
    assert request.properties == {"ExistingKey": "arn"}
    assert "very-secret" not in repr(request)


@pytest.mark.parametrize("odd", [None, 7, ["ring"]])
def test_what_is_of_another_kind_is_nothing(odd):
    request = Request({**EVENT, "PhysicalResourceId": odd, "ResourceProperties": odd})

    assert (request.physical_id, request.properties) == (None, {})


@pytest.mark.parametrize(
    "changed",
    [
        {"RequestType": "create"},
        {"RequestType": None},
        {"ResponseURL": None},
        {"ResponseURL": 7},
        {"ResponseURL": ""},
        {"ResponseURL": "http://cloudformation.example/answer"},
        {"ResponseURL": "file:///etc/passwd"},
        {"ResponseURL": " https://cloudformation.example/answer"},
    ],
    ids=str,
)
def test_a_foreign_event_is_refused(changed):
    with pytest.raises(ConfigError, match="no custom resource's") as caught:
        Request({**EVENT, **changed})

    assert caught.value.code == "custom_resource"


@pytest.mark.parametrize(
    ("event", "is_one"),
    [(EVENT, True), ({"start": True}, False), ("RequestType", False), (["RequestType"], False)],
    ids=["one", "a schedule's", "text", "a list"],
)
def test_what_is_meant_as_a_request(event, is_one):
    assert is_request(event) is is_one


# --- over the wire


class Wire:
    """A TLS server that takes one request and answers with these bytes."""

    def __init__(self, certificate: Any, answered: bytes) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.server, certificate.key)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._answered = answered
        self.head = b""
        self.origin = f"https://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        plain, _ = self._socket.accept()
        secured = self._context.wrap_socket(plain, server_side=True)
        with secured, secured.makefile("rwb") as wire:
            self.head = b"".join(iter(wire.readline, b"\r\n"))
            length = re.search(rb"Content-Length: (\d+)", self.head)
            assert length is not None
            # Who closes a connection with something unread has the answer thrown away.
            wire.read(int(length[1]))
            wire.write(self._answered)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(5)
        self._socket.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: Any) -> Any:
    return certificates.make(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def trusted(certificate: Any, monkeypatch: Any) -> Any:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))
    return certificate


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("target", ["/answer?a=b&c=d", "/answer"])
def test_an_answer_is_put_to_the_very_target_that_was_signed(trusted, target):
    with Wire(trusted, OK) as wire:
        Request({**EVENT, "ResponseURL": wire.origin + target}).answer("ring")

    first, *headers = wire.head.split(b"\r\n")
    assert first == f"PUT {target} HTTP/1.1".encode()
    assert b"Content-Type: " in headers


def test_an_answer_that_is_no_http_is_none(trusted):
    answers = Answers()

    def put_once(url: str, body: bytes) -> int:
        answers.sent.append((url, body))
        return put(url, body) if len(answers.sent) == 1 else 403

    with Wire(trusted, b"very-secret\r\n\r\n") as wire:
        event = {**EVENT, "ResponseURL": wire.origin + "/answer"}
        with pytest.raises(NotAnswered, match="HTTP status 403"):
            Request(event).answer("ring", send=put_once, pause=answers.pauses.append)

    assert len(answers.sent) == 2
