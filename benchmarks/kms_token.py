"""A token whose key is in the local KMS, laid out as the measured processes read it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.process_runs import SUBJECT
from benchmarks.work import Key, segment, token
from cryptography.hazmat.primitives.serialization import load_der_public_key

from kmsjwt.testing.events import http_api_v2

if TYPE_CHECKING:
    from pathlib import Path


def write_tokens(folder: Path, client: Any, arn: str) -> tuple[Path, Path]:
    """Write a good token and one with a forged signature; return the folder of each.

    Each folder holds the token, an HTTP API's event with it, and the JWKS.
    """
    key = _key(_InKms(client, arn))
    good = token(key, sub=SUBJECT)
    return _write(folder / "good", key, good), _write(folder / "forged", key, _forged(good))


@dataclass(frozen=True, slots=True)
class _InKms:
    """What `Key` asks of an RSA private key."""

    client: Any
    arn: str

    def public_key(self) -> Any:
        return load_der_public_key(self.client.get_public_key(KeyId=self.arn)["PublicKey"])

    def sign(self, data: bytes, *_: object) -> bytes:
        answer = self.client.sign(
            KeyId=self.arn,
            Message=hashlib.sha256(data).digest(),
            MessageType="DIGEST",
            SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256",
        )
        return bytes(answer["Signature"])


def _key(private: _InKms) -> Key:
    jwk = Key("RS256", "", private).jwk()
    members = {name: jwk[name] for name in ("e", "kty", "n")}  # RFC 7638 section 3.2
    canonical = json.dumps(members, separators=(",", ":")).encode()
    return Key("RS256", segment(hashlib.sha256(canonical).digest()), private)


def _forged(good: str) -> str:
    place = len(good) - 100  # in the middle of the signature
    return good[:place] + ("B" if good[place] == "A" else "A") + good[place + 1 :]


def _write(folder: Path, key: Key, compact: str) -> Path:
    folder.mkdir()
    event = http_api_v2("GET", "/orders/42", headers={"Authorization": f"Bearer {compact}"})
    (folder / "token").write_text(compact)
    (folder / "event.json").write_text(json.dumps(event))
    (folder / "jwks.json").write_text(json.dumps({"keys": [key.jwk()]}))
    return folder
