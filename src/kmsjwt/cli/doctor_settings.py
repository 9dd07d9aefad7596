"""From a function's environment to what the doctor looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from kmsjwt.authority.doctor import FUNCTIONS, Deployment, Told, Use
from kmsjwt.errors import ConfigError
from kmsjwt.handlers._authorizer_settings import AuthorizerSettings
from kmsjwt.handlers._environment import COMMAND_LINE, KNOWN, PREFIX, Environment
from kmsjwt.handlers._issue_settings import CUSTOM, IssueSettings
from kmsjwt.handlers._key_settings import JwksSettings, KeySettings, SigningKeySetting
from kmsjwt.handlers._rotate_settings import RotateSettings
from kmsjwt.key_names import RING_PREFIX, is_alias, is_ring

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from kmsjwt.authority.doctor import Function

OWN = "KMSJWT_FUNCTION"
"""The twin of ``--function``, which no function reads."""

# What one function alone reads, in the order in which it is looked for.
_GIVE_AWAY: tuple[tuple[Function, tuple[str, ...]], ...] = (
    ("rotate", ("RING", "TO", "PERIOD", "CONSUMER_CACHE", "SIGNER_REFRESH", "CDN", "PUBLIC")),
    (
        "authorizer",
        (
            "CACHE_TTL",
            "JWKS_SEED",
            "RULES",
            "TOKEN_FROM",
            "ON_INVALID",
            "RESPONSE",
            "CONTEXT",
            "USAGE_CLAIM",
            "VERIFY",
            "TYP",
            "METRICS",
        ),
    ),
    ("issue", ("CALLERS", "AUDIENCES_ALLOWED", "RECIPE_OPEN")),
)
_ALWAYS_TOLD = ("ISSUER", "REGION", "ALG", "KID", "PROFILE")
_TOLD: dict[Function, tuple[str, ...]] = {
    "issue": (*_ALWAYS_TOLD, "JWKS", "AUDIENCE", "LIFETIME", "MAX_LIFETIME", "CALLERS"),
    "authorizer": (
        *_ALWAYS_TOLD,
        "JWKS_SEED",
        "AUDIENCE",
        "VERIFY",
        "RULES",
        "LIFETIME",
        "CACHE_TTL",
    ),
    "jwks": (*_ALWAYS_TOLD, "DOCUMENT_MAX_AGE"),
    "rotate": (
        "RING",
        *_ALWAYS_TOLD[:2],
        "TO",
        "PUBLIC",
        "CDN",
        "SPEC",
        "ALG",
        "BUNDLE",
        "PERIOD",
        "MAX_LIFETIME",
        "SIGNER_REFRESH",
        "DOCUMENT_MAX_AGE",
        "CONSUMER_CACHE",
    ),
}


class _Nobody:
    """Stands where a KMS client would: a function that is built asks nothing yet."""


def deployment(
    environ: Mapping[str, str], *, function: str | None = None, given: Collection[str] = ()
) -> Deployment:
    """Read an environment as one of the functions does.

    Args:
        environ: the function's environment.
        function: which function; guessed from the variables that are set if None.
        given: the variables that an option gave.

    Raises:
        ConfigError: nothing says which function it is.
    """
    variables = {name: value for name, value in environ.items() if name not in _own(environ)}
    chosen, why = (
        (cast("Function", function), "--function") if function else _guess(variables, given)
    )
    env = Environment(variables)
    read = {"issue": _issue, "authorizer": _authorizer, "jwks": _jwks, "rotate": _rotate}[chosen]
    known, variable = read(env)
    faults = [*env.faults, *_faults_when_built(chosen, variables, is_custom=_is_custom(env))]
    names = [*([variable] if variable else []), *(PREFIX + name for name in _TOLD[chosen])]
    if known.get("ignored") in given:
        known["ignored"] = "--jwks"
    return Deployment(
        function=chosen,
        chosen_by=why,
        told=tuple(_told(env, dict.fromkeys(names), given)),
        faults=tuple(dict.fromkeys(faults)),
        region=env.text("KMSJWT_REGION"),
        **known,
    )


def _own(environ: Mapping[str, str]) -> set[str]:
    """Return what is the command line's alone."""
    return {name for name in environ if name == OWN or name in COMMAND_LINE - KNOWN}


def _guess(variables: Mapping[str, str], given: Collection[str]) -> tuple[Function, str]:
    """Return which function it is, and which variable says so.

    ``--jwks`` says where to look, whatever the function is.
    """
    env = Environment(variables)
    for function, names in _GIVE_AWAY:
        for name in names:
            if env.text(PREFIX + name):
                return function, _because(PREFIX + name)
    keys = next(
        (name for name in ("KMSJWT_KEYS", "KMSJWT_JWKS") if env.text(name) and name not in given),
        None,
    )
    key = SigningKeySetting(env)
    if key.name and (not keys or env.text("KMSJWT_LIFETIME")):
        signs = env.text("KMSJWT_ISSUER") or is_alias(key.name) or is_ring(key.name)
        beside = ["KMSJWT_ISSUER"] if env.text("KMSJWT_ISSUER") else []
        return ("issue" if signs else "jwks"), _because(key.variable, *beside)
    if keys:
        is_checked = env.text("KMSJWT_AUDIENCE") is not None
        beside = ["KMSJWT_AUDIENCE"] if is_checked else []
        return ("authorizer" if is_checked else "jwks"), _because(keys, *beside)
    if env.text("KMSJWT_JWKS"):
        return "jwks", _because("KMSJWT_JWKS")
    raise ConfigError(
        "neither an option nor the environment says what to look at",
        code="missing_option",
        fix=f"set the function's KMSJWT_ variables, or name --function {'|'.join(FUNCTIONS)}"
        " and --key",
    )


def _because(*names: str) -> str:
    return f"guessed: {' and '.join(names)} {'is' if len(names) == 1 else 'are'} set"


def _issue(env: Environment) -> tuple[dict[str, Any], str | None]:
    settings = IssueSettings(env, authenticates=_is_custom(env))
    key = settings.key
    return {
        "uses": (Use(name=key.name, action="sign"),) if key.name else (),
        "issuer": settings.issuer or None,
        "jwks": env.text("KMSJWT_JWKS"),
        "alg": settings.alg,
        "kid": settings.kid,
        "message_type": "RAW" if settings.recipe else None,
        "lifetime": settings.lifetime,
        "max_lifetime": settings.max_lifetime if env.text("KMSJWT_MAX_LIFETIME") else None,
    }, key.variable


def _authorizer(env: Environment) -> tuple[dict[str, Any], str | None]:
    settings = AuthorizerSettings(env)
    return {
        **_of_keys(env, settings.keys),
        "issuer": settings.issuer if isinstance(settings.issuer, str) else None,
        "lifetime": settings.lifetime,
        "cache_ttl": settings.for_gateway.get("cache_ttl"),
    }, settings.keys.chosen_by


def _jwks(env: Environment) -> tuple[dict[str, Any], str | None]:
    settings = JwksSettings(env)
    return {
        **_of_keys(env, settings.keys),
        "issuer": settings.issuer,
        "max_age": settings.max_age,
    }, settings.keys.chosen_by


def _of_keys(env: Environment, keys: KeySettings) -> dict[str, Any]:
    action = "verify" if keys.verify == "kms" else "read"
    uses = [Use(name=name, action=cast("Any", action)) for name in keys.keys]
    uses += [Use(name=RING_PREFIX + name, action="read") for name in keys.rings]
    signing = SigningKeySetting(env)
    if keys.jwks is not None and signing.name:
        uses = [Use(name=signing.name, action="compare")]
    return {
        "uses": tuple(uses),
        "jwks": keys.jwks,
        "alg": keys.alg,
        "kid": keys.kids[0],
        "ignored": keys.ignored,
        "decided_by": keys.chosen_by,
    }


def _rotate(env: Environment) -> tuple[dict[str, Any], str | None]:
    settings = RotateSettings(env)
    name = settings.ring.removeprefix("alias/").removeprefix(RING_PREFIX)
    return {
        "uses": (Use(name=RING_PREFIX + name, action="rotate"),) if name else (),
        "issuer": settings.issuer,
        "to": settings.to,
        "public": settings.public,
        "cdn": settings.cdn,
        "spec": settings.spec,
        "ring_settings": settings.changes,
    }, None


def _faults_when_built(
    function: Function, variables: Mapping[str, str], *, is_custom: bool
) -> tuple[str, ...]:
    """Return what is found wrong when the function is built."""
    try:
        _builder(function, is_custom=is_custom)(variables)
    except ConfigError as error:
        return error.faults
    return ()


def _builder(function: Function, *, is_custom: bool) -> Callable[[Mapping[str, str]], object]:
    from kmsjwt.handlers import authorizer, issue, jwks, rotate

    told: dict[str, Any] = {"client": _Nobody(), "log": _say_nothing}
    if function == "issue":
        asks = (lambda _event: None) if is_custom else None
        return lambda environ: issue.build(environ=environ, authenticate=asks, **told)
    build: Any = {"authorizer": authorizer.build, "jwks": jwks.build, "rotate": rotate.build}
    return lambda environ: build[function](environ=environ, **told)


def _say_nothing(_level: str, _event: str, **_fields: object) -> None:
    pass


def _is_custom(env: Environment) -> bool:
    """Tell whether code that is not seen from here is said to tell who asks."""
    return env.text("KMSJWT_CALLERS") == CUSTOM


def _told(env: Environment, names: Collection[str], given: Collection[str]) -> list[Told]:
    return [
        Told(
            variable=name,
            value=_harmless(value),
            by="option" if name in given else "environment",
        )
        for name in names
        if (value := env.text(name)) is not None
    ]


def _harmless(value: str) -> str:
    """Return what may be shown of a value: no query of a URL, no password in one."""
    start = value.partition("?")[0]
    return "not shown" if "@" in start and "://" in start else start
