"""The authorizer function: ``kmsjwt.handlers.authorizer.handler``.

With a say of your own::

    from kmsjwt.handlers import authorizer

    def check(header, claims):
        if claims.get("tenant") not in OPEN_TENANTS:
            raise authorizer.Forbidden("tenant closed")

    handler = authorizer.build(check=check)

Or with rules, in a file that ``KMSJWT_RULES`` names, or in code::

    handler = authorizer.build(rules=Rules(Rule("GET /orders/*", scope("orders:read"))))
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, cast

from kmsjwt._log import log_line
from kmsjwt.errors import ConfigError, Forbidden
from kmsjwt.expectations import ANY, Anything
from kmsjwt.gateway import Authorizer, Unauthorized
from kmsjwt.gateway.caller import DEFAULT_CONTEXT
from kmsjwt.gateway.settings import setting_faults
from kmsjwt.handlers._authorizer_settings import AuthorizerSettings
from kmsjwt.handlers._environment import Environment
from kmsjwt.handlers._sources import recipe_keys, verifying_keys
from kmsjwt.verifier import Verifier

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from kmsjwt._log import Log
    from kmsjwt.gateway import TokenVerifier
    from kmsjwt.rules import Rules
    from kmsjwt.verifier import Check, KeySource

    Keys = tuple[KeySource, KeySource | None]

    handler: Authorizer

__all__ = ["Forbidden", "Unauthorized", "build"]

_DEFAULT_LIFETIME = 900  # the issue function's; its room is not loaded for one number
_SHORT = 4  # an overrun of more than a quarter of the lifetime is worth a warning


def build(
    *,
    check: Check | None = None,
    rules: Rules | None = None,
    principal_claim: str = "sub",
    context: Collection[str] | None = None,
    client: Any = None,
    environ: Mapping[str, str] | None = None,
    log: Log = log_line,
    clock: Callable[[], float] = time.time,
) -> Authorizer:
    """Return the function that the environment asks for.

    Args:
        check: your own say, run last on every token as ``check(header, claims)``; it refuses by
            raising `Forbidden` (403) or by returning False.
        rules: which routes a token may use, instead of a file that ``KMSJWT_RULES`` names.
        principal_claim: the claim that becomes ``principalId``.
        context: names of the claims that the backend is told, instead of ``KMSJWT_CONTEXT``.
        client: a boto3 KMS client; one is made where KMS keys verify and none is given.
        environ: read instead of the process's environment.
        log: takes one line at start and one per decision.
        clock: seconds since 1970.

    Returns:
        A Lambda handler: ``handler(event, context)``.

    Raises:
        ConfigError: one message that names every fault of the environment.
    """
    env = Environment(os.environ if environ is None else environ)
    settings = AuthorizerSettings(env)
    keys = _keys(env, settings, client, clock, log)
    rules = _rules(env, settings, rules)
    if context is not None and settings.context is not None:
        env.faults.append("KMSJWT_CONTEXT is set and context was passed, expected one of them")
    told: dict[str, Any] = {
        "rules": rules,
        "token_from": settings.token_from,
        "on_invalid": settings.on_invalid,
        "response": settings.response,
        "cache_ttl": settings.cache_ttl,
        "principal_claim": principal_claim,
        "context": (settings.context or DEFAULT_CONTEXT) if context is None else context,
        "usage_claim": settings.usage_claim,
    }
    env.faults += setting_faults(**told)
    env.refuse_faults()
    made = Authorizer(
        _verifier(settings, cast("Keys", keys), check, clock),
        **told,
        log=_metered(env, settings, log, clock),
        clock=clock,
    )
    _tell(log, settings, rules)
    return made


def _rules(env: Environment, settings: AuthorizerSettings, given: Rules | None) -> Rules | None:
    """Return the rules that were passed, or those of the file that is named."""
    if env.is_blank("KMSJWT_RULES"):  # of a template's unset parameter, perhaps
        env.faults.append(
            "KMSJWT_RULES is blank, expected a file of rules: leave the variable out where any"
            " valid token may use every route"
        )
    if not settings.rules:
        return given
    if given is not None:
        env.faults.append("KMSJWT_RULES is set and rules were passed, expected one of them")
    from kmsjwt.rules import read_rules

    try:
        return read_rules(settings.rules)
    except ConfigError as error:
        env.faults.append(f"KMSJWT_RULES: {error}")
        return None


def _metered(
    env: Environment, settings: AuthorizerSettings, log: Log, clock: Callable[[], float]
) -> Log:
    if not settings.metrics:
        return log
    from kmsjwt.handlers._metrics import with_metrics

    return with_metrics(log, env.text("AWS_LAMBDA_FUNCTION_NAME"), clock)


def _tell(log: Log, settings: AuthorizerSettings, rules: Rules | None) -> None:
    """Write the line that says at start what was understood, and what to be wary of."""
    unchecked = [name for name in ("issuer", "audience", "typ") if getattr(settings, name) is ANY]
    warnings = list(_warnings(settings, rules))
    log(
        "WARN" if unchecked or warnings else "INFO",
        "start",
        function="authorizer",
        issuer=None if settings.issuer is ANY else settings.issuer,
        audience=None if isinstance(settings.audience, Anything) else list(settings.audience),
        unchecked=unchecked or None,
        keys_from=settings.keys.chosen_by,
        keys=settings.keys.told,
        verify=settings.keys.verify,
        recipe_key=settings.recipe_key or None,
        recipe_until=settings.recipe_until or None,
        rules=settings.rules or (None if rules is None else "in code"),
        token_from=settings.token_from,
        cache_ttl=settings.cache_ttl,
        warnings=warnings or None,
    )


def _warnings(settings: AuthorizerSettings, rules: Rules | None) -> Iterator[str]:
    ttl = settings.cache_ttl
    lifetime = settings.lifetime or _DEFAULT_LIFETIME
    if ttl and lifetime < _SHORT * ttl:
        guessed = "" if settings.lifetime else ", as they do where KMSJWT_LIFETIME is unset,"
        yield (
            f"where tokens live {lifetime} s{guessed} and the gateway keeps answers for {ttl} s, an"
            f" expired token is let in for up to {ttl} s more"
        )
    for route in () if rules is None else rules.unclear():
        yield (
            f"the rule for {route!r} says nothing of that path with '/' at its end, which a wider"
            f" rule lets in: name {route + '/*'!r} beside it, should the API serve both alike"
        )
    if rules is not None and rules.name_routes and settings.response == "simple" and ttl != 0:
        yield (
            "rules with simple answers need $context.routeKey among the identity sources, and"
            " decide by the route key alone"
        )


def _keys(
    env: Environment,
    settings: AuthorizerSettings,
    client: Any,
    clock: Callable[[], float],
    log: Log,
) -> Keys | None:
    """Return the key sources of strict tokens and of the article's, if those are let in."""
    if not settings.keys.sound:
        return None
    return env.attempt(
        lambda: (
            verifying_keys(settings.keys, client, clock, log),
            recipe_keys(settings.keys, settings.recipe_key, client, clock, log)
            if settings.recipe_key
            else None,
        )
    )


def _verifier(
    settings: AuthorizerSettings, keys: Keys, check: Check | None, clock: Callable[[], float]
) -> TokenVerifier:
    strict_keys, article_keys = keys
    strict = Verifier(
        strict_keys,
        issuer=settings.issuer,
        audience=settings.audience,
        typ=settings.typ,
        max_lifetime=settings.max_lifetime,
        check=check,
        clock=clock,
    )
    if article_keys is None:
        return strict
    from kmsjwt.handlers.recipe import RecipeVerifier, StrictOrRecipe

    recipe = RecipeVerifier(
        article_keys,
        key_id=settings.recipe_key,
        until=settings.recipe_until,
        check=check,
        clock=clock,
    )
    return StrictOrRecipe(strict, recipe)


def __getattr__(name: str) -> Any:
    # Lambda looks `handler` up while it starts, so a wrong environment fails there; who imports
    # this module for `build` needs no environment.
    if name == "handler":
        globals()[name] = build()
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
