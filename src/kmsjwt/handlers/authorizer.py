"""The authorizer function: ``kmsjwt.handlers.authorizer.handler``.

With a say of your own::

    from kmsjwt.handlers import authorizer

    def check(header, claims):
        if claims.get("tenant") not in OPEN_TENANTS:
            raise authorizer.Forbidden("tenant closed")

    handler = authorizer.build(check=check)
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, cast

from kmsjwt._log import log_line
from kmsjwt.errors import Forbidden
from kmsjwt.expectations import ANY, Anything
from kmsjwt.gateway import Authorizer, Unauthorized
from kmsjwt.gateway.caller import DEFAULT_CONTEXT
from kmsjwt.handlers._environment import Environment
from kmsjwt.handlers._settings import AuthorizerSettings
from kmsjwt.handlers._sources import recipe_keys, verifying_keys
from kmsjwt.verifier import Verifier

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from kmsjwt._log import Log
    from kmsjwt.gateway import TokenVerifier
    from kmsjwt.verifier import Check, KeySource

    Keys = tuple[KeySource, KeySource | None]

    handler: Authorizer

__all__ = ["Forbidden", "Unauthorized", "build"]


def build(
    *,
    check: Check | None = None,
    principal_claim: str = "sub",
    context: Collection[str] = DEFAULT_CONTEXT,
    client: Any = None,
    environ: Mapping[str, str] | None = None,
    log: Log = log_line,
    clock: Callable[[], float] = time.time,
) -> Authorizer:
    """Return the function that the environment asks for.

    Args:
        check: your own say, run last on every token as ``check(header, claims)``; it refuses by
            raising `Forbidden` (403) or by returning False.
        principal_claim: the claim that becomes ``principalId``.
        context: names of the claims that the backend is told.
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
    env.refuse_faults()
    verifier = _verifier(settings, cast("Keys", keys), check, clock)
    unchecked = [name for name in ("issuer", "audience", "typ") if getattr(settings, name) is ANY]
    log(
        "WARN" if unchecked else "INFO",
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
    )
    return Authorizer(
        verifier,
        on_invalid=settings.on_invalid,
        response=settings.response,
        principal_claim=principal_claim,
        context=context,
        log=log,
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
