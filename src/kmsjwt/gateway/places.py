"""Where in a request the token is: one place, that its owner names.

The Authorization header holds ``Bearer <token>`` (RFC 6750 section 2.1); any other place holds the
token alone. Reading a place never raises; `TokenPlace.token` says what is wrong with what it read.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from kmsjwt._immutable import Immutable
from kmsjwt.errors import ConfigError, TokenError, shown
from kmsjwt.gateway.bearer import bearer_token, is_token, several
from kmsjwt.gateway.event import cookie_values, header_values, query_values

if TYPE_CHECKING:
    from kmsjwt.gateway.event import Event

DEFAULT_PLACE = "header:Authorization"
EXPECTED = "header:NAME, query:NAME, cookie:NAME or subprotocol:NAME"

_LONGEST_NAME = 64
# A token of RFC 9110 section 5.6.2.
_NAME = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+.^_`|~-")
_AUTHORIZATION = "authorization"
_PROTOCOLS = "sec-websocket-protocol"


class TokenPlace(Immutable):
    """One place of a request.

    Attributes:
        text: as its user named it, such as ``cookie:session``.
        has_scheme: whether ``Bearer`` stands before the token.
    """

    __slots__ = ("_name", "text")

    has_scheme = False

    text: str
    _name: str

    def __init__(self, text: str, name: str) -> None:
        self._fill(text=text, _name=name)

    def read(self, event: Event) -> tuple[object, ...]:
        """Return every value that an event has in this place, none of them empty."""
        raise NotImplementedError

    def read_header(self, value: object) -> tuple[object, ...]:
        """Return what a header's whole value has, where a gateway hands over no more than that."""
        return () if value in (None, "") else (value,)

    def token(self, values: tuple[object, ...], identity: tuple[object, ...]) -> str:
        """Return the one token among the values.

        Args:
            values: what was read.
            identity: the gateway's own identity sources, which key its cache. One of them must
                hold the token, or a cached answer would be given to other tokens as well.

        Raises:
            TokenError: its code is ``no_token``, ``bad_credentials``, ``several_tokens`` or
                ``identity_source``, for the Authorization header ``not_bearer`` too. Never holds
                any of the values.
        """
        if not values:
            raise TokenError(f"the request has no {self.text}", code="no_token", fix=self._fix)
        value = values[0]
        if values.count(value) != len(values):
            raise several(self._fix)
        if not isinstance(value, str) or not is_token(value):
            is_bearer = isinstance(value, str) and value[:7].lower() == "bearer "
            what = "begins with 'Bearer ', expected the token alone"
            message = f"{self.text} {what if is_bearer else 'holds no token alone'}"
            raise TokenError(message, code="bad_credentials", fix=self._fix)
        sources = [source for source in identity if source]
        if sources and not any(self._holds(source, value) for source in sources):
            raise TokenError(
                f"no identity source of the gateway holds {self.text}, so that its cache would"
                " answer for other tokens too",
                code="identity_source",
                fix=f"make {self.text} an identity source of the authorizer",
            )
        return value

    def is_source(self, source: str, token: str) -> bool:
        """Tell whether an identity source is this place, with this token in it."""
        return source == token

    def _holds(self, source: object, token: str) -> bool:
        return isinstance(source, str) and self.is_source(source, token)

    @property
    def _fix(self) -> str:
        return f"send the token alone as {self.text}"

    def __repr__(self) -> str:
        return f"TokenPlace({self.text!r})"


class _Authorization(TokenPlace):
    __slots__ = ()
    has_scheme = True

    def read(self, event: Event) -> tuple[object, ...]:
        return header_values(event, _AUTHORIZATION)

    def token(self, values: tuple[object, ...], identity: tuple[object, ...]) -> str:
        return bearer_token(values, identity)


class _Header(TokenPlace):
    __slots__ = ()

    def read(self, event: Event) -> tuple[object, ...]:
        return header_values(event, self._name.lower())


class _Query(TokenPlace):
    __slots__ = ()

    def read(self, event: Event) -> tuple[object, ...]:
        return query_values(event, self._name)

    def read_header(self, value: object) -> tuple[object, ...]:
        del value
        return ()


class _Cookie(TokenPlace):
    __slots__ = ()

    def read(self, event: Event) -> tuple[object, ...]:
        return cookie_values(event, self._name)

    def read_header(self, value: object) -> tuple[object, ...]:
        return cookie_values({"headers": {"cookie": value}}, self._name)

    def is_source(self, source: str, token: str) -> bool:
        # The whole Cookie header, or the one cookie.
        return source == token or token in self.read_header(source)


class _Subprotocol(TokenPlace):
    """A browser cannot set a WebSocket's headers, but names its protocols: ``[NAME, token]``."""

    __slots__ = ()

    def read(self, event: Event) -> tuple[object, ...]:
        # A list may stand in several lines (RFC 9110 section 5.3).
        lines = [each for each in header_values(event, _PROTOCOLS) if isinstance(each, str)]
        return self.read_header(",".join(lines))

    def read_header(self, value: object) -> tuple[object, ...]:
        named = [part.strip() for part in value.split(",")] if isinstance(value, str) else []
        return tuple(token for name, token in pairwise(named) if name == self._name and token)

    def is_source(self, source: str, token: str) -> bool:
        # The whole header; HTTP APIs of format 1.0 join sources by commas, which part it, too.
        return source.strip() == token or token in self.read_header(source)


_KINDS: dict[str, type[TokenPlace]] = {
    "header": _Header,
    "query": _Query,
    "cookie": _Cookie,
    "subprotocol": _Subprotocol,
}


def token_place(text: object) -> TokenPlace:
    """Read ``header:NAME``, ``query:NAME``, ``cookie:NAME`` or ``subprotocol:NAME``.

    Raises:
        ConfigError: it is none of these.
    """
    kind, _, name = text.partition(":") if isinstance(text, str) else ("", "", "")
    if kind not in _KINDS or not 0 < len(name) <= _LONGEST_NAME or not _NAME.issuperset(name):
        raise ConfigError(f"the token's place is {shown(text)}, expected {EXPECTED}", code="place")
    place = _KINDS[kind]
    if place is _Header and name.lower() == _AUTHORIZATION:
        place = _Authorization
    return place(f"{kind}:{name}", name)
