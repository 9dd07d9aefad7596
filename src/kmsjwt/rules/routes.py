"""Routes of rules: ``GET /orders/*``, ``/users/{sub}``; just as much as IAM can express exactly.

A path here is API Gateway's, as it stands in the request's ARN. The last ``/*`` matches any depth,
as it does for IAM.
"""

from __future__ import annotations

import re
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING, Any

from kmsjwt._immutable import Immutable
from kmsjwt.errors import ConfigError, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Every method of API Gateway. A policy names each: IAM's ``*`` would match ``/`` as well."""

CONNECT = "$connect"
"""The one route of a WebSocket API that an authorizer is asked about."""

EXPECTED = "'GET /orders/*', '/users/{sub}' or '$connect'"

# Patterns stay text: nothing is compiled for those who have no rules.
_LITERAL = r"[A-Za-z0-9._~@:,;=+!&'()$-]+"
_CLAIM = r"\{([A-Za-z0-9_:.-]{1,64})\}"
_SAFE = r"[A-Za-z0-9_~@.-]{1,128}"
_BITS = 512  # more than 128 digits; Python writes out no integer of more than 4,300
_DOTS = (".", "..")


class Route(Immutable):
    """What a rule is about.

    Attributes:
        text: as its user wrote it, white space set right.
        methods: the methods it is for; ``$connect`` alone for WebSockets.
        segments: the path's parts; a claim's name is wrapped in ``{}``.
        is_open: whether ``/*`` follows.
    """

    __slots__ = ("_literal", "is_open", "methods", "segments", "text")

    text: str
    methods: tuple[str, ...]
    segments: tuple[str, ...]
    is_open: bool
    _literal: str | None

    def __init__(
        self, text: str, methods: tuple[str, ...], segments: tuple[str, ...], *, is_open: bool
    ) -> None:
        names_claims = any(map(_claim, segments))
        self._fill(
            text=text,
            methods=methods,
            segments=segments,
            is_open=is_open,
            _literal=None if names_claims else _joined(methods, segments, is_open=is_open),
        )

    @classmethod
    def parse(cls, text: object, claims: Collection[str]) -> Route:
        """Read ``[METHOD ]/path``.

        Args:
            text: the route.
            claims: names of the claims that paths may hold.

        Raises:
            ConfigError: it says more than a policy can express, or nothing that is understood.
        """
        if not isinstance(text, str) or not text.strip():
            raise _fault(text, f"expected {EXPECTED}")
        if text.strip() == CONNECT:
            return cls(CONNECT, (CONNECT,), (), is_open=False)
        method, space, path = text.strip().rpartition(" ")
        method = method.strip()
        if space and method not in METHODS:
            known = ", ".join(METHODS)
            fix = f"leave {method} out: without a method it is for any" if method == "ANY" else None
            raise _fault(text, f"expected its method to be one of {known}, or none for any", fix)
        if not path.startswith("/"):
            raise _fault(text, f"expected its path to begin with '/', as in {EXPECTED}")
        segments = path[1:].split("/")
        is_open = segments[-1] == "*"
        if is_open or segments == [""]:
            segments.pop()
        for segment in segments:
            _require_segment(text, segment, claims)
        named = f"{method} {path}" if method else path
        methods = (method,) if method else METHODS
        return cls(named, methods, tuple(segments), is_open=is_open)

    @property
    def is_route_key(self) -> bool:
        """Whether it can be a route key of an HTTP API word for word: all of it is literal."""
        return (
            not self.is_open and self.methods != (CONNECT,) and not any(map(_claim, self.segments))
        )

    @property
    def names_claims(self) -> bool:
        """Whether a claim stands in its path."""
        return self._literal is None

    @property
    def path(self) -> str:
        """The path of the route, as in its text."""
        return self.text.rpartition(" ")[2]

    @property
    def rank(self) -> tuple[Any, ...]:
        """Sorts the more specific before the less: longer, literal before claim, one method."""
        literal = tuple(segment.startswith("{") for segment in self.segments)
        return (-len(self.segments), self.is_open, literal, len(self.methods))

    def length(self, claim_length: int) -> int:
        """Return the characters of its path where each claim has so many."""
        parts = [claim_length if _claim(each) else len(each) for each in self.segments]
        return max(1, sum(parts) + len(parts) + 2 * self.is_open)

    def pattern(self, claims: Mapping[str, Any]) -> str | None:
        """Return the path that a token may have, ``/*`` at its end for any depth; None if none."""
        if self._literal is not None:
            return self._literal
        parts: list[str] = []
        for segment in self.segments:
            part = _part(segment, claims)
            if part is None:
                return None
            parts.append(part)
        return _joined(self.methods, parts, is_open=self.is_open)

    def unfit_claim(self, claims: Mapping[str, Any]) -> str | None:
        """Return the first claim of the path that a token has with a value no path may have."""
        for segment in self.segments:
            name = _claim(segment)
            if name is not None and claims.get(name) is not None and _part(segment, claims) is None:
                return segment
        return None

    def may_equal(self, other: Route) -> bool:
        """Tell whether both have the same path for some token."""
        if (self.is_open, len(self.segments)) != (other.is_open, len(other.segments)):
            return False
        bound: dict[str, str] = {}
        return all(_agree(pair, bound) for pair in zip(self.segments, other.segments, strict=True))

    def may_hold(self, *inner: Route) -> bool:
        """Tell whether for some token each of these lies within the one before it."""
        chain = (self, *inner)
        for outer, within in pairwise(chain):
            if not outer.is_open or len(within.segments) <= len(outer.segments):
                return False
        if not set.intersection(*(set(route.methods) for route in chain)):
            return False
        bound: dict[str, str] = {}
        shared = zip_longest(*(route.segments for route in chain[:-1]))  # the last may go on alone
        for outer_ones, segment in zip(shared, chain[-1].segments, strict=False):
            here = {segment, *filter(None, outer_ones)}
            if len(here) > 1 and not _agree(here, bound):
                return False
        return True

    def __repr__(self) -> str:
        return f"Route({self.text!r})"


def covers(pattern: str, path: str) -> bool:
    """Tell whether a pattern matches a path, as IAM would."""
    if pattern.endswith("/*"):
        return path.startswith(pattern[:-1])
    return path == pattern


def _joined(methods: tuple[str, ...], parts: Iterable[str], *, is_open: bool) -> str:
    if methods == (CONNECT,):
        return ""
    return "".join(f"/{part}" for part in (*parts, *("*" * is_open))) or "/"


def _agree(segments: Iterable[str], bound: dict[str, str]) -> bool:
    """Tell whether segments at one place can be the same text; claims are bound on the way."""
    literals = {bound.get(segment, segment) for segment in segments}
    texts = {text for text in literals if not text.startswith("{")}
    if len(texts) > 1:
        return False
    for text in texts:
        if len(literals) > 1 and not re.fullmatch(_SAFE, text, re.ASCII):
            return False  # no claim in a path is that
        bound.update({segment: text for segment in literals if segment.startswith("{")})
    return True


def _part(segment: str, claims: Mapping[str, Any]) -> str | None:
    name = _claim(segment)
    if name is None:
        return segment
    value = claims.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if value.bit_length() < _BITS else None
    if not isinstance(value, str) or value in _DOTS or not re.fullmatch(_SAFE, value, re.ASCII):
        return None
    return value


def _claim(segment: str) -> str | None:
    return segment[1:-1] if segment.startswith("{") else None


def _require_segment(text: str, segment: str, claims: Collection[str]) -> None:
    found = re.fullmatch(_CLAIM, segment, re.ASCII)
    if found:
        if found[1] not in claims:
            raise _fault(
                text,
                f"and {segment} is no claim that paths may name ({', '.join(claims)})",
                f"write '*' last for any path, or add {found[1]!r} to path_claims if tokens carry"
                " it and only their issuer sets it",
            )
        return
    if segment == "":
        raise _fault(
            text,
            "expected neither '//' nor '/' at its end: what API Gateway makes of "
            "them is not verified against AWS",
        )
    if segment in _DOTS:
        raise _fault(text, f"expected no segment {segment!r}")
    if "*" in segment:
        raise _fault(
            text,
            "expected '*' only as its last segment: for IAM it matches '/' too",
            "name the segments, or end it with '/*'",
        )
    if "{" in segment or "}" in segment:
        raise _fault(
            text,
            "expected a claim to be a whole segment, such as '/users/{sub}'",
            "end it with '/*' for any path",
        )
    if segment.startswith(":"):
        raise _fault(
            text,
            f"and {segment!r} looks like another framework's path parameter",
            "write '*' last for any path, or '{claim}' for the value of a claim",
        )
    if not re.fullmatch(_LITERAL, segment, re.ASCII):
        raise _fault(
            text,
            f"and {shown(segment)} has characters that no path of a policy may have",
            "put '/*' in its place, and decide about the rest in the function behind",
        )


def _fault(text: object, expected: str, fix: str | None = None) -> ConfigError:
    return ConfigError(f"route is {shown(text)}, {expected}", code="rule_route", fix=fix)
