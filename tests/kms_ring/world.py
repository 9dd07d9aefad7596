"""A ring made call by call, with every tag spelled out here, and what a source says of its keys."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import load_der_public_key

from kmsjwt import Issuer
from kmsjwt.errors import CannotKnow, UnknownKey
from kmsjwt.kms import KmsSigner

START = 1_790_000_000.0
ISS, AUD = "https://id.example", "orders"
DAY, HOUR = 86_400, 3_600
SPEC, ALG = "ECC_NIST_P256", "ES256"
MARK = "2026-09-21T00:00:00Z"
TIMES = {
    "kmsjwt:period": str(30 * DAY),
    "kmsjwt:max-lifetime": "1800",
    "kmsjwt:signer-refresh": "900",
    "kmsjwt:document-max-age": "300",
    "kmsjwt:consumer-cache": "7200",
}


class Clock:
    """Time that moves only when told to."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += seconds


def as_tags(facts: dict[str, str]) -> list[dict[str, str]]:
    return [{"TagKey": name, "TagValue": value} for name, value in facts.items()]


def born(kms: Any, number: int, *, ring: str = "auth", spec: str = SPEC, **more: str | None) -> str:
    """Make the key of a generation with its alias; ``max_lifetime="60"`` is one of its tags."""
    facts = {"kmsjwt:ring": ring, "kmsjwt:generation": str(number), **TIMES}
    for name, value in more.items():
        tag = f"kmsjwt:{name.replace('_', '-')}"
        facts.pop(tag, None)
        if value is not None:
            facts[tag] = value
    made = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY", Tags=as_tags(facts))
    arn = str(made["KeyMetadata"]["Arn"])
    kms.create_alias(AliasName=f"alias/{ring}/{number}", TargetKeyId=arn)
    return arn


def point(kms: Any, arn: str, alias: str = "alias/auth") -> None:
    try:
        kms.update_alias(AliasName=alias, TargetKeyId=arn)
    except kms.exceptions.NotFoundException:
        kms.create_alias(AliasName=alias, TargetKeyId=arn)


def mark(kms: Any, arn: str, *names: str, text: str | None = None) -> None:
    """Write facts on a key, true now."""
    moment = datetime.fromtimestamp(START, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    kms.tag_resource(KeyId=arn, Tags=as_tags({f"kmsjwt:{name}": text or moment for name in names}))


def row(kms: Any, count: int, *, signing: int) -> list[str]:
    """Make generations 1 to ``count``; those below the one that signs are draining."""
    arns = [born(kms, number) for number in range(1, count + 1)]
    for number, arn in enumerate(arns, 1):
        mark(kms, arn, "published", *(("draining",) if number < signing else ()))
    point(kms, arns[signing - 1])
    return arns


def kid_of(kms: Any, arn: str) -> str:
    """Return the RFC 7638 thumbprint as joserfc tells it."""
    from joserfc.jwk import ECKey

    der: Any = load_der_public_key(kms.get_public_key(KeyId=arn)["PublicKey"])
    return str(ECKey.import_key(der.public_bytes(*_pem())).thumbprint())


def _pem() -> Any:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return Encoding.PEM, PublicFormat.SubjectPublicKeyInfo


def verdict(source: Any, kid: str | None) -> str:
    """Return ``known``, ``refused`` or ``unsure``."""
    try:
        found = source.key(kid)
    except UnknownKey:
        return "refused"
    except CannotKnow:
        return "unsure"
    assert found.kid == kid
    return "known"


def issuer(key: str, client: Any, clock: Clock, **options: Any) -> Issuer:
    signer = KmsSigner(key, client=client, clock=clock, **options)
    return Issuer(ISS, signer, lifetime=600, clock=clock)


def signed_by(token: str, kms: Any, *arns: str) -> int:
    """Return which generation's signature PyJWT finds on a token."""
    found = []
    for number, arn in enumerate(arns, 1):
        try:
            public: Any = load_der_public_key(kms.get_public_key(KeyId=arn)["PublicKey"])
        except kms.exceptions.ClientError:
            continue  # disabled
        try:
            jwt.decode(
                token,
                public,
                algorithms=[ALG],
                audience=AUD,
                options={"verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidSignatureError:
            continue
        found.append(number)
    (number,) = found
    return number
