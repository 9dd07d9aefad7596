"""What the recipe's profile asks of the environment: the article's key, algorithm and cut-off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt.algorithms import ALGORITHMS
from kmsjwt.errors import ConfigError
from kmsjwt.recipe import ALG, key_id_of, rfc3339

if TYPE_CHECKING:
    from kmsjwt.handlers._environment import Environment
    from kmsjwt.handlers._key_settings import SigningKeySetting


def is_recipe(env: Environment) -> bool:
    return env.choice("KMSJWT_PROFILE", "recipe") == "recipe"


def recipe_until(env: Environment, *, mandatory: bool) -> float | None:
    text = env.text("KMSJWT_RECIPE_UNTIL")
    if text is None:
        if mandatory:
            env.faults.append(
                "KMSJWT_RECIPE_UNTIL is unset, expected when the article's function signs last,"
                " such as 2026-11-22T12:00:00Z"
            )
        return None
    try:
        return rfc3339(text)
    except ConfigError as error:
        env.faults.append(f"KMSJWT_RECIPE_UNTIL: {error.message}")
        return None


def recipe_alg(env: Environment) -> str:
    if env.choice("KMSJWT_ALG", *ALGORITHMS) not in (None, ALG):
        env.faults.append(f"KMSJWT_ALG is not {ALG}, which is the recipe's algorithm")
    return ALG


def recipe_kid(env: Environment) -> str:
    if env.choice("KMSJWT_KID", "thumbprint", "key-id") == "thumbprint":
        env.faults.append("KMSJWT_KID is thumbprint, but the recipe's kid is the key id")
    return "key-id"


def require_recipe_key(env: Environment, key: SigningKeySetting) -> None:
    if key.name:
        env.attempt(lambda: key_id_of(key.name))
    else:
        env.faults.append("KMS_KEY_ID is unset, expected the key the article's function signs with")
