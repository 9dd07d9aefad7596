"""What is sent to KMS to be signed or verified: the message, its digest, or ML-DSA's mu."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from kmsjwt._encoding import b64url_decode
from kmsjwt.errors import ClaimsRefused, ConfigError, shown

if TYPE_CHECKING:
    from kmsjwt.algorithms import Algorithm
    from kmsjwt.keys import PublicKey

RAW_LIMIT = 4096
"""Bytes that KMS takes as a RAW message."""

# Each by itself: `hashlib.new` looks its name up with every token.
_HASHES = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}


def require_message_type(wanted: object) -> None:
    """Refuse what is no KMS ``MessageType``.

    Raises:
        ConfigError: neither None nor one of the three.
    """
    if wanted not in (None, "RAW", "DIGEST", "EXTERNAL_MU"):
        raise ConfigError(
            f"message_type is {shown(wanted)}, expected 'RAW', 'DIGEST' or 'EXTERNAL_MU'",
            code="message_type",
        )


def message_type_for(alg: Algorithm, wanted: str | None) -> str:
    """Return the KMS ``MessageType`` to use: the algorithm's own, or the one wanted.

    Raises:
        ConfigError: KMS does not sign ``alg`` with that message type.
    """
    if wanted is None or wanted == alg.message_type:
        return alg.message_type
    if wanted == "RAW":
        return wanted
    raise ConfigError(
        f"message_type is {shown(wanted)}, but {alg.name} is signed with "
        + " or ".join(dict.fromkeys((alg.message_type, "RAW"))),
        code="message_type",
    )


def message(kind: str, key: PublicKey, signing_input: bytes) -> bytes:
    """Return the ``Message`` for KMS.

    Raises:
        ClaimsRefused: KMS must see the whole message (RAW), and it is over 4,096 bytes.
    """
    if kind == "DIGEST":
        return _HASHES[str(key.alg.hash)](signing_input).digest()
    if kind == "EXTERNAL_MU":
        return _mu(b64url_decode(key.to_jwk()["pub"].encode("ascii")), signing_input)
    if len(signing_input) > RAW_LIMIT:
        raise ClaimsRefused(
            f"header and claims are {len(signing_input)} bytes, and KMS signs at most {RAW_LIMIT}"
            f" for {key.alg.name} with message type RAW",
            code="too_long_for_raw",
            fix="put less into the claims, or use an algorithm that signs a digest, such as ES256",
        )
    return signing_input


def _mu(public_key: bytes, signing_input: bytes) -> bytes:
    # FIPS 204 section 6.2, pure ML-DSA with an empty context: 0x00 (pure), 0x00 (its length).
    tr = hashlib.shake_256(public_key).digest(64)
    return hashlib.shake_256(tr + b"\x00\x00" + signing_input).digest(64)
