"""The compact JWS (RFC 7515 section 7.1): put together, and taken apart strictly.

Nothing here is verified, and every name that touches such content says so.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from kmsjwt._encoding import (
    Undecodable,
    b64url_decode,
    b64url_encode,
    read_json_object,
    to_json,
)
from kmsjwt._immutable import Immutable
from kmsjwt.errors import MalformedToken, shown, shown_type

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_LENGTH = 16_384
"""Longest token that is read, in characters. API Gateway's headers hold 10,240 bytes in all."""

_DOT, _SPACE = b". "

# RFC 7515 section 4.1.11: what a recipient does not understand and is told is critical, it must
# refuse; no extension is understood here. The others turn the token into something else:
# an unencoded payload (RFC 7797), a JWE (RFC 7516).
_REFUSED_MEMBERS = ("crit", "b64", "enc", "zip")


def signing_input(alg: str, kid: str, typ: str, claims: bytes) -> bytes:
    """Return what is signed: ``base64url(header) . base64url(claims)`` (RFC 7515 section 5.1).

    Args:
        alg: the header's ``alg``.
        kid: its ``kid``.
        typ: its ``typ``.
        claims: the claims as JSON, already encoded.
    """
    return f"{_encoded_header(alg, kid, typ)}.{b64url_encode(claims)}".encode("ascii")


@lru_cache(maxsize=16)  # all tokens of a key have the same
def _encoded_header(alg: str, kid: str, typ: str) -> str:
    return b64url_encode(to_json({"alg": alg, "kid": kid, "typ": typ}))


def assemble(signed: bytes, signature: bytes) -> str:
    """Return the compact token of a signing input and its signature in JOSE form."""
    return f"{signed.decode('ascii')}.{b64url_encode(signature)}"


class Header(Immutable):
    """A JOSE header that says what every header must. Nobody has vouched for it.

    Attributes:
        members: all of them, read-only.
        alg: its ``alg``.
        kid: its ``kid``, if it has one.
    """

    __slots__ = ("alg", "kid", "members")

    members: Mapping[str, Any]
    alg: str
    kid: str | None

    def __init__(self, members: Mapping[str, Any]) -> None:
        self._fill(members=members, alg=_required_alg(members), kid=_optional_kid(members))

    @classmethod
    def read(cls, segment: bytes) -> Header:
        """Decode the header's segment.

        Raises:
            MalformedToken: it is no strict base64url of a strict JSON object, ``alg`` or ``kid``
                is no text, or a member turns the token into something else than a signed JWT.
        """
        try:
            return cls(read_json_object(b64url_decode(segment)))
        except Undecodable as error:
            raise malformed("header", error) from None

    def __repr__(self) -> str:
        return f"Header(alg={shown(self.alg)}, kid={shown(self.kid)})"


class UnverifiedToken(Immutable):
    """A token whose structure is sound and whose content nobody has vouched for.

    Attributes:
        header: the JOSE header, read-only. Not verified.
        alg: the header's ``alg``.
        kid: the header's ``kid``, if it has one.
        signing_input: the bytes that were signed.
        signature: the decoded signature.
    """

    __slots__ = ("_payload", "alg", "header", "kid", "signature", "signing_input")

    header: Mapping[str, Any]
    alg: str
    kid: str | None
    signing_input: bytes
    signature: bytes
    _payload: bytes

    def __init__(
        self, *, header: Header, signing_input: bytes, signature: bytes, payload: bytes
    ) -> None:
        self._fill(
            header=header.members,
            alg=header.alg,
            kid=header.kid,
            signing_input=signing_input,
            signature=signature,
            _payload=payload,
        )

    @classmethod
    def parse(cls, token: object, *, max_length: int = MAX_LENGTH) -> UnverifiedToken:
        """Take a compact JWS apart: stage one of verification.

        Args:
            token: whatever arrived; anything but a str is refused like a bad token.
            max_length: longest token that is looked at, in characters.

        Raises:
            MalformedToken: with a code that tells the fault.
        """
        signed, header_segment, encoded_payload, encoded_signature = segments(token, max_length)
        header = Header.read(header_segment)
        payload, signature = decoded(encoded_payload, encoded_signature)
        return cls(header=header, signing_input=signed, signature=signature, payload=payload)

    def unverified_claims(self) -> Mapping[str, Any]:
        """Return the claims, read-only. They may be anybody's.

        Raises:
            MalformedToken: the payload is no strict JSON object.
        """
        return read_payload(self._payload)

    def __repr__(self) -> str:
        return f"UnverifiedToken(alg={shown(self.alg)}, kid={shown(self.kid)})"


def segments(token: object, max_length: int) -> tuple[bytes, bytes, bytes, bytes]:
    """Cut a token at its dots: the signing input; header, payload and signature, none empty.

    Raises:
        MalformedToken: it does not consist of three.
    """
    if type(token) is not str or len(token) > max_length or not token.isascii():
        raise _no_text(token, max_length)
    raw = token.encode("ascii")
    signed, _, signature = raw.rpartition(b".")
    header, _, payload = signed.partition(b".")
    prefixed = _SPACE in header and header[:7].lower() == b"bearer "
    if not (header and payload and signature) or _DOT in payload or prefixed:
        raise MalformedToken(_wrong_shape(raw), code="not_compact")
    return signed, header, payload, signature


def decoded(payload: bytes, signature: bytes) -> tuple[bytes, bytes]:
    """Return the payload and the signature that two segments stand for.

    Both at once, and before the signature is checked: the library that checks it would drive
    the decoder out of the processor's caches in between.

    Raises:
        MalformedToken: one of them is no strict base64url.
    """
    part = "payload"
    try:
        plain = b64url_decode(payload)
        part = "signature"
        return plain, b64url_decode(signature)
    except Undecodable as error:
        raise malformed(part, error) from None


def read_payload(payload: bytes) -> Mapping[str, Any]:
    """Return the JSON object that a decoded payload is, read-only.

    Raises:
        MalformedToken: it is no strict JSON object.
    """
    try:
        return read_json_object(payload)
    except Undecodable as error:
        raise malformed("payload", error) from None


def malformed(name: str, error: Undecodable) -> MalformedToken:
    """Return the error for a segment, its code beginning with the segment's name."""
    return MalformedToken(f"the token's {name}: {error}", code=f"{name}_{error.code}")


def _no_text(token: object, max_length: int) -> MalformedToken:
    if type(token) is not str:
        return MalformedToken(f"the token is {shown_type(token)}, expected str", code="not_text")
    if len(token) > max_length:
        return MalformedToken(
            f"the token is {len(token)} characters, at most {max_length} are read", code="too_long"
        )
    return MalformedToken("the token holds characters outside ASCII", code="not_compact")


def _wrong_shape(raw: bytes) -> str:
    expected = "header.payload.signature"
    dots = raw.count(b".")
    if not raw:
        return f"the token is empty, expected {expected}"
    if raw[:7].lower() == b"bearer ":
        return "the token starts with 'Bearer ', expected the token alone"
    if dots == 4:
        return "the token has five segments, an encrypted JWE; expected a JWS of three"
    if dots == 2:
        return f"a segment of the token is empty, expected {expected}"
    if raw.startswith(b"{"):
        return f"the token is JSON, expected the compact form {expected}"
    found = "1 dot" if dots == 1 else f"{dots} dots"
    return f"the token has {found}, expected 2: {expected}"


def _required_alg(header: Mapping[str, Any]) -> str:
    for name in _REFUSED_MEMBERS:
        if name in header:
            raise MalformedToken(
                f"the header has {name}, which no token for this verifier may have",
                code=f"header_{name}",
            )
    alg = header.get("alg")
    if type(alg) is not str:
        raise MalformedToken(f"the header's alg is {shown(alg)}, expected text", code="header_alg")
    return alg


def _optional_kid(header: Mapping[str, Any]) -> str | None:
    kid = header.get("kid")
    if "kid" in header and type(kid) is not str:
        raise MalformedToken(f"the header's kid is {shown(kid)}, expected text", code="header_kid")
    return kid
