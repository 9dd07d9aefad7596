"""What an authorizer's environment says, as one immutable value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt._immutable import Immutable
from kmsjwt.expectations import ANY, DEFAULT_MAX_LIFETIME, DEFAULT_TYP, Anything
from kmsjwt.handlers._key_settings import KeySettings, SigningKeySetting
from kmsjwt.handlers._recipe_settings import is_recipe, recipe_until, require_recipe_key

if TYPE_CHECKING:
    from kmsjwt.handlers._environment import Environment

_ANY = "ANY"
_TEXTS = ("token_from", "on_invalid", "response", "principal_claim", "usage_claim")


class AuthorizerSettings(Immutable):
    """What the variables of an authorizer or a guard say.

    Attributes:
        keys: where its keys come from.
        issuer: the one ``iss``, or ANY.
        audience: the audiences of which a token must name one, or ANY.
        typ: acceptable header types, or ANY.
        max_lifetime: longest life of a token in seconds.
        rules: the file of rules; empty if any valid token may use every route.
        seed: the file with which a JWKS that is followed by its URL begins; empty for none.
        lifetime: seconds that tokens live, where it is told what the issue function is.
        for_gateway: arguments of `kmsjwt.gateway.Settings`, those that are set, not checked yet.
        metrics: whether log lines carry CloudWatch metrics.
        recipe_key: the article's key, if its tokens are let in, else empty.
        recipe_until: the cut-off, seconds since 1970.
    """

    __slots__ = (
        "audience",
        "for_gateway",
        "issuer",
        "keys",
        "lifetime",
        "max_lifetime",
        "metrics",
        "recipe_key",
        "recipe_until",
        "rules",
        "seed",
        "typ",
    )

    keys: KeySettings
    issuer: str | Anything
    audience: tuple[str, ...] | Anything
    typ: tuple[str, ...] | Anything
    max_lifetime: int
    rules: str
    seed: str
    lifetime: int | None
    for_gateway: dict[str, Any]
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
        keys = KeySettings(env, key, recipe=recipe)
        self._fill(
            keys=keys,
            issuer=ANY if issuer == _ANY else issuer,
            audience=audience,
            typ=_words_or_any(env, "KMSJWT_TYP") or DEFAULT_TYP,
            max_lifetime=env.seconds("KMSJWT_MAX_LIFETIME") or DEFAULT_MAX_LIFETIME,
            rules=env.text("KMSJWT_RULES") or "",
            seed=_seed(env, keys),
            lifetime=env.seconds("KMSJWT_LIFETIME"),
            for_gateway=_for_gateway(env),
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


def _seed(env: Environment, keys: KeySettings) -> str:
    seed = env.text("KMSJWT_JWKS_SEED") or ""
    if seed and not keys.is_followed:
        env.faults.append(
            f"KMSJWT_JWKS_SEED is set, and keys come from {keys.chosen_by}, which is no URL of a"
            " JWKS: a seed is what a JWKS at a URL begins with"
        )
    return seed


def variable(argument: str) -> str:
    """Return the name of the variable for an argument of `kmsjwt.gateway.Settings`."""
    return f"KMSJWT_{argument.upper()}"


def _for_gateway(env: Environment) -> dict[str, Any]:
    said = {
        **{name: env.text(variable(name)) for name in _TEXTS},
        "cache_ttl": env.seconds(variable("cache_ttl"), least=0),
        "context": env.words(variable("context")) or None,
    }
    return {name: value for name, value in said.items() if value is not None}
