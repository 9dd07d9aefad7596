"""Odd tokens that are nevertheless good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.core.helpers import AUD, ISS, NOW, Forge, dumps

if TYPE_CHECKING:
    from collections.abc import Callable

    Build = Callable[[Forge], str]


def _header(**members: Any) -> Build:
    return lambda f: f.token(f.header(**members))


def _claims(**members: Any) -> Build:
    return lambda f: f.token(claims=f.claims(**members))


def _without(*names: str) -> Build:
    return lambda f: f.token(claims={n: v for n, v in f.claims().items() if n not in names})


_HEADER_NAMES = ("jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "cty")


def _raw_claims(more: str) -> Build:
    return lambda f: f.token(claims=dumps(f.claims())[:-1] + b"," + more.encode() + b"}")


GOODS: dict[str, Build] = {
    "plain": lambda f: f.token(),
    "typ-jwt": _header(typ="jwt"),
    "typ-Jwt": _header(typ="Jwt"),
    "typ-application-jwt": _header(typ="application/jwt"),
    "typ-APPLICATION-JWT": _header(typ="APPLICATION/JWT"),
    "typ-at+jwt": _header(typ="at+jwt"),
    "typ-AT+JWT": _header(typ="AT+JWT"),
    "typ-application-at+jwt": _header(typ="application/at+jwt"),
    "no-kid-with-one-key": lambda f: f.token({"alg": f.alg, "typ": "JWT"}),
    "header-unknown-member": _header(unknown={"deep": [1, 2, {"x": None}]}),
    "header-cty": _header(cty="json"),
    "header-jku-never-read": _header(jku="https://evil.example/jwks.json"),
    "header-jwk-never-read": _header(jwk={"kty": "oct", "k": "AAAA"}),
    "header-x5c-never-read": _header(x5c=["not base64 at all"]),
    "header-x5u-never-read": _header(x5u="file:///etc/passwd"),
    "header-replicates-iss": _header(iss=ISS),
    "header-replicates-aud-exp": _header(aud=AUD, exp=NOW + 600),
    "header-replicates-ones-own": lambda f: f.token(
        f.header(x={"a": [1, True, None]}, y=False), f.claims(x={"a": [1, True, None]}, y=False)
    ),
    "claims-named-like-header-parameters": lambda f: f.token(
        f.header(**dict.fromkeys(_HEADER_NAMES, "of the header"), note="its own"),
        f.claims(
            **dict.fromkeys(_HEADER_NAMES, "a claim"), alg="none", kid=1, typ="Bearer", crit=["x"]
        ),
    ),
    "header-unicode": _header(note="zażółć gęślą jaźń"),
    "header-spaced": lambda f: f.token(b" " + dumps(f.header()).replace(b",", b" ,\r\n\t") + b"\n"),
    "header-escaped-name": lambda f: f.token(dumps(f.header()).replace(b'"alg"', b'"\\u0061lg"')),
    "header-other-order": lambda f: f.token(dict(reversed(f.header().items()))),
    "aud-list": _claims(aud=[AUD]),
    "aud-list-last": _claims(aud=["billing", "invoices", AUD]),
    "aud-repeated": _claims(aud=[AUD, AUD]),
    "no-sub": _without("sub"),
    "no-iat": _without("iat"),
    "no-jti": _without("jti"),
    "least-claims": _without("sub", "iat", "jti"),
    "exp-float": _claims(exp=NOW + 600.25),
    "exp-exponent": lambda f: f.token(
        claims=dumps(f.claims()).replace(str(NOW + 600).encode(), b"1.7900006e9")
    ),
    "exp-inside-leeway": _claims(exp=NOW - 29, iat=NOW - 600),
    "exp-inside-leeway-by-a-hair": _claims(exp=NOW - 29.999, iat=NOW - 600),
    "nbf-zero": _claims(nbf=0),
    "nbf-now": _claims(nbf=NOW),
    "nbf-at-leeway": _claims(nbf=NOW + 30),
    "iat-at-leeway": _claims(iat=NOW + 30),
    "iat-float": _claims(iat=NOW - 0.5),
    "lifetime-whole-day": _claims(exp=NOW + 86_400),
    "scope-empty": _claims(scope=""),
    "scope": _claims(scope="orders:read orders:write", client_id="app"),
    "unicode-claims": _claims(sub="ąćę-日本-🔑", name="Łukasz"),
    "surrogate-pair-escaped": _raw_claims('"x":"\\ud83d\\udd11"'),
    "escaped-nul": _raw_claims('"x":"\\u0000"'),
    "escaped-solidus": _raw_claims('"x":"a\\/b"'),
    "spaced-payload": _raw_claims('\n\t "x" :\r\n [ 1 , 2 ]'),
    "big-int": _claims(n=2**64 + 1, m=-(10**300)),
    "small-float": _raw_claims('"x":1e-400,"y":-0.0'),
    "depth-32": _raw_claims('"x":' + "[" * 31 + "]" * 31),
    "depth-32-among-other-brackets": _raw_claims('"y":[],"x":' + "[" * 31 + "]" * 31),
    "many-shallow-arrays": _claims(x=[[1]] * 200),
    "brackets-in-text": _claims(x="[[[[{{{{" * 20 + '"\\'),
    "empty-name": _claims(**{"": 1}),
    "names-by-case": _claims(x=1, X=2, Exp="not the claim"),
    "null-claim": _claims(x=None),
    "constructor-name": _claims(__proto__={"admin": True}),
    "long-but-allowed": _claims(x="x" * 5000),
}
