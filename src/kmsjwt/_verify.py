"""How a signature of each algorithm is checked with ``cryptography``.

`verify_call` decides everything once, per key; what runs per token is a length check and one call
into the library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

from kmsjwt.algorithms import Algorithm, ecdsa_jose_to_der
from kmsjwt.errors import BadSignature, shown_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from kmsjwt._jwk import CryptoKey

_DER_HINT = "it looks like DER, as KMS answers; a JWS has r || s (RFC 7518 section 3.4)"
_HASHES = {"sha256": SHA256(), "sha384": SHA384(), "sha512": SHA512()}


def signature_length(key: CryptoKey, alg: Algorithm) -> int:
    """Return the bytes of a signature in JOSE form; RSA's is as long as the modulus (RFC 8017)."""
    return alg.signature_length or (cast("RSAPublicKey", key).key_size + 7) // 8


def wrong_length(signature: bytes, length: int, alg: Algorithm) -> BadSignature:
    """Return the error for a signature of another length, saying whether it looks like DER."""
    return BadSignature(
        f"the signature is {len(signature)} bytes, expected {length} for {alg.name}",
        code="signature_length",
        fix=_DER_HINT if alg.kty == "EC" and signature[:1] == b"\x30" else None,
    )


def require_bytes(signature: object, signing_input: object) -> None:
    """Refuse what can be no signature, or nothing that was signed.

    Raises:
        BadSignature: one of them is not bytes.
    """
    for what, value in (("the signature", signature), ("what was signed", signing_input)):
        if type(value) is not bytes:
            raise BadSignature(f"{what} is {shown_type(value)}, expected bytes") from None


def verify_call(key: CryptoKey, alg: Algorithm) -> tuple[Callable[..., None], tuple[Any, ...]]:
    """Return what verifies, and its arguments after the signature and what was signed.

    The call raises InvalidSignature of ``cryptography``, or returns None.
    """
    verify = cast("Any", key).verify
    if alg.hash is None:  # Ed25519 and ML-DSA take the message as it is
        return verify, ()
    hash_ = _HASHES[alg.hash]
    if alg.kty == "EC":
        # Imported where needed, as every key type but RSA.
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

        return lambda jose, *rest: verify(ecdsa_jose_to_der(jose), *rest), (ECDSA(hash_),)
    # RFC 7518 section 3.5: the salt is as long as the hash, MGF1 uses the same hash.
    padding = PSS(MGF1(hash_), hash_.digest_size) if alg.name.startswith("PS") else PKCS1v15()
    return verify, (padding, hash_)
