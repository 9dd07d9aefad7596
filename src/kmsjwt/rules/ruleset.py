"""All rules together: what they decide about one request, and what they grant a token on an API.

The most specific rule decides: the longest path, a literal before a claim, a named method before
any. A route that no rule names is refused. A path with ``/`` at its end must be allowed without it
too, where a rule names that path: many an API serves both alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt._immutable import Immutable
from kmsjwt.errors import ConfigError
from kmsjwt.rules.checking import DEFAULT_PATH_CLAIMS, Rule, check
from kmsjwt.rules.routes import METHODS, Route, covers

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from kmsjwt.rules.requirements import Requirement


class Ruling(Immutable):
    """What the rules say about one request.

    Attributes:
        allowed: whether it may pass.
        reason: ``ok``, ``no_rule``, ``rule_unmet`` or ``require_unmet``.
        message: what was needed; None if it may pass.
        scopes: the scopes that were needed, if any were.
    """

    __slots__ = ("allowed", "message", "reason", "scopes")

    allowed: bool
    reason: str
    message: str | None
    scopes: tuple[str, ...]

    def __init__(
        self, *, allowed: bool, reason: str, message: str | None, scopes: tuple[str, ...] = ()
    ) -> None:
        self._fill(allowed=allowed, reason=reason, message=message, scopes=scopes)

    def __repr__(self) -> str:
        return f"Ruling({self.reason!r})"


class Grant(Immutable):
    """What one token may do on a whole API, as resources below its stage: ``GET/orders/*``.

    Attributes:
        allow: what it may use; ``*`` is everything, nothing is nothing.
        deny: what is taken out of that.
    """

    __slots__ = ("allow", "deny")

    allow: tuple[str, ...]
    deny: tuple[str, ...]

    def __init__(self, allow: tuple[str, ...], deny: tuple[str, ...] = ()) -> None:
        self._fill(allow=allow, deny=deny)

    def __repr__(self) -> str:
        return f"Grant(allow={self.allow!r}, deny={self.deny!r})"


EVERYTHING = Grant(("*",))
NOTHING = Grant(())
_OK = Ruling(allowed=True, reason="ok", message=None)


class Rules(Immutable):
    """Rules for the routes of one API.

    Attributes:
        has_routes: whether there is any rule about routes; without one, any route may be used.
        are_route_keys: whether every rule is, word for word, a route key of an HTTP API.
        ordered: each route with what it needs, the more specific first.
        require: what every token must meet, whatever the route; None if nothing.
    """

    __slots__ = ("are_route_keys", "has_routes", "ordered", "require")

    has_routes: bool
    are_route_keys: bool
    ordered: tuple[tuple[Route, Requirement | None], ...]
    require: Requirement | None

    def __init__(
        self,
        *rules: Rule,
        require: Requirement | None = None,
        path_claims: Collection[str] = DEFAULT_PATH_CLAIMS,
    ) -> None:
        """Join rules.

        Args:
            *rules: in any order; the most specific decides. With none, ``require`` alone decides,
                and must be there: who lets any valid token use every route passes no rules.
            require: what every token must meet, whatever the route.
            path_claims: the claims that paths may name, as in ``/users/{sub}``. Name only those
                that their issuer alone sets.

        Raises:
            ConfigError: naming every fault, each with its rule. Its code is ``rules``.
        """
        checked, faults = check(rules, require, path_claims)
        if faults:
            told = [f"rule {n + 1}: {fault}" if n is not None else fault for n, fault in faults]
            raise ConfigError("; ".join(told), code="rules", faults=told)
        ordered = tuple(sorted(checked, key=lambda entry: entry[0].rank))
        self._fill(
            has_routes=bool(ordered),
            are_route_keys=all(route.is_route_key for route, _ in ordered),
            ordered=ordered,
            require=require,
        )

    def decide(self, claims: Mapping[str, Any], method: str, path: str) -> Ruling:
        """Decide about one request.

        Args:
            claims: of a verified token.
            method: the HTTP method, or ``$connect`` with an empty path.
            path: the path, as the gateway has it in the request's ARN.
        """
        refused = self.decide_token(claims)
        if not refused.allowed or not self.has_routes:
            return refused
        ruling = self._decide_path(claims, method, path)
        if ruling is None:
            from kmsjwt.rules.near import hint

            return _no_rule(hint((route for route, _ in self.ordered), claims, method, path))
        if ruling.allowed and path.endswith("/"):
            without = self._decide_path(claims, method, path[:-1], closed=True)
            return ruling if without is None else without
        return ruling

    def _decide_path(
        self, claims: Mapping[str, Any], method: str, path: str, *, closed: bool = False
    ) -> Ruling | None:
        """Return what the most specific rule says; None if there is none, or it is not closed."""
        for route, needs in self.ordered:
            if method in route.methods:
                pattern = route.pattern(claims)
                if pattern is not None and covers(pattern, path):
                    return None if closed and route.is_open else _ruling(route, needs, claims)
        return None

    def decide_token(self, claims: Mapping[str, Any]) -> Ruling:
        """Decide what depends on the token alone: ``require``."""
        require = self.require
        if require is None or require.is_met(claims):
            return _OK
        return Ruling(
            allowed=False,
            reason="require_unmet",
            message=f"every route needs {require!r}",
            scopes=require.scopes,
        )

    def decide_route_key(self, claims: Mapping[str, Any], route_key: str) -> Ruling:
        """Decide by an HTTP API's route key, such as ``GET /orders`` or ``ANY /orders``, alone.

        So an answer that the gateway keeps by the route key is right for all of it: ``ANY`` may
        pass only if each method may. A rule counts if it is that very key, or names its path
        without a method.
        """
        refused = self.decide_token(claims)
        if not refused.allowed or not self.has_routes:
            return refused
        method, _, path = route_key.partition(" ")
        ruling = _no_rule()
        for each in METHODS if method == "ANY" else (method,):
            ruling = self._decide_key(claims, each, path)
            if not ruling.allowed:
                break
        return ruling

    def _decide_key(self, claims: Mapping[str, Any], method: str, path: str) -> Ruling:
        for route, needs in self.ordered:
            if route.is_route_key and method in route.methods and route.path == path:
                return _ruling(route, needs, claims)
        return _no_rule()

    def grant(self, claims: Mapping[str, Any]) -> Grant:
        """Return all that a token may do, so that one cached policy is right for every route."""
        if not self.decide_token(claims).allowed:
            return NOTHING
        if not self.has_routes:
            return EVERYTHING
        allow: list[str] = []
        deny: list[str] = []
        for method, met in self._met(claims).items():
            allowed = [pattern for pattern, is_met in met.items() if is_met]
            within = tuple(pattern[:-1] for pattern in allowed if pattern.endswith("/*"))
            for pattern, is_met in met.items():
                is_within = pattern.removesuffix("/*").startswith(within)
                if is_met and not is_within:
                    allow.append(method + pattern)
                elif is_within and not is_met:
                    deny.append(method + pattern)
                if not (is_met or pattern.endswith("/*")) and f"{pattern}/".startswith(within):
                    deny.append(f"{method}{pattern}/")
        return Grant(tuple(allow), tuple(deny))

    def _met(self, claims: Mapping[str, Any]) -> dict[str, dict[str, bool]]:
        """Return by method each path that rules name for a token, and whether it may use it."""
        by_method: dict[str, dict[str, bool]] = {}
        for route, needs in self.ordered:
            pattern = route.pattern(claims)
            if pattern is not None:
                is_met = needs is None or needs.is_met(claims)
                for method in route.methods:  # the most specific comes first, and stays
                    by_method.setdefault(method, {}).setdefault(pattern, is_met)
        return by_method

    def __repr__(self) -> str:
        return f"Rules({', '.join(repr(route.text) for route, _ in self.ordered)})"


def _ruling(route: Route, needs: Requirement | None, claims: Mapping[str, Any]) -> Ruling:
    if needs is None or needs.is_met(claims):
        return _OK
    return Ruling(
        allowed=False,
        reason="rule_unmet",
        message=f"{route.text!r} needs {needs!r}",
        scopes=needs.scopes,
    )


def _no_rule(hint: str = "") -> Ruling:
    told = f"no rule names this route for the token{hint}"
    return Ruling(allowed=False, reason="no_rule", message=told)
