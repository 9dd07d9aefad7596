"""Who asks for a token, and for what: one way per function, never guessed from the event.

A REST non-proxy or WebSocket integration passes a client's JSON through as the event, so nothing
in an event proves where it came from; the setting says what to take it for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from kmsjwt._immutable import Immutable
from kmsjwt.errors import ConfigError, TokenError, shown
from kmsjwt.handlers._http import BadRequest, is_http, json_body

if TYPE_CHECKING:
    from collections.abc import Callable

    Authenticate = Callable[[Mapping[str, Any]], tuple[str, Mapping[str, Any]] | None]

RECIPE_SUBJECT = "recipe"
"""The ``sub`` of a token whose asker the recipe does not know."""

_BEHIND_A_GATEWAY = "set KMSJWT_CALLERS=iam or custom for a function behind a gateway"
_DIRECT_MEMBERS = frozenset({"sub", "aud", "lifetime", "claims"})
_HTTP_MEMBERS = frozenset({"aud", "lifetime"})
# IAM guide, "IAM identifiers": the last part of an assumed role's ARN is the session's name,
# which whoever assumes the role chooses.
_ASSUMED_ROLE = re.compile(
    r"(arn:aws[a-z-]*:sts::[0-9]{12}:assumed-role/[\w+=,.@-]{1,64})/[\w+=,.@-]{1,64}", re.ASCII
)
_USER = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:user/[!-~]{1,576}")


class Principal(NamedTuple):
    """Whom a token is to speak for.

    Attributes:
        sub: the token's ``sub``.
        claims: further claims, which the asker did not choose (but in a direct call).
    """

    sub: str
    claims: Mapping[str, Any] = MappingProxyType({})


class Ask(Immutable):
    """One request for a token, its asker known.

    Attributes:
        principal: whom the token is to speak for.
        aud: the audience asked for, or several in a direct call; None if none was named.
        lifetime: seconds asked for; None if not named.
    """

    __slots__ = ("aud", "lifetime", "principal")

    principal: Principal
    aud: Any
    lifetime: Any

    def __init__(self, principal: Principal, *, aud: Any = None, lifetime: Any = None) -> None:
        self._fill(principal=principal, aud=aud, lifetime=lifetime)


class Unauthenticated(TokenError):
    """Nobody may be given a token for this request."""

    code = "unauthenticated"


def direct(event: object, *, default_sub: str | None = None) -> Ask:
    """Read a call of the function itself, which IAM guards.

    Args:
        event: the event.
        default_sub: the ``sub`` of an event that names none.

    Raises:
        Unauthenticated: a gateway sent the event.
        BadRequest: the event is not ``{"sub", "aud", "lifetime", "claims"}``.
    """
    if is_http(event):
        raise Unauthenticated(
            "a gateway sent the event, and KMSJWT_CALLERS is direct",
            code="not_direct",
            fix=_BEHIND_A_GATEWAY,
        )
    if not isinstance(event, Mapping):
        raise _not_direct(f"the event is {shown(event)}, expected an object")
    foreign = ", ".join(sorted(_named(name) for name in event if name not in _DIRECT_MEMBERS)[:8])
    if foreign and "sub" in event:  # a caller's, then, with a claim where it does not belong
        raise _not_direct(f"the event has {foreign}", f"put {foreign} inside claims")
    if foreign:
        raise _not_direct(f"the event has {foreign}")
    claims = event.get("claims")
    if claims is not None and not isinstance(claims, Mapping):
        raise BadRequest(f"claims is {shown(claims)}, expected an object", code="claims_type")
    sub = event.get("sub", default_sub)
    if not (isinstance(sub, str) and sub):
        raise BadRequest(f"sub is {shown(sub)}, expected a non-empty string", code="sub")
    return Ask(Principal(sub, claims or {}), aud=event.get("aud"), lifetime=event.get("lifetime"))


def iam(event: object) -> Ask:
    """Read a request whose caller the gateway authenticated by IAM.

    Raises:
        Unauthenticated: the gateway names no role or user.
        BadRequest: the body asks for more than an audience and a lifetime.
    """
    if not isinstance(event, Mapping):
        raise Unauthenticated("the event is no request of a gateway")
    return _over_http(event, Principal(_iam_subject(event.get("requestContext"))))


def custom(event: object, authenticate: Authenticate) -> Ask:
    """Read a request whose caller the user's own code authenticates.

    Raises:
        Unauthenticated: ``authenticate`` returned None.
        TokenError: whatever of it ``authenticate`` raised.
        BadRequest: the body asks for more than an audience and a lifetime.
        ConfigError: ``authenticate`` returned something else than a sub and claims.
    """
    if not isinstance(event, Mapping):
        raise Unauthenticated("the event is no request of a gateway")
    answer = authenticate(event)
    if answer is None:
        raise Unauthenticated("authenticate() knows nobody")
    return _over_http(event, _principal(answer))


def _over_http(event: Mapping[str, Any], principal: Principal) -> Ask:
    wanted = json_body(event)
    foreign = sorted(_named(name) for name in wanted if name not in _HTTP_MEMBERS)
    if foreign:
        raise BadRequest(
            f"the request names {', '.join(foreign[:8])}, and a caller chooses aud and lifetime"
            " alone",
            code="not_yours",
        )
    aud = wanted.get("aud")
    if aud is not None and not isinstance(aud, str):
        raise BadRequest(f"aud is {shown(aud)}, expected one audience as text", code="aud")
    return Ask(principal, aud=aud, lifetime=wanted.get("lifetime"))


def _iam_subject(context: object) -> str:
    """Return the role or user, without the session name that the caller chose.

    REST APIs and payload format 1.0 say ``identity.userArn``; HTTP APIs of format 2.0 and
    function URLs say ``authorizer.iam.userArn``.
    """
    if not isinstance(context, Mapping) or "connectionId" in context:
        raise Unauthenticated("the event is no HTTP request of a gateway")
    arns = {arn for arn in (_at(context, "identity"), _at(context, "authorizer", "iam")) if arn}
    arn = arns.pop() if len(arns) == 1 else None
    role = _ASSUMED_ROLE.fullmatch(arn) if isinstance(arn, str) else None
    if role is not None:
        return role[1]
    if isinstance(arn, str) and _USER.fullmatch(arn):
        return arn
    # Federated users (GetFederationToken) choose their own names; root is nobody in particular.
    raise Unauthenticated(
        "the gateway names no IAM role or user",
        code="no_iam_caller",
        fix="set the route's authorization to AWS_IAM",
    )


def _at(value: object, *path: str) -> object:
    for name in (*path, "userArn"):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else None


def _principal(answer: object) -> Principal:
    match answer:
        case (str(sub), claims) if sub and isinstance(claims, Mapping):
            return Principal(sub, claims)
    raise ConfigError(
        f"authenticate() returned {shown(answer)}, expected a sub and claims, or None",
        code="authenticate_answer",
        fix='return issue.Principal("ala", {"tenant": "t1"})',
    )


def _not_direct(what: str, fix: str = _BEHIND_A_GATEWAY) -> BadRequest:
    message = f"{what}, expected sub, aud, lifetime and claims alone"
    return BadRequest(message, code="not_direct", fix=fix)


def _named(name: object) -> str:
    # An event that a client wrote may hold anything in a member's name, a token too.
    plain = isinstance(name, str) and len(name) <= 32 and name.isascii() and name.isidentifier()
    return str(name) if plain else "a member of an odd name"
