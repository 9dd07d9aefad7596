"""What kinds of key KMS has, and what each can do.

This table is the local KMS's own, apart from ``kmsjwt.algorithms`` on purpose: a stand-in that
shared the product's table would share its mistakes, and no test could tell.
Source: the KMS API reference (CreateKey, Sign, GenerateMac) and the guide's key spec reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "KEY_SPECS",
    "MAC_ALGORITHMS",
    "REFUSED_SPECS",
    "SIGNING_ALGORITHMS",
    "KeySpec",
    "SigningAlgorithm",
]

Family = Literal["rsa", "ec", "ed25519", "ml-dsa", "hmac", "symmetric"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySpec:
    """One value of KMS's ``KeySpec``.

    Attributes:
        name: as in the API, ``"ECC_NIST_P256"``.
        family: which kind of key material it is.
        size: modulus bits (RSA), key bytes (HMAC, symmetric); 0 where the name says it all.
        usages: the ``KeyUsage`` values it may be created with, and for each the algorithms that
            ``KeyMetadata`` then lists.
    """

    name: str
    family: Family
    size: int = 0
    usages: dict[str, tuple[str, ...]]

    @property
    def is_asymmetric(self) -> bool:
        """Whether there is a public key to fetch."""
        return self.family not in {"hmac", "symmetric"}

    @property
    def kind(self) -> str:
        """What an alias may not change when it is moved: symmetric, asymmetric or HMAC."""
        return "asymmetric" if self.is_asymmetric else self.family


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningAlgorithm:
    """One value of KMS's ``SigningAlgorithm``.

    Attributes:
        name: as in the API.
        digest: hashlib's name of the hash, or None where nobody outside may choose or skip it.
        message_types: each allowed ``MessageType`` and the length in bytes that the message must
            then have, None where any up to 4,096 will do.
    """

    name: str
    digest: str | None
    message_types: dict[str, int | None]


_RSA_SIGNING = (
    "RSASSA_PKCS1_V1_5_SHA_256",
    "RSASSA_PKCS1_V1_5_SHA_384",
    "RSASSA_PKCS1_V1_5_SHA_512",
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
)
_RSA_USAGES = {
    "SIGN_VERIFY": _RSA_SIGNING,
    "ENCRYPT_DECRYPT": ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"),
}


def _nist(signing: str) -> dict[str, tuple[str, ...]]:
    return {"SIGN_VERIFY": (signing,), "KEY_AGREEMENT": ("ECDH",)}


_SPECS = (
    *(
        KeySpec(name=f"RSA_{n}", family="rsa", size=n, usages=_RSA_USAGES)
        for n in (2048, 3072, 4096)
    ),
    KeySpec(name="ECC_NIST_P256", family="ec", usages=_nist("ECDSA_SHA_256")),
    KeySpec(name="ECC_NIST_P384", family="ec", usages=_nist("ECDSA_SHA_384")),
    KeySpec(name="ECC_NIST_P521", family="ec", usages=_nist("ECDSA_SHA_512")),
    KeySpec(name="ECC_SECG_P256K1", family="ec", usages={"SIGN_VERIFY": ("ECDSA_SHA_256",)}),
    KeySpec(
        name="ECC_NIST_EDWARDS25519",
        family="ed25519",
        usages={"SIGN_VERIFY": ("ED25519_SHA_512", "ED25519_PH_SHA_512")},
    ),
    *(
        KeySpec(name=f"ML_DSA_{n}", family="ml-dsa", usages={"SIGN_VERIFY": ("ML_DSA_SHAKE_256",)})
        for n in (44, 65, 87)
    ),
    *(
        KeySpec(
            name=f"HMAC_{bits}",
            family="hmac",
            size=bits // 8,
            usages={"GENERATE_VERIFY_MAC": (f"HMAC_SHA_{bits}",)},
        )
        for bits in (224, 256, 384, 512)
    ),
    KeySpec(
        name="SYMMETRIC_DEFAULT",
        family="symmetric",
        size=32,
        usages={"ENCRYPT_DECRYPT": ("SYMMETRIC_DEFAULT",)},
    ),
)
KEY_SPECS = {spec.name: spec for spec in _SPECS}
"""Every key spec the local KMS creates, by name. SYMMETRIC_DEFAULT keys encrypt nothing here."""

REFUSED_SPECS = {
    "SM2": "AWS has it in its China Regions only, and no JSON Web Signature can use it",
    "ML_KEM_512": "it agrees on keys and signs nothing",
    "ML_KEM_768": "it agrees on keys and signs nothing",
    "ML_KEM_1024": "it agrees on keys and signs nothing",
}
"""Key specs that KMS knows and the local KMS refuses to create, each with the reason."""

_HASH_BYTES = {"256": 32, "384": 48, "512": 64}


def _hashed(name: str) -> SigningAlgorithm:
    bits = name[-3:]
    return SigningAlgorithm(
        name=name,
        digest=f"sha{bits}",
        message_types={"RAW": None, "DIGEST": _HASH_BYTES[bits]},
    )


_SIGNING = (
    *(_hashed(name) for name in _RSA_SIGNING),
    *(_hashed(f"ECDSA_SHA_{bits}") for bits in _HASH_BYTES),
    SigningAlgorithm(name="ED25519_SHA_512", digest=None, message_types={"RAW": None}),
    # FIPS 204 section 6.2: the external representative mu is 64 bytes.
    SigningAlgorithm(
        name="ML_DSA_SHAKE_256", digest=None, message_types={"RAW": None, "EXTERNAL_MU": 64}
    ),
)
SIGNING_ALGORITHMS = {algorithm.name: algorithm for algorithm in _SIGNING}

MAC_ALGORITHMS = {f"HMAC_SHA_{bits}": f"sha{bits}" for bits in (224, 256, 384, 512)}
"""Each MAC algorithm and hashlib's name of its hash."""
