"""What each gateway is told: allowed, denied, unauthorized, or nothing at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.gateway.minting import NOW
from tests.gateway.shapes import KINDS, RAISING, event_of

from kmsjwt.errors import (
    CannotKnow,
    ConfigError,
    Forbidden,
    JwksUnavailable,
    KmsThrottled,
    TokenError,
)
from kmsjwt.gateway import Authorizer, Unauthorized
from kmsjwt.gateway.request import UnknownEvent

STAGE = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/{}/*"


def statement(effect, resource) -> Any:
    return {"Action": "execute-api:Invoke", "Effect": effect, "Resource": [resource]}


def stage_of(kind) -> Any:
    return STAGE.format("$default" if kind.startswith("http") else "prod")


class Raises:
    """A verifier of somebody else's that raises."""

    def __init__(self, error) -> None:
        self.error = error

    def verify(self, token: str) -> Any:  # noqa: ARG002  the protocol's name
        raise self.error


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_token_allows_every_route_of_the_stage(kind, mint, log):
    answer = Authorizer(mint.verifier(), log=log)(event_of(kind, f"Bearer {mint.token()}"))
    assert answer["policyDocument"]["Statement"] == [statement("Allow", stage_of(kind))]
    assert answer["principalId"] == "ala"
    assert log.last["level"] == "INFO"
    assert log.last["decision"] == "allow"
    assert (log.last["kid"], log.last["jti"]) == ("key-1", "jti-1")


BAD = {
    "expired": ("expired", {"iat": NOW - 1000, "exp": NOW - 61}),
    "another audience": ("wrong_audience", {"aud": "billing"}),
    "another issuer": ("wrong_issuer", {"iss": "https://evil.example"}),
    "unknown kid": ("unknown_key", {"kid": "key-2"}),
    "another key": ("bad_signature", {"key": ec.generate_private_key(ec.SECP256R1())}),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("reason", "changes"), BAD.values(), ids=BAD)
def test_a_bad_token_is_401_where_an_exception_says_so_and_denied_elsewhere(
    kind, reason, changes, mint, log
):
    event = event_of(kind, f"Bearer {mint.token(**changes)}")
    authorizer = Authorizer(mint.verifier(), log=log)
    if kind in RAISING:
        with pytest.raises(Unauthorized) as caught:
            authorizer(event)
        assert str(caught.value) == "Unauthorized"
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        assert caught.value.reason == reason
        assert log.last["decision"] == "unauthorized"
    else:
        answer = authorizer(event)
        assert answer["policyDocument"]["Statement"] == [statement("Deny", stage_of(kind))]
        assert answer["principalId"] == "anonymous"
        assert "context" not in answer
        assert log.last["decision"] == "deny"
    assert log.last["reason"] == reason
    assert log.last["level"] == "INFO"


@pytest.mark.parametrize("kind", KINDS)
def test_deny_for_what_is_invalid_can_be_chosen_everywhere(kind, mint, log):
    authorizer = Authorizer(mint.verifier(), on_invalid="deny", log=log)
    answer = authorizer(event_of(kind, "Bearer nonsense"))
    assert answer["policyDocument"]["Statement"] == [statement("Deny", stage_of(kind))]


@pytest.mark.parametrize("kind", KINDS)
def test_forbidden_is_a_denial_on_every_gateway(kind, mint, log):
    def check(header, claims) -> Any:
        raise Forbidden("tenant closed")

    authorizer = Authorizer(mint.verifier(check=check), log=log)
    answer = authorizer(event_of(kind, f"Bearer {mint.token()}"))
    assert answer["policyDocument"]["Statement"] == [statement("Deny", stage_of(kind))]
    assert (log.last["decision"], log.last["reason"]) == ("deny", "forbidden")
    assert log.last["message"] == "tenant closed"
    assert (log.last["kid"], log.last["jti"]) == ("key-1", "jti-1")
    assert answer["principalId"] == "ala"


@pytest.mark.parametrize("code", ["", None, 7])
def test_a_refusal_of_somebody_else_s_without_a_name_is_logged_as_unnamed(code, log):
    error = TokenError("of no kind")
    error.code = code
    with pytest.raises(Unauthorized):
        Authorizer(Raises(error), log=log)(event_of("rest_token", "Bearer a.b.c"))
    assert (log.last["decision"], log.last["reason"]) == ("unauthorized", "unnamed")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("on_invalid", ["401", "deny"])
@pytest.mark.parametrize(
    "error",
    [
        JwksUnavailable("the key set could not be fetched"),
        KmsThrottled("KMS throttles"),
        KeyError("tenant"),
        RecursionError("too deep"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_not_knowing_raises_and_is_never_a_denial(kind, on_invalid, error, log):
    authorizer = Authorizer(Raises(error), on_invalid=on_invalid, log=log)
    with pytest.raises(type(error)) as caught:
        authorizer(event_of(kind, "Bearer a.b.c"))
    assert caught.value is error
    assert str(error) != "Unauthorized"
    assert (log.last["level"], log.last["decision"]) == ("ERROR", "error")


def test_a_stranger_s_exception_is_logged_by_its_type_alone(log):
    with pytest.raises(KeyError):
        Authorizer(Raises(KeyError("secret text")), log=log)(event_of("rest_token", "Bearer a.b.c"))
    assert log.last["reason"] == "unexpected_error"
    assert log.last["message"] == "KeyError was raised"


def test_an_event_is_unknown_to_the_doors_alone(log):
    """A verifier that raises the same knows nothing of the event: that is our trouble."""
    with pytest.raises(UnknownEvent):
        Authorizer(Raises(UnknownEvent("of mine")), log=log)(event_of("rest_token", "Bearer a.b.c"))
    assert (log.last["level"], log.last["decision"]) == ("ERROR", "error")


@pytest.mark.parametrize("is_good", [True, False])
def test_a_log_that_fails_cannot_pass_for_a_401_either(mint, is_good):
    def failing(*_args, **_fields):
        raise OSError("Unauthorized")

    with pytest.raises(CannotKnow, match="OSError") as caught:
        Authorizer(mint.verifier(), log=failing)(
            event_of("rest_token", f"Bearer {mint.token() if is_good else 'a.b.c'}")
        )
    assert caught.value.code == "disguised_error"


def test_a_stranger_s_exception_cannot_pass_for_a_401(log):
    authorizer = Authorizer(Raises(OSError("Unauthorized")), log=log)
    with pytest.raises(CannotKnow, match="OSError") as caught:
        authorizer(event_of("rest_token", "Bearer a.b.c"))
    assert caught.value.code == "disguised_error"


def test_a_check_may_raise_unauthorized_itself(mint, log):
    def check(header, claims) -> Any:
        raise Unauthorized("session_closed", "the session was closed")

    authorizer = Authorizer(mint.verifier(check=check), log=log)
    with pytest.raises(Unauthorized) as caught:
        authorizer(event_of("rest_request", f"Bearer {mint.token()}"))
    assert caught.value.reason == "session_closed"
    assert log.last["message"] == "the session was closed"
    denied = authorizer(event_of("http_api_v2", f"Bearer {mint.token()}"))
    assert denied["policyDocument"]["Statement"][0]["Effect"] == "Deny"


def test_simple_answers_are_for_format_2_0_alone(mint, log):
    authorizer = Authorizer(mint.verifier(), response="simple", log=log)
    good = f"Bearer {mint.token()}"
    assert authorizer(event_of("http_api_v2", good)) == {
        "isAuthorized": True,
        "context": {"sub": "ala", "jti": "jti-1"},
    }
    assert authorizer(event_of("http_api_v2", "Bearer x")) == {"isAuthorized": False}
    assert "policyDocument" in authorizer(event_of("http_api_v1", good))
    assert "policyDocument" in authorizer(event_of("rest_request", good))


PRINCIPALS = {
    "the subject": ({}, "ala"),
    "no subject, a client": ({"sub": None, "client_id": "batch"}, "batch"),
    "neither": ({"sub": None}, "anonymous"),
    "UUID": ({"sub": "5f0c-11"}, "5f0c-11"),
    "Auth0": ({"sub": "auth0|5f7c"}, "auth0|5f7c"),
    "e-mail": ({"sub": "ala@example.org"}, "ala@example.org"),
    "space and percent": ({"sub": "a b%20"}, "a%20b%2520"),
    "Polish": ({"sub": "żółw"}, "%C5%BC%C3%B3%C5%82w"),
    "control": ({"sub": "a\r\nb"}, "a%0D%0Ab"),
}


@pytest.mark.parametrize(("claims", "principal"), PRINCIPALS.values(), ids=PRINCIPALS)
def test_the_principal_is_plain_ascii_and_never_empty(claims, principal, mint, log):
    token = mint.token(**claims)
    answer = Authorizer(mint.verifier(), log=log)(event_of("rest_token", f"Bearer {token}"))
    assert answer["principalId"] == principal


def test_the_principal_may_be_another_claim(mint, log):
    authorizer = Authorizer(mint.verifier(), principal_claim="tenant", log=log)
    for tenant, principal in (("t1", "t1"), (17, "17"), (True, "app"), ("", "app")):
        token = mint.token(tenant=tenant, client_id="app")
        assert authorizer(event_of("rest_token", f"Bearer {token}"))["principalId"] == principal


@pytest.mark.parametrize("kind", KINDS)
def test_the_context_is_flat_and_holds_chosen_claims_only(kind, mint, log):
    authorizer = Authorizer(
        mint.verifier(), context=("n", "b", "f", "list", "map", "none", "absent"), log=log
    )
    token = mint.token(n=7, b=True, f=1.5, list=["a", 1], map={"k": [None]}, secret="x")
    answer = authorizer(event_of(kind, f"Bearer {token}"))
    assert answer["context"] == {
        "n": 7,
        "b": True,
        "f": 1.5,
        "list": '["a",1]',
        "map": '{"k":[null]}',
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("response", ["iam", "simple"])
def test_an_answer_too_large_is_an_error_and_never_cut(kind, response, mint, log):
    token = mint.token(scope="s" * 8_200)
    with pytest.raises(ConfigError) as caught:
        Authorizer(mint.verifier(), response=response, log=log)(event_of(kind, f"Bearer {token}"))
    assert caught.value.code == "answer_too_large"
    assert (log.last["decision"], log.last["reason"]) == ("error", "answer_too_large")


def test_the_largest_answer_that_fits_is_given(mint, log):
    authorizer = Authorizer(mint.verifier(), context=("s",), log=log)
    spare = 8_192 - len(
        json.dumps(authorizer(event_of("rest_token", f"Bearer {mint.token(s='')}")))
    )
    fits = event_of("rest_token", f"Bearer {mint.token(s='x' * spare)}")
    assert len(json.dumps(authorizer(fits))) == 8_192
    with pytest.raises(ConfigError):
        authorizer(event_of("rest_token", f"Bearer {mint.token(s='x' * (spare + 1))}"))


def test_the_log_line_says_what_happened_where_and_how_long_it_took(mint, log):
    ticks = iter([10.0, 10.0125])

    class Context:
        aws_request_id = "9f0c5a6e"

    authorizer = Authorizer(mint.verifier(), log=log, clock=lambda: next(ticks))
    authorizer(event_of("rest_token", f"Bearer {mint.token()}", path="/a:b"), Context())
    assert log.lines == [
        {
            "level": "INFO",
            "event": "authorizer",
            "decision": "allow",
            "reason": "ok",
            "message": None,
            "kid": "key-1",
            "jti": "jti-1",
            "claimed_kid": None,
            "claimed_jti": None,
            "kind": "rest_token",
            "api_id": "a1b2c3d4e5",
            "stage": "prod",
            "method": "GET",
            "path": "/a:b",
            "duration_ms": 12.5,
            "request_id": "9f0c5a6e",
        }
    ]


def test_every_wrong_setting_is_named_at_once():
    with pytest.raises(ConfigError) as caught:
        Authorizer(
            None,  # type: ignore[arg-type]  # wrong on purpose
            on_invalid="403",
            response="",
            principal_claim="",
            context=("claims", ""),
        )
    for name in ("verifier", "on_invalid", "response", "principal_claim", "'claims'", "''"):
        assert name in str(caught.value)


@pytest.mark.parametrize("context", ["sub", None, {"sub": "x"}], ids=repr)
def test_a_context_that_is_no_tuple_of_names_is_a_mistake(context, mint):
    with pytest.raises(ConfigError, match="context is"):
        Authorizer(mint.verifier(), context=context)


OPAQUE = "0123456789abcdef0123"


@pytest.mark.parametrize("kind", KINDS)
def test_an_opaque_token_stays_out_of_the_log_whoever_repeats_it(kind, log):
    refusal = TokenError(f"unknown session {OPAQUE} \ud800")
    authorizer = Authorizer(Raises(refusal), on_invalid="deny", log=log)
    authorizer(event_of(kind, f"Bearer {OPAQUE}", path=f"/reset/{OPAQUE}"))
    assert OPAQUE not in log.text()
    assert log.last["message"] == "unknown session … \\ud800"
    assert log.last["path"] == (None if kind == "websocket" else "…")
