"""Signatures that are not: one table per family of algorithms."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from tests.core import helpers
from tests.core.helpers import Forge, b64, dumps, flipped, jose_sign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Forgery = tuple[str, str, Any]  # name, code, function of a Forge

_LENGTH, _BAD = "signature_length", "bad_signature"
_ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493  # RFC 8032 section 5.1
_P25519 = 2**255 - 19
_D25519 = -121665 * pow(121666, -1, _P25519) % _P25519
_BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
_CURVE_ORDERS = {  # SEC 2
    "ES256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "ES384": int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973",
        16,
    ),
    "ES512": int(
        "01" + 64 * "F" + "FA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409",
        16,
    ),
    "ES256K": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
}


def forged(alg: str) -> Iterator[Forgery]:
    yield from _common(alg)
    if alg.startswith(("RS", "PS")):
        yield from _rsa(alg)
    elif alg.startswith("ES"):
        yield from _ecdsa(alg)
    elif alg.startswith("ML-DSA"):
        yield from _ml_dsa(alg)
    else:
        yield from _ed25519()


def _common(alg: str) -> Iterator[Forgery]:
    other = helpers.private_key(alg, "attacker")
    resized: dict[str, Callable[[bytes], bytes]] = {
        "cut-by-one": lambda s: s[:-1],
        "first-byte-cut": lambda s: s[1:],
        "half": lambda s: s[: len(s) // 2],
        "one-byte": lambda _: b"\0",
        "zero-appended": lambda s: s + b"\0",
        "zero-in-front": lambda s: b"\0" + s,
        "twice": lambda s: s + s,
        "text-of-itself": lambda s: b64(s).encode(),
        "hexadecimal": lambda s: s.hex().encode(),
    }
    for name, change in resized.items():
        yield name, _LENGTH, lambda f, c=change: f.with_signature(c(f.signature))
    same_size: dict[str, Any] = {
        "all-zero": lambda s: bytes(len(s)),
        "all-ones": lambda s: b"\xff" * len(s),
        "one": lambda s: bytes(len(s) - 1) + b"\1",
        "reversed": lambda s: s[::-1],
    }
    for eighth in range(8):
        same_size[f"bit-{eighth}-flipped"] = lambda s, e=eighth: flipped(s, len(s) * e + e)
    for name, change in same_size.items():
        yield name, _BAD, lambda f, c=change: f.with_signature(c(f.signature))
    yield "another-key", _BAD, lambda f: f.token(private=other)
    yield "of-another-token", _BAD, lambda f: _moved(f, f.claims(sub="eve"))
    yield "header-of-another", _BAD, lambda f: f.replaced(0, b64(dumps(f.header(x=1))))
    yield "header-respelt", _BAD, lambda f: f.replaced(0, b64(b" " + dumps(f.header())))
    signed: dict[str, Callable[[Forge], bytes]] = {
        "of-the-payload-alone": lambda f: f.segments[1].encode(),
        "of-the-header-alone": lambda f: f.segments[0].encode(),
        "of-the-decoded-parts": lambda f: dumps(f.header()) + b"." + dumps(f.claims()),
        "of-the-digest": lambda f: hashlib.sha256(f.signing_input.encode()).digest(),
        "of-nothing": lambda _: b"",
        "of-the-input-and-a-dot": lambda f: f.signing_input.encode() + b".",
    }
    for name, message in signed.items():
        yield (
            name,
            _BAD,
            lambda f, m=message: f.with_signature(jose_sign(f.key.private, f.alg, m(f))),
        )


def _moved(forge: Forge, claims: dict[str, Any]) -> str:
    return forge.replaced(1, b64(dumps(claims)))


def _rsa(alg: str) -> Iterator[Forgery]:
    digest = helpers.hash_of(alg)
    size = digest.digest_size
    pss = alg.startswith("PS")

    def signed(pad: Any, hash_: Any = digest) -> Callable[[Forge], str]:
        return lambda f: f.with_signature(f.key.private.sign(f.signing_input.encode(), pad, hash_))

    def raised(encode: Callable[[bytes], bytes]) -> Callable[[Forge], str]:
        def build(f: Forge) -> str:
            block = encode(f.signing_input.encode())
            numbers = f.key.private.private_numbers()
            n = numbers.public_numbers.n
            return f.with_signature(
                pow(int.from_bytes(block, "big"), numbers.d, n).to_bytes(256, "big")
            )

        return build

    other = hashes.SHA512() if size != 64 else hashes.SHA256()
    mgf = padding.MGF1
    paddings = {
        "other-padding": (padding.PKCS1v15() if pss else padding.PSS(mgf(digest), size), digest),
        "other-hash": (padding.PSS(mgf(other), other.digest_size), other)
        if pss
        else (padding.PKCS1v15(), other),
        "sha1": (padding.PSS(mgf(hashes.SHA1()), 20), hashes.SHA1())
        if pss
        else (padding.PKCS1v15(), hashes.SHA1()),
    }
    if pss:
        for salt in (0, 1, 20, size - 1, size + 1, 190 if size == 32 else 100):
            paddings[f"salt-of-{salt}"] = (padding.PSS(mgf(digest), salt), digest)
        paddings["mask-of-sha1"] = (padding.PSS(mgf(hashes.SHA1()), size), digest)
        paddings["mask-of-other"] = (padding.PSS(mgf(other), size), digest)
    for name, (pad, hash_) in paddings.items():
        yield name, _BAD, signed(pad, hash_)
    if not pss:
        for name, encode in _bad_blocks(digest.name).items():
            yield f"block-{name}", _BAD, raised(encode)
    for name, value in _rsa_values().items():
        yield name, _BAD, lambda f, v=value: f.with_signature(v(_modulus(f)).to_bytes(256, "big"))
    yield "plus-modulus", _BAD, _plus_modulus
    yield "leading-zero-stripped", _LENGTH, _zero_stripped


def _rsa_values() -> dict[str, Callable[[int], int]]:
    return {
        "modulus": lambda n: n,
        "modulus-less-one": lambda n: n - 1,
        "modulus-and-one": lambda n: n + 1,
    }


def _modulus(forge: Forge) -> int:
    return int(forge.key.private.public_key().public_numbers().n)


def _bad_blocks(hash_name: str) -> dict[str, Callable[[bytes], bytes]]:
    """PKCS#1 v1.5 blocks with a fault (RFC 8017 section 9.2), raised to the private power."""
    numbers = {"sha256": 1, "sha384": 2, "sha512": 3}
    oid = bytes.fromhex("06096086480165030402") + bytes([numbers[hash_name]])

    def info(message: bytes, null: bytes = b"\x05\0") -> bytes:
        digest = hashlib.new(hash_name, message).digest()
        algorithm = bytes([0x30, len(oid) + len(null)]) + oid + null
        octets = bytes([4, len(digest)]) + digest
        return bytes([0x30, len(algorithm) + len(octets)]) + algorithm + octets

    def block(tail: bytes, head: bytes = b"\0\1", fill: bytes = b"\xff") -> bytes:
        return head + fill * (256 - len(head) - 1 - len(tail)) + b"\0" + tail

    return {
        "no-null": lambda m: block(info(m, b"")),
        "wrong-null": lambda m: block(info(m, b"\x05\1\0")),
        "digest-alone": lambda m: block(hashlib.new(hash_name, m).digest()),
        "type-2": lambda m: block(info(m), b"\0\2"),
        "type-0": lambda m: block(info(m), b"\0\0", b"\0"),
        "zero-fill": lambda m: block(info(m), fill=b"\0"),
        "garbage-after": lambda m: (
            b"\0\1" + b"\xff" * 8 + b"\0" + info(m) + bytes(245 - len(info(m)))
        ),
        "garbage-between": lambda m: block(info(m))[:10] + b"\0" + block(info(m))[11:],
        "short-fill": lambda m: bytes(40) + block(info(m))[40:],
    }


def _plus_modulus(forge: Forge) -> str:
    """S + n, where it still fits: the same number to the modulus, and out of range."""
    n = _modulus(forge)
    for attempt in range(100_000):
        signed = f"{forge.segments[0]}.{b64(dumps(forge.claims(jti=str(attempt))))}"
        value = int.from_bytes(jose_sign(forge.key.private, forge.alg, signed.encode()), "big") + n
        if value < 1 << 2048:
            return f"{signed}.{b64(value.to_bytes(256, 'big'))}"
    raise AssertionError


def _zero_stripped(forge: Forge) -> str:
    """OpenSSL takes a PSS signature whose leading zero octet is missing; RFC 8017 does not."""
    for attempt in range(100_000):
        signed = f"{forge.segments[0]}.{b64(dumps(forge.claims(jti=str(attempt))))}"
        signature = jose_sign(forge.key.private, forge.alg, signed.encode())
        if signature[0] == 0:
            return f"{signed}.{b64(signature[1:])}"
    raise AssertionError


def _ecdsa(alg: str) -> Iterator[Forgery]:
    width = helpers.coordinate_width(alg)
    order = _CURVE_ORDERS[alg]
    pairs: dict[str, Callable[[int, int], tuple[int, int]]] = {
        "r-zero": lambda _, s: (0, s),
        "s-zero": lambda r, _: (r, 0),
        "both-zero": lambda _r, _s: (0, 0),
        "both-one": lambda _r, _s: (1, 1),
        "r-order": lambda _, s: (order, s),
        "s-order": lambda r, _: (r, order),
        "both-order": lambda _r, _s: (order, order),
        "r-and-s-swapped": lambda r, s: (s, r),
        "r-negated": lambda r, s: (order - r, s),
        "s-plus-one": lambda r, s: (r, s + 1),
    }

    def halves(f: Forge) -> tuple[int, int]:
        signature = f.signature
        return int.from_bytes(signature[:width], "big"), int.from_bytes(signature[width:], "big")

    for name, change in pairs.items():

        def build(f: Forge, c: Callable[[int, int], tuple[int, int]] = change) -> str:
            r, s = c(*halves(f))
            return f.with_signature(r.to_bytes(width, "big") + s.to_bytes(width, "big"))

        yield name, _BAD, build

    def wide(f: Forge, extra: int) -> str:
        r, s = halves(f)
        return f.with_signature(r.to_bytes(width + extra, "big") + s.to_bytes(width + extra, "big"))

    yield "padded-by-one", _LENGTH, lambda f: wide(f, 1)
    yield "padded-by-eight", _LENGTH, lambda f: wide(f, 8)
    yield "der", _LENGTH, lambda f: f.with_signature(encode_dss_signature(*halves(f)))
    wrong = hashes.SHA512() if alg != "ES512" else hashes.SHA256()
    yield "other-hash", _BAD, lambda f: _other_hash(f, wrong, width)


def _other_hash(forge: Forge, hash_: Any, width: int) -> str:
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    r, s = decode_dss_signature(
        forge.key.private.sign(forge.signing_input.encode(), ec.ECDSA(hash_))
    )
    return forge.with_signature(r.to_bytes(width, "big") + s.to_bytes(width, "big"))


def _ed25519() -> Iterator[Forgery]:
    def with_s(change: Callable[[int], int]) -> Callable[[Forge], str]:
        def build(f: Forge) -> str:
            s = change(int.from_bytes(f.signature[32:], "little"))
            return f.with_signature(f.signature[:32] + s.to_bytes(32, "little"))

        return build

    yield "s-plus-order", _BAD, with_s(lambda s: s + _ED25519_ORDER)
    yield "s-plus-8-orders", _BAD, with_s(lambda s: s + 8 * _ED25519_ORDER)
    yield "s-zero", _BAD, with_s(lambda _: 0)
    yield "s-high-bit", _BAD, with_s(lambda s: s | 1 << 255)
    yield "s-negated", _BAD, with_s(lambda s: _ED25519_ORDER - s)
    # RFC 8032 section 5.1: the same curve and key, another hash; KMS offers the pre-hashed one.
    for name, flag, context in (("ph", 1, b""), ("ph-context", 1, b"JWT"), ("ctx", 0, b"JWT")):
        yield f"of-ed25519{name}", _BAD, lambda f, g=flag, c=context: _with_variant(f, g, c)
    small = {"identity": b"\1" + bytes(31), "order-4": bytes(32), "not-a-point": b"\2" + bytes(31)}
    for name, point in small.items():
        yield f"r-{name}", _BAD, lambda f, p=point: f.with_signature(p + bytes(32))
        yield f"r-{name}-same-s", _BAD, lambda f, p=point: f.with_signature(p + f.signature[32:])
    yield "r-sign-flipped", _BAD, lambda f: f.with_signature(flipped(f.signature, 255))
    yield (
        "of-the-sha512",  # what a signer that knows only the pre-hashed variant might do
        _BAD,
        lambda f: f.with_signature(
            f.key.private.sign(hashlib.sha512(f.signing_input.encode()).digest())
        ),
    )


def _with_variant(forge: Forge, flag: int, context: bytes) -> str:
    prefix = b"SigEd25519 no Ed25519 collisions" + bytes([flag, len(context)]) + context
    return forge.with_signature(ed25519_sign(forge.key.private, forge.signing_input, prefix, flag))


def ed25519_sign(private: Any, text: str, prefix: bytes = b"", prehash: int = 0) -> bytes:
    """Sign as RFC 8032 section 5.1.6 says, its variants too, which no library here offers."""
    message = hashlib.sha512(text.encode()).digest() if prehash else text.encode()
    secret = hashlib.sha512(private.private_bytes_raw()).digest()
    scalar = int.from_bytes(secret[:32], "little") & (1 << 254) - 8 | 1 << 254
    nonce = _little(hashlib.sha512(prefix + secret[32:] + message)) % _ED25519_ORDER
    point = _multiplied(nonce)
    encoded = (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")
    public = private.public_key().public_bytes_raw()
    challenge = _little(hashlib.sha512(prefix + encoded + public + message))
    return encoded + ((nonce + challenge * scalar) % _ED25519_ORDER).to_bytes(32, "little")


def _little(digest: Any) -> int:
    return int.from_bytes(digest.digest(), "little")


def _multiplied(scalar: int) -> tuple[int, int]:
    """Return the multiple of edwards25519's base point."""
    total, power = (0, 1), (_BASE_X, 4 * pow(5, -1, _P25519) % _P25519)
    while scalar:
        if scalar & 1:
            total = _added(total, power)
        power = _added(power, power)
        scalar >>= 1
    return total


def _added(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    (x1, y1), (x2, y2), p = one, other, _P25519
    cross = _D25519 * x1 * x2 * y1 * y2 % p
    x = (x1 * y2 + x2 * y1) * pow(1 + cross, -1, p)
    return x % p, (y1 * y2 + x1 * x2) * pow(1 - cross, -1, p) % p


def _ml_dsa(alg: str) -> Iterator[Forgery]:
    yield (
        "with-a-context",
        _BAD,
        lambda f: f.with_signature(f.key.private.sign(f.signing_input.encode(), b"kmsjwt")),
    )
    for other in ("ML-DSA-44", "ML-DSA-65", "ML-DSA-87"):
        if other != alg:
            yield (
                f"of-{other}",
                _LENGTH,
                lambda f, o=other: f.with_signature(
                    helpers.private_key(o).sign(f.signing_input.encode())
                ),
            )
