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
from kmsjwt.errors import ConfigError, Forbidden, shown
from kmsjwt.expectations import ANY, Anything
from kmsjwt.gateway import Authorizer, Settings, Unauthorized
from kmsjwt.gateway.places import DEFAULT_PLACE, EXPECTED, token_place
from kmsjwt.handlers._authorizer_settings import AuthorizerSettings, variable
from kmsjwt.handlers._environment import Environment
from kmsjwt.handlers._sources import recipe_keys, verifying_keys
from kmsjwt.verifier import Verifier

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
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

_ANY = "ANY"
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
    parts = _Parts(environ, client, log, clock)
    settings = parts.settings(parts.rules(rules), principal_claim=principal_claim, context=context)
    verifier = parts.verifier(check)
    made = Authorizer.with_settings(verifier, settings, log=parts.log())
    _tell(
        log,
        "authorizer",
        parts.variables,
        rules=settings.rules,
        token_from=settings.place.text,
        seed=parts.seed,
        cache_ttl=settings.cache_ttl,
        warnings=[*parts.seed_warnings, *_warnings(parts.variables, settings)],
    )
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
    parts = _Parts(environ, client, log, clock)
    rules, token_from = parts.rules(rules), parts.token_from()
    verifier = parts.verifier(check)
    _tell(
        log,
        "guard",
        parts.variables,
        rules=rules,
        token_from=token_from,
        seed=parts.seed,
        warnings=parts.seed_warnings,
    )
    return {
        "verifier": verifier,
        "rules": rules,
        "token_from": token_from,
        "log": parts.log(),
        "clock": clock,
    }


class _Parts:
    """What an authorizer or a guard is made of, by the environment, which remembers every fault."""

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
        self.variables = AuthorizerSettings(self._env)
        self._keys = _keys(self._env, self.variables, client, clock, log)

    @property
    def seed(self) -> str | None:
        """The seed that keys begin with: one that is there, is of the URL, and is in its time."""
        strict = self._keys[0] if self._keys else None
        return self.variables.seed if getattr(strict, "key_count", 0) else None

    @property
    def seed_warnings(self) -> list[str]:
        """Why a seed that is there is not what keys begin with."""
        why = getattr(self._keys[0], "seed_unused", None) if self._keys else None
        named = shown(self.variables.seed)
        told = f"KMSJWT_JWKS_SEED is {named}, and the URL is read first all the same: {why}"
        return [told] if why else []

    def rules(self, passed: Rules | None) -> Rules | None:
        """Return the rules that are passed, or those of the file that is named, but not both."""
        if passed is not None and self.variables.rules:
            self._refuse_both("rules")
        of_file = _rules_file(self._env, self.variables)
        return of_file if self.variables.rules else passed

    def token_from(self) -> str:
        """Return the place of the token, for who needs no other settings of a gateway."""
        place: str = self.variables.for_gateway.get("token_from", DEFAULT_PLACE)
        try:
            return token_place(place).text
        except ConfigError:
            name = variable("token_from")
            self._env.faults.append(f"{name} is {shown(place)}, expected {EXPECTED}")
            return place

    def settings(self, rules: Rules | None, **passed: Any) -> Settings:
        """Return what is set and passed, each of it either way but not both.

        Raises:
            ConfigError: naming every fault of the environment.
        """
        arguments = dict(self.variables.for_gateway)
        names = {name: variable(name) for name in (*arguments, "response", "cache_ttl")}
        for name, value in passed.items():
            if value is not None and name in arguments:
                self._refuse_both(name)
            elif value is not None:
                arguments[name] = value
        settings = self._env.attempt(
            lambda: Settings(rules=rules, **arguments, clock=self._clock, names=names)
        )
        self._env.refuse_faults()
        return cast("Settings", settings)

    def verifier(self, check: Check | None) -> TokenVerifier:
        """Return the verifier.

        Raises:
            ConfigError: naming every fault of the environment.
        """
        self._env.refuse_faults()
        return _verifier(self.variables, cast("Keys", self._keys), check, self._clock)

    def log(self) -> Log:
        """Return the log, with metrics in its lines if they are asked for."""
        if not self.variables.metrics:
            return self._log
        from kmsjwt.gateway.metrics import with_metrics

        function = self._env.text("AWS_LAMBDA_FUNCTION_NAME") or ""
        return with_metrics(self._log, function=function, clock=self._clock)

    def _refuse_both(self, argument: str) -> None:
        self._env.faults.append(
            f"{variable(argument)} is set and {argument}= is passed, expected one"
        )


def _rules_file(env: Environment, variables: AuthorizerSettings) -> Rules | None:
    """Return the rules of the file that is named."""
    if env.is_blank("KMSJWT_RULES"):  # of a template's unset parameter, perhaps
        env.faults.append(
            "KMSJWT_RULES is blank, expected a file of rules: leave the variable out where any"
            " valid token may use every route"
        )
    if not variables.rules:
        return None
    from kmsjwt.rules import read_rules

    return env.attempt(lambda: read_rules(variables.rules), about="KMSJWT_RULES")


def _tell(
    log: Log,
    function: str,
    variables: AuthorizerSettings,
    *,
    rules: Rules | None,
    token_from: str,
    seed: str | None,
    cache_ttl: int | None = None,
    warnings: list[str] | None = None,
) -> None:
    """Write the line that says at start what was understood, and what to be wary of."""
    unchecked = [name for name in ("issuer", "audience", "typ") if getattr(variables, name) is ANY]
    issuer, audience = variables.issuer, variables.audience
    log(
        "WARN" if unchecked or warnings else "INFO",
        "start",
        function=function,
        issuer=None if issuer is ANY else issuer,
        audience=None if isinstance(audience, Anything) else list(audience),
        unchecked=unchecked or None,
        keys_from=variables.keys.chosen_by,
        keys=variables.keys.told,
        ignored=variables.keys.ignored,
        seed=seed or None,
        verify=variables.keys.verify,
        recipe_key=variables.recipe_key or None,
        recipe_until=variables.recipe_until or None,
        rules=variables.rules or (None if rules is None else "in code"),
        token_from=token_from,
        cache_ttl=cache_ttl,
        warnings=warnings or None,
    )


def _warnings(variables: AuthorizerSettings, settings: Settings) -> Iterator[str]:
    for name, value in (
        ("KMSJWT_ISSUER", ANY if variables.issuer is ANY else (variables.issuer,)),
        ("KMSJWT_AUDIENCE", variables.audience),
        ("KMSJWT_TYP", variables.typ),
    ):
        for word in () if isinstance(value, Anything) else value:
            if word != _ANY and str(word).upper() == _ANY:
                yield f"{name} is {word!r}, a name like any other: only ANY leaves the check out"
    ttl, rules = settings.cache_ttl, settings.rules
    lifetime = variables.lifetime or _DEFAULT_LIFETIME
    if ttl and lifetime < _SHORT * ttl:
        guessed = "" if variables.lifetime else ", as they do where KMSJWT_LIFETIME is unset,"
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
    variables: AuthorizerSettings,
    client: Any,
    clock: Callable[[], float],
    log: Log,
) -> Keys | None:
    """Return the key sources of strict tokens and of the article's, if those are let in."""
    if not variables.keys.sound:
        return None
    return env.attempt(
        lambda: (
            verifying_keys(variables.keys, client, clock, log, seed=variables.seed),
            recipe_keys(variables.keys, variables.recipe_key, client, clock, log)
            if variables.recipe_key
            else None,
        ),
        about=variables.keys.chosen_by + (" or KMSJWT_JWKS_SEED" if variables.seed else ""),
    )


def _verifier(
    variables: AuthorizerSettings, keys: Keys, check: Check | None, clock: Callable[[], float]
) -> TokenVerifier:
    strict_keys, article_keys = keys
    strict = Verifier(
        strict_keys,
        issuer=variables.issuer,
        audience=variables.audience,
        typ=variables.typ,
        max_lifetime=variables.max_lifetime,
        check=check,
        clock=clock,
    )
    if article_keys is None:
        return strict
    from kmsjwt.handlers.recipe import RecipeVerifier, StrictOrRecipe

    recipe = RecipeVerifier(
        article_keys,
        key_id=variables.recipe_key,
        until=variables.recipe_until,
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
