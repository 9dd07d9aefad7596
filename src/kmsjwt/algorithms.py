"""One table: every JOSE algorithm that an asymmetric KMS key can sign a JWT with.

Sources: RFC 7518 section 3 (RS, PS, ES), RFC 8812 (ES256K), RFC 8037 and RFC 9864 (EdDSA,
Ed25519), RFC 9964 (ML-DSA); the KMS developer guide on asymmetric key specs for KMS's side.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from kmsjwt._immutable import Immutable
from kmsjwt.errors import ConfigError, shown

_RSA_SPECS = ("RSA_2048", "RSA_3072", "RSA_4096")


class Algorithm(Immutable):
    """A JOSE algorithm and what KMS calls its parts.

    Attributes:
        name: the JOSE ``alg``.
        kty: the JWK key type: ``RSA``, ``EC``, ``OKP`` or ``AKP``.
        crv: the JWK curve, for ``EC`` and ``OKP``.
        hash: hashlib's name of the hash that KMS signs in DIGEST mode, else None.
        kms_name: KMS's ``SigningAlgorithm``.
        key_specs: the KMS ``KeySpec`` values that can sign with it.
        message_type: the KMS ``MessageType`` we sign with: DIGEST has no size limit.
        signature_length: bytes of a JOSE signature; for RSA the modulus decides, so None.
    """

    __slots__ = (
        "crv",
        "hash",
        "key_specs",
        "kms_name",
        "kty",
        "message_type",
        "name",
        "signature_length",
    )

    name: str
    kty: str
    crv: str | None
    hash: str | None
    kms_name: str
    key_specs: tuple[str, ...]
    message_type: str
    signature_length: int | None

    def __init__(
        self,
        name: str,
        kty: str,
        *,
        kms_name: str,
        key_specs: tuple[str, ...],
        message_type: str,
        crv: str | None = None,
        hash: str | None = None,  # noqa: A002  hashlib's own word
        signature_length: int | None = None,
    ) -> None:
        self._fill(
            name=name,
            kty=kty,
            crv=crv,
            hash=hash,
            kms_name=kms_name,
            key_specs=key_specs,
            message_type=message_type,
            signature_length=signature_length,
        )

    def __repr__(self) -> str:
        return f"Algorithm({self.name!r})"


def _rsa(name: str, padding: str, bits: int) -> Algorithm:
    return Algorithm(
        name,
        "RSA",
        kms_name=f"RSASSA_{padding}_SHA_{bits}",
        key_specs=_RSA_SPECS,
        message_type="DIGEST",
        hash=f"sha{bits}",
    )


def _ecdsa(name: str, crv: str, key_spec: str, bits: int, width: int) -> Algorithm:
    return Algorithm(
        name,
        "EC",
        crv=crv,
        kms_name=f"ECDSA_SHA_{bits}",
        key_specs=(key_spec,),
        message_type="DIGEST",
        hash=f"sha{bits}",
        signature_length=2 * width,
    )


def _ed25519(name: str) -> Algorithm:
    # KMS's other algorithm for this key, ED25519_PH_SHA_512, is Ed25519ph: no JOSE name.
    return Algorithm(
        name,
        "OKP",
        crv="Ed25519",
        kms_name="ED25519_SHA_512",
        key_specs=("ECC_NIST_EDWARDS25519",),
        message_type="RAW",
        signature_length=64,
    )


def _ml_dsa(parameter_set: int, signature_length: int) -> Algorithm:
    return Algorithm(
        f"ML-DSA-{parameter_set}",
        "AKP",
        kms_name="ML_DSA_SHAKE_256",
        key_specs=(f"ML_DSA_{parameter_set}",),
        message_type="EXTERNAL_MU",
        signature_length=signature_length,
    )


ALGORITHMS: dict[str, Algorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        _rsa("RS256", "PKCS1_V1_5", 256),
        _rsa("RS384", "PKCS1_V1_5", 384),
        _rsa("RS512", "PKCS1_V1_5", 512),
        _rsa("PS256", "PSS", 256),
        _rsa("PS384", "PSS", 384),
        _rsa("PS512", "PSS", 512),
        _ecdsa("ES256", "P-256", "ECC_NIST_P256", 256, 32),
        _ecdsa("ES384", "P-384", "ECC_NIST_P384", 384, 48),
        _ecdsa("ES512", "P-521", "ECC_NIST_P521", 512, 66),
        _ecdsa("ES256K", "secp256k1", "ECC_SECG_P256K1", 256, 32),
        _ed25519("Ed25519"),
        _ed25519("EdDSA"),
        _ml_dsa(44, 2420),
        _ml_dsa(65, 3309),
        _ml_dsa(87, 4627),
    )
}
"""JOSE name to algorithm. For one key spec the first fitting entry is the default."""


def algorithm(name: object) -> Algorithm:
    """Return the algorithm of that JOSE name.

    Raises:
        ConfigError: no such algorithm is supported.
    """
    found = ALGORITHMS.get(name) if isinstance(name, str) else None
    if found is None:
        raise ConfigError(
            f"alg is {shown(name)}, expected one of {', '.join(ALGORITHMS)}", code="unknown_alg"
        )
    return found


def for_key_spec(key_spec: str, alg: str | None = None) -> Algorithm:
    """Return the algorithm a KMS key of ``key_spec`` signs with; ``alg`` chooses among several.

    Raises:
        ConfigError: the spec cannot sign a JWT, or cannot sign with ``alg``.
    """
    fitting = [entry for entry in ALGORITHMS.values() if key_spec in entry.key_specs]
    if not fitting:
        raise ConfigError(
            f"key spec is {shown(key_spec)}, which signs no JWT",
            code="key_spec",
            fix="make a key with spec RSA_2048 and usage SIGN_VERIFY",
        )
    if alg is None:
        return fitting[0]
    chosen = algorithm(alg)
    if chosen not in fitting:
        names = ", ".join(entry.name for entry in fitting)
        raise ConfigError(
            f"alg is {alg!r}, but a key of spec {key_spec} signs {names}", code="alg_mismatch"
        )
    return chosen


def ecdsa_der_to_jose(der: bytes, signature_length: int) -> bytes:
    """Turn X9.62 DER, as KMS answers, into fixed-width r || s (RFC 7518 section 3.4).

    Raises:
        ValueError: not strict DER, or r or s is out of range for the width.
    """
    r, s = decode_dss_signature(der)
    width = signature_length // 2
    if r <= 0 or s <= 0:
        raise ValueError("r and s must be positive")
    try:
        return r.to_bytes(width, "big") + s.to_bytes(width, "big")
    except OverflowError as error:
        raise ValueError(f"r or s does not fit {width} bytes") from error


def ecdsa_jose_to_der(signature: bytes) -> bytes:
    """Turn r || s into DER, as verification libraries want it. The caller checked the length."""
    width = len(signature) // 2
    r = int.from_bytes(signature[:width], "big")
    s = int.from_bytes(signature[width:], "big")
    return encode_dss_signature(r, s)
