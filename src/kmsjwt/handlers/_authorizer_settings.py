"""What the authorizer is told by its environment, as one immutable value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt._immutable import Immutable
from kmsjwt.errors import ConfigError
from kmsjwt.expectations import ANY, DEFAULT_MAX_LIFETIME, DEFAULT_TYP, Anything
from kmsjwt.gateway.places import DEFAULT_PLACE, token_place
from kmsjwt.gateway.settings import MAX_TTL
from kmsjwt.handlers._key_settings import KeySettings, SigningKeySetting
from kmsjwt.handlers._recipe_settings import is_recipe, recipe_until, require_recipe_key

if TYPE_CHECKING:
    from kmsjwt.handlers._environment import Environment

_ANY = "ANY"


class AuthorizerSettings(Immutable):
    """What the authorizer is told.

    Attributes:
        keys: where its keys come from.
        issuer: the one ``iss``, or ANY.
        audience: the audiences of which a token must name one, or ANY.
        typ: acceptable header types, or ANY.
        max_lifetime: longest life of a token in seconds.
        on_invalid: ``401`` or ``deny``.
        response: ``iam`` or ``simple``.
        token_from: the one place of the token.
        rules: the file of rules; empty if any valid token may use every route.
        cache_ttl: seconds that the gateway keeps an answer, if it is told.
        lifetime: seconds that tokens live, where it is told what the issue function is.
        context: the claims that the backend is told; None for the default ones.
        usage_claim: the claim with the API key of a usage plan, if any.
        metrics: whether log lines carry CloudWatch metrics.
        recipe_key: the article's key, if its tokens are let in, else empty.
        recipe_until: the cut-off, seconds since 1970.
    """

    __slots__ = (
        "audience",
        "cache_ttl",
        "context",
        "issuer",
        "keys",
        "lifetime",
        "max_lifetime",
        "metrics",
        "on_invalid",
        "recipe_key",
        "recipe_until",
        "response",
        "rules",
        "token_from",
        "typ",
        "usage_claim",
    )

    keys: KeySettings
    issuer: str | Anything
    audience: tuple[str, ...] | Anything
    typ: tuple[str, ...] | Anything
    max_lifetime: int
    on_invalid: str
    response: str
    token_from: str
    rules: str
    cache_ttl: int | None
    lifetime: int | None
    context: tuple[str, ...] | None
    usage_claim: str | None
    metrics: bool
    recipe_key: str
    recipe_until: float

    def __init__(self, env: Environment) -> None:
        """Read the environment, which remembers every fault."""
        key = SigningKeySetting(env)
        recipe = is_recipe(env)
        until = recipe_until(env, mandatory=recipe)
        if recipe:
            require_recipe_key(env, key)
        if not env.words("KMSJWT_AUDIENCE"):
            env.faults.append("KMSJWT_AUDIENCE is unset, expected the aud this API goes by")
        issuer = env.required("KMSJWT_ISSUER", "the iss that tokens must have")
        audience = _words_or_any(env, "KMSJWT_AUDIENCE")
        if recipe and issuer == _ANY and audience is ANY:
            env.faults.append(
                "KMSJWT_ISSUER and KMSJWT_AUDIENCE are ANY, expected one of them named beside"
                " KMSJWT_PROFILE recipe: the article's tokens, their signatures spelled anew,"
                " would else pass after KMSJWT_RECIPE_UNTIL"
            )
        self._fill(
            keys=KeySettings(env, key, recipe=recipe),
            issuer=ANY if issuer == _ANY else issuer,
            audience=audience,
            typ=_words_or_any(env, "KMSJWT_TYP") or DEFAULT_TYP,
            max_lifetime=env.seconds("KMSJWT_MAX_LIFETIME") or DEFAULT_MAX_LIFETIME,
            on_invalid=env.choice("KMSJWT_ON_INVALID", "401", "deny") or "401",
            response=env.choice("KMSJWT_RESPONSE", "iam", "simple") or "iam",
            token_from=_token_from(env),
            rules=env.text("KMSJWT_RULES") or "",
            cache_ttl=_cache_ttl(env),
            lifetime=env.seconds("KMSJWT_LIFETIME"),
            context=env.words("KMSJWT_CONTEXT") or None,
            usage_claim=env.text("KMSJWT_USAGE_CLAIM"),
            metrics=env.choice("KMSJWT_METRICS", "emf", "off") == "emf",
            recipe_key=key.name if recipe else "",
            recipe_until=until or 0.0,
        )


def _words_or_any(env: Environment, name: str) -> tuple[str, ...] | Anything:
    words = env.words(name)
    if _ANY not in words:
        return words
    if len(words) > 1:
        env.faults.append(f"{name} names ANY beside others, expected ANY alone or without it")
    return ANY


def _token_from(env: Environment) -> str:
    named = env.text("KMSJWT_TOKEN_FROM") or DEFAULT_PLACE
    try:
        return token_place(named).text
    except ConfigError as error:
        env.faults.append(f"KMSJWT_TOKEN_FROM: {error.message}")
        return DEFAULT_PLACE


def _cache_ttl(env: Environment) -> int | None:
    ttl = env.seconds("KMSJWT_CACHE_TTL", least=0)
    if ttl is not None and ttl > MAX_TTL:
        env.faults.append(f"KMSJWT_CACHE_TTL is {ttl} s, expected at most {MAX_TTL}")
    return ttl
