"""Public keys in DER, as KMS answers them, read without a parser.

A DER SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) of one kind and size always begins with the
same octets; only the key itself differs. The library's own reader takes any such structure and
is the larger import of the two: a cold start whose key comes from KMS does without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from kmsjwt._jwk import curve_of, ed25519_class

if TYPE_CHECKING:
    from kmsjwt._jwk import CryptoKey
    from kmsjwt.algorithms import Algorithm

# RFC 8017 appendix A.1: SEQUENCE { modulus, exponent }, here of 2048, 3072 and 4096 bits with the
# exponent 65537, which is what KMS makes.
_RSA = {
    256: bytes.fromhex("30820122300d06092a864886f70d01010105000382010f003082010a0282010100"),
    384: bytes.fromhex("308201a2300d06092a864886f70d01010105000382018f003082018a0282018100"),
    512: bytes.fromhex("30820222300d06092a864886f70d01010105000382020f003082020a0282020100"),
}
_EXPONENT = bytes.fromhex("0203010001")
# RFC 5480 section 2: the curve's name, then the uncompressed point.
_EC = {
    "P-256": bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200"),
    "P-384": bytes.fromhex("3076301006072a8648ce3d020106052b81040022036200"),
    "P-521": bytes.fromhex("30819b301006072a8648ce3d020106052b8104002303818600"),
    "secp256k1": bytes.fromhex("3056301006072a8648ce3d020106052b8104000a034200"),
}
# RFC 8410 section 4.
_ED25519 = bytes.fromhex("302a300506032b6570032100")


def read(der: bytes, alg: Algorithm) -> CryptoKey | None:
    """Return the key of a DER SubjectPublicKeyInfo, if it is in one of the forms known here.

    None says nothing about the key: it may be good and in another form.

    Raises:
        ValueError: the form is right, and its content no key.
    """
    if alg.kty == "RSA":
        return _read_rsa(der)
    if alg.crv in _EC:
        return _read_ec(der, alg)
    if der.startswith(_ED25519):
        return ed25519_class().from_public_bytes(der[len(_ED25519) :])
    return None


def _read_rsa(der: bytes) -> CryptoKey | None:
    for size, prefix in _RSA.items():
        end = len(prefix) + size
        # The integer is positive and as short as can be: the octet before it is 0 for that reason.
        if der.startswith(prefix) and der[end:] == _EXPONENT and der[len(prefix)] >= 0x80:
            return RSAPublicNumbers(65537, int.from_bytes(der[len(prefix) : end])).public_key()
    return None


def _read_ec(der: bytes, alg: Algorithm) -> CryptoKey | None:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    prefix = _EC[str(alg.crv)]
    point = der[len(prefix) :]
    if not der.startswith(prefix) or point[:1] != b"\x04":
        return None
    return EllipticCurvePublicKey.from_encoded_point(curve_of(alg), point)
