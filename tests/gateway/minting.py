"""Tokens made by PyJWT with a key made by cryptography: neither is ours."""

from __future__ import annotations

import json
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from kmsjwt import Verifier
from kmsjwt.jwks import StaticKeys

NOW = 1_800_000_000
ISSUER = "https://id.example"
AUDIENCE = "orders"
KID = "key-1"


class Mint:
    """One ES256 key; tokens for it; a verifier that trusts it."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    def token(self, *, key: Any = None, kid: str = KID, **claims: Any) -> str:
        payload = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "ala",
            "jti": "jti-1",
            "iat": NOW - 10,
            "exp": NOW + 890,
            **claims,
        }
        present = {name: value for name, value in payload.items() if value is not None}
        return jwt.encode(present, key or self._key, algorithm="ES256", headers={"kid": kid})

    def jwks(self) -> dict[str, Any]:
        jwk = json.loads(ECAlgorithm.to_jwk(self._key.public_key()))
        return {"keys": [{**jwk, "kid": KID, "alg": "ES256", "use": "sig"}]}

    def verifier(self, **settings: Any) -> Verifier:
        keys = StaticKeys(self.jwks())
        return Verifier(
            keys, issuer=ISSUER, audience=AUDIENCE, **{"clock": lambda: NOW, **settings}
        )


class Recorder:
    """A log that keeps its lines as text too, as they would be printed."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def __call__(self, level: str, event: str, **fields: object) -> None:
        self.lines.append({"level": level, "event": event, **fields})

    @property
    def last(self) -> dict[str, Any]:
        return self.lines[-1]

    def text(self) -> str:
        return json.dumps(self.lines, ensure_ascii=False).encode("utf-8").decode("utf-8")


def pieces(token: str) -> list[str]:
    """The token and each segment long enough to be told from chance."""
    return [token, *(part for part in token.split(".") if len(part) >= 16)]
