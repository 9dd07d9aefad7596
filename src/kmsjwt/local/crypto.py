"""Key material: made, kept, signed with. Nothing here knows of KMS's requests or states."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa, utils

from kmsjwt.local.specs import MAC_ALGORITHMS, SIGNING_ALGORITHMS, KeySpec

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Material", "generate", "load"]

_CURVES: Final[dict[str, ec.EllipticCurve]] = {
    "ECC_NIST_P256": ec.SECP256R1(),
    "ECC_NIST_P384": ec.SECP384R1(),
    "ECC_NIST_P521": ec.SECP521R1(),
    "ECC_SECG_P256K1": ec.SECP256K1(),
}
_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_ML_DSA: Final[dict[str, Callable[[], Any]]] = {
    "ML_DSA_44": mldsa.MLDSA44PrivateKey.generate,
    "ML_DSA_65": mldsa.MLDSA65PrivateKey.generate,
    "ML_DSA_87": mldsa.MLDSA87PrivateKey.generate,
}


class Material:
    """The secret part of one key. Its repr shows nothing of it."""

    __slots__ = ("_private", "_secret", "spki")

    def __init__(self, *, private: Any = None, secret: bytes = b"") -> None:
        self._private = private
        self._secret = secret
        self.spki = b"" if private is None else _spki(private)
        """The public key as DER SubjectPublicKeyInfo (RFC 5280 4.1); empty for a secret key."""

    def __repr__(self) -> str:
        return "<Material: hidden>"

    def dump(self) -> str:
        """Return the key as text for a file: PKCS #8 PEM, or the hex of a secret key."""
        if self._private is None:
            return self._secret.hex()
        pem: bytes = self._private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return pem.decode("ascii")

    def sign(self, algorithm: str, message_type: str, message: bytes) -> bytes:
        """Return KMS's signature: PKCS #1 octets, DER for ECDSA, raw for Ed25519 and ML-DSA."""
        key = self._private
        if isinstance(key, rsa.RSAPrivateKey):
            scheme, digest = _rsa_scheme(algorithm, message_type)
            return key.sign(message, scheme, digest)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key.sign(message, ec.ECDSA(_digest(algorithm, message_type)))
        if message_type == "EXTERNAL_MU":
            return bytes(key.sign_mu(message))
        return bytes(key.sign(message))

    def is_signature(
        self, algorithm: str, message_type: str, message: bytes, signature: bytes
    ) -> bool:
        """Tell whether ``signature`` is this key's over ``message``."""
        public = self._private.public_key()
        try:
            if isinstance(public, rsa.RSAPublicKey):
                # OpenSSL takes a PSS signature whose leading zero was stripped; RFC 8017 8.1.2
                # step 1 does not.
                if len(signature) * 8 != public.key_size:
                    return False
                scheme, digest = _rsa_scheme(algorithm, message_type)
                public.verify(signature, message, scheme, digest)
            elif isinstance(public, ec.EllipticCurvePublicKey):
                public.verify(signature, message, ec.ECDSA(_digest(algorithm, message_type)))
            elif message_type == "EXTERNAL_MU":
                public.verify_mu(signature, message)
            else:
                public.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def mac(self, algorithm: str, message: bytes) -> bytes:
        """Return the HMAC of ``message`` (RFC 2104)."""
        return hmac.digest(self._secret, message, MAC_ALGORITHMS[algorithm])

    def is_mac(self, algorithm: str, message: bytes, mac: bytes) -> bool:
        """Tell whether ``mac`` is this key's HMAC of ``message``."""
        return hmac.compare_digest(self.mac(algorithm, message), mac)

    def material_id(self) -> str:
        """Return a stand-in for KMS's ``CurrentKeyMaterialId``: 64 hex digits."""
        return hashlib.sha256(b"kmsjwt key material id" + self._secret).hexdigest()


def generate(spec: KeySpec) -> Material:
    """Make fresh key material. RSA_4096 takes about a second."""
    if spec.family == "rsa":
        return Material(private=rsa.generate_private_key(65537, spec.size))
    if spec.family == "ec":
        return Material(private=ec.generate_private_key(_CURVES[spec.name]))
    if spec.family == "ed25519":
        return Material(private=ed25519.Ed25519PrivateKey.generate())
    if spec.family == "ml-dsa":
        return Material(private=_ML_DSA[spec.name]())
    return Material(secret=secrets.token_bytes(spec.size))


def load(spec: KeySpec, text: str) -> Material:
    """Read back what ``Material.dump`` wrote.

    Raises:
        ValueError: the text is no such key.
    """
    if not spec.is_asymmetric:
        secret = bytes.fromhex(text)
        if len(secret) != spec.size:
            raise ValueError(f"the key has {len(secret)} bytes, {spec.name} has {spec.size}")
        return Material(secret=secret)
    return Material(private=serialization.load_pem_private_key(text.encode("ascii"), None))


def _spki(private: Any) -> bytes:
    der: bytes = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return der


def _digest(algorithm: str, message_type: str) -> hashes.HashAlgorithm | utils.Prehashed:
    name = SIGNING_ALGORITHMS[algorithm].digest
    if name is None:
        raise ValueError(f"{algorithm} leaves no choice of hash")
    return utils.Prehashed(_HASHES[name]) if message_type == "DIGEST" else _HASHES[name]


def _rsa_scheme(
    algorithm: str, message_type: str
) -> tuple[padding.AsymmetricPadding, hashes.HashAlgorithm | utils.Prehashed]:
    digest = _digest(algorithm, message_type)
    if "PSS" not in algorithm:
        return padding.PKCS1v15(), digest
    # KMS's salt is as long as the hash, as RFC 7518 section 3.5 wants it.
    mask = padding.MGF1(_HASHES[SIGNING_ALGORITHMS[algorithm].digest or ""])
    return padding.PSS(mask, padding.PSS.DIGEST_LENGTH), digest
