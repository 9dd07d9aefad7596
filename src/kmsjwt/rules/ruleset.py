"""All rules together: what they decide about one request, and what they grant a token on an API.

The most specific rule decides: the longest path, a literal before a claim, a named method before
any. A route that no rule names is refused.
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
        name_routes: whether there is any rule about routes; without one, any route may be used.
        are_route_keys: whether every rule is, word for word, a route key of an HTTP API.
    """

    __slots__ = ("_ordered", "_require", "are_route_keys", "name_routes")

    name_routes: bool
    are_route_keys: bool
    _ordered: tuple[tuple[Route, Requirement | None], ...]
    _require: Requirement | None

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
            told = (f"rule {n + 1}: {fault}" if n is not None else fault for n, fault in faults)
            raise ConfigError("; ".join(told), code="rules")
        ordered = tuple(sorted(checked, key=lambda entry: entry[0].rank))
        self._fill(
            name_routes=bool(ordered),
            are_route_keys=all(route.is_route_key for route, _ in ordered),
            _ordered=ordered,
            _require=require,
        )

    def decide(self, claims: Mapping[str, Any], method: str, path: str) -> Ruling:
        """Decide about one request.

        Args:
            claims: of a verified token.
            method: the HTTP method, or ``$connect`` with an empty path.
            path: the path, as the gateway has it in the request's ARN.
        """
        refused = self.decide_token(claims)
        if not refused.allowed or not self.name_routes:
            return refused
        for route, needs in self._ordered:
            if method in route.methods:
                pattern = route.pattern(claims)
                if pattern is not None and covers(pattern, path):
                    return _ruling(route, needs, claims)
        return _no_rule(self._hint(claims, method, path))

    def _hint(self, claims: Mapping[str, Any], method: str, path: str) -> str:
        """Return what is near and does not match, for whoever wonders why."""
        for route, _ in self._ordered:
            if method not in route.methods:
                continue
            unfit = route.unfit_claim(claims)
            if unfit is not None:
                return f"; {unfit} is there, and no path may have such a value ({route.text!r})"
            if route.is_open and route.pattern(claims) == f"{path}/*":
                return f"; {route.text!r} begins below it"
        return ""

    def decide_token(self, claims: Mapping[str, Any]) -> Ruling:
        """Decide what depends on the token alone: ``require``."""
        require = self._require
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
        if not refused.allowed or not self.name_routes:
            return refused
        method, _, path = route_key.partition(" ")
        ruling = _no_rule()
        for each in METHODS if method == "ANY" else (method,):
            ruling = self._decide_key(claims, each, path)
            if not ruling.allowed:
                break
        return ruling

    def _decide_key(self, claims: Mapping[str, Any], method: str, path: str) -> Ruling:
        for route, needs in self._ordered:
            if route.is_route_key and method in route.methods and route.path == path:
                return _ruling(route, needs, claims)
        return _no_rule()

    def grant(self, claims: Mapping[str, Any]) -> Grant:
        """Return all that a token may do, so that one cached policy is right for every route."""
        if not self.decide_token(claims).allowed:
            return NOTHING
        if not self.name_routes:
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
        return Grant(tuple(allow), tuple(deny))

    def longest(self, claim_length: int) -> list[tuple[str, int]]:
        """Return each route and its longest resource, with claims of so many characters."""
        return [
            (route.text, max(map(len, route.methods)) + route.length(claim_length))
            for route, _ in self._ordered
        ]

    def least_allowed(self) -> list[int]:
        """Return the length of each resource for a token that meets every rule.

        As if each claim had one character, and routes within others were left out.
        """
        routes = [route for route, _ in self._ordered]
        outermost = {
            (method, route.segments, route.is_open): len(method) + route.length(1)
            for route in routes
            for method in route.methods
            if not any(
                other is not route and method in other.methods and other.may_hold(route)
                for other in routes
            )
        }
        return list(outermost.values())

    def least_denied(self) -> list[int]:
        """Return the length of each resource taken out for a token that meets no requirement.

        Of routes without claims alone: others are in no policy of a token without those claims.
        """
        plain = [(route, needs) for route, needs in self._ordered if not route.names_claims]
        return [
            len(method) + route.length(1)
            for route, needs in plain
            if needs is not None
            for method in route.methods
            if any(
                other_needs is None and method in other.methods and other.may_hold(route)
                for other, other_needs in plain
            )
        ]

    def unclear(self) -> list[str]:
        """Return the routes that a gateway might serve by another spelling, beyond their rule.

        A path with ``/`` at its end is decided by the wider rule around it. Whether API Gateway
        serves ``/admin/`` as ``/admin`` is not verified against AWS.
        """
        routes = [route for route, _ in self._ordered]
        return [
            route.text
            for route, needs in self._ordered
            if needs is not None
            and route.segments
            and not route.is_open
            and any(other.may_hold(route) for other in routes)
            and not any(other.is_the_rest_of(route) for other in routes)
        ]

    def _met(self, claims: Mapping[str, Any]) -> dict[str, dict[str, bool]]:
        """Return by method each path that rules name for a token, and whether it may use it."""
        by_method: dict[str, dict[str, bool]] = {}
        for route, needs in self._ordered:
            pattern = route.pattern(claims)
            if pattern is not None:
                is_met = needs is None or needs.is_met(claims)
                for method in route.methods:  # the most specific comes first, and stays
                    by_method.setdefault(method, {}).setdefault(pattern, is_met)
        return by_method

    def __repr__(self) -> str:
        return f"Rules({', '.join(repr(route.text) for route, _ in self._ordered)})"


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
