"""Tokens exactly as the AWS article's function makes them, and nothing beside them.

That is a compact RS256 JWS whose header holds ``alg``, ``typ`` and ``kid`` alone, whose claims
have ``iat`` and an ``exp`` a day later but neither ``iss`` nor ``aud`` nor ``sub``, and whose
signature is spelled in standard base64 with padding, which RFC 7515 does not allow. Read here,
beside the strict parser; the strict one knows nothing of it.
"""

from __future__ import annotations

import re
from binascii import Error as _Base64Error
from binascii import a2b_base64, b2a_base64
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, cast

from kmsjwt._encoding import Undecodable, b64url_decode, read_json_object
from kmsjwt._immutable import Immutable
from kmsjwt.claims import type_fault
from kmsjwt.errors import (
    AlgorithmNotAllowed,
    ConfigError,
    Expired,
    InvalidClaim,
    LifetimeTooLong,
    MalformedToken,
    MissingClaim,
    NotYetValid,
    UnknownKey,
    WrongType,
    shown,
    shown_type,
)
from kmsjwt.key_names import KeyReference, key_id

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

ALG = "RS256"
TYP = "JWT"
DAY = 86_400
"""Seconds the article's tokens live."""
MAX_SIGNING_INPUT = 4_096
"""Bytes that KMS signs as a RAW message, as the article has it do."""
MAX_LENGTH = MAX_SIGNING_INPUT + 1 + 684
"""Longest such token: the signature of an RSA_4096 key is 684 characters."""

_NOT_BASE64URL = frozenset("+/=")
_ABSENT = ("iss", "aud", "sub")
# Compiled at its first use: the cold start of an authorizer without the recipe needs it not.
_RFC_3339 = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def is_recipe_spelling(token: object) -> bool:
    """Tell whether the last segment holds what standard base64 has and base64url has not.

    No token passes both readers: the strict one refuses each of these characters there, and the
    one here refuses a signature without them. So this chooses between them without weakening
    either.
    """
    return isinstance(token, str) and not _NOT_BASE64URL.isdisjoint(token.rpartition(".")[2])


def key_id_of(name: object) -> str:
    """Return the key id in a key id or key ARN.

    Raises:
        ConfigError: it is neither; an alias names no one key.
    """
    try:
        reference = KeyReference.parse(name)
    except ConfigError:
        reference = None
    if reference is None or reference.is_alias:
        raise ConfigError(
            f"the recipe's key is {shown(name)}, expected a KMS key id or key ARN",
            code="recipe_key",
            fix="name the key itself: an alias may come to mean another",
        )
    return key_id(reference.text)


def rfc3339(text: object) -> float:
    """Return the instant as seconds since 1970.

    Raises:
        ConfigError: it is no RFC 3339 date and time with its offset.
    """
    from datetime import datetime

    if isinstance(text, str) and re.fullmatch(_RFC_3339, text):
        try:
            return datetime.fromisoformat(text.upper()).timestamp()
        except (ValueError, OverflowError):
            pass
    raise ConfigError(
        f"the instant is {shown(text)}, expected RFC 3339 with an offset,"
        " such as 2026-11-22T12:00:00Z",
        code="recipe_until",
    )


def cut_off(until: object) -> float:
    """Return a cut-off, given in RFC 3339 or in seconds since 1970, as the latter.

    Raises:
        ConfigError: it is neither.
    """
    if type(until) in (int, float):
        try:
            seconds = float(cast("float", until))
        except OverflowError:  # an integer that no float holds
            seconds = inf
        if isfinite(seconds):
            return seconds
    return rfc3339(until)


class RecipeToken(Immutable):
    """A token spelled as the article spells it. Nobody has vouched for its content.

    Attributes:
        header: ``alg``, ``typ`` and ``kid``. Not verified.
        signing_input: the bytes that were signed.
        signature: the decoded signature.
    """

    __slots__ = ("_payload", "header", "signature", "signing_input")

    header: Mapping[str, Any]
    signing_input: bytes
    signature: bytes
    _payload: bytes

    def __init__(
        self,
        *,
        header: Mapping[str, Any],
        signing_input: bytes,
        signature: bytes,
        payload: bytes,
    ) -> None:
        self._fill(
            header=header, signing_input=signing_input, signature=signature, _payload=payload
        )

    @classmethod
    def parse(cls, token: object, kids: Collection[str]) -> RecipeToken:
        """Take the article's token apart.

        Args:
            token: whatever arrived; anything but a str is refused like a bad token.
            kids: the names of the article's one key.

        Raises:
            TokenError: each deviation has its own code, which starts with ``recipe_``.
        """
        signed, header_text, payload_text, signature_text = _segments(token)
        header = _json("header", header_text)
        _check_header(header, kids)
        return cls(
            header=header,
            signing_input=signed,
            signature=_standard_base64(signature_text),
            payload=payload_text,
        )

    def unverified_claims(self) -> Mapping[str, Any]:
        """Return the claims, read-only. They may be anybody's.

        Raises:
            MalformedToken: the payload is no strict base64url of a strict JSON object.
        """
        return _json("payload", self._payload)

    def __repr__(self) -> str:
        return f"RecipeToken(kid={shown(self.header['kid'])})"


def check_claims(claims: Mapping[str, Any], *, until: float, now: float, leeway: float) -> None:
    """Check claims whose signature is good.

    Args:
        claims: the claims.
        until: the cut-off: a token issued then or later is refused.
        now: seconds since 1970.
        leeway: seconds of clock difference to forgive, for ``exp`` and a future ``iat``.

    Raises:
        ClaimError: each deviation has its own code, which starts with ``recipe_``.
    """
    for name in _ABSENT:
        # A strict token, its signature spelled anew, would else pass here without its iss and
        # aud being asked about.
        if name in claims:
            raise InvalidClaim(
                f"{name} is there, and the article's tokens have none",
                claim=name,
                code=f"recipe_{name}",
            )
    for name in ("iat", "exp"):
        if name not in claims:
            raise MissingClaim(f"{name} is missing", claim=name, code=f"recipe_{name}_missing")
    fault = type_fault(claims)
    if fault is not None:
        raise InvalidClaim(fault[1], claim=fault[0], code=f"recipe_{fault[0]}_type")
    _check_time(claims, until, now, leeway)


def _check_time(claims: Mapping[str, Any], until: float, now: float, leeway: float) -> None:
    iat, exp = claims["iat"], claims["exp"]
    if iat >= until:
        raise InvalidClaim(
            f"iat lies {iat - until:.0f} s after the cut-off for the article's tokens",
            claim="iat",
            code="recipe_after_cut_off",
            fix="get a token from the new issue function",
        )
    if exp <= iat:
        raise InvalidClaim("exp is not after iat", claim="exp", code="recipe_exp_before_iat")
    if exp - iat > DAY:
        raise LifetimeTooLong(
            f"the token lives {exp - iat:.0f} s, the article's live {DAY} s",
            claim="exp",
            code="recipe_lifetime",
        )
    if now >= exp + leeway:
        raise Expired(f"exp passed {now - exp:.0f} s ago", claim="exp", code="recipe_expired")
    for name in ("iat", "nbf"):
        if claims.get(name, now) > now + leeway:
            raise NotYetValid(
                f"{name} lies {claims[name] - now:.0f} s ahead",
                claim=name,
                code=f"recipe_{name}_ahead",
            )


def _segments(token: object) -> tuple[bytes, bytes, bytes, bytes]:
    if type(token) is not str:
        raise MalformedToken(
            f"the token is {shown_type(token)}, expected str", code="recipe_not_text"
        )
    if len(token) > MAX_LENGTH:
        raise _too_long(len(token), MAX_LENGTH, "characters")
    raw = token.encode("ascii", "replace")
    if not token.isascii() or raw.count(b".") != 2 or b"" in raw.split(b"."):
        raise MalformedToken(
            "the token is not header.payload.signature in ASCII", code="recipe_not_compact"
        )
    signed, _, signature = raw.rpartition(b".")
    if len(signed) > MAX_SIGNING_INPUT:
        raise _too_long(len(signed), MAX_SIGNING_INPUT, "bytes before the signature")
    header, _, payload = signed.partition(b".")
    return signed, header, payload, signature


def _too_long(length: int, limit: int, what: str) -> MalformedToken:
    return MalformedToken(
        f"the token has {length} {what}, the article's have at most {limit}",
        code="recipe_too_long",
    )


def _json(name: str, text: bytes) -> Mapping[str, Any]:
    try:
        return read_json_object(b64url_decode(text))
    except Undecodable as error:
        raise MalformedToken(
            f"the token's {name}: {error}", code=f"recipe_{name}_{error.code}"
        ) from None


def _check_header(header: Mapping[str, Any], kids: Collection[str]) -> None:
    alg, typ, kid = header.get("alg"), header.get("typ"), header.get("kid")
    if type(alg) is not str or alg != ALG:
        raise AlgorithmNotAllowed(f"alg is {shown(alg)}, expected {ALG}", code="recipe_alg")
    if type(typ) is not str or typ != TYP:
        raise WrongType(f"typ is {shown(typ)}, expected {TYP}", claim="typ", code="recipe_typ")
    if type(kid) is not str or kid not in kids:
        raise UnknownKey(f"kid is {shown(kid)}, which is not the recipe's key", code="recipe_kid")
    if len(header) != 3:
        raise MalformedToken(
            f"the header has {len(header)} members, expected alg, typ and kid alone",
            code="recipe_header_members",
        )


def _standard_base64(text: bytes) -> bytes:
    if b"-" in text or b"_" in text or not is_recipe_spelling(text.decode("ascii")):
        raise MalformedToken(
            "the signature is base64url, the article's is standard base64 with padding",
            code="recipe_signature_base64url",
        )
    try:
        decoded = a2b_base64(text, strict_mode=True)
    except _Base64Error:
        decoded = b""
    # Spelled back: neither missing padding nor unused bits that are set get through.
    if b2a_base64(decoded, newline=False) != text:
        raise MalformedToken(
            "the signature is no standard base64 with its padding",
            code="recipe_signature_base64",
        )
    return decoded
