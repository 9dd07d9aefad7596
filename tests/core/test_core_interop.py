"""Tokens and keys beside libraries that are not ours: flipped bits, odd RSA keys, JWKs both ways.

Every algorithm with every library, both ways, is in tests/interop.
"""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwcrypto.jwk import JWK
from tests.core import helpers, oracles
from tests.core.helpers import ALGS, AUD, b64, flipped, unb64

from kmsjwt import PublicKey, TokenError
from kmsjwt.jwks import StaticKeys

# joserfc warns that the name EdDSA is deprecated (RFC 9864); we still read and write it by choice.
pytestmark = pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")

_READERS = {
    alg: [library for library, known in oracles.SPEAKS.items() if alg in known] for alg in ALGS
}


def test_there_are_fifteen_algorithms():
    assert len(ALGS) == 15


@pytest.mark.parametrize("alg", ALGS)
@pytest.mark.parametrize("segment", [0, 1, 2], ids=["header", "payload", "signature"])
def test_one_flipped_bit_is_refused_by_all(alg: str, segment: int):
    token = helpers.issuer(alg).issue(sub="ala", aud=AUD).token
    parts = token.split(".")
    raw = unb64(parts[segment])
    jwk = helpers.held(alg).public.to_jwk()
    for bit in range(3, len(raw) * 8, max(1, len(raw) * 8 // 12)):
        parts[segment] = b64(flipped(raw, bit))
        tampered = ".".join(parts)
        with pytest.raises(TokenError):
            helpers.verifier(alg).verify(tampered)
        if bit < 100:  # the others are slow to refuse
            for library in _READERS[alg]:
                with pytest.raises(Exception):  # noqa: B017, PT011  each has errors of its own
                    oracles.READ[library](tampered, jwk)


@pytest.mark.parametrize("alg", ["RS256", "PS512"])
def test_a_longer_rsa_key(alg: str):
    signer = helpers.HeldKey(alg, helpers.rsa_key(3072))
    token = helpers.issuer(signer=signer).issue(sub="ala", aud=AUD).token

    assert oracles.READ["PyJWT"](token, signer.public.to_jwk())["sub"] == "ala"
    verified = helpers.verifier(keys=StaticKeys([signer.public])).verify(token)
    assert verified.claims["sub"] == "ala"


def test_an_rsa_key_whose_bits_fill_no_whole_byte():
    """RFC 8017: a signature is as many octets as the modulus, rounded up."""
    p = helpers.rsa_key(2048).private_numbers().p
    q = helpers.rsa_key(2056).private_numbers().q
    d = rsa.rsa_recover_private_exponent(65537, p, q)
    numbers = rsa.RSAPrivateNumbers(
        p,
        q,
        d,
        rsa.rsa_crt_dmp1(d, p),
        rsa.rsa_crt_dmq1(d, q),
        rsa.rsa_crt_iqmp(p, q),
        rsa.RSAPublicNumbers(65537, p * q),
    )
    signer = helpers.HeldKey("RS256", numbers.private_key())
    assert (p * q).bit_length() % 8
    token = helpers.issuer(signer=signer).issue(sub="ala", aud=AUD).token

    verified = helpers.verifier(keys=StaticKeys([signer.public])).verify(token)
    assert verified.claims["sub"] == "ala"


@pytest.mark.parametrize("alg", ALGS)
def test_our_jwk_is_the_key_others_export(alg: str):
    public = helpers.private_key(alg).public_key()
    ours = PublicKey(public, alg).to_jwk()
    theirs = JWK.from_pyca(public)
    exported = theirs.export_public(as_dict=True)

    members = {name: ours[name] for name in ours if name not in ("kid", "alg", "use")}
    assert members == {name: exported[name] for name in members}
    assert JWK(**ours).thumbprint() == theirs.thumbprint() == ours["kid"]


@pytest.mark.parametrize("alg", ALGS)
def test_their_jwk_is_read_by_us(alg: str):
    public = helpers.private_key(alg).public_key()
    exported: dict[str, Any] = JWK.from_pyca(public).export_public(as_dict=True)
    exported.pop("kid", None)

    assert PublicKey.from_jwk(exported, alg=alg) == PublicKey(public, alg)


@pytest.mark.parametrize("alg", oracles.SPEAKS["joserfc"])
def test_jwk_both_ways_with_joserfc(alg: str):
    ours = helpers.held(alg).public
    theirs = oracles.joserfc_key(ours.to_jwk())

    assert oracles.public_pem(theirs.public_key) == oracles.public_pem(ours_public(alg))
    assert theirs.thumbprint() == ours.thumbprint
    back: dict[str, Any] = theirs.as_dict(private=False)
    assert PublicKey.from_jwk(back, alg=alg) == ours


@pytest.mark.parametrize("alg", ALGS)
def test_spki_gives_the_same_key(alg: str):
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = ours_public(alg)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    assert PublicKey.from_spki(der, alg) == helpers.held(alg).public


def ours_public(alg: str) -> Any:
    return helpers.private_key(alg).public_key()


def test_the_thumbprint_of_rfc_7638_section_3_1():
    jwk = {
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6"
        "tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGj"
        "QR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTW"
        "hAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        "e": "AQAB",
        "alg": "RS256",
        "kid": "2011-04-29",
    }
    key = PublicKey.from_jwk(jwk)

    assert key.kid == "2011-04-29"
    assert key.thumbprint == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_a_short_coordinate_is_left_padded():
    """RFC 7518 section 6.2.1.2: x and y always have the curve's full width."""
    from cryptography.hazmat.primitives.asymmetric import ec

    for secret in range(1, 5000):
        public = ec.derive_private_key(secret, ec.SECP256R1()).public_key()
        if public.public_numbers().x >> 248 == 0:
            break
    key = PublicKey(public, "ES256")

    assert len(unb64(key.to_jwk()["x"])) == 32
    assert PublicKey.from_jwk(key.to_jwk()) == key
    assert JWK.from_pyca(public).thumbprint() == key.kid
