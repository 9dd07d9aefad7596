"""What an issuer signs, what it refuses to sign, and which settings it refuses."""

from __future__ import annotations

import asyncio
import enum
import json
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from tests.core import helpers
from tests.core.helpers import AUD, ISS, NOW, unb64

from kmsjwt import ANY, AnyOf, ConfigError, Forbidden, Issuer, TokenError, Verifier
from kmsjwt.errors import ClaimsRefused, KmsUnavailable, WrongIssuer
from kmsjwt.jwks import StaticKeys


def _cyclic() -> dict[str, Any]:
    loop: dict[str, Any] = {}
    loop["self"] = loop
    return loop


def _deep(kind: Any, depth: int) -> Any:
    value: Any = kind()
    for _ in range(depth):
        value = {"a": value} if kind is dict else kind([value])
    return value


class Colour(enum.Enum):
    RED = "red"


class Name(str, enum.Enum):  # noqa: UP042  the very type that people pass
    """A text and not quite a text."""

    SUB = "sub2"


_REFUSED_CLAIMS: dict[str, tuple[str, Any]] = {
    "nan": ("claims_json", {"x": float("nan")}),
    "infinity": ("claims_json", {"x": float("inf")}),
    "nan-nested": ("claims_json", {"x": [{"y": (float("-inf"),)}]}),
    "surrogate": ("claims_json", {"x": "\ud800"}),
    "surrogate-nested": ("claims_json", {"x": [{"y": "\udfff"}]}),
    "surrogate-name": ("claims_json", {"\ud800": 1}),
    "bytes": ("claims_json", {"x": b"bytes"}),
    "set": ("claims_json", {"x": {1, 2}}),
    "decimal": ("claims_json", {"x": Decimal(1)}),
    "enum": ("claims_json", {"x": Colour.RED}),
    "object": ("claims_json", {"x": object()}),
    "int-of-5000-digits": ("claims_json", {"x": 10**5000}),
    "name-int": ("claims_name", {1: "x"}),
    "names-collide": ("claims_name", {"1": "x", 1: "y"}),
    "name-none": ("claims_name", {None: "x"}),
    "name-true": ("claims_name", {True: "x"}),
    "name-float": ("claims_name", {1.5: "x"}),
    "name-tuple": ("claims_name", {(1,): "x"}),
    "name-enum": ("claims_name", {Name.SUB: "x"}),
    "name-nested": ("claims_name", {"x": {"y": [{2: 1}]}}),
    "name-nested-proxy": ("claims_name", {"x": MappingProxyType({2: 1})}),
    "name-bytes": ("claims_name", {b"x": 1}),
    "not-a-mapping-list": ("claims_type", [("x", 1)]),
    "not-a-mapping-text": ("claims_type", "x"),
    "not-a-mapping-int": ("claims_type", 5),
    "deep-dict": ("claims_depth", {"x": _deep(dict, 40)}),
    "deep-list": ("claims_depth", {"x": _deep(list, 40)}),
    "deep-tuple": ("claims_depth", {"x": _deep(tuple, 5000)}),
    "deep-thousands": ("claims_depth", {"x": _deep(list, 50_000)}),
    "cyclic": ("claims_depth", {"x": _cyclic()}),
    "too-long": ("too_long", {"x": "x" * 200_000}),
    "too-many": ("too_long", {f"claim{n}": n for n in range(2000)}),
    "nbf-after-exp": ("nbf", {"nbf": NOW + 900}),
    "nbf-text": ("claim_type", {"nbf": "now"}),
    "nbf-true": ("claim_type", {"nbf": True}),
    "nbf-nan": ("claim_type", {"nbf": float("nan")}),
    "nbf-negative": ("claim_type", {"nbf": -1}),
    "nbf-null": ("claim_type", {"nbf": None}),
    "scope-list": ("claim_type", {"scope": ["a", "b"]}),
    "scope-null": ("claim_type", {"scope": None}),
    **{
        f"own-{name}": ("claims_reserved", {name: value})
        for name, value in {
            "iss": ISS,
            "sub": "eve",
            "aud": "billing",
            "exp": NOW + 10**9,
            "iat": NOW - 1,
            "jti": "again",
            "client_id": "app",
        }.items()
    },
    "own-exp-null": ("claims_reserved", {"exp": None}),
}


@pytest.mark.parametrize("name", _REFUSED_CLAIMS)
def test_claims_refused(name: str):
    code, claims = _REFUSED_CLAIMS[name]
    signer = helpers.HeldKey("Ed25519")

    with pytest.raises(ClaimsRefused) as caught:
        helpers.issuer(signer=signer).issue(sub="ala", aud=AUD, claims=claims)
    assert caught.value.code == code
    assert signer.signed == []
    assert len(str(caught.value)) < 250


class Shy(dict[str, Any]):
    """Shows its names only to who asks for its items."""

    def __iter__(self) -> Any:
        return iter(())

    def __contains__(self, name: object) -> bool:
        return False


@pytest.mark.parametrize("name", ["iss", "exp", "aud", "client_id"])
def test_a_mapping_cannot_hide_what_it_sets(name: str):
    signer = helpers.HeldKey("Ed25519")

    with pytest.raises(ClaimsRefused) as caught:
        helpers.issuer(signer=signer).issue(sub="ala", aud=AUD, claims=Shy({name: NOW + 10**9}))
    assert caught.value.code == "claims_reserved"
    assert name in str(caught.value)
    assert signer.signed == []


_REFUSED_ARGUMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "sub-none": ("claim_type", {"sub": None}),
    "sub-empty": ("claim_type", {"sub": ""}),
    "sub-int": ("claim_type", {"sub": 7}),
    "sub-huge-int": ("claim_type", {"sub": 10**5000}),
    "sub-list": ("claim_type", {"sub": ["ala"]}),
    "sub-bytes": ("claim_type", {"sub": b"ala"}),
    "sub-enum": ("claim_type", {"sub": Name.SUB}),
    "sub-surrogate": ("claims_json", {"sub": "\ud800"}),
    "aud-none": ("claim_type", {"aud": None}),
    "aud-empty": ("claim_type", {"aud": ""}),
    "aud-empty-list": ("claim_type", {"aud": []}),
    "aud-int": ("claim_type", {"aud": 7}),
    "aud-list-with-empty": ("claim_type", {"aud": [AUD, ""]}),
    "aud-list-with-none": ("claim_type", {"aud": [AUD, None]}),
    "aud-object": ("claim_type", {"aud": {AUD: 1}}),
    "aud-set": ("claim_type", {"aud": {AUD}}),
    "client-empty": ("claim_type", {"client_id": ""}),
    "client-int": ("claim_type", {"client_id": 5}),
    "lifetime-zero": ("lifetime", {"lifetime": 0}),
    "lifetime-negative": ("lifetime", {"lifetime": -900}),
    "lifetime-true": ("lifetime", {"lifetime": True}),
    "lifetime-float": ("lifetime", {"lifetime": 900.0}),
    "lifetime-nan": ("lifetime", {"lifetime": float("nan")}),
    "lifetime-text": ("lifetime", {"lifetime": "15m"}),
    "lifetime-beyond-a-day": ("lifetime", {"lifetime": 86_401}),
    "lifetime-huge": ("lifetime", {"lifetime": 10**5000}),
}


@pytest.mark.parametrize("name", _REFUSED_ARGUMENTS)
def test_arguments_refused(name: str):
    code, changed = _REFUSED_ARGUMENTS[name]
    signer = helpers.HeldKey("Ed25519")
    arguments: dict[str, Any] = {"sub": "ala", "aud": AUD, **changed}

    with pytest.raises(ClaimsRefused) as caught:
        helpers.issuer(signer=signer).issue(**arguments)
    assert caught.value.code == code
    assert signer.signed == []


@pytest.mark.parametrize("kind", [dict, list, tuple])
@pytest.mark.parametrize("innermost", [0, None], ids=["number", "empty"])
def test_what_is_issued_is_no_deeper_than_what_is_read(kind: Any, innermost: Any):
    def nested(containers: int) -> Any:
        value: Any = kind() if innermost is None else {"a": 0} if kind is dict else kind([0])
        for _ in range(containers - 1):
            value = {"a": value} if kind is dict else kind([value])
        return value

    issued = helpers.issuer().issue(sub="ala", aud=AUD, claims={"x": nested(31)})
    assert helpers.verifier().verify(issued.token).claims["x"]
    with pytest.raises(ClaimsRefused) as caught:
        helpers.issuer().issue(sub="ala", aud=AUD, claims={"x": nested(32)})
    assert caught.value.code == "claims_depth"


@pytest.mark.parametrize("jti", [None, "", 5, "\ud800"], ids=ascii)
def test_a_jti_that_is_no_id_is_refused(jti: Any):
    with pytest.raises(ClaimsRefused):
        helpers.issuer(new_jti=lambda: jti).issue(sub="ala", aud=AUD)


def test_what_is_written():
    issued = helpers.issuer("ES256").issue(sub="ala", aud=["orders", "billing"], lifetime=60)
    header, claims = (json.loads(unb64(part)) for part in issued.token.split(".")[:2])

    assert header == {"alg": "ES256", "kid": helpers.held("ES256").kid, "typ": "JWT"}
    assert claims == {
        "iss": ISS,
        "sub": "ala",
        "aud": ["orders", "billing"],
        "exp": NOW + 60,
        "iat": NOW,
        "jti": issued.jti,
    }
    assert (issued.expires_in, issued.expires_at, issued.alg) == (60, NOW + 60, "ES256")
    assert issued.kms_request_id == "req-1"


def test_an_access_token_of_rfc_9068():
    issued = helpers.issuer().issue(sub="ala", aud=AUD, client_id="app", claims={"scope": "a b"})
    verified = helpers.verifier(typ="at+jwt").verify(issued.token)

    assert verified.header["typ"] == "at+jwt"
    assert verified.claims["client_id"] == "app"


def test_every_jti_is_new():
    issuer = helpers.issuer()
    ids = {issuer.issue(sub="ala", aud=AUD).jti for _ in range(200)}

    assert len(ids) == 200
    assert all(len(unb64(jti)) == 16 for jti in ids)


def test_claims_of_a_verified_token_can_be_issued_again():
    first = helpers.verifier().verify(
        helpers.issuer().issue(sub="ala", aud=AUD, claims={"org": {"ids": [{"a": 1}]}}).token
    )
    claims = {"org": first.claims["org"], "wrapped": {"again": [first.claims["org"]]}}

    second = helpers.verifier().verify(
        helpers.issuer().issue(sub="ala", aud=AUD, claims=claims).token
    )
    plain = second.to_dict()["claims"]
    assert plain["org"] == plain["wrapped"]["again"][0] == {"ids": [{"a": 1}]}


def test_nothing_the_caller_holds_is_changed():
    claims = {"list": [1], "object": {"a": [2]}}
    before = json.dumps(claims)

    helpers.issuer().issue(sub="ala", aud=AUD, claims=claims)

    assert json.dumps(claims) == before


def test_a_signer_that_fails_is_heard():
    class Failing(helpers.HeldKey):
        def sign(self, signing_input: bytes) -> Any:  # noqa: ARG002  a signer's shape
            raise KmsUnavailable("KMS is away", action="Sign", key="k")

    with pytest.raises(KmsUnavailable) as caught:
        helpers.issuer(signer=Failing("Ed25519")).issue(sub="ala", aud=AUD)
    assert caught.value.retryable


def test_issuing_without_blocking():
    async def twice() -> list[Any]:
        issuer = helpers.issuer("ES256")
        return await asyncio.gather(
            *(issuer.issue_async(sub=sub, aud=AUD, client_id="c") for sub in ("ala", "ola"))
        )

    issued = asyncio.run(twice())
    verified = [helpers.verifier("ES256").verify(each.token) for each in issued]
    assert [each.claims["sub"] for each in verified] == ["ala", "ola"]


_KEYS = StaticKeys([helpers.held("Ed25519").public])
_BAD_VERIFIERS: dict[str, dict[str, Any]] = {
    "keys-none": {"keys": None},
    "keys-dict": {"keys": {"keys": []}},
    "issuer-none": {"issuer": None},
    "issuer-empty": {"issuer": ""},
    "issuer-list": {"issuer": [ISS]},
    "issuer-false": {"issuer": False},
    "audience-none": {"audience": None},
    "audience-empty": {"audience": ""},
    "audience-empty-list": {"audience": []},
    "audience-list-with-empty": {"audience": [AUD, ""]},
    "audience-list-with-none": {"audience": [AUD, None]},
    "audience-int": {"audience": 5},
    "audience-dict": {"audience": {AUD: 1}},
    "typ-none": {"typ": None},
    "typ-empty": {"typ": ""},
    "typ-false": {"typ": False},
    "algorithms-none": {"algorithms": None},
    "algorithms-empty": {"algorithms": []},
    "algorithms-text": {"algorithms": "RS256"},
    "algorithms-int": {"algorithms": 5},
    "algorithms-hs256": {"algorithms": ["RS256", "HS256"]},
    "algorithms-of-none": {"algorithms": [None]},
    "leeway-none": {"leeway": None},
    "leeway-negative": {"leeway": -1},
    "leeway-long": {"leeway": 301},
    "leeway-nan": {"leeway": float("nan")},
    "leeway-true": {"leeway": True},
    "leeway-text": {"leeway": "30"},
    "leeway-huge": {"leeway": 10**5000},
    "max-lifetime-none": {"max_lifetime": None},
    "max-lifetime-zero": {"max_lifetime": 0},
    "max-lifetime-nan": {"max_lifetime": float("nan")},
    "max-lifetime-infinite": {"max_lifetime": float("inf")},
    "max-lifetime-true": {"max_lifetime": True},
    "max-length-none": {"max_length": None},
    "max-length-zero": {"max_length": 0},
    "max-length-text": {"max_length": "16k"},
    "check-text": {"check": "tenant"},
    "check-true": {"check": True},
    "clock-number": {"clock": NOW},
    "clock-none": {"clock": None},
}


@pytest.mark.parametrize("name", _BAD_VERIFIERS)
def test_a_verifier_wired_wrongly(name: str):
    wrong = _BAD_VERIFIERS[name]
    settings: dict[str, Any] = {"keys": _KEYS, "issuer": ISS, "audience": AUD, **wrong}

    with pytest.raises(ConfigError) as caught:
        Verifier(settings.pop("keys"), **settings)
    assert f"{next(iter(wrong))} is" in str(caught.value)


def test_every_fault_of_a_verifier_is_named_at_once():
    wrong: dict[str, Any] = {
        "issuer": "",
        "audience": None,
        "typ": 5,
        "algorithms": ["HS256"],
        "leeway": -1,
        "max_lifetime": 0,
        "max_length": 0,
        "check": 5,
        "clock": 5,
    }
    with pytest.raises(ConfigError) as caught:
        Verifier(5, **wrong)  # type: ignore[arg-type]  # wrong on purpose

    message = str(caught.value)
    assert [name for name in ("keys", *wrong) if f"{name} is" not in message] == []
    assert "HS256" in message


_BAD_ISSUERS: dict[str, dict[str, Any]] = {
    "issuer-none": {"issuer": None},
    "issuer-empty": {"issuer": ""},
    "issuer-any": {"issuer": ANY},
    "signer-none": {"signer": None},
    "signer-text": {"signer": "alias/auth"},
    "lifetime-zero": {"lifetime": 0},
    "lifetime-text": {"lifetime": "15m"},
    "lifetime-true": {"lifetime": True},
    "lifetime-over-maximum": {"lifetime": 601, "max_lifetime": 600},
    "lifetime-huge": {"lifetime": 10**5000},
    "max_lifetime-two-days": {"max_lifetime": 172_800},
    "max_lifetime-none": {"max_lifetime": None},
    "max_length-zero": {"max_length": 0},
    "max_length-none": {"max_length": None},
    "clock-number": {"clock": NOW},
    "new_jti-text": {"new_jti": "always the same"},
}


@pytest.mark.parametrize("name", _BAD_ISSUERS)
def test_an_issuer_wired_wrongly(name: str):
    settings: dict[str, Any] = {
        "issuer": ISS,
        "signer": helpers.held("Ed25519"),
        **_BAD_ISSUERS[name],
    }

    with pytest.raises(ConfigError) as caught:
        Issuer(settings.pop("issuer"), settings.pop("signer"), **settings)
    assert f"{name.partition('-')[0]} is" in str(caught.value)


def test_every_fault_of_an_issuer_is_named_at_once():
    wrong: dict[str, Any] = {"lifetime": 0, "max_length": 0, "clock": 5, "new_jti": 5}
    with pytest.raises(ConfigError) as caught:
        Issuer("", None, **wrong)  # type: ignore[arg-type]  # wrong on purpose

    message = str(caught.value)
    assert [name for name in ("issuer", "signer", *wrong) if f"{name} is" not in message] == []


def test_a_check_of_ones_own():
    def check(header: Any, claims: Any) -> bool | None:
        if claims["tenant"] == "raise":
            raise Forbidden("tenant closed")
        return {"false": False, "true": True}.get(claims["tenant"])

    verifier = helpers.verifier(check=check)

    def verify(tenant: str) -> object:
        return verifier.verify(
            helpers.issuer().issue(sub="ala", aud=AUD, claims={"tenant": tenant}).token
        )

    assert verify("true")
    assert verify("none")
    for tenant in ("false", "raise"):
        with pytest.raises(Forbidden) as caught:
            verify(tenant)
        assert caught.value.code == "forbidden"


@pytest.mark.parametrize(
    "answer", [1, 0, "", "no", [], object()], ids=["one", "zero", "empty", "text", "list", "object"]
)
def test_a_check_that_answers_neither_way_lets_nothing_pass(answer: Any):
    verifier = helpers.verifier(check=lambda _header, _claims: answer)

    with pytest.raises(ConfigError) as caught:
        verifier.verify(helpers.forge("Ed25519").good)
    assert caught.value.code == "check_answer"


def test_a_check_is_asked_only_about_good_tokens():
    asked: list[Any] = []
    verifier = helpers.verifier(check=lambda header, _: asked.append(header["kid"]))
    made = helpers.forge("Ed25519")

    for token in (made.good + "A", made.token(claims=made.claims(exp=1, iat=1)), None):
        with pytest.raises(TokenError):
            verifier.verify(token)
    assert asked == []
    verifier.verify(made.good)
    assert asked == [helpers.held("Ed25519").kid]


def test_any_is_said_aloud():
    made = helpers.forge("Ed25519")
    odd = made.token(
        made.header(typ="odd"), {"exp": NOW + 10**6, "iss": "https://other.example", "aud": "x"}
    )

    anything = helpers.verifier(issuer=ANY, audience=ANY, typ=ANY, max_lifetime=ANY)
    assert anything.verify(odd).claims["aud"] == "x"
    with pytest.raises(TokenError):  # exp has no such switch
        anything.verify(made.token(claims={"iss": ISS}))


def test_an_algorithm_not_on_the_list():
    made = helpers.forge("Ed25519")

    assert helpers.verifier(algorithms=["RS256", "Ed25519"]).verify(made.good).alg == "Ed25519"
    with pytest.raises(TokenError) as caught:
        helpers.verifier(algorithms=["RS256"]).verify(made.good)
    assert caught.value.code == "algorithm_not_allowed"


def test_typ_is_compared_as_ascii():
    """The Kelvin sign lowers to k, and is none."""
    made = helpers.forge("Ed25519")
    pinned = helpers.verifier(typ="kb+jwt")

    assert pinned.verify(made.token(made.header(typ="KB+JWT"))).header["typ"] == "KB+JWT"
    with pytest.raises(TokenError) as caught:
        pinned.verify(made.token(made.header(typ="\u212ab+jwt")))
    assert caught.value.code == "wrong_type"


def test_several_issuers():
    b_iss = "https://b.example"
    b_key = StaticKeys([helpers.held("ES256").public])
    both = AnyOf(helpers.verifier(), helpers.verifier(keys=b_key, issuer=b_iss, audience="b"))
    a, b = helpers.forge("Ed25519"), helpers.forge("ES256")

    assert both.verify(a.good).claims["iss"] == ISS
    assert both.verify(b.token(claims=b.claims(iss=b_iss, aud="b"))).claims["iss"] == b_iss
    crossed = {
        "unknown_key": b.token(claims=b.claims()),
        "wrong_audience": b.token(claims=b.claims(iss=b_iss)),
        "bad_signature": a.token(
            {**a.header(), "kid": a.key.kid},
            a.claims(),
            private=helpers.private_key("Ed25519", "x"),
        ),
    }
    for code, token in crossed.items():
        with pytest.raises(TokenError) as caught:
            both.verify(token)
        assert caught.value.code == code
    for iss in ("https://c.example", ISS + "/", None, [ISS], 5):
        with pytest.raises(WrongIssuer):
            both.verify(a.token(claims=a.claims(iss=iss)))


@pytest.mark.parametrize(
    "verifiers",
    [
        list,
        lambda: [helpers.verifier(), helpers.verifier()],
        lambda: [helpers.verifier(issuer=ANY)],
        lambda: [None],
        lambda: ["https://id.example"],
    ],
    ids=["none", "same-issuer", "any-issuer", "null", "text"],
)
def test_any_of_wired_wrongly(verifiers: Any):
    with pytest.raises(ConfigError):
        AnyOf(*verifiers())
