"""What an authorizer goes by: one value, checked once, of which each front door reads its part."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kmsjwt._immutable import Immutable
from kmsjwt.errors import ConfigError, shown
from kmsjwt.gateway.caller import DEFAULT_CONTEXT
from kmsjwt.gateway.iam import RESERVED_CONTEXT
from kmsjwt.gateway.places import DEFAULT_PLACE, EXPECTED, token_place

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from kmsjwt.gateway.places import TokenPlace
    from kmsjwt.rules import Rules

    Fault = tuple[str, str]
    """The name of the argument at fault, or none where it is several together; what is wrong."""


MAX_TTL = 3_600
"""Most seconds that a gateway keeps an answer (API Gateway and AppSync alike)."""

_FINER_TOLD = 3


class Settings(Immutable):
    """What an authorizer goes by. `kmsjwt.gateway.Authorizer` takes the same arguments.

    Attributes:
        place: the one place of the token, which ``token_from`` named.

    All others are the arguments of the same names; ``context`` is a tuple.
    """

    __slots__ = (
        "cache_ttl",
        "clock",
        "context",
        "on_invalid",
        "place",
        "principal_claim",
        "response",
        "rules",
        "usage_claim",
    )

    rules: Rules | None
    place: TokenPlace
    on_invalid: str
    response: str
    cache_ttl: int | None
    principal_claim: str
    context: tuple[str, ...]
    usage_claim: str | None
    clock: Callable[[], float]

    def __init__(
        self,
        *,
        rules: Rules | None = None,
        token_from: str = DEFAULT_PLACE,
        on_invalid: str = "401",
        response: str = "iam",
        cache_ttl: int | None = None,
        principal_claim: str = "sub",
        context: Collection[str] = DEFAULT_CONTEXT,
        usage_claim: str | None = None,
        clock: Callable[[], float] = time.time,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """Check the arguments, each by itself and together.

        Args:
            rules: which routes a token may use; None lets any valid token use all of them.
            token_from: the one place of the token: ``header:NAME``, ``query:NAME``,
                ``cookie:NAME`` or ``subprotocol:NAME``. The Authorization header holds
                ``Bearer <token>``, any other place the token alone.
            on_invalid: what becomes of no token or a bad one. ``401``: REST and WebSocket APIs
                are told ``Unauthorized`` by an exception, which Lambda counts as an error; HTTP
                APIs get a denial (403), since raising there is not verified against AWS.
                ``deny``: a denial everywhere.
            response: what HTTP APIs of payload format 2.0 want: ``iam``, or ``simple`` if the
                authorizer's ``EnableSimpleResponses`` is on.
            cache_ttl: seconds, 0 to 3,600, that the gateway keeps an answer, if you know it; 0 if
                it keeps none. Simple answers may follow rules finer than a route key only if it is
                0; AppSync is told to keep an answer no longer than its token lives.
            principal_claim: the claim that becomes ``principalId``; without it ``client_id``.
            context: names of the claims that the backend is told; a tuple, list or set.
            usage_claim: the claim with the API key of a REST API's usage plan, which becomes
                ``usageIdentifierKey``; None if tokens have none.
            clock: seconds since 1970.
            names: what messages call an argument whose value came by another name, such as a
                variable's.

        Raises:
            ConfigError: naming everything that makes no sense. Its code is ``authorizer``.
        """
        called = names or {}
        faults = [
            *_choice_faults(on_invalid, response, cache_ttl),
            *_clock_faults(clock),
            *_rule_faults(rules, called, is_kept=cache_ttl != 0, is_simple=response == "simple"),
            *_place_faults(token_from),
            *_claim_faults(principal_claim, usage_claim, context),
        ]
        if faults:
            said = [
                f"{called.get(name, name)} {fault}" if name else fault for name, fault in faults
            ]
            raise ConfigError("; ".join(said), code="authorizer", faults=said)
        self._fill(
            rules=rules,
            place=token_place(token_from),
            on_invalid=on_invalid,
            response=response,
            cache_ttl=cache_ttl,
            principal_claim=principal_claim,
            context=tuple(context),
            usage_claim=usage_claim,
            clock=clock,
        )

    @property
    def is_simple(self) -> bool:
        """Whether HTTP APIs of payload format 2.0 want simple answers."""
        return self.response == "simple"

    @property
    def is_cached(self) -> bool:
        """Whether the gateway may keep an answer."""
        return self.cache_ttl != 0


def _choice_faults(on_invalid: object, response: object, cache_ttl: object) -> Iterator[Fault]:
    if on_invalid not in ("401", "deny"):
        yield "on_invalid", f"is {shown(on_invalid)}, expected '401' or 'deny'"
    if response not in ("iam", "simple"):
        yield "response", f"is {shown(response)}, expected 'iam' or 'simple'"
    if cache_ttl is not None and (type(cache_ttl) is not int or not 0 <= cache_ttl <= MAX_TTL):
        yield "cache_ttl", f"is {shown(cache_ttl)}, expected 0 to {MAX_TTL} seconds"


def _clock_faults(clock: object) -> Iterator[Fault]:
    if not callable(clock):
        yield "clock", f"is {shown(clock)}, expected what returns seconds since 1970"


def _rule_faults(
    rules: object, called: Mapping[str, str], *, is_kept: bool, is_simple: bool
) -> Iterator[Fault]:
    if rules is None:  # who has no rules has none of this to pay for
        return
    from kmsjwt.gateway.fit import unfit
    from kmsjwt.rules import Rules

    if not isinstance(rules, Rules):
        yield "rules", f"is {shown(rules)}, expected Rules(Rule(...), ...)"
    elif not is_simple:
        yield from (("", fault) for fault in unfit(rules))
    elif rules.has_routes and is_kept and not rules.are_route_keys:
        yield "", _too_fine(rules, called)


def _too_fine(rules: Rules, called: Mapping[str, str]) -> str:
    finer = [repr(route.text) for route, _ in rules.ordered if not route.is_route_key]
    more = f" and {len(finer) - _FINER_TOLD} more" if len(finer) > _FINER_TOLD else ""
    return (
        f"rules are finer than route keys ({', '.join(finer[:_FINER_TOLD])}{more}), and a simple"
        " answer that is kept would be given to other paths of the same route: take"
        f" {_assigned('response', 'iam', called)}, name routes such as 'GET /orders' alone, or"
        f" cache nothing and say so: {_assigned('cache_ttl', 0, called)}"
    )


def _assigned(name: str, value: object, called: Mapping[str, str]) -> str:
    """Return an argument, or the variable in its place, with what it should be."""
    return f"{called[name]}={value}" if name in called else f"{name}={value!r}"


def _place_faults(token_from: object) -> Iterator[Fault]:
    try:
        token_place(token_from)
    except ConfigError:
        yield "token_from", f"is {shown(token_from)}, expected {EXPECTED}"


def _claim_faults(principal_claim: object, usage_claim: object, context: object) -> Iterator[Fault]:
    if not _is_name(principal_claim):
        yield "principal_claim", f"is {shown(principal_claim)}, expected the name of a claim"
    if usage_claim is not None and not _is_name(usage_claim):
        yield "usage_claim", f"is {shown(usage_claim)}, expected the name of a claim"
    if not isinstance(context, (tuple, list, set, frozenset)):
        yield "context", f"is {shown(context)}, expected a tuple of names of claims"
        return
    for name in context:
        if not _is_name(name):
            yield "context", f"names {shown(name)}, expected the name of a claim"
        elif name == RESERVED_CONTEXT:
            yield "context", f"names {name!r}, which API Gateway keeps for itself"


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value != ""
