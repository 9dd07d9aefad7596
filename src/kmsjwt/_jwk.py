"""The members of a JWK, both ways: strict reading into ``cryptography`` keys, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from kmsjwt._encoding import Undecodable, b64url_decode, b64url_encode
from kmsjwt.algorithms import ALGORITHMS, Algorithm
from kmsjwt.errors import shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeGuard

    from cryptography.hazmat.primitives.asymmetric.ec import (
        EllipticCurve,
        EllipticCurvePublicKey,
    )
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.mldsa import (
        MLDSA44PublicKey,
        MLDSA65PublicKey,
        MLDSA87PublicKey,
    )

    MLDSAPublicKey = MLDSA44PublicKey | MLDSA65PublicKey | MLDSA87PublicKey
    CryptoKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey | MLDSAPublicKey

_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv", "seed")
_MIN_RSA_BITS = 2048  # RFC 7518 section 3.3
_MAX_RSA_BITS = 8192  # a larger key costs each verification too much
_MIN_RSA_EXPONENT = 65537  # what KMS makes; smaller ones have a history of forgeries
_MAX_RSA_EXPONENT = 2**32 - 1
# Small primes to which 65537 has few powers, so that they tell the most.
_ROCA_PRIMES = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)

# RFC 8032 section 5.1: the field of edwards25519, and d of -x^2 + y^2 = 1 + d x^2 y^2.
_P25519 = 2**255 - 19
_D25519 = -121665 * pow(121666, -1, _P25519) % _P25519

_DEFAULT_ALG = {
    "RSA": "RS256",
    "P-256": "ES256",
    "P-384": "ES384",
    "P-521": "ES512",
    "secp256k1": "ES256K",
    "Ed25519": "Ed25519",
}


class Refused(Exception):
    """This key cannot be used; the message says why. Callers turn it into their own error."""

    def __init__(self, message: str, code: str = "jwk_malformed") -> None:
        super().__init__(message)
        self.code = code


def looked_at(mapping: Any, what: str) -> dict[str, Any]:
    """Return what a mapping holds, asked for once: no name has code of its own any more.

    Raises:
        Refused: it is no mapping, or one that cannot be read.
    """
    try:
        members: dict[str, Any] = dict(mapping.items())
    except Exception as error:  # somebody's own class may raise anything
        raise Refused(f"the {what} is {shown(mapping)}, expected an object") from error
    for name in members:
        if type(name) is not str:
            raise Refused(f"a member's name is {shown(name)}, expected text")
    return members


def items_of(value: object) -> list[Any] | tuple[Any, ...] | None:
    """Return what a list or tuple holds, whatever code of its own it has; None if it is neither."""
    if issubclass(type(value), list):
        return list.copy(cast("list[Any]", value))
    if issubclass(type(value), tuple):
        return tuple.__getitem__(cast("tuple[Any, ...]", value), slice(None))
    return None


def private_members(jwk: object) -> list[str]:
    """Return the names of members that must never be in a published key."""
    try:
        return _exposed(looked_at(jwk, "JWK"))
    except Refused:
        return []


def _exposed(members: Mapping[str, Any]) -> list[str]:
    return [name for name in _PRIVATE if name in members]


def read(jwk: object, alg: str | None) -> tuple[CryptoKey, str, str | None]:
    """Return the key, the name of its algorithm and its ``kid`` if it has one.

    Raises:
        Refused: with the reason.
    """
    members = looked_at(jwk, "JWK")
    exposed = _exposed(members)
    if exposed:
        raise Refused(f"the JWK holds the private members {', '.join(exposed)}", "jwk_private")
    _refuse_other_use(members)
    kid = members.get("kid")
    if "kid" in members and (type(kid) is not str or not kid):
        raise Refused(f"kid is {shown(kid)}, expected a non-empty string", "jwk_kid")
    bound = _bound_algorithm(members, alg)
    return _READERS[bound.kty](members, bound), bound.name, kid


def members(key: object, alg: Algorithm) -> dict[str, str]:
    """Return the JWK members that make up the key, ``kty`` among them.

    Raises:
        Refused: the key is weak, or of a type that cannot verify ``alg``.
    """
    if isinstance(key, RSAPublicKey) and alg.kty == "RSA":
        numbers = key.public_numbers()
        _refuse_weak_rsa(numbers.n, numbers.e)
        return {"kty": "RSA", "n": _integer(numbers.n), "e": _integer(numbers.e)}
    if alg.kty == "EC" and _is_on(key, alg):
        point = key.public_numbers()
        width = (key.curve.key_size + 7) // 8
        return {
            "kty": "EC",
            "crv": str(alg.crv),
            "x": b64url_encode(point.x.to_bytes(width, "big")),
            "y": b64url_encode(point.y.to_bytes(width, "big")),
        }
    if alg.kty == "OKP" and isinstance(key, ed25519_class()):
        encoded = key.public_bytes_raw()
        _refuse_weak_ed25519(encoded)
        return {"kty": "OKP", "crv": "Ed25519", "x": b64url_encode(encoded)}
    if alg.kty == "AKP" and isinstance(key, _ml_dsa_class(alg)):
        return {"kty": "AKP", "pub": b64url_encode(key.public_bytes_raw())}
    raise Refused(f"a {type(key).__name__} cannot verify {alg.name}", "jwk_alg")


def _refuse_other_use(jwk: Mapping[str, Any]) -> None:
    use = jwk.get("use", "sig")
    if type(use) is not str or use != "sig":
        raise Refused(f"use is {shown(use)}, expected 'sig'", "jwk_use")
    operations = items_of(jwk.get("key_ops", ("verify",)))
    # Types first: what is no text itself may say that it is equal to some.
    if operations is not None and any(type(each) is not str for each in operations):
        raise Refused("key_ops is malformed", "jwk_use")
    if operations is None or "verify" not in operations:
        raise Refused("key_ops does not list 'verify'", "jwk_use")
    if len(set(operations)) != len(operations):  # RFC 7517 section 4.3: no value twice
        raise Refused("key_ops is malformed", "jwk_use")


def _bound_algorithm(jwk: Mapping[str, Any], alg: str | None) -> Algorithm:
    kty = jwk.get("kty")
    if type(kty) is not str or kty not in ("RSA", "EC", "OKP", "AKP"):
        raise Refused(f"kty is {shown(kty)}, expected RSA, EC, OKP or AKP", "jwk_kty")
    if "alg" not in jwk and kty == "AKP":
        raise Refused("an AKP key needs alg (RFC 9964)", "jwk_alg")
    named = "alg" in jwk or alg is not None
    group = "RSA" if kty == "RSA" else jwk.get("crv")
    default = _DEFAULT_ALG.get(group) if type(group) is str else None
    # An argument may be of an enumeration; a JWK's own member is text and nothing else.
    given = str.__str__(cast("str", alg)) if issubclass(type(alg), str) else alg
    name = jwk.get("alg", given) if named else default
    bound = ALGORITHMS.get(name) if type(name) is str else None
    if bound is None:
        what = f"alg is {shown(name)}" if named else f"crv is {shown(group)}"
        raise Refused(f"{what}, which verifies no JWT here", "jwk_alg")
    if bound.kty != kty or (bound.crv and (type(group) is not str or bound.crv != group)):
        raise Refused(f"alg is {bound.name}, which contradicts the key's type", "jwk_alg")
    return bound


def _member(jwk: Mapping[str, Any], name: str) -> bytes:
    text = jwk.get(name)
    if type(text) is not str or not text or not text.isascii():
        raise Refused(f"{name} is {shown(text)}, expected base64url text")
    try:
        return b64url_decode(text.encode("ascii"))
    except Undecodable as error:
        raise Refused(f"{name}: {error}") from None


def _positive(jwk: Mapping[str, Any], name: str) -> int:
    octets = _member(jwk, name)
    if octets[0] == 0:  # RFC 7518 section 2, Base64urlUInt: the minimum number of octets
        raise Refused(f"{name} has a leading zero octet")
    return int.from_bytes(octets, "big")


def _read_rsa(jwk: Mapping[str, Any], _alg: Algorithm) -> CryptoKey:
    n, e = _positive(jwk, "n"), _positive(jwk, "e")
    _refuse_weak_rsa(n, e)
    try:
        return RSAPublicNumbers(e, n).public_key()
    except ValueError as error:
        raise Refused("n and e are no RSA key", "jwk_weak") from error


def _refuse_weak_rsa(n: int, e: int) -> None:
    if not _MIN_RSA_BITS <= n.bit_length() <= _MAX_RSA_BITS:
        raise Refused(
            f"the RSA key has {n.bit_length()} bits, expected {_MIN_RSA_BITS} to {_MAX_RSA_BITS}",
            "jwk_weak",
        )
    if n % 2 == 0 or e % 2 == 0 or not _MIN_RSA_EXPONENT <= e <= _MAX_RSA_EXPONENT:
        raise Refused("the RSA exponent or modulus is weak, expected e = 65537", "jwk_weak")
    if all(n % prime in _powers_of_65537(prime) for prime in _ROCA_PRIMES):
        raise Refused("the RSA modulus was made by a faulty chip (CVE-2017-15361)", "jwk_weak")


def _powers_of_65537(prime: int) -> set[int]:
    # The faulty primes were powers of 65537 to many small primes, and so is their product. For an
    # honest modulus the chance of that is one in two hundred million; the first prime alone
    # clears four in five of them.
    powers, power = {1}, 65537 % prime
    while power != 1:
        powers.add(power)
        power = power * 65537 % prime
    return powers


def _read_ec(jwk: Mapping[str, Any], alg: Algorithm) -> CryptoKey:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicNumbers

    curve = curve_of(alg)
    width = (curve.key_size + 7) // 8
    x, y = _member(jwk, "x"), _member(jwk, "y")
    if len(x) != width or len(y) != width:  # RFC 7518 section 6.2.1.2: full width, left-padded
        raise Refused(f"x and y are {len(x)} and {len(y)} bytes, expected {width}")
    numbers = EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), curve)
    try:
        return numbers.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Refused("x and y are no point of the curve", "jwk_weak") from error


def _read_okp(jwk: Mapping[str, Any], _alg: Algorithm) -> CryptoKey:
    x = _member(jwk, "x")
    if len(x) != 32:  # RFC 8032 section 5.1.2
        raise Refused(f"x is {len(x)} bytes, expected 32")
    return ed25519_class().from_public_bytes(x)


def _refuse_weak_ed25519(encoded: bytes) -> None:
    """Refuse what the library lets in: no point at all, and points of small order.

    A key of small order verifies signatures that anybody can make (RFC 8032 section 8.4 leaves
    such keys to the reader).
    """
    y = int.from_bytes(encoded, "little") & (1 << 255) - 1
    p, square = _P25519, y * y % _P25519
    x_square = (square - 1) * pow(_D25519 * square + 1, -1, p) % p if y < p else 0
    # Of order 1 or 2: x is 0. Of order 4: y is 0. Of order 8: doubling gives y = 0, so
    # x^2 = -y^2. No point: x^2 is not the square of anything (Euler's criterion).
    if x_square == 0 or y == 0 or (x_square + square) % p == 0 or pow(x_square, p // 2, p) != 1:
        raise Refused("x is no point of edwards25519, or one of small order", "jwk_weak")


def _read_akp(jwk: Mapping[str, Any], alg: Algorithm) -> CryptoKey:
    try:
        return _ml_dsa_class(alg).from_public_bytes(_member(jwk, "pub"))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Refused(f"pub is no {alg.name} key") from error


# Imported where needed, all but RSA: few deployments see keys of more than one type, and a cold
# start should not pay for the others.


def curve_of(alg: Algorithm) -> EllipticCurve:
    """Return the curve of an ECDSA algorithm's keys."""
    from cryptography.hazmat.primitives.asymmetric import ec

    curves: dict[str | None, type[EllipticCurve]] = {
        "P-256": ec.SECP256R1,
        "P-384": ec.SECP384R1,
        "P-521": ec.SECP521R1,
        "secp256k1": ec.SECP256K1,
    }
    return curves[alg.crv]()


def _is_on(key: object, alg: Algorithm) -> TypeGuard[EllipticCurvePublicKey]:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    return isinstance(key, EllipticCurvePublicKey) and key.curve.name == curve_of(alg).name


def ed25519_class() -> type[Ed25519PublicKey]:
    """Return the class of Ed25519 keys."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey


def _ml_dsa_class(alg: Algorithm) -> type[MLDSAPublicKey]:
    from cryptography.hazmat.primitives.asymmetric import mldsa

    classes: dict[str, type[MLDSAPublicKey]] = {
        "ML-DSA-44": mldsa.MLDSA44PublicKey,
        "ML-DSA-65": mldsa.MLDSA65PublicKey,
        "ML-DSA-87": mldsa.MLDSA87PublicKey,
    }
    return classes[alg.name]


_READERS = {"RSA": _read_rsa, "EC": _read_ec, "OKP": _read_okp, "AKP": _read_akp}


def _integer(value: int) -> str:
    return b64url_encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))
