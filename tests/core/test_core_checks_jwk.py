"""The limits of what a public key may be, at the limit itself and one beside it."""

from __future__ import annotations

from math import prod

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.core.helpers import b64, unb64
from tests.core.jwks_cases import jwk

from kmsjwt import ConfigError, PublicKey
from kmsjwt.algorithms import algorithm, for_key_spec

# RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1, RFC 9964 section 6, and what some call ML-DSA's seed.
PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv", "seed")
# The primes whose residues tell CVE-2017-15361 best, as its finders published them, in part.
PRIMES = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)


def number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def code_of(members: dict[str, str], alg: str | None = None) -> str:
    try:
        PublicKey.from_jwk(members, alg=alg)
    except ConfigError as error:
        return error.code
    return "accepted"


@pytest.mark.parametrize("name", PRIVATE)
@pytest.mark.parametrize("alg", ["RS256", "ES256", "Ed25519", "ML-DSA-44"])
def test_each_private_member_alone_refuses_the_key(alg: str, name: str):
    assert code_of(jwk(alg, **{name: "AQAB"})) == "jwk_private"


@pytest.mark.parametrize(
    ("bits", "code"),
    [(2047, "jwk_weak"), (2048, "accepted"), (8192, "accepted"), (8193, "jwk_weak")],
)
def test_the_length_of_an_rsa_modulus(bits: int, code: str):
    assert code_of(jwk("RS256", n=number(2**bits - 1))) == code


@pytest.mark.parametrize(
    ("exponent", "code"),
    [
        (65535, "jwk_weak"),
        (65537, "accepted"),
        (2**32 - 1, "accepted"),
        (2**32 + 1, "jwk_weak"),
    ],
)
def test_the_size_of_an_rsa_exponent(exponent: int, code: str):
    assert code_of(jwk("RS256", e=number(exponent))) == code


@pytest.mark.parametrize("escapes", [None, *PRIMES])
def test_a_modulus_is_a_faulty_chips_only_if_every_prime_says_so(escapes: int | None):
    """One residue that is no power of 65537 clears an honest modulus."""
    product = 2 * prod(PRIMES)
    others = product // escapes if escapes else product
    modulus = 1 + others  # 1 is a power of anything; the residue to the one prime differs
    if escapes:
        powers = {pow(65537, exponent, escapes) for exponent in range(escapes)}
        while modulus % escapes in powers:
            modulus += others
    modulus += product * (2**2047 // product + 1)

    assert code_of(jwk("RS256", n=number(modulus))) == ("accepted" if escapes else "jwk_weak")


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512", "ES256K"])
@pytest.mark.parametrize("name", ["x", "y"])
def test_each_coordinate_has_the_curve_s_full_width(alg: str, name: str):
    """RFC 7518 section 6.2.1.2: one spelling, even where the number is the same."""
    members = jwk(alg)

    assert code_of({**members, name: b64(b"\0" + unb64(members[name]))}) == "jwk_malformed"
    assert code_of({**members, name: b64(unb64(members[name])[1:])}) == "jwk_malformed"


@pytest.mark.parametrize("sign", [0, 1 << 255], ids=["plain", "signed"])
@pytest.mark.parametrize("y", [0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18])
def test_no_spelling_of_a_point_of_small_order_is_a_key(y: int, sign: int):
    """Neither 0, 1 and -1 nor what equals them modulo the field's prime."""
    assert code_of(jwk("Ed25519", x=b64((y | sign).to_bytes(32, "little")))) == "jwk_weak"


def test_an_akp_key_without_alg_gets_none_from_elsewhere():
    """RFC 9964 section 3: alg is the key's own, and required."""
    assert code_of(jwk("ML-DSA-44", "alg"), alg="ML-DSA-44") == "jwk_alg"


@pytest.mark.parametrize("spec", ["SM2", "HMAC_256", "SYMMETRIC_DEFAULT", "None", ""])
@pytest.mark.parametrize("alg", [None, "RS256"])
def test_a_kms_key_that_signs_no_jwt_is_told_from_a_wrong_alg(spec: str, alg: str | None):
    with pytest.raises(ConfigError) as caught:
        for_key_spec(spec, alg)
    assert caught.value.code == "key_spec"


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
@pytest.mark.parametrize("alg", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
def test_every_rsa_spec_of_kms_signs_every_rsa_algorithm(bits: int, alg: str):
    assert for_key_spec(f"RSA_{bits}", alg).name == alg


@pytest.mark.parametrize("name", [None, ["RS256"], {"RS256"}, 256, b"RS256", "rs256", "none"])
def test_what_is_no_algorithm_is_an_error_of_ours(name: object):
    key = ec.generate_private_key(ec.SECP256R1()).public_key()

    with pytest.raises(ConfigError) as caught:
        PublicKey(key, name)  # type: ignore[arg-type]  # the point of the test
    assert caught.value.code == "unknown_alg"
    with pytest.raises(ConfigError):
        algorithm(name)
