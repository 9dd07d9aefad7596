"""What each function is told by its environment, as one immutable value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt._immutable import Immutable
from kmsjwt.algorithms import ALGORITHMS
from kmsjwt.errors import ConfigError, shown
from kmsjwt.expectations import ANY, DEFAULT_MAX_LIFETIME, DEFAULT_TYP, Anything
from kmsjwt.issuer import DEFAULT_LIFETIME, MAX_LIFETIME
from kmsjwt.key_names import is_alias
from kmsjwt.recipe import ALG, DAY, key_id_of, rfc3339

if TYPE_CHECKING:
    from kmsjwt.handlers._environment import Environment

DIRECT, IAM, CUSTOM = "direct", "iam", "custom"

_ANY = "ANY"
_WHY_NO_ALIAS = (
    "an alias, which cannot verify: once it moves, live tokens of its former key would be refused"
    " (name the key by id or ARN, or set KMSJWT_JWKS)"
)


class SigningKeySetting(Immutable):
    """The key named for signing, and the variable that named it.

    Attributes:
        name: id, ARN, alias or alias ARN; empty if neither variable is set.
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


class IssueSettings(Immutable):
    """What the issue function is told.

    Attributes:
        key: the key that signs.
        alg: its algorithm, where it could sign several; None for the key spec's default.
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
        recipe = _is_recipe(env)
        _recipe_until(env, mandatory=recipe)
        open_ = _is_open(env, recipe=recipe)
        callers = _callers(env, authenticates=authenticates, is_open=open_)
        audience, allowed = _audiences(env, over_http=callers in (IAM, CUSTOM), recipe=recipe)
        longest = _max_lifetime(env)
        _refuse_any(env)
        self._fill(
            key=key,
            alg=_recipe_alg(env) if recipe else _alg(env),
            region=env.text("KMSJWT_REGION"),
            issuer=env.required("KMSJWT_ISSUER", "the iss of every token"),
            audience=audience,
            allowed=allowed,
            lifetime=_lifetime(env, DAY if recipe else DEFAULT_LIFETIME, longest),
            max_lifetime=longest,
            callers=callers,
            kid=_recipe_kid(env) if recipe else _kid(env),
            recipe=recipe,
            open=open_,
        )


class KeySettings(Immutable):
    """Where verifying keys come from.

    Attributes:
        keys: KMS keys, by id or ARN; empty if a JWKS is used.
        jwks: a file or URL, if no KMS keys are named.
        alg: the algorithm of keys that could verify several and do not say.
        chosen_by: the variable that decided.
        verify: ``local`` or ``kms``.
        region: the Region of keys named by id.
        kids: how tokens name keys: ``thumbprint``, ``key-id``; both beside the article's tokens,
            so that leaving that profile strands no token either.
        sound: whether a key source can be made of it.
    """

    __slots__ = ("alg", "chosen_by", "jwks", "keys", "kids", "region", "sound", "verify")

    keys: tuple[str, ...]
    jwks: str | None
    alg: str | None
    chosen_by: str
    verify: str
    region: str | None
    kids: tuple[str, ...]
    sound: bool

    def __init__(self, env: Environment, key: SigningKeySetting, *, recipe: bool = False) -> None:
        faults = len(env.faults)
        keys, jwks = env.words("KMSJWT_KEYS"), env.text("KMSJWT_JWKS")
        chosen_by = "KMSJWT_KEYS" if keys else "KMSJWT_JWKS" if jwks else key.variable
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
        verify = env.choice("KMSJWT_VERIFY", "local", "kms") or "local"
        if verify == "kms" and not keys:
            env.faults.append("KMSJWT_VERIFY is kms, which needs KMSJWT_KEYS or KMSJWT_KEY")
        self._fill(
            keys=keys,
            jwks=jwks,
            alg=_recipe_alg(env) if recipe else _alg(env),
            chosen_by=chosen_by,
            verify=verify,
            region=env.text("KMSJWT_REGION"),
            kids=("key-id", "thumbprint") if recipe else (_kid(env),),
            sound=len(env.faults) == faults,
        )

    @property
    def told(self) -> list[str] | str:
        """What the log may say: the keys, or the JWKS without its query, where some put secrets."""
        if self.keys or self.jwks is None:
            return list(self.keys)
        return self.jwks.partition("?")[0]


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
        recipe_key: the article's key, if its tokens are let in, else empty.
        recipe_until: the cut-off, seconds since 1970.
    """

    __slots__ = (
        "audience",
        "issuer",
        "keys",
        "max_lifetime",
        "on_invalid",
        "recipe_key",
        "recipe_until",
        "response",
        "typ",
    )

    keys: KeySettings
    issuer: str | Anything
    audience: tuple[str, ...] | Anything
    typ: tuple[str, ...] | Anything
    max_lifetime: int
    on_invalid: str
    response: str
    recipe_key: str
    recipe_until: float

    def __init__(self, env: Environment) -> None:
        """Read the environment, which remembers every fault."""
        key = SigningKeySetting(env)
        recipe = _is_recipe(env)
        until = _recipe_until(env, mandatory=recipe)
        if recipe:
            _require_recipe_key(env, key)
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
            recipe_key=key.name if recipe else "",
            recipe_until=until or 0.0,
        )


class JwksSettings(Immutable):
    """What the jwks function is told.

    Attributes:
        keys: where its keys come from.
    """

    __slots__ = ("keys",)

    keys: KeySettings

    def __init__(self, env: Environment) -> None:
        """Read the environment, which remembers every fault."""
        keys = KeySettings(env, SigningKeySetting(env), recipe=_is_recipe(env))
        self._fill(keys=keys)


def _words_or_any(env: Environment, name: str) -> tuple[str, ...] | Anything:
    words = env.words(name)
    if _ANY not in words:
        return words
    if len(words) > 1:
        env.faults.append(f"{name} names ANY beside others, expected ANY alone or without it")
    return ANY


def _refuse_any(env: Environment) -> None:
    for name in ("KMSJWT_ISSUER", "KMSJWT_AUDIENCE", "KMSJWT_AUDIENCES_ALLOWED"):
        if _ANY in env.words(name):
            env.faults.append(f"{name} is ANY, and no token can be issued so: name it")


def _refuse_unfit(env: Environment, variable: str, name: str) -> None:
    if name.startswith("ring:"):
        env.faults.append(
            f"{variable} is {shown(name)}, and key rings are not there yet: name keys by id or ARN"
        )
    elif is_alias(name):
        env.faults.append(f"{variable} is {shown(name)}, {_WHY_NO_ALIAS}")


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


def _kid(env: Environment) -> str:
    return env.choice("KMSJWT_KID", "thumbprint", "key-id") or "thumbprint"


def _alg(env: Environment) -> str | None:
    return env.choice("KMSJWT_ALG", *ALGORITHMS)


def _recipe_alg(env: Environment) -> str:
    if env.choice("KMSJWT_ALG", *ALGORITHMS) not in (None, ALG):
        env.faults.append(f"KMSJWT_ALG is not {ALG}, which is the recipe's algorithm")
    return ALG


def _recipe_kid(env: Environment) -> str:
    if env.choice("KMSJWT_KID", "thumbprint", "key-id") == "thumbprint":
        env.faults.append("KMSJWT_KID is thumbprint, but the recipe's kid is the key id")
    return "key-id"


def _is_recipe(env: Environment) -> bool:
    return env.choice("KMSJWT_PROFILE", "recipe") == "recipe"


def _recipe_until(env: Environment, *, mandatory: bool) -> float | None:
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


def _require_recipe_key(env: Environment, key: SigningKeySetting) -> None:
    if key.name:
        env.attempt(lambda: key_id_of(key.name))
    else:
        env.faults.append("KMS_KEY_ID is unset, expected the key the article's function signs with")
