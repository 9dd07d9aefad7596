"""What the recipe's profile asks of the environment: the article's key, algorithm and cut-off.

Who does not have that profile does not load its room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt.algorithms import ALGORITHMS
from kmsjwt.errors import ConfigError

if TYPE_CHECKING:
    from kmsjwt.handlers._environment import Environment
    from kmsjwt.handlers._key_settings import SigningKeySetting


def is_recipe(env: Environment) -> bool:
    """Tell whether the recipe's profile is on."""
    return env.choice("KMSJWT_PROFILE", "recipe") == "recipe"


def recipe_until(env: Environment, *, mandatory: bool) -> float | None:
    """Return the cut-off, seconds since 1970, if there is one."""
    text = env.text("KMSJWT_RECIPE_UNTIL")
    if text is None:
        if mandatory:
            env.faults.append(
                "KMSJWT_RECIPE_UNTIL is unset, expected when the article's function signs last,"
                " such as 2026-11-22T12:00:00Z"
            )
        return None
    from kmsjwt.recipe import rfc3339

    try:
        return rfc3339(text)
    except ConfigError as error:
        env.faults.append(f"KMSJWT_RECIPE_UNTIL: {error.message}")
        return None


def recipe_alg(env: Environment) -> str:
    """Return the article's algorithm; another one asked for is a fault."""
    from kmsjwt.recipe import ALG

    if env.choice("KMSJWT_ALG", *ALGORITHMS) not in (None, ALG):
        env.faults.append(f"KMSJWT_ALG is not {ALG}, which is the recipe's algorithm")
    return ALG


def recipe_kid(env: Environment) -> str:
    """Return how the article's tokens name their key; another way asked for is a fault."""
    if env.choice("KMSJWT_KID", "thumbprint", "key-id") == "thumbprint":
        env.faults.append("KMSJWT_KID is thumbprint, but the recipe's kid is the key id")
    return "key-id"


def require_recipe_key(env: Environment, key: SigningKeySetting) -> None:
    """Remember a fault unless the article's key is named, by its id or ARN."""
    if not key.name:
        env.faults.append("KMS_KEY_ID is unset, expected the key the article's function signs with")
        return
    from kmsjwt.recipe import key_id_of

    env.attempt(lambda: key_id_of(key.name))
