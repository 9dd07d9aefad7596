"""The one Bearer token of a request (RFC 6750 section 2.1), or a refusal that says why."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kmsjwt.errors import TokenError

if TYPE_CHECKING:
    from collections.abc import Iterable

_FIX = "send 'Authorization: Bearer <token>'"
_SCHEME = re.compile(r"([A-Za-z]{1,16})(?: .*)?", re.DOTALL)
# The characters of RFC 6750's b64token. '=' may stand anywhere: the verifier says more exactly
# what is wrong with such a token.
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] ([A-Za-z0-9._~+/=-]+)")


def bearer_token(credentials: Iterable[object], identity: Iterable[object] = ()) -> str:
    """Return the token: scheme ``Bearer`` in any case, one space, one token, nothing after.

    Args:
        credentials: every value found for the Authorization header.
        identity: the gateway's own identity sources, which key its cache. One of them must hold
            the token, or a cached answer would be given to other tokens as well.

    Raises:
        TokenError: its code is ``no_token``, ``not_bearer``, ``bad_credentials``,
            ``several_tokens`` or ``identity_source``. Never holds any of the values.
    """
    sources = tuple(source for source in identity if source)
    values = [value for value in credentials if value != ""]
    if not values:
        raise TokenError("the request has no Authorization", code="no_token", fix=_FIX)
    value = values[0]
    if not isinstance(value, str) or not all(other == value for other in values):
        raise _several() if isinstance(value, str) else _bad("Authorization is no string")
    found = _BEARER.fullmatch(value)
    if found is None:
        raise _refusal(value)
    if any(other != value for other in sources if _is_bearer(other)):
        raise _several()
    if sources and not any(isinstance(each, str) and found[1] in each for each in sources):
        raise TokenError(
            "the gateway's identity source does not hold the Authorization header, so that its"
            " cache would answer for other tokens too",
            code="identity_source",
            fix="make $request.header.Authorization an identity source of the authorizer",
        )
    return found[1]


def _is_bearer(value: object) -> bool:
    return isinstance(value, str) and _BEARER.fullmatch(value) is not None


def _several() -> TokenError:
    return TokenError(
        "the request has several differing credentials, expected one",
        code="several_tokens",
        fix=_FIX,
    )


def _bad(message: str) -> TokenError:
    return TokenError(message, code="bad_credentials", fix=_FIX)


def _refusal(value: str) -> TokenError:
    found = _SCHEME.fullmatch(value)
    scheme = found[1] if found else ""
    if scheme.lower() == "bearer":
        # HTTP APIs join repeated headers by commas.
        return _several() if "," in value else _bad("after Bearer come not one space and one token")
    what = f"scheme is {scheme}" if " " in value and scheme else "header has no scheme"
    return TokenError(f"the Authorization {what}, expected Bearer", code="not_bearer", fix=_FIX)
