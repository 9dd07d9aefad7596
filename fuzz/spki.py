"""Public keys in DER: read as ``cryptography`` reads them, and by no other verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from fuzz import keys
from fuzz.draw import Draw
from fuzz.promises import promise
from kmsjwt import ConfigError, PublicKey

if TYPE_CHECKING:
    from collections.abc import Iterator

_ALGS = (*keys.ALGS, "PS256", "EdDSA", "RS512", "HS256")
_SCRAPS = ("\0", "\5\0", "\x30", "\x03", "\x81", "\x82", "\xff", "\x06\x07\x2a\x86\x48")


def one_input(data: bytes) -> None:
    """Read the bytes as SPKI, or as changes to the SPKI of a sound key."""
    draw = Draw(data)
    alg = draw.choose(_ALGS)
    if draw.below(2):
        der = draw.choose(_sound()).decode("latin-1")
        edited = draw.edited(der, _SCRAPS)
        _read(edited.encode("latin-1", "replace"), alg)
    else:
        _read(draw.rest(), alg)


def seeds() -> Iterator[bytes]:
    """Return inputs to begin with."""
    for alg in range(len(_ALGS)):
        for at, der in enumerate(_sound()):
            yield bytes((alg, 0)) + der
            yield bytes((alg, 1, at, 1, 0, 4, 1, 0, 1))


def _sound() -> tuple[bytes, ...]:
    if not _SOUND:
        others = (
            x25519.X25519PrivateKey.from_private_bytes(bytes(32)),
            ed448.Ed448PrivateKey.from_private_bytes(bytes(57)),
            ec.derive_private_key(5, ec.BrainpoolP256R1()),
        )
        for private in (*map(keys.private_key, keys.ALGS), *others):
            public = private.public_key()
            _SOUND.append(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
        point = keys.private_key("ES256").public_key()
        compressed = point.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        _SOUND.append(_SOUND[1][:1] + b"\x39" + _SOUND[1][2:24] + b"\x22\0" + compressed)
    return tuple(_SOUND)


_SOUND: list[bytes] = []


def _read(der: bytes, alg: str) -> None:
    expected = _expected(der, alg)
    try:
        key = PublicKey.from_spki(der, alg)
    except ConfigError as error:
        promise(expected is None, f"refused a good key: {error}")
        promise(error.code, "a refusal without a code")
        return
    promise(expected is not None, "read what cryptography does not, or what is too weak")
    promise(key.to_jwk() == expected, "read another key")


def _expected(der: bytes, alg: str) -> Any:
    """Return the JWK of what the library reads, if it is a key that fits; else None."""
    try:
        return PublicKey(load_der_public_key(der), alg).to_jwk()  # type: ignore[arg-type]  # other kinds are refused there
    except (ValueError, TypeError, UnsupportedAlgorithm):  # ConfigError is a ValueError
        return None
