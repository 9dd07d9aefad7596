"""What the KMS room's tests share: a clock that stands still, clients that misbehave, shapes."""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING, Any

from kmsjwt import Issuer, Verifier
from kmsjwt.kms import KmsSigner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from kmsjwt.kms import KmsClient

ISS = "https://id.example"
AUD = "orders"
NOW = 1_790_000_000

# One KMS key spec for each JOSE algorithm, written down here by hand from the KMS guide.
SPEC_OF = {
    "RS256": "RSA_2048",
    "RS384": "RSA_2048",
    "RS512": "RSA_2048",
    "PS256": "RSA_2048",
    "PS384": "RSA_2048",
    "PS512": "RSA_2048",
    "ES256": "ECC_NIST_P256",
    "ES384": "ECC_NIST_P384",
    "ES512": "ECC_NIST_P521",
    "ES256K": "ECC_SECG_P256K1",
    "Ed25519": "ECC_NIST_EDWARDS25519",
    "EdDSA": "ECC_NIST_EDWARDS25519",
    "ML-DSA-44": "ML_DSA_44",
    "ML-DSA-65": "ML_DSA_65",
    "ML-DSA-87": "ML_DSA_87",
}
ALGS = tuple(SPEC_OF)


def forget_aws(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Leave boto3 with no Region, no credentials and no instance metadata to ask for them."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "KMSJWT_", "KMS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "no-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


class Clock:
    """Time that moves only when told to."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += seconds


class Through:
    """A KMS client in front of another: counts calls, and lets a test change what passes.

    ``before[name](request)`` sees and may change a request; ``after[name](answer)`` returns what
    the caller gets.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self.meta = client.meta
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.before: dict[str, Callable[[dict[str, Any]], object]] = {}
        self.after: dict[str, Callable[[dict[str, Any]], Any]] = {}

    def count(self, name: str) -> int:
        return sum(called == name for called, _ in self.calls)

    def _pass(self, name: str, request: dict[str, Any]) -> Any:
        self.calls.append((name, dict(request)))
        if name in self.before:
            self.before[name](request)
        answer = getattr(self._client, name)(**request)
        return self.after[name](answer) if name in self.after else answer

    def get_public_key(self, **request: Any) -> Any:
        return self._pass("get_public_key", request)

    def sign(self, **request: Any) -> Any:
        return self._pass("sign", request)

    def verify(self, **request: Any) -> Any:
        return self._pass("verify", request)


def make_key(kms: Any, spec: str, usage: str = "SIGN_VERIFY") -> str:
    """Make a key and return its ARN."""
    return str(kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"])


def issuer(key: str, client: KmsClient, **options: Any) -> Issuer:
    clock = options.pop("clock", lambda: NOW)
    return Issuer(ISS, KmsSigner(key, client=client, clock=clock, **options), clock=clock)


def issued(key: str, client: KmsClient, **options: Any) -> str:
    return issuer(key, client, **options).issue(sub="ala", aud=AUD, claims={"tenant": "t1"}).token


def verifier(keys: Any) -> Verifier:
    return Verifier(keys, issuer=ISS, audience=AUD, clock=lambda: NOW)


def header_of(token: str) -> dict[str, Any]:
    head = token.partition(".")[0]
    return dict(json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))))


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def tampered(token: str, segment: int, bit: int) -> str:
    """Flip one bit of one decoded segment."""
    parts = token.split(".")
    raw = bytearray(unb64(parts[segment]))
    raw[bit // 8] ^= 1 << (bit % 8)
    parts[segment] = b64(bytes(raw))
    return ".".join(parts)
