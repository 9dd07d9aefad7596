"""One API with rules, and tokens of PyJWT's making that may or may not use it."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from tests.gateway.minting import AUDIENCE, ISSUER, KID, NOW, Mint, Recorder, pieces

from kmsjwt.errors import Forbidden
from kmsjwt.rules import Rule, Rules, claim, scope
from kmsjwt.web import Guard

MINT = Mint()
READER = MINT.token(scope="orders:read")
REALM = "Orders (v1)"
RULES = Rules(
    Rule("GET /orders/*", scope("orders:read")),
    Rule("DELETE /orders/*", scope("orders:write", "orders:read"), claim("tenant").equals("t1")),
    Rule("/users/{sub}/*"),
    Rule("/open/*"),
    Rule("/open/admin", scope("admin")),
    Rule("GET /open/got", scope("admin")),
    Rule("HEAD /open/headed", scope("admin")),
)


def check(_header: Any, claims: Any) -> None:
    if claims.get("sub") == "mallory":
        raise Forbidden("closed")


VERIFIER = MINT.verifier(check=check)


def guard(log: Recorder | None = None, **settings: Any) -> Guard:
    return Guard(
        settings.pop("verifier", VERIFIER),
        **{"rules": RULES, "realm": REALM, "log": log, **settings},
    )


def bearer(token: str) -> list[tuple[str, str]]:
    return [("Authorization", f"Bearer {token}")]


def _unsecured() -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ala", "exp": NOW + 60, "iat": NOW}
    return f"{part({'alg': 'none', 'kid': KID, 'typ': 'JWT'})}.{part(claims)}."


def _with_public_bytes_as_secret() -> str:
    secret = MINT.jwks()["keys"][0]["x"]  # PyJWT refuses a whole JWK
    return jwt.encode({"sub": "ala"}, secret, algorithm="HS256", headers={"kid": KID})


_STRANGER = ec.generate_private_key(ec.SECP256R1())
_CHANGED = READER[:-6] + ("AAAAAA" if READER[-6:] != "AAAAAA" else "BBBBBB")

# name: headers, status, error of the challenge (None: no challenge, "": no error in it), reason
REFUSED: dict[str, tuple[list[tuple[str, str]], int, str | None, str]] = {
    "nothing": ([], 401, "", "no_token"),
    "basic": ([("Authorization", "Basic YTpi")], 401, "", "not_bearer"),
    "no scheme": ([("Authorization", READER)], 401, "", "not_bearer"),
    "scheme alone": ([("Authorization", "Bearer")], 400, "invalid_request", "bad_credentials"),
    "two spaces": (
        [("Authorization", f"Bearer  {READER}")],
        400,
        "invalid_request",
        "bad_credentials",
    ),
    "two in one": (
        [("Authorization", f"Bearer {READER}, Bearer {MINT.token()}")],
        400,
        "invalid_request",
        "several_tokens",
    ),
    "expired": (
        bearer(MINT.token(iat=NOW - 9000, exp=NOW - 8000)),
        401,
        "invalid_token",
        "expired",
    ),
    "not yet": (bearer(MINT.token(nbf=NOW + 500)), 401, "invalid_token", "not_yet_valid"),
    "audience": (bearer(MINT.token(aud="billing")), 401, "invalid_token", "wrong_audience"),
    "issuer": (bearer(MINT.token(iss="https://x.example")), 401, "invalid_token", "wrong_issuer"),
    "key": (bearer(MINT.token(key=_STRANGER)), 401, "invalid_token", "bad_signature"),
    "kid": (bearer(MINT.token(kid="key-2")), 401, "invalid_token", "unknown_key"),
    "changed": (bearer(_CHANGED), 401, "invalid_token", "bad_signature"),
    "unsecured": (bearer(_unsecured()), 401, "invalid_token", "not_compact"),
    "hmac": (bearer(_with_public_bytes_as_secret()), 401, "invalid_token", "algorithm_not_allowed"),
    "no exp": (bearer(MINT.token(exp=None)), 401, "invalid_token", "missing_claim"),
    "long life": (bearer(MINT.token(exp=NOW + 10**8)), 401, "invalid_token", "lifetime_too_long"),
    "one segment": (bearer("a"), 401, "invalid_token", "not_compact"),
    "huge": (bearer("a." * 9_000), 401, "invalid_token", "too_long"),
    "check says no": (bearer(MINT.token(sub="mallory")), 403, None, "forbidden"),
    "no scope": (bearer(MINT.token()), 403, "insufficient_scope", "rule_unmet"),
}


def assert_nothing_of_a_token(text: str, headers: list[tuple[str, str]]) -> None:
    for _, value in headers:
        for word in value.replace(",", " ").split():
            for piece in pieces(word):
                assert len(piece) < 16 or piece not in text
