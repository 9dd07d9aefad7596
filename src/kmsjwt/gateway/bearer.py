"""The one Bearer token of a request (RFC 6750 section 2.1), or a refusal that says why."""

from __future__ import annotations

import re

from kmsjwt.errors import TokenError

_FIX = "send 'Authorization: Bearer <token>'"
_SCHEME = r"(?s)([A-Za-z]{1,16})(?: .*)?"
# RFC 6750's b64token. '=' may stand anywhere: the verifier says more exactly what is wrong.
_B64TOKEN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="


def bearer_token(credentials: tuple[object, ...], identity: tuple[object, ...] = ()) -> str:
    """Return the token: scheme ``Bearer`` in any case, one space, one token, nothing after.

    Args:
        credentials: every value found for the Authorization header, none of them empty.
        identity: the gateway's own identity sources, which key its cache. One of them must be
            that value or its token, or a cached answer would be given to other tokens as well.

    Raises:
        TokenError: its code is ``no_token``, ``not_bearer``, ``bad_credentials``,
            ``several_tokens`` or ``identity_source``. Never holds any of the values.
    """
    if not credentials:
        raise TokenError("the request has no Authorization", code="no_token", fix=_FIX)
    value = credentials[0]
    if not isinstance(value, str) or credentials.count(value) != len(credentials):
        raise several() if isinstance(value, str) else _bad("Authorization is no string")
    token = _after_bearer(value)
    if token is None:
        raise _refusal(value)
    if identity != (value,):
        others = [source for source in identity if source and source != value]
        _check_sources(others, alone=value not in identity and token not in identity)
    return token


def _check_sources(sources: list[object], *, alone: bool) -> None:
    """Look at the identity sources but the very header; ``alone`` if none has its token."""
    if any(_is_bearer(source) for source in sources):
        raise several()
    if sources and alone:
        raise TokenError(
            "the gateway's identity source does not hold the Authorization header, so that its"
            " cache would answer for other tokens too",
            code="identity_source",
            fix="make $request.header.Authorization an identity source of the authorizer",
        )


def _is_bearer(value: object) -> bool:
    return isinstance(value, str) and _after_bearer(value) is not None


def _after_bearer(value: str) -> str | None:
    scheme, _, token = value.partition(" ")
    if scheme.lower() != "bearer" or not token or not token.isascii():
        return None
    return None if token.encode("ascii").translate(None, _B64TOKEN) else token


def is_token(text: str) -> bool:
    """Tell whether it may be a token, by its characters (RFC 6750's b64token)."""
    return bool(text) and text.isascii() and not text.encode("ascii").translate(None, _B64TOKEN)


def several(fix: str = _FIX) -> TokenError:
    """Return the refusal of a request with more than one credential."""
    return TokenError(
        "the request has several differing credentials, expected one",
        code="several_tokens",
        fix=fix,
    )


def _bad(message: str) -> TokenError:
    return TokenError(message, code="bad_credentials", fix=_FIX)


def _refusal(value: str) -> TokenError:
    found = re.fullmatch(_SCHEME, value)
    scheme = found[1] if found else ""
    if scheme.lower() == "bearer":
        # HTTP APIs join repeated headers by commas.
        return several() if "," in value else _bad("after Bearer come not one space and one token")
    what = f"scheme is {scheme}" if " " in value and scheme else "header has no scheme"
    return TokenError(f"the Authorization {what}, expected Bearer", code="not_bearer", fix=_FIX)
