"""Which keys a function signs or verifies with, as its environment names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt._immutable import Immutable
from kmsjwt.algorithms import ALGORITHMS
from kmsjwt.errors import ConfigError, shown
from kmsjwt.handlers._recipe_settings import is_recipe, recipe_alg
from kmsjwt.key_names import RING_PREFIX, is_alias, is_ring, ring_name

if TYPE_CHECKING:
    from kmsjwt.handlers._environment import Environment

_WHY_NO_ALIAS = (
    "an alias, which cannot verify: once it moves, live tokens of its former key would be refused"
    " (name the key by id or ARN, or its ring as ring:NAME, or set KMSJWT_JWKS)"
)
MAX_AGE = 300
"""Seconds for which anyone may keep what the jwks function answers, if nothing is set."""
_LONGEST_MAX_AGE = 86_400


class SigningKeySetting(Immutable):
    """The key named for signing, and the variable that named it.

    Attributes:
        name: id, ARN, alias, alias ARN or ``ring:NAME``; empty if neither variable is set.
        variable: ``KMSJWT_KEY``, or the recipe's ``KMS_KEY_ID``.
        ignored: the other variable, if both are set.
    """

    __slots__ = ("ignored", "name", "variable")

    name: str
    variable: str
    ignored: str | None

    def __init__(self, env: Environment) -> None:
        own, recipes = env.text("KMSJWT_KEY"), env.text("KMS_KEY_ID")
        self._fill(
            name=own or recipes or "",
            variable="KMS_KEY_ID" if recipes and not own else "KMSJWT_KEY",
            ignored="KMS_KEY_ID" if own and recipes else None,
        )


class KeySettings(Immutable):
    """Where verifying keys come from.

    Attributes:
        keys: KMS keys, by id or ARN; empty if a JWKS or rings alone are used.
        rings: KMS key rings, by name.
        jwks: a file or URL, if no KMS keys are named.
        alg: the algorithm of keys that could verify several and do not say.
        chosen_by: the variable that decided.
        ignored: ``KMSJWT_JWKS``, where that is set too and something else decided.
        verify: ``local`` or ``kms``.
        region: the Region of keys named by id.
        kids: how tokens name keys: ``thumbprint``, ``key-id``; both beside the article's tokens,
            so that leaving that profile strands no token either.
        sound: whether a key source can be made of it.
    """

    __slots__ = (
        "alg",
        "chosen_by",
        "ignored",
        "jwks",
        "keys",
        "kids",
        "region",
        "rings",
        "sound",
        "verify",
    )

    keys: tuple[str, ...]
    rings: tuple[str, ...]
    jwks: str | None
    alg: str | None
    chosen_by: str
    ignored: str | None
    verify: str
    region: str | None
    kids: tuple[str, ...]
    sound: bool

    def __init__(self, env: Environment, key: SigningKeySetting, *, recipe: bool = False) -> None:
        faults = len(env.faults)
        keys, jwks = env.words("KMSJWT_KEYS"), env.text("KMSJWT_JWKS")
        chosen_by = "KMSJWT_KEYS" if keys else "KMSJWT_JWKS" if jwks else key.variable
        ignored = "KMSJWT_JWKS" if keys and jwks else None
        if keys:
            jwks = None
        elif jwks is None:
            keys = (key.name,) if key.name else ()
        if not keys and jwks is None:
            env.faults.append(
                "KMSJWT_KEYS is unset, expected the KMS keys to verify with, or KMSJWT_JWKS"
            )
        for name in keys:
            _refuse_unfit(env, chosen_by, name)
        fixed = tuple(name for name in keys if not is_ring(name))
        rings = tuple(name.removeprefix(RING_PREFIX) for name in keys if is_ring(name))
        verify = env.choice("KMSJWT_VERIFY", "local", "kms") or "local"
        if verify == "kms" and not keys:
            env.faults.append("KMSJWT_VERIFY is kms, which needs KMSJWT_KEYS or KMSJWT_KEY")
        if verify == "kms" and rings:
            env.faults.append(
                f"KMSJWT_VERIFY is kms, which asks KMS about keys named one by one, and {chosen_by}"
                f" is {shown(RING_PREFIX + rings[0])}, whose keys change: leave KMSJWT_VERIFY out"
            )
        if rings and not fixed and not recipe:
            refuse_for_ring(env, chosen_by)
        self._fill(
            keys=fixed,
            rings=rings,
            jwks=jwks,
            alg=recipe_alg(env) if recipe else chosen_alg(env),
            chosen_by=chosen_by,
            ignored=ignored,
            verify=verify,
            region=env.text("KMSJWT_REGION"),
            kids=("key-id", "thumbprint") if recipe else (chosen_kid(env),),
            sound=len(env.faults) == faults,
        )

    @property
    def is_followed(self) -> bool:
        """Whether keys come from a JWKS at a URL."""
        return (self.jwks or "").lower().startswith(("https://", "http://"))

    @property
    def told(self) -> list[str] | str:
        """What the log may say: the keys, or the JWKS without its query, where some put secrets."""
        if self.jwks is None:
            return [*self.keys, *(RING_PREFIX + ring for ring in self.rings)]
        return self.jwks.partition("?")[0]


class JwksSettings(Immutable):
    """What the jwks function is told.

    Attributes:
        keys: where its keys come from.
        issuer: whose discovery documents it publishes too.
        max_age: seconds for which anybody may keep an answer, and the function what it has read.
    """

    __slots__ = ("issuer", "keys", "max_age")

    keys: KeySettings
    issuer: str | None
    max_age: int

    def __init__(self, env: Environment) -> None:
        """Read the environment, which remembers every fault."""
        keys = KeySettings(env, SigningKeySetting(env), recipe=is_recipe(env))
        max_age = env.seconds("KMSJWT_DOCUMENT_MAX_AGE") or MAX_AGE
        if max_age > _LONGEST_MAX_AGE:
            env.faults.append(f"KMSJWT_DOCUMENT_MAX_AGE is {max_age} s, expected 24h at most")
        self._fill(keys=keys, issuer=env.text("KMSJWT_ISSUER"), max_age=max_age)


def _refuse_unfit(env: Environment, variable: str, name: str) -> None:
    if is_ring(name):
        require_ring(env, variable, name)
    elif is_alias(name):
        env.faults.append(f"{variable} is {shown(name)}, {_WHY_NO_ALIAS}")


def require_ring(env: Environment, variable: str, name: str) -> None:
    """Remember a fault unless it is a ring's name."""
    try:
        ring_name(name)
    except ConfigError as error:
        env.faults.append(f"{variable}: {error.message}")


def refuse_for_ring(env: Environment, variable: str) -> None:
    """Remember a fault for each setting that a ring decides itself."""
    if env.text("KMSJWT_ALG") is not None:
        env.faults.append(f"KMSJWT_ALG is set and {variable} is a ring, whose keys say their own")
    if env.text("KMSJWT_KID") == "key-id":
        env.faults.append(
            f"KMSJWT_KID is key-id and {variable} is a ring, whose keys go by their thumbprints"
        )


def chosen_kid(env: Environment) -> str:
    return env.choice("KMSJWT_KID", "thumbprint", "key-id") or "thumbprint"


def chosen_alg(env: Environment) -> str | None:
    return env.choice("KMSJWT_ALG", *ALGORITHMS)
