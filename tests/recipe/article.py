"""The article's tokens, made as the article makes them, and made otherwise on purpose."""

from __future__ import annotations

import base64
import json
from typing import Any

NOW = 1_800_000_000
UNTIL = "2027-01-15T09:00:00+01:00"
"""NOW is 2027-01-15T08:00:00Z: the cut-off is that very second."""
ISSUER = "https://id.example"


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Article:
    """The article's token function: KMS signs the RAW message, the signature is base64."""

    def __init__(self, kms: Any, key_id: str) -> None:
        self.kms = kms
        self.key_id = key_id

    def sign(self, signing_input: str) -> bytes:
        answer = self.kms.sign(
            KeyId=self.key_id,
            Message=signing_input.encode(),
            MessageType="RAW",
            SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256",
        )
        signature: bytes = answer["Signature"]
        return signature

    def token(
        self,
        *,
        header: dict[str, Any] | None = None,
        claims: dict[str, Any] | None = None,
        raw_header: bytes | None = None,
        raw_claims: bytes | None = None,
        spell: Any = base64.b64encode,
    ) -> str:
        """Return a token; a member that is None is left out."""
        head = {"alg": "RS256", "typ": "JWT", "kid": self.key_id, **(header or {})}
        body = {
            "user_name": "ala",
            "iat": NOW - 100,
            "exp": NOW - 100 + 86_400,
            **(claims or {}),
        }
        parts = [_json(head) if raw_header is None else raw_header]
        parts.append(_json(body) if raw_claims is None else raw_claims)
        signing_input = ".".join(map(base64url, parts))
        signature = spell(self.sign(signing_input))
        return f"{signing_input}.{signature if isinstance(signature, str) else signature.decode()}"


def _json(members: dict[str, Any]) -> bytes:
    present = {name: value for name, value in members.items() if value is not None}
    return json.dumps(present, separators=(",", ":")).encode()
