"""What KMS and the network answer, told as ours: class, code, retryable, key, action, next step."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack, closing, suppress
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.kms import support
from tests.kms.support import issued, make_key

from kmsjwt import TokenError, aws
from kmsjwt.errors import (
    BadSignature,
    CannotKnow,
    KmsAccessDenied,
    KmsError,
    KmsKeyNotFound,
    KmsKeyUnusable,
    KmsThrottled,
    KmsUnavailable,
)
from kmsjwt.kms import KmsKeys, KmsSigner, KmsVerify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kmsjwt.local import LocalKms

REGION = "eu-central-1"
DISABLED, PENDING = "DisabledException", "KMSInvalidStateException"

# aws-facts A.5: exception, whether it passes, and what it is to whoever reads the log.
ROWS: dict[str, tuple[type[KmsError], str, bool, str]] = {
    "KMSInternalException": (KmsUnavailable, "kms_unavailable", True, "failed inside"),
    "DependencyTimeoutException": (KmsUnavailable, "kms_unavailable", True, "timed out"),
    "KeyUnavailableException": (KmsUnavailable, "kms_unavailable", True, "for the moment"),
    "ThrottlingException": (KmsThrottled, "kms_throttled", True, "throttled"),
    "LimitExceededException": (KmsError, "kms", False, "higher quota"),
    DISABLED: (KmsKeyUnusable, "kms_key_unusable", False, "is disabled"),
    PENDING: (KmsKeyUnusable, "kms_key_unusable", False, "pending deletion"),
    "NotFoundException": (KmsKeyNotFound, "kms_key_not_found", False, "is not there"),
    "InvalidKeyUsageException": (KmsKeyUnusable, "kms_key_unusable", False, "SIGN_VERIFY"),
    "UnsupportedOperationException": (KmsKeyUnusable, "kms_key_unusable", False, "SIGN_VERIFY"),
    "InvalidArnException": (KmsKeyNotFound, "kms_key_not_found", False, "check the ARN"),
    "InvalidGrantTokenException": (KmsError, "kms", False, "InvalidGrantTokenException"),
    "DryRunOperationException": (KmsError, "kms", False, "DryRunOperationException"),
    "ValidationException": (KmsError, "kms", False, "ValidationException"),
    "AccessDeniedException": (KmsAccessDenied, "kms_access_denied", False, "allow kms:"),
    "ServiceUnavailableException": (KmsUnavailable, "kms_unavailable", True, "unavailable"),
    "InternalFailure": (KmsUnavailable, "kms_unavailable", True, "failed inside"),
    "SomethingNewException": (KmsError, "kms", False, "SomethingNewException"),
    "ExpiredTokenException": (KmsAccessDenied, "no_credentials", False, "have expired"),
    "UnrecognizedClientException": (KmsAccessDenied, "no_credentials", False, "not valid"),
    "InvalidSignatureException": (KmsAccessDenied, "no_credentials", False, "not valid"),
}


def client(endpoint_url: str = "https://127.0.0.1:1", **config: Any) -> Any:
    """Return boto3's own client, quick to give up."""
    settings = Config(
        connect_timeout=config.pop("connect_timeout", 1),
        read_timeout=config.pop("read_timeout", 1),
        retries={"total_max_attempts": 1},
        **config,
    )
    return session().client("kms", endpoint_url=endpoint_url, config=settings)


@cache
def session() -> Any:
    """Return one session for all: each reads boto3's service descriptions anew."""
    return boto3.session.Session(
        aws_access_key_id="x", aws_secret_access_key="y", region_name=REGION
    )


@pytest.fixture(params=["boto3", "in process"])
def genuine(request: pytest.FixtureRequest, kms: LocalKms) -> Any:
    """The local KMS behind boto3's own client, and as itself."""
    return kms.attach(client()) if request.param == "boto3" else kms


def fails(act: Callable[[], object]) -> KmsError:
    with pytest.raises(KmsError) as told:
        act()
    return told.value


def require_clear(error: KmsError, action: str, key: str) -> None:
    """Hold the grammar of every message: key, action, a next step, three lines at most."""
    text = str(error)
    assert key in text
    assert f"kms:{action}" in text
    assert (error.action, error.key) == (action, key)
    assert error.fix
    assert error.fix in text
    assert text.count("\n") == 0
    assert len(text) <= 600
    assert isinstance(error, CannotKnow)
    assert not isinstance(error, TokenError)


def acts(action: str, key: str, its_client: Any) -> Callable[[], object]:
    if action == "Sign":
        signing = KmsSigner(key, client=its_client).current()
        return lambda: signing.sign(b"a.b")
    if action == "Verify":
        verifying = KmsVerify(key, client=its_client).key(None)
        return lambda: verifying.verify(b"\1" * 64, b"a.b")
    return lambda: KmsKeys(key, client=its_client).key("any")


@pytest.mark.parametrize("action", ["Sign", "Verify", "GetPublicKey"])
@pytest.mark.parametrize("code", ROWS)
def test_what_kms_answers_is_told_as_ours(
    code: str, action: str, kms: LocalKms, arn: str, genuine: Any
):
    kind, our_code, retryable, part = ROWS[code]
    act = acts(action, arn, genuine)
    with kms.faults.add(action, kind="error_before", code=code, message="why\nso", times=None):
        error = fails(act)

    assert type(error) is kind
    assert (error.code, error.retryable) == (our_code, retryable)
    assert error.aws_code == code
    assert error.request_id
    assert part in str(error)
    require_clear(error, action, arn)


def test_access_denied_says_what_aws_said_and_which_conditions_refuse(
    kms: LocalKms, arn: str, genuine: Any
):
    act = acts("Sign", arn, genuine)
    kms.permissions.deny("Sign")
    error = fails(act)
    for part in ("is not authorized to perform: kms:Sign", "kms:RequestAlias", "kms:MessageType"):
        assert part in str(error)
    require_clear(error, "Sign", arn)


@pytest.mark.parametrize("code", [*ROWS, "drop"])
def test_only_an_invalid_signature_means_a_bad_token(code: str, kms: LocalKms, arn: str):
    """A good token whose verification fails for another reason is never refused."""
    token = issued(arn, kms)
    verifier = support.verifier(KmsVerify(arn, client=kms))
    verifier.verify(token)
    if code == "drop":
        kms.faults.add("Verify", kind="drop")
    else:
        kms.faults.add("Verify", kind="error_before", code=code)
    with pytest.raises(CannotKnow):
        verifier.verify(token)

    kms.faults.add("Verify", kind="error_before", code="KMSInvalidSignatureException")
    with pytest.raises(BadSignature):
        verifier.verify(token)


def test_a_bad_signature_through_boto3_is_a_bad_token(kms: LocalKms, arn: str):
    genuine = kms.attach(client())
    token = issued(arn, genuine)
    verifier = support.verifier(KmsVerify(arn, client=genuine))
    assert verifier.verify(token).kid
    with pytest.raises(BadSignature) as bad:
        verifier.verify(support.tampered(token, 2, 100))
    assert bad.value.__cause__ is None
    assert str(bad.value) == "the ES256 signature does not verify"


# --- the states of a key, as the local KMS tells them ---


def _disable(kms: LocalKms, arn: str) -> None:
    kms.disable_key(KeyId=arn)


def _delete(kms: LocalKms, arn: str) -> None:
    kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)


@pytest.mark.parametrize("action", ["Sign", "Verify", "GetPublicKey"])
@pytest.mark.parametrize(
    ("spoil", "part"), [(_disable, "is disabled"), (_delete, "pending deletion")]
)
def test_the_states_of_a_key(
    spoil: Callable[[LocalKms, str], None],
    part: str,
    action: str,
    kms: LocalKms,
    arn: str,
    genuine: Any,
):
    act = acts(action, arn, genuine)
    spoil(kms, arn)
    error = fails(act)
    assert type(error) is KmsKeyUnusable
    assert part in str(error)
    require_clear(error, action, arn)


@pytest.mark.parametrize(
    ("spec", "usage"),
    [
        ("RSA_2048", "ENCRYPT_DECRYPT"),
        ("ECC_NIST_P256", "KEY_AGREEMENT"),
        ("HMAC_256", "GENERATE_VERIFY_MAC"),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
    ],
)
def test_a_key_that_is_not_for_signing(spec: str, usage: str, kms: LocalKms, genuine: Any):
    try:
        arn = make_key(kms, spec, usage)
    except kms.exceptions.ClientError:
        pytest.fail(f"the local KMS makes no {spec} for {usage}")
    for act in (
        lambda: KmsSigner(arn, client=genuine).current(),
        lambda: KmsKeys(arn, client=genuine).key("any"),
        lambda: KmsVerify(arn, client=genuine).key("any"),
    ):
        error = fails(act)
        assert type(error) is KmsKeyUnusable
        assert "SIGN_VERIFY" in str(error)
        assert error.fix


# --- the network, as boto3 really raises it ---


def read_request(connection: socket.socket) -> None:
    """Read headers and as much body as they announce."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    (length,) = [
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    ]
    while len(body) < length:
        body += connection.recv(65536)


def answering(status: str, body: bytes, kind: str = "text/html") -> Callable[[Any], None]:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n"
        connection.sendall(head.encode() + b"connection: close\r\n\r\n" + body)

    return serve


@pytest.fixture
def served() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Return a function that starts a server for one connection and gives its URL."""
    with ExitStack() as stack:

        def start(serve: Callable[[socket.socket], None]) -> str:
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            listening.settimeout(5)

            def run() -> None:
                with suppress(OSError):  # a client that gave up, or none at all
                    connection, _ = listening.accept()
                    with connection:
                        serve(connection)

            thread = threading.Thread(target=run)
            stack.callback(thread.join)
            stack.callback(stop_accepting, listening)
            thread.start()
            return f"http://127.0.0.1:{listening.getsockname()[1]}"

        yield start


def stop_accepting(listening: socket.socket) -> None:
    with suppress(OSError):
        listening.shutdown(socket.SHUT_RDWR)


def look_up(its_client: Any) -> Callable[[], object]:
    return KmsSigner("alias/auth", client=its_client).current


def unreachable(endpoint_url: str, **config: Any) -> KmsError:
    error = fails(look_up(client(endpoint_url, **config)))
    require_clear(error, "GetPublicKey", "alias/auth")
    return error


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])


def require_unreachable(error: KmsError, raised: str) -> None:
    assert type(error) is KmsUnavailable
    assert (error.code, error.retryable, error.request_id) == ("kms_unavailable", True, "")
    assert error.aws_code == raised
    assert "could not be reached" in str(error)
    assert error.__cause__ is not None


def test_nobody_listens():
    error = unreachable(f"http://127.0.0.1:{free_port()}")
    require_unreachable(error, "EndpointConnectionError")


def test_the_server_closes_without_an_answer(served: Any):
    error = unreachable(served(read_request))
    require_unreachable(error, "ConnectionClosedError")


def test_the_server_closes_in_the_middle_of_its_answer(served: Any):
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"KeyId":')

    error = unreachable(served(serve))
    assert error.code == "kms_wrong_answer"  # boto3 takes half an answer for an empty one


def test_the_server_never_answers(served: Any):
    given_up = threading.Event()
    url = served(lambda _: given_up.wait(5))
    error = unreachable(url, read_timeout=0.05)
    given_up.set()
    require_unreachable(error, "ReadTimeoutError")


def test_the_server_never_accepts():
    """The queue of connections is full, so that connecting itself takes too long."""
    with ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            waiting = stack.enter_context(closing(socket.socket()))
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        error = unreachable(f"http://127.0.0.1:{full.getsockname()[1]}", connect_timeout=0.05)
    require_unreachable(error, "ConnectTimeoutError")


def test_the_proxy_is_not_there():
    error = unreachable("http://kms.invalid", proxies={"http": f"http://127.0.0.1:{free_port()}"})
    require_unreachable(error, "ProxyConnectionError")


def test_the_server_speaks_no_tls(served: Any):
    url = served(lambda connection: connection.sendall(b"HTTP/1.1 400 no TLS here\r\n\r\n"))
    error = unreachable(url.replace("http:", "https:"))
    require_unreachable(error, "SSLError")


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        ("200 OK", b"<html>sign in to the wifi</html>", KmsError, "kms_wrong_answer"),
        ("200 OK", b"{}", KmsError, "kms_wrong_answer"),
        ("200 OK", b"", KmsError, "kms_wrong_answer"),
        ("200 OK", b'{"KeyId": 5, "PublicKey": "AAAA"}', KmsError, "kms_wrong_answer"),
        ("502 Bad Gateway", b"<html>\n<h1>bad\ngateway</h1></html>", KmsUnavailable, None),
        ("503 Slow Down", b"", KmsUnavailable, None),
        ("403 Forbidden", b"<html>blocked</html>", KmsError, "kms"),
    ],
    ids=["login page", "empty object", "nothing", "wrong types", "502", "503", "403 page"],
)
def test_something_else_answers_in_kms_s_place(
    status: str, body: bytes, kind: type[KmsError], code: str | None, served: Any
):
    error = fails(look_up(client(served(answering(status, body)))))
    assert type(error) is kind
    assert error.code == (code or kind.code)
    assert "\n" not in str(error)
    assert error.fix


def test_the_local_kms_drops_a_connection(kms: LocalKms, arn: str, genuine: Any):
    kms.faults.add("Sign", kind="drop")
    require_unreachable(fails(acts("Sign", arn, genuine)), "ConnectionClosedError")


def test_no_credentials():
    error = fails(look_up(boto3.session.Session().client("kms", REGION)))
    assert type(error) is KmsAccessDenied
    assert (error.code, error.retryable) == ("no_credentials", False)
    assert "no AWS credentials were found" in str(error)
    require_clear(error, "GetPublicKey", "alias/auth")


def test_what_boto3_itself_refuses_to_send_is_ours_without_the_message():
    secret = "the claims"
    with pytest.raises(KmsError) as told:
        aws.call(client().sign, "Sign", "k", KeyId="k", Message=[secret], MessageType="RAW")
    assert told.value.aws_code == "ParamValidationError"
    assert secret not in str(told.value)


def test_a_fault_that_is_not_aws_s_is_left_alone():
    def broken(**_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        aws.call(broken, "Sign", "k")


@pytest.mark.parametrize("action", ["Sign", "Verify", "GetPublicKey"])
def test_a_denial_names_the_conditions_that_may_have_refused(action):
    """AWS does not say which condition it was: those that apply to the action are named."""
    response = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}

    error = aws.explain(ClientError(response, action), action, "alias/auth")

    assert error is not None
    named = ["kms:ResourceAliases", "kms:RequestAlias", "kms:SigningAlgorithm", "kms:MessageType"]
    assert [each for each in named if each not in str(error.fix)] == []
    assert len(str(error).splitlines()) == 1
