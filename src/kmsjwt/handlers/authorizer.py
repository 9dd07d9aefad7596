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
from kmsjwt.gateway.settings import Settings
from kmsjwt.handlers._authorizer_settings import AuthorizerSettings, variable
from kmsjwt.handlers._environment import Environment
from kmsjwt.handlers._sources import recipe_keys, verifying_keys
from kmsjwt.verifier import Verifier

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from typing import TypedDict

    from kmsjwt._log import Log
    from kmsjwt.gateway import TokenVerifier
    from kmsjwt.rules import Rules
    from kmsjwt.verifier import Check, KeySource

    Keys = tuple[KeySource, KeySource | None]

    class ForGuard(TypedDict):
        """Arguments of `kmsjwt.web.Guard`."""

        verifier: TokenVerifier
        rules: Rules | None
        token_from: str
        log: Log
        clock: Callable[[], float]

    handler: Authorizer

__all__ = ["Forbidden", "Unauthorized", "build", "for_guard"]

_DEFAULT_LIFETIME = 900  # the issue function's; its room is not loaded for one number
_SHORT = 4  # an overrun of more than a quarter of the lifetime is worth a warning


def build(
    *,
    check: Check | None = None,
    rules: Rules | None = None,
    principal_claim: str | None = None,
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
        principal_claim: the claim that becomes ``principalId``, instead of
            ``KMSJWT_PRINCIPAL_CLAIM``.
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
    read = _Read(environ, client, log, clock)
    settings = read.settings(rules=rules, principal_claim=principal_claim, context=context)
    verifier = read.verifier(check)
    made = Authorizer(verifier, settings, log=read.log())
    _tell(log, "authorizer", read.env_settings, settings, _warnings(read.env_settings, settings))
    return made


def for_guard(
    *,
    check: Check | None = None,
    rules: Rules | None = None,
    client: Any = None,
    environ: Mapping[str, str] | None = None,
    log: Log = log_line,
    clock: Callable[[], float] = time.time,
) -> ForGuard:
    """Return what the environment asks of a guard: ``Guard(**for_guard())``.

    It reads what `build` reads, and lets be what only a gateway's answer has, such as
    ``KMSJWT_RESPONSE``. Arguments and errors are those of `build`.
    """
    read = _Read(environ, client, log, clock)
    settings = read.settings(for_gateway=False, rules=rules)
    verifier = read.verifier(check)
    _tell(log, "guard", read.env_settings, settings, ())
    return {
        "verifier": verifier,
        "rules": settings.rules,
        "token_from": settings.place.text,
        "log": read.log(),
        "clock": clock,
    }


class _Read:
    """The environment as it is read for an authorizer or a guard, with all that is wrong in it."""

    def __init__(
        self,
        environ: Mapping[str, str] | None,
        client: Any,
        log: Log,
        clock: Callable[[], float],
    ) -> None:
        self._env = Environment(os.environ if environ is None else environ)
        self._log = log
        self._clock = clock
        self.env_settings = AuthorizerSettings(self._env)
        self._keys = _keys(self._env, self.env_settings, client, clock, log)

    def settings(self, *, for_gateway: bool = True, **passed: Any) -> Settings:
        """Return what is set and passed, each of it either way but not both.

        Raises:
            ConfigError: naming every fault of the environment.
        """
        env, told = self._env, dict(self.env_settings.told)
        names = {name: variable(name) for name in told}
        rules = _rules_file(env, self.env_settings)
        told |= {"rules": rules} if self.env_settings.rules else {}
        for name, value in passed.items():
            if value is not None and name in told:
                env.faults.append(f"{variable(name)} is set and {name}= is passed, expected one")
            elif value is not None:
                told[name] = value
        if not for_gateway:  # decides each request afresh, and makes no policy
            told = {name: told[name] for name in ("rules", "token_from") if name in told}
            told |= {"response": "simple", "cache_ttl": 0}
        settings = env.attempt(lambda: Settings(names, **told, clock=self._clock))
        env.refuse_faults()
        return cast("Settings", settings)

    def verifier(self, check: Check | None) -> TokenVerifier:
        """Return the verifier; there are no faults."""
        return _verifier(self.env_settings, cast("Keys", self._keys), check, self._clock)

    def log(self) -> Log:
        """Return the log, with metrics in its lines if they are asked for."""
        if not self.env_settings.metrics:
            return self._log
        from kmsjwt.gateway.metrics import with_metrics

        function = self._env.text("AWS_LAMBDA_FUNCTION_NAME") or ""
        return with_metrics(self._log, function=function, clock=self._clock)


def _rules_file(env: Environment, settings: AuthorizerSettings) -> Rules | None:
    """Return the rules of the file that is named."""
    if env.is_blank("KMSJWT_RULES"):  # of a template's unset parameter, perhaps
        env.faults.append(
            "KMSJWT_RULES is blank, expected a file of rules: leave the variable out where any"
            " valid token may use every route"
        )
    if not settings.rules:
        return None
    from kmsjwt.rules import read_rules

    try:
        return read_rules(settings.rules)
    except ConfigError as error:
        env.faults.append(f"KMSJWT_RULES: {error}")
        return None


def _tell(
    log: Log,
    function: str,
    env_settings: AuthorizerSettings,
    settings: Settings,
    warnings: Iterable[str],
) -> None:
    """Write the line that says at start what was understood, and what to be wary of."""
    told = env_settings
    unchecked = [name for name in ("issuer", "audience", "typ") if getattr(told, name) is ANY]
    wary = list(warnings)
    log(
        "WARN" if unchecked or wary else "INFO",
        "start",
        function=function,
        issuer=None if told.issuer is ANY else told.issuer,
        audience=None if isinstance(told.audience, Anything) else list(told.audience),
        unchecked=unchecked or None,
        keys_from=told.keys.chosen_by,
        keys=told.keys.told,
        verify=told.keys.verify,
        recipe_key=told.recipe_key or None,
        recipe_until=told.recipe_until or None,
        rules=told.rules or (None if settings.rules is None else "in code"),
        token_from=settings.place.text,
        cache_ttl=settings.cache_ttl,
        warnings=wary or None,
    )


def _warnings(env_settings: AuthorizerSettings, settings: Settings) -> Iterator[str]:
    ttl, rules = settings.cache_ttl, settings.rules
    lifetime = env_settings.lifetime or _DEFAULT_LIFETIME
    if ttl and lifetime < _SHORT * ttl:
        guessed = "" if env_settings.lifetime else ", as they do where KMSJWT_LIFETIME is unset,"
        yield (
            f"where tokens live {lifetime} s{guessed} and the gateway keeps answers for {ttl} s, an"
            f" expired token is let in for up to {ttl} s more"
        )
    if rules is None or not rules.has_routes:
        return
    if not settings.is_simple:
        from kmsjwt.gateway.fit import tight

        yield from tight(rules)
    elif settings.is_cached:
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
