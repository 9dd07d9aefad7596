"""What the issue function is told by its environment, as one immutable value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt._immutable import Immutable
from kmsjwt.errors import shown
from kmsjwt.handlers._key_settings import (
    SigningKeySetting,
    chosen_alg,
    chosen_kid,
    refuse_for_ring,
)
from kmsjwt.handlers._recipe_settings import is_recipe, recipe_alg, recipe_kid, recipe_until
from kmsjwt.issuer import DEFAULT_LIFETIME, MAX_LIFETIME
from kmsjwt.key_names import is_ring as names_ring
from kmsjwt.recipe import DAY

if TYPE_CHECKING:
    from kmsjwt.handlers._environment import Environment

DIRECT, IAM, CUSTOM = "direct", "iam", "custom"


class IssueSettings(Immutable):
    """What the issue function is told.

    Attributes:
        key: the key that signs.
        alg: its algorithm, where it could sign several; None for the key spec's default, or the
            ring's.
        region: its Region, where its name does not say it.
        issuer: the ``iss``.
        audience: the audiences of a token whose asker names none.
        allowed: the audiences an asker may choose from; empty if any.
        lifetime: seconds, where the asker chooses none.
        max_lifetime: seconds no token outlives.
        callers: ``direct``, ``iam`` or ``custom``.
        kid: ``thumbprint`` or ``key-id``.
        recipe: whether to answer as the article's function does.
        open: whether anyone may mint.
    """

    __slots__ = (
        "alg",
        "allowed",
        "audience",
        "callers",
        "issuer",
        "key",
        "kid",
        "lifetime",
        "max_lifetime",
        "open",
        "recipe",
        "region",
    )

    key: SigningKeySetting
    alg: str | None
    region: str | None
    issuer: str
    audience: tuple[str, ...]
    allowed: tuple[str, ...]
    lifetime: int
    max_lifetime: int
    callers: str
    kid: str
    recipe: bool
    open: bool

    def __init__(self, env: Environment, *, authenticates: bool) -> None:
        """Read the environment, which remembers every fault.

        Args:
            env: the environment.
            authenticates: whether code was given that tells who asks.
        """
        key = SigningKeySetting(env)
        if not key.name:
            env.faults.append("KMSJWT_KEY is unset, expected the KMS key that signs")
        recipe = is_recipe(env)
        is_ring = names_ring(key.name)
        if is_ring:
            _refuse_unfit_ring(env, key, recipe=recipe)
        recipe_until(env, mandatory=recipe)
        open_ = _is_open(env, recipe=recipe)
        callers = _callers(env, authenticates=authenticates, is_open=open_)
        audience, allowed = _audiences(env, over_http=callers in (IAM, CUSTOM), recipe=recipe)
        longest = _max_lifetime(env)
        alg = recipe_alg(env) if recipe else chosen_alg(env)
        kid = recipe_kid(env) if recipe else chosen_kid(env)
        _refuse_any(env)
        self._fill(
            key=key,
            alg=None if is_ring else alg,
            region=env.text("KMSJWT_REGION"),
            issuer=env.required("KMSJWT_ISSUER", "the iss of every token"),
            audience=audience,
            allowed=allowed,
            lifetime=_lifetime(env, DAY if recipe else DEFAULT_LIFETIME, longest),
            max_lifetime=longest,
            callers=callers,
            kid="thumbprint" if is_ring else kid,
            recipe=recipe,
            open=open_,
        )


def _refuse_unfit_ring(env: Environment, key: SigningKeySetting, *, recipe: bool) -> None:
    if recipe:
        env.faults.append(
            f"{key.variable} is {shown(key.name)}, and the recipe's tokens name one key by its id"
        )
    else:
        refuse_for_ring(env, key.variable)


def _refuse_any(env: Environment) -> None:
    for name in ("KMSJWT_ISSUER", "KMSJWT_AUDIENCE", "KMSJWT_AUDIENCES_ALLOWED"):
        if "ANY" in env.words(name):
            env.faults.append(f"{name} is ANY, and no token can be issued so: name it")


def _callers(env: Environment, *, authenticates: bool, is_open: bool) -> str:
    chosen = env.choice("KMSJWT_CALLERS", DIRECT, IAM, CUSTOM)
    if is_open and (chosen is not None or authenticates):
        other = f"KMSJWT_CALLERS is {chosen}" if chosen else "an authenticate was passed"
        env.faults.append(f"KMSJWT_RECIPE_OPEN is yes, so anyone may mint, but {other}")
    if authenticates and chosen not in (None, CUSTOM):
        env.faults.append(
            f"KMSJWT_CALLERS is {chosen}, which never asks the authenticate that was passed"
        )
    if chosen == CUSTOM and not authenticates:
        env.faults.append("KMSJWT_CALLERS is custom, which needs issue.build(authenticate=...)")
    return chosen or (CUSTOM if authenticates else DIRECT)


def _is_open(env: Environment, *, recipe: bool) -> bool:
    is_open = env.choice("KMSJWT_RECIPE_OPEN", "yes", "no") == "yes"
    if is_open and not recipe:
        env.faults.append("KMSJWT_RECIPE_OPEN is yes, but KMSJWT_PROFILE is not recipe")
    return is_open


def _audiences(
    env: Environment, *, over_http: bool, recipe: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the default audiences, and those that may be asked for (none: any)."""
    allowed = env.words("KMSJWT_AUDIENCES_ALLOWED")
    audience = env.words("KMSJWT_AUDIENCE") or (allowed if len(allowed) == 1 else ())
    if allowed and not set(audience) <= set(allowed):
        env.faults.append("KMSJWT_AUDIENCE is not among KMSJWT_AUDIENCES_ALLOWED")
    if recipe and not audience:
        env.faults.append("KMSJWT_AUDIENCE is unset, expected the aud of the recipe's tokens")
    if over_http and not (allowed or audience):
        env.faults.append(
            "KMSJWT_AUDIENCES_ALLOWED and KMSJWT_AUDIENCE are unset, expected the audiences"
            " that callers may choose from"
        )
    return audience, allowed or (audience if over_http else ())


def _max_lifetime(env: Environment) -> int:
    longest = env.seconds("KMSJWT_MAX_LIFETIME") or MAX_LIFETIME
    if longest > MAX_LIFETIME:
        env.faults.append(f"KMSJWT_MAX_LIFETIME is {longest} s, expected at most {MAX_LIFETIME}")
    return longest


def _lifetime(env: Environment, default: int, longest: int) -> int:
    chosen = env.seconds("KMSJWT_LIFETIME")
    if chosen is not None and chosen > longest:
        env.faults.append(f"KMSJWT_LIFETIME is {chosen} s, expected at most {longest}")
    return chosen or min(default, longest)
