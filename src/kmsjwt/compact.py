"""The compact JWS (RFC 7515 section 7.1): put together, and taken apart strictly.

Nothing here is verified, and every name that touches such content says so.
"""

from __future__ import annotations

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

# RFC 7515 section 4.1.11: what a recipient does not understand and is told is critical, it must
# refuse; no extension is understood here. The others turn the token into something else:
# an unencoded payload (RFC 7797), a JWE (RFC 7516).
_REFUSED_MEMBERS = ("crit", "b64", "enc", "zip")


def signing_input(header: Mapping[str, Any], claims: bytes) -> bytes:
    """Return what is signed: ``base64url(header) . base64url(claims)`` (RFC 7515 section 5.1).

    Args:
        header: alg, kid and typ, in the order they are to be written.
        claims: the claims as JSON, already encoded.
    """
    return f"{b64url_encode(to_json(header))}.{b64url_encode(claims)}".encode("ascii")


def assemble(signed: bytes, signature: bytes) -> str:
    """Return the compact token of a signing input and its signature in JOSE form."""
    return f"{signed.decode('ascii')}.{b64url_encode(signature)}"


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
        self,
        *,
        header: Mapping[str, Any],
        alg: str,
        kid: str | None,
        signing_input: bytes,
        signature: bytes,
        payload: bytes,
    ) -> None:
        self._fill(
            header=header,
            alg=alg,
            kid=kid,
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
        signed, header_text, payload_text, signature_text = _segments(token, max_length)
        header = _json_segment("header", header_text)
        return cls(
            header=header,
            alg=_required_alg(header),
            kid=_optional_kid(header),
            signing_input=signed,
            signature=_segment("signature", signature_text),
            payload=payload_text,
        )

    def unverified_claims(self) -> Mapping[str, Any]:
        """Return the claims, read-only. They may be anybody's.

        Raises:
            MalformedToken: the payload is no strict base64url of a strict JSON object.
        """
        return _json_segment("payload", self._payload)

    def __repr__(self) -> str:
        return f"UnverifiedToken(alg={shown(self.alg)}, kid={shown(self.kid)})"


def _segments(token: object, max_length: int) -> tuple[bytes, bytes, bytes, bytes]:
    if type(token) is not str:
        raise MalformedToken(f"the token is {shown_type(token)}, expected str", code="not_text")
    refuse_long(token, max_length)
    if not token.isascii():
        raise MalformedToken("the token holds characters outside ASCII", code="not_compact")
    raw = token.encode("ascii")
    if raw[:7].lower() == b"bearer ":
        raise MalformedToken(
            "the token starts with 'Bearer ', expected the token alone", code="not_compact"
        )
    dots = raw.count(b".")
    if dots != 2:
        raise MalformedToken(_wrong_shape(raw, dots), code="not_compact")
    signed, _, signature = raw.rpartition(b".")
    header, _, payload = signed.partition(b".")
    if not (header and payload and signature):
        raise MalformedToken(
            "a segment of the token is empty, expected header.payload.signature", code="not_compact"
        )
    return signed, header, payload, signature


def refuse_long(token: str, max_length: int) -> None:
    """Raise MalformedToken for a token of more than ``max_length`` characters."""
    if len(token) > max_length:
        raise MalformedToken(
            f"the token is {len(token)} characters, at most {max_length} are read", code="too_long"
        )


def _wrong_shape(raw: bytes, dots: int) -> str:
    if not raw:
        return "the token is empty, expected header.payload.signature"
    if dots == 4:
        return "the token has five segments, an encrypted JWE; expected a JWS of three"
    if raw.startswith(b"{"):
        return "the token is JSON, expected the compact form header.payload.signature"
    found = "1 dot" if dots == 1 else f"{dots} dots"
    return f"the token has {found}, expected 2: header.payload.signature"


def _segment(name: str, text: bytes) -> bytes:
    try:
        return b64url_decode(text)
    except Undecodable as error:
        raise MalformedToken(f"the token's {name}: {error}", code=f"{name}_{error.code}") from None


def _json_segment(name: str, text: bytes) -> Mapping[str, Any]:
    try:
        return read_json_object(_segment(name, text))
    except Undecodable as error:
        raise MalformedToken(f"the token's {name}: {error}", code=f"{name}_{error.code}") from None


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
