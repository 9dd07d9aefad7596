"""A refusal as HTTP says it: status, headers, a small body (RFC 6750 section 3).

A client learns whether to send a token, to get a new one, or to give up, and nothing else. Why a
token is not valid stays in the log: a forger would learn from it. That one expired is told, since
signature and all come first, so only who held a good token hears it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kmsjwt.errors import Expired

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from kmsjwt.errors import CannotKnow, TokenError

QUOTABLE = r"[\x20-\x21\x23-\x5B\x5D-\x7E]{1,128}"
"""What realm and error_description may hold, so that nothing is ever escaped (section 3)."""

_SCOPE = r"[\x21\x23-\x5B\x5D-\x7E]+"  # a scope-token of RFC 6749 section 3.3

# Nobody tried to authenticate by a bearer token: section 3.1 wants no error code then.
_NOT_TRIED = ("no_token", "not_bearer")
# The request is at fault rather than a token in it: 400 by section 3.1.
_BAD_REQUEST = ("several_tokens", "bad_credentials")


class Refused(Exception):
    """The HTTP answer to a request that may not pass. Its text is status and error, no more.

    Attributes:
        status: 400, 401, 403, 500 or 503.
        headers: ``Cache-Control: no-store``, with ``WWW-Authenticate`` or ``Retry-After`` where
            they belong. The content type is JSON's, for the adapter to say.
        body: what to send as JSON.
    """

    def __init__(self, status: int, headers: dict[str, str], body: dict[str, str]) -> None:
        super().__init__(f"{status} {body['error']}")
        self.status = status
        self.headers = {"Cache-Control": "no-store", **headers}
        self.body = body


def invalid(realm: str, refusal: TokenError) -> Refused:
    """Answer to no token or a bad one."""
    if refusal.code in _NOT_TRIED:
        return Refused(401, _challenge(realm), {"error": "unauthorized"})
    if refusal.code in _BAD_REQUEST:
        what = "send one bearer token, in one place"
        return _described(400, realm, "invalid_request", what)
    expired = isinstance(refusal, Expired)
    what = "the token has expired" if expired else "the token is not valid here"
    return _described(401, realm, "invalid_token", what)


def forbidden(realm: str, needed: Iterable[str] = (), granted: object = None) -> Refused:
    """Answer to a good token that may not do this.

    Args:
        realm: the protection space.
        needed: the scopes that the route's rule names.
        granted: the token's ``scope``. If it has all of them, it was refused for another reason,
            and asking for those scopes again would not help.
    """
    needed = [name for name in needed if re.fullmatch(_SCOPE, name, re.ASCII)]
    if not needed or holds_all(granted, needed):
        return Refused(403, {}, {"error": "forbidden"})
    what, scope = "insufficient_scope", " ".join(needed)
    return Refused(403, _challenge(realm, error=what, scope=scope), {"error": what, "scope": scope})


def unknowable(trouble: CannotKnow) -> Refused:
    """Answer where the keys could not be had, which is nobody's fault but ours."""
    if trouble.retryable:
        return Refused(503, {"Retry-After": "1"}, {"error": "unavailable"})
    return Refused(500, {}, {"error": "internal"})


def _described(status: int, realm: str, error: str, description: str) -> Refused:
    header = _challenge(realm, error=error, error_description=description)
    return Refused(status, header, {"error": error, "error_description": description})


def _challenge(realm: str, **parameters: str) -> dict[str, str]:
    quoted = (f'{name}="{value}"' for name, value in {"realm": realm, **parameters}.items())
    return {"WWW-Authenticate": "Bearer " + ", ".join(quoted)}


def holds_all(granted: object, needed: Collection[str]) -> bool:
    """Tell whether a ``scope`` claim has all of these scopes; none are had by any."""
    if not needed:
        return True
    return isinstance(granted, str) and set(granted.split(" ")).issuperset(needed)
