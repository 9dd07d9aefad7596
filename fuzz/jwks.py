"""JWKs and key sets: a sound public key or ConfigError, and the same key on the way back."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec, mldsa, rsa

from fuzz import keys, reference
from fuzz.draw import Draw
from fuzz.promises import promise
from fuzz.reference import unb64
from kmsjwt import ConfigError, KeySet, PublicKey

if TYPE_CHECKING:
    from collections.abc import Iterator

_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv", "seed")
_MATERIAL = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x"), "AKP": ("pub",)}
_EC = {
    "P-256": ("ES256", ec.SECP256R1()),
    "P-384": ("ES384", ec.SECP384R1()),
    "P-521": ("ES512", ec.SECP521R1()),
    "secp256k1": ("ES256K", ec.SECP256K1()),
}
_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_ML_DSA: dict[str, Any] = {
    "ML-DSA-44": mldsa.MLDSA44PublicKey,
    "ML-DSA-65": mldsa.MLDSA65PublicKey,
    "ML-DSA-87": mldsa.MLDSA87PublicKey,
}
# y of the eight points of small order on edwards25519: of order 1, 2, 4, and twice of order 8.
_P25519 = 2**255 - 19
_SMALL_ORDER = (
    *(1, _P25519 - 1, 0),
    int.from_bytes(
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
    ),
    int.from_bytes(
        bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"
    ),
)
# Points that are none, or too much, and numbers that make weak RSA keys.
_HARD = (
    *(y.to_bytes(32, "little") for y in (*_SMALL_ORDER, _P25519, _P25519 + 1)),
    *(b"", b"\0", b"\1", b"\3", b"\1\0\0", b"\1\0\0\0\1", b"\xff" * 32, bytes(31) + b"\x80"),
)
_ALG_NAMES = (*keys.ALGS, *_RSA, *_ML_DSA, "EdDSA", "HS256", "none", "RSA-OAEP", "")
_KNOWN = (
    *("kty", "alg", "use", "key_ops", "kid", "n", "e", "x", "y", "crv", "pub", "x5c", *_PRIVATE),
    *("RSA", "EC", "OKP", "AKP", "oct", *_EC, "Ed25519", "X25519", *_ALG_NAMES, "sig", "enc"),
    *(["verify"], ["verify", "sign"], ["verify", "verify"], ["encrypt"], [], ["verify", 1]),
    *("AQAB", "Aw", "AAEAAQ", "AQ", "AA", "A", "A" * 43, "_" * 43, "", "AAAB", 65537, None),
)
_SCRAPS = ("A", "=", "+", "/", "-", "_", " ", "\u0661", "\ud800")


def one_input(data: bytes) -> None:
    """Read the bytes as JSON, or as changes to sound keys; alone, and in a set."""
    draw = Draw(data)
    mode, alg = draw.below(3), draw.choose((None, None, None, *_ALG_NAMES, 5))
    if mode == 0:
        _any_json(draw.rest(), alg)
    elif mode == 1:
        _key(_changed(draw), alg)
    else:
        _key_set({"keys": [_changed(draw) for _ in range(draw.below(4))]}, alg)


def seeds() -> Iterator[bytes]:
    """Return inputs to begin with."""
    for at, alg in enumerate(keys.ALGS):
        yield b"\0\0" + json.dumps(keys.jwk(alg)).encode()
        yield b"\0\0" + json.dumps({"keys": [keys.jwk(alg), keys.jwk("Ed25519")]}).encode()
        for change in range(5):
            yield bytes((1, 0, at, change, change, 1, change, 2, change))
            yield bytes((2, 0, 2, at, 1, 0, 1, at + 1, 0, change, 0, 3))
    for text in (b"{}", b"[]", b"null", b'{"keys":1}', b'{"keys":[]}', b'{"keys":[1,null,{}]}'):
        yield b"\0\0" + text


def _any_json(raw: bytes, alg: Any) -> None:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return
    _key(value, alg)
    _key_set(value, alg)


def _changed(draw: Draw) -> Any:
    jwk: dict[str, Any] = dict(keys.jwk(draw.choose(keys.ALGS)))
    for _ in range(draw.below(4)):
        change = draw.below(5)
        name = draw.choose((*jwk, "kid")) if change < 4 else draw.name(_KNOWN)
        if change == 0:
            jwk.pop(name, None)
        elif change == 1:
            jwk[name] = draw.edited(str(jwk.get(name)), _SCRAPS)
        elif change == 2:
            jwk[name] = reference.b64(draw.take(draw.choose((32, 48, 66, 256, 3, 0))))
        elif change == 3:
            jwk[name] = reference.b64(_hard(draw, jwk.get(name)))
        else:
            jwk[name] = draw.value(_KNOWN)
    return draw.value(_KNOWN) if draw.below(32) == 31 else jwk


def _hard(draw: Draw, text: Any) -> bytes:
    try:
        raw = unb64(text)
    except (reference.No, TypeError):
        raw = b""
    return draw.choose((b"\0" + raw, raw.lstrip(b"\0"), raw[1:], raw[:-1], *_HARD))


def _key(value: Any, alg: Any) -> PublicKey | None:
    try:
        key = PublicKey.from_jwk(value, alg=alg)
    except ConfigError as error:
        promise(error.code.startswith("jwk"), f"the code is {error.code}")
        promise(len(str(error)) < 500, "a long message")
        promise(not (alg is None and value in map(keys.jwk, keys.ALGS)), "refused a sound key")
        return None
    _check_key(value, alg, key)
    return key


def _check_key(jwk: dict[str, Any], alg: Any, key: PublicKey) -> None:
    promise(not set(_PRIVATE) & set(jwk), "took a private key")
    promise(jwk.get("use", "sig") == "sig", "took a key of another use")
    promise("verify" in jwk.get("key_ops", ["verify"]), "took a key for other operations")
    kty, name = jwk["kty"], key.alg.name
    promise(name == jwk.get("alg", alg) or ("alg" not in jwk and alg is None), "another alg")
    material = {member: jwk[member] for member in _MATERIAL[kty]}
    _check_material(kty, name, material)
    told = key.to_jwk()
    promise(
        {member: told[member] for member in (*material, "kty")} == {**material, "kty": kty},
        "wrote another key",
    )
    promise(key.kid == jwk.get("kid", key.thumbprint), "another kid")
    required = {"kty": kty, **material, **({"alg": name} if kty == "AKP" else {})}
    canonical = json.dumps(required, sort_keys=True, separators=(",", ":")).encode()
    promise(key.thumbprint == reference.b64(hashlib.sha256(canonical).digest()), "the thumbprint")
    promise(PublicKey.from_jwk(told) == key, "the way back leads elsewhere")


def _check_material(kty: str, name: str, material: dict[str, str]) -> None:
    raw = {member: unb64(text) for member, text in material.items() if member != "crv"}
    if kty == "RSA":
        n, e = (int.from_bytes(raw[member], "big") for member in ("n", "e"))
        promise(raw["n"][0] and raw["e"][0], "a leading zero octet")
        promise(2048 <= n.bit_length() <= 8192 and n % 2, "a weak modulus")
        promise(65537 <= e < 2**32 and e % 2, "a weak exponent")
        promise(name in _RSA and rsa.RSAPublicNumbers(e, n).public_key(), "no RSA key")
    elif kty == "EC":
        alg, curve = _EC[material["crv"]]
        width = (curve.key_size + 7) // 8
        promise(len(raw["x"]) == len(raw["y"]) == width, "not of full width")
        x, y = (int.from_bytes(raw[member], "big") for member in ("x", "y"))
        promise(name == alg and ec.EllipticCurvePublicNumbers(x, y, curve).public_key(), "no key")
    elif kty == "OKP":
        y = int.from_bytes(raw["x"], "little") & (1 << 255) - 1
        promise(name in ("Ed25519", "EdDSA") and material["crv"] == "Ed25519", "another curve")
        promise(len(raw["x"]) == 32 and y < _P25519, "no point")
        promise(y not in _SMALL_ORDER, "a point of small order")
    else:
        promise(_ML_DSA[name].from_public_bytes(raw["pub"]), "no ML-DSA key")


def _key_set(value: Any, alg: Any) -> None:
    try:
        found = KeySet.from_jwks(value, alg=alg)
    except ConfigError as error:
        promise(error.code.startswith(("jwk", "keys")), f"the code is {error.code}")
        return
    entries = value["keys"]
    promise(len(found) + len(found.skipped) == len(entries), "a key neither taken nor skipped")
    promise(
        not any(isinstance(each, dict) and set(_PRIVATE) & set(each) for each in entries),
        "took a set with a private key",
    )
    alone = [key for key in (_key(entry, alg) for entry in entries) if key]
    promise(list(found) == alone, "other keys in a set than alone")
    for key in found:
        promise(found.find(key.kid) is key, "another key of that kid")
    promise((found.find(None) is not None) == (len(found) == 1), "a key for a token without kid")
