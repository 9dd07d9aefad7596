"""What an authorizer is told: one value, checked once, of which each front door reads its part."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kmsjwt._immutable import Immutable
from kmsjwt.errors import ConfigError, shown
from kmsjwt.gateway.caller import DEFAULT_CONTEXT
from kmsjwt.gateway.iam import RESERVED_CONTEXT
from kmsjwt.gateway.places import DEFAULT_PLACE, EXPECTED, token_place

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from typing import TypedDict, Unpack

    from kmsjwt.gateway.places import TokenPlace
    from kmsjwt.rules import Rules

    class Told(TypedDict, total=False):
        """The arguments of `Settings`, each of which may be left out."""

        rules: Rules | None
        token_from: str
        on_invalid: str
        response: str
        cache_ttl: int | None
        principal_claim: str
        context: Collection[str]
        usage_claim: str | None
        clock: Callable[[], float]


MAX_TTL = 3_600
"""Most seconds that a gateway keeps an answer (API Gateway and AppSync alike)."""

_TOO_FINE = (
    "rules are finer than route keys, and a simple answer that is kept would be given to other"
    " paths of the same route: take response 'iam', name routes such as 'GET /orders' alone, or"
    " cache nothing and say so: cache_ttl 0"
)


class Settings(Immutable):
    """What an authorizer is told.

    Attributes:
        rules: which routes a token may use; None lets any valid token use all of them.
        place: the one place of the token.
        on_invalid: ``401`` or ``deny``.
        response: ``iam`` or ``simple``.
        cache_ttl: seconds that the gateway keeps an answer, if it is known.
        principal_claim: the claim that becomes ``principalId``.
        context: names of the claims that the backend is told.
        usage_claim: the claim with the API key of a usage plan, if any has.
        clock: seconds since 1970.
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

    def __init__(self, names: Mapping[str, str] | None = None, **told: Unpack[Told]) -> None:
        """Check what is told, each by itself and together.

        Args:
            names: what messages call an argument, where it came by another name.
            **told: the arguments of `kmsjwt.gateway.Authorizer`, which says what they mean.

        Raises:
            ConfigError: naming everything that makes no sense. Its code is ``authorizer``.
        """
        values = {**_defaults(), **told}
        faults = [
            f"{(names or {}).get(name, name)} {fault}" if name else fault
            for name, fault in _faults(values)
        ]
        if faults:
            raise ConfigError("; ".join(faults), code="authorizer")
        place = token_place(values.pop("token_from"))
        self._fill(**{**values, "place": place, "context": tuple(values["context"])})

    @property
    def is_simple(self) -> bool:
        """Whether HTTP APIs of payload format 2.0 want simple answers."""
        return self.response == "simple"

    @property
    def is_cached(self) -> bool:
        """Whether the gateway may keep an answer."""
        return self.cache_ttl != 0


def _defaults() -> dict[str, Any]:
    return {
        "rules": None,
        "token_from": DEFAULT_PLACE,
        "on_invalid": "401",
        "response": "iam",
        "cache_ttl": None,
        "principal_claim": "sub",
        "context": DEFAULT_CONTEXT,
        "usage_claim": None,
        "clock": time.time,
    }


def _faults(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Return what is wrong: each time the name of an argument, or none, and the fault."""
    unknown = told.keys() - _defaults().keys()
    if unknown:
        raise TypeError(f"unexpected arguments: {', '.join(sorted(unknown))}")
    on_invalid, response, cache_ttl = told["on_invalid"], told["response"], told["cache_ttl"]
    if on_invalid not in ("401", "deny"):
        yield "on_invalid", f"is {shown(on_invalid)}, expected '401' or 'deny'"
    if response not in ("iam", "simple"):
        yield "response", f"is {shown(response)}, expected 'iam' or 'simple'"
    if cache_ttl is not None and (type(cache_ttl) is not int or not 0 <= cache_ttl <= MAX_TTL):
        yield "cache_ttl", f"is {shown(cache_ttl)}, expected 0 to {MAX_TTL} seconds"
    if told["rules"] is not None:
        yield from _rule_faults(
            told["rules"], is_kept=cache_ttl != 0, is_simple=response == "simple"
        )
    try:
        token_place(told["token_from"])
    except ConfigError:
        yield "token_from", f"is {shown(told['token_from'])}, expected {EXPECTED}"
    yield from _claim_faults(told)


def _claim_faults(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not _is_name(told["principal_claim"]):
        claim = shown(told["principal_claim"])
        yield "principal_claim", f"is {claim}, expected the name of a claim"
    if told["usage_claim"] is not None and not _is_name(told["usage_claim"]):
        yield "usage_claim", f"is {shown(told['usage_claim'])}, expected the name of a claim"
    context = told["context"]
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


def _rule_faults(rules: object, *, is_kept: bool, is_simple: bool) -> Iterator[tuple[str, str]]:
    from kmsjwt.gateway.fit import unfit  # who has no rules has none of this to pay for
    from kmsjwt.rules import Rules

    if not isinstance(rules, Rules):
        yield "rules", f"is {shown(rules)}, expected Rules(Rule(...), ...)"
    elif not is_simple:
        yield from (("", fault) for fault in unfit(rules))
    elif rules.has_routes and is_kept and not rules.are_route_keys:
        yield "", _TOO_FINE
