"""JWT libraries that are not ours, where they happen to be installed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Claims = dict[str, Any]
    Check = Callable[[str, dict[str, Any], str, str], Claims]


@dataclass(frozen=True, slots=True)
class Library:
    """One library.

    Attributes:
        name: its name and version.
        claims: checks a token with a JWKS, an issuer and an audience, and returns its claims.
    """

    name: str
    claims: Check


def installed() -> list[Library]:
    """Return the libraries that can be imported."""
    return [
        Library(f"{name} {_version(name)}".strip(), check)
        for name, module, check in _KNOWN
        if find_spec(module) is not None
    ]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _pyjwt(token: str, jwks: dict[str, Any], issuer: str, audience: str) -> Claims:
    jwt = import_module("jwt")
    kid = jwt.get_unverified_header(token)["kid"]
    key = next(key for key in jwt.PyJWKSet.from_dict(jwks).keys if key.key_id == kid)
    claims: Claims = jwt.decode(token, key, ["RS256"], issuer=issuer, audience=audience)
    return claims


def _joserfc(token: str, jwks: dict[str, Any], issuer: str, audience: str) -> Claims:
    jwt, jwk = import_module("joserfc.jwt"), import_module("joserfc.jwk")
    keys = jwk.KeySet.import_key_set(jwks)
    claims: Claims = jwt.decode(token, keys, algorithms=["RS256"]).claims
    demands = {
        "iss": {"essential": True, "value": issuer},
        "aud": {"essential": True, "value": audience},
    }
    jwt.JWTClaimsRegistry(**demands).validate(claims)
    return claims


def _jwcrypto(token: str, jwks: dict[str, Any], issuer: str, audience: str) -> Claims:
    jwt, jwk = import_module("jwcrypto.jwt"), import_module("jwcrypto.jwk")
    keys = jwk.JWKSet.from_json(json.dumps(jwks))
    demands = {"iss": issuer, "aud": audience, "exp": None}
    checked = jwt.JWT(jwt=token, key=keys, algs=["RS256"], check_claims=demands)
    claims: Claims = json.loads(checked.claims)
    return claims


_KNOWN: tuple[tuple[str, str, Check], ...] = (
    ("PyJWT", "jwt", _pyjwt),
    ("joserfc", "joserfc", _joserfc),
    ("jwcrypto", "jwcrypto", _jwcrypto),
)
