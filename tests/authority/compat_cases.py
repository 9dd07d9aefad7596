"""Issuers made for one case each: keys of cryptography's, JWKs and tokens of PyJWT's."""

from __future__ import annotations

import json
import time
from functools import cache
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

if TYPE_CHECKING:
    from pathlib import Path

    from kmsjwt.authority.compat import Row

ISSUER = "https://id.example"
_CURVES = {
    "ES256": ec.SECP256R1(),
    "ES384": ec.SECP384R1(),
    "ES512": ec.SECP521R1(),
    "ES256K": ec.SECP256K1(),
}


@cache
def private_key(alg: str) -> Any:
    if alg in _CURVES:
        return ec.generate_private_key(_CURVES[alg])
    if alg in ("EdDSA", "Ed25519"):
        return ed25519.Ed25519PrivateKey.generate()
    return _rsa()


@cache
def _rsa() -> Any:
    """One for all algorithms of RSA: making it is slow."""
    return rsa.generate_private_key(65537, 2048)


def jwk(alg: str, kid: str | None = None, /, **members: Any) -> dict[str, Any]:
    """Return a public JWK; a member that is None is left out."""
    public = private_key(alg).public_key()
    made: dict[str, Any]
    if alg in _CURVES:
        made = ECAlgorithm.to_jwk(public, as_dict=True)
    elif alg in ("EdDSA", "Ed25519"):
        made = OKPAlgorithm.to_jwk(public, as_dict=True)
    else:
        made = RSAAlgorithm.to_jwk(public, as_dict=True)
        del made["key_ops"]
    whole = {**made, "kid": kid or f"k-{alg}", "alg": alg, "use": "sig", **members}
    return {name: value for name, value in whole.items() if value is not None}


def token(alg: str = "RS256", *, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """Return a token that is good now; what is None is left out."""
    now = int(time.time())
    whole = {
        "iss": ISSUER,
        "aud": "orders",
        "sub": "ala",
        "iat": now - 5,
        "exp": now + 600,
        **claims,
    }
    members = {"kid": f"k-{alg}", **(header or {})}
    if members["kid"] is None:
        del members["kid"]
    return jwt.encode(
        {name: value for name, value in whole.items() if value is not None},
        private_key(alg),
        algorithm=alg,
        headers=members,
    )


def publish(
    folder: Path, keys: list[Any], *, discovery: dict[str, Any] | bytes | None = None, **named: Any
) -> Path:
    """Lay out a folder as an issuer publishes it; ``discovery=b""`` for none."""
    place = folder / ".well-known"
    place.mkdir(parents=True)
    (place / "jwks.json").write_text(json.dumps({"keys": keys}))
    if discovery is None:
        issuer = named.get("issuer", ISSUER)
        discovery = {"issuer": issuer, "jwks_uri": f"{issuer.rstrip('/')}/.well-known/jwks.json"}
    written = discovery if isinstance(discovery, bytes) else json.dumps(discovery).encode()
    if written:
        (place / "openid-configuration").write_bytes(written)
    return folder


def verdicts(rows: list[Row]) -> dict[str, str]:
    return {row.consumer: row.verdict for row in rows}


def finding(rows: list[Row], consumer: str, what: str) -> tuple[str, str | None] | None:
    """Return verdict and source of what is found about one limit, if anything is."""
    [row] = [row for row in rows if row.consumer == consumer]
    found = [(each.verdict, each.source) for each in row.findings if each.what == what]
    return found[0] if found else None
