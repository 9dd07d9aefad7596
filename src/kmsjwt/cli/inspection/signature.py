"""A signature's form, and, with keys, whose it is and what is wrong with it.

What does not verify as it stands is tried again the way common mistakes would have made it: the
first way that fits is the mistake that was made.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kmsjwt import _jwk
from kmsjwt.algorithms import ALGORITHMS, ecdsa_der_to_jose
from kmsjwt.cli.inspection.catalogue import Finding, finding
from kmsjwt.errors import BadSignature, ConfigError, shown
from kmsjwt.keys import PublicKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kmsjwt.keys import KeySet

_TRIED = 20  # keys; a set may be long, and each is tried in many ways
_RSA_LENGTHS = {256: "RSA-2048", 384: "RSA-3072", 512: "RSA-4096"}
_LENGTHS = {
    **_RSA_LENGTHS,
    32: "HMAC-SHA-256",
    48: "HMAC-SHA-384",
    64: "P-256, secp256k1 or Ed25519",
    96: "P-384",
    132: "P-521",
    2420: "ML-DSA-44",
    3309: "ML-DSA-65",
    4627: "ML-DSA-87",
}
_HMAC_LENGTHS = {"HS256": 32, "HS384": 48, "HS512": 64}
_BASE64_TEXT = re.compile(rb"[A-Za-z0-9+/_-]{40,}={0,2}")
_HEX_TEXT = re.compile(rb"(?:[0-9a-fA-F]{2}){32,}")
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What keys say of a signature."""

    verdict: str
    reason: str
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Form:
    """A way to read the signature's bytes, or the text that was signed."""

    value: bytes
    finding: Finding | None = None


def looks_like(raw: bytes) -> str:
    """Return what signatures of that length are, or nothing."""
    if _der(raw) is not None and len(raw) not in _LENGTHS:
        return "ECDSA in DER"
    return _LENGTHS.get(len(raw), "")


def about_form(alg: object, raw: bytes) -> list[Finding]:
    """Return what can be said of a signature without a key."""
    for form in _encoded_twice(raw):
        if form.finding:
            return [form.finding]
    expected = _expected_lengths(alg)
    if not expected or len(raw) in expected:
        return []
    if _der(raw) is not None:
        width = next(iter(expected)) if str(alg).startswith("ES") else 64
        return [
            finding(
                "signature_der",
                f"the signature is DER ({len(raw)} bytes)",
                fix=f"kmsjwt issue, or kmsjwt.algorithms.ecdsa_der_to_jose(signature, {width})",
            )
        ]
    sizes = " or ".join(map(str, sorted(expected)))
    also = f", as {looks_like(raw)} makes" if looks_like(raw) else ""
    fact = f"the signature is {len(raw)} bytes{also}, expected {sizes} for {alg}"
    return [finding("signature_length", fact)]


def judge(
    header: dict[str, Any], raw: bytes, signed: bytes, normalized: bytes, keys: KeySet
) -> Judgement:
    """Return whose signature it is.

    Args:
        header: the token's header.
        raw: the signature's bytes.
        signed: what was signed, as the token spells it.
        normalized: the same in base64url without padding.
        keys: the keys that may have signed it.
    """
    alg, kid = header.get("alg"), header.get("kid")
    alg = alg if isinstance(alg, str) else None
    texts = [signed] if normalized == signed else [signed, normalized]
    forged = _hmac_findings(alg, raw, signed, keys)
    if forged:
        return Judgement(verdict="wrong", reason="forged with the public key", findings=forged)
    named = keys.find(kid) if kid is None or isinstance(kid, str) else None
    if named is not None:
        return _judged_by(named, alg, raw, texts)
    return _judged_by_others(kid, alg, raw, texts, keys)


def _judged_by(key: PublicKey, alg: object, raw: bytes, texts: list[bytes]) -> Judgement:
    found = [] if alg == key.alg.name else [_contradiction(alg, key)]
    mistakes = _mistakes(key, alg, raw, texts)
    if mistakes is None:
        wrong = finding("signature_wrong", f"the signature is not made by key {shown(key.kid)}")
        return Judgement(
            verdict="wrong", reason=f"not the signature of key {key.kid}", findings=[*found, wrong]
        )
    if not found and not mistakes:
        return Judgement(verdict="verified", reason=f"by key {key.kid}, {key.alg.name}")
    return Judgement(
        verdict="mendable",
        reason=f"key {key.kid} signed it, and verifiers refuse it as it is",
        findings=[*found, *mistakes],
    )


def _judged_by_others(
    kid: object, alg: object, raw: bytes, texts: list[bytes], keys: KeySet
) -> Judgement:
    said = f"kid is {shown(kid)}" if kid is not None else "there is no kid"
    for key in list(keys)[:_TRIED]:
        mistakes = _mistakes(key, alg, raw, texts)
        if mistakes is not None:
            wrong = finding("kid_wrong", f"{said}, and key {shown(key.kid)} signed it")
            return Judgement(
                verdict="mendable",
                reason=f"key {key.kid} signed it, under another kid",
                findings=[wrong, *mistakes],
            )
    given = "not the key given" if len(keys) == 1 else f"none of the {len(keys)} keys given"
    unknown = finding("kid_unknown", f"{said}, {given}")
    return Judgement(verdict="wrong", reason="no key given signed it", findings=[unknown])


def _contradiction(alg: object, key: PublicKey) -> Finding:
    return finding("alg_contradicts_key", f"alg is {shown(alg)}, the key is for {key.alg.name}")


def _mistakes(key: PublicKey, alg: object, raw: bytes, texts: list[bytes]) -> list[Finding] | None:
    """Return the mistakes with which this key made the signature, or None if it did not."""
    for bound in _bound(key, alg):
        for form in _signature_forms(bound, raw):
            for text in _signed_forms(bound, texts):
                more = _matching(bound, form.value, text.value)
                if more is not None:
                    said = [form.finding, text.finding, *more, _other_alg(bound, key, alg)]
                    return [each for each in said if each is not None]
    return None


def _other_alg(bound: PublicKey, key: PublicKey, alg: object) -> Finding | None:
    if bound.alg.name in (alg, key.alg.name) and alg in _fitting(key):
        named_right = bound.alg.name == alg
        return (
            None if named_right else finding("signed_as_other", f"it is signed as {bound.alg.name}")
        )
    if bound.alg.name == key.alg.name:
        return None  # alg_contradicts_key says it
    return finding("signed_as_other", f"it is signed as {bound.alg.name}, alg is {shown(alg)}")


def _fitting(key: PublicKey) -> list[str]:
    """Return the algorithms that a key of this type can sign with."""
    own = key.alg
    return [
        name
        for name, each in ALGORITHMS.items()
        if (each.kty, each.crv) == (own.kty, own.crv) and (own.kty != "AKP" or each is own)
    ]


def _bound(key: PublicKey, alg: object) -> Iterator[PublicKey]:
    """Yield the key bound to the header's algorithm, its own, and the others of its type."""
    names = _fitting(key)
    for name in sorted(names, key=lambda each: (each != alg, each != key.alg.name)):
        if name == key.alg.name:
            yield key
        else:
            yield PublicKey.from_jwk({**key.to_jwk(), "alg": name})


def _signature_forms(bound: PublicKey, raw: bytes) -> Iterator[_Form]:
    yield _Form(raw)
    yield from _encoded_twice(raw)
    width = bound.alg.signature_length
    if bound.alg.kty == "EC" and width is not None:
        try:
            jose = ecdsa_der_to_jose(raw, width)
        except ValueError:
            return
        yield _Form(jose, finding("signature_der", f"the signature is DER ({len(raw)} bytes)"))
    elif bound.alg.kty == "RSA":
        length = (len(bound.to_jwk()["n"]) * 3) // 4
        if length - 2 <= len(raw) < length:
            fact = f"the signature is {len(raw)} bytes, expected {length}"
            yield _Form(raw.rjust(length, b"\x00"), finding("leading_zero", fact))


def _encoded_twice(raw: bytes) -> Iterator[_Form]:
    if _HEX_TEXT.fullmatch(raw):
        yield _Form(bytes.fromhex(raw.decode()), finding("signature_hex", "the signature is hex"))
    elif _BASE64_TEXT.fullmatch(raw):
        try:
            body = raw.translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
            inner = a2b_base64(body + b"=" * (-len(body) % 4))
        except (Base64Error, ValueError):
            return
        yield _Form(
            inner, finding("signature_encoded_twice", "the signature is encoded in base64 twice")
        )


def _signed_forms(bound: PublicKey, texts: list[bytes]) -> Iterator[_Form]:
    for position, text in enumerate(texts):
        if position == 0:
            yield _Form(text)
        else:
            fact = "the signed text differs: base64url without padding"
            yield _Form(text, finding("segments_rewritten", fact))
    for name in dict.fromkeys((bound.alg.hash or "sha256", "sha256", "sha512")):
        digest = hashlib.new(name, texts[0])
        fact = f"the signature is of the {name} digest, hashed again"
        if bound.alg.hash is None:
            fact = f"the signature is of the {name} digest, not of header.payload"
        yield _Form(digest.digest(), finding("double_hash", fact))
        fact = f"the signature is of the hex text of the {name} digest"
        yield _Form(digest.hexdigest().encode(), finding("hex_digest", fact))


def _matching(bound: PublicKey, raw: bytes, text: bytes) -> list[Finding] | None:
    """Return what more was wrong, if the key made the signature of the text, or else None."""
    try:
        bound.verify(raw, text)
    except BadSignature:
        return _other_salt(bound, raw, text)
    return []


def _other_salt(bound: PublicKey, raw: bytes, text: bytes) -> list[Finding] | None:
    if not bound.alg.name.startswith("PS"):
        return None
    key, *_ = _jwk.read(bound.to_jwk(), None)
    hash_ = _HASHES[str(bound.alg.hash)]
    if not isinstance(key, RSAPublicKey) or not _verifies(key, raw, text, PSS.AUTO, hash_):
        return None
    longest = key.key_size // 8 - hash_.digest_size - 2
    length = next(
        (each for each in range(longest, -1, -1) if _verifies(key, raw, text, each, hash_)), None
    )
    which = f"{length} bytes{', the maximum' if length == longest else ''}"
    return [finding("pss_salt", f"the PSS salt is {which}, expected {hash_.digest_size}")]


def _verifies(
    key: RSAPublicKey, raw: bytes, text: bytes, salt: Any, hash_: hashes.HashAlgorithm
) -> bool:
    try:
        key.verify(raw, text, PSS(MGF1(hash_), salt), hash_)
    except (InvalidSignature, ValueError):
        return False
    return True


def _hmac_findings(
    alg: object, raw: bytes, signed: bytes, keys: Iterable[PublicKey]
) -> list[Finding]:
    if alg not in _HMAC_LENGTHS:
        return []
    name = f"sha{str(alg)[2:]}"
    for key in list(keys)[:_TRIED]:
        for secret in _as_secrets(key):
            if hmac.digest(secret, signed, name) == raw:
                fact = f"it is an HMAC with the public key {shown(key.kid)} as the secret"
                return [finding("hmac_with_public_key", fact)]
    return []


def _as_secrets(key: PublicKey) -> Iterator[bytes]:
    try:
        public, *_ = _jwk.read(key.to_jwk(), None)
    except (_jwk.Refused, ConfigError):
        return
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    yield from (pem, pem.rstrip(), pem.replace(b"\n", b"\r\n"))
    yield public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _expected_lengths(alg: object) -> frozenset[int]:
    if not isinstance(alg, str):
        return frozenset()
    if alg in _HMAC_LENGTHS:
        return frozenset((_HMAC_LENGTHS[alg],))
    known = ALGORITHMS.get(alg)
    if known is None:
        return frozenset()
    return frozenset((known.signature_length,) if known.signature_length else _RSA_LENGTHS)


def _der(raw: bytes) -> bytes | None:
    """Return the signature in a form wide enough for any curve, if it is strict DER of one."""
    try:
        return ecdsa_der_to_jose(raw, 132)
    except ValueError:
        return None
