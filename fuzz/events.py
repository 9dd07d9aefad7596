"""API Gateway events: an Allow only for the one good token, and only for its API and stage."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from fuzz import reference, tokens
from fuzz.draw import Draw
from fuzz.promises import broken, promise
from fuzz.reference import No, demand
from kmsjwt import CannotKnow, ConfigError
from kmsjwt.gateway import Authorizer, Unauthorized
from kmsjwt.rules import Rule, Rules, scope
from kmsjwt.testing import events as shapes
from kmsjwt.testing.answers import Answer, read_answer, read_appsync_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

_KINDS = (
    *("rest_token", "rest_request", "http_api_v1", "http_api_v2", "websocket_connect"),
    "appsync",
)
_PLACES = ("header:Authorization", "query:token")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_FIT_FOR_PATHS = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_~@.-]{1,128}")
_CONTEXT = ("sub", "client_id", "scope", "jti")
_PATHS = (
    "/",
    "/orders/42",
    "/users/ala/x",
    "/users/bob",
    "/*",
    "/a:b/${x}?/*",
    "/\u017c/\ud800",
    "/" + "x" * 600,
)
_API = "arn:aws:execute-api:eu-west-1:123456789012:a1b2/"
_NAMES = (
    *("type", "version", "methodArn", "routeArn", "authorizationToken", "headers"),
    *("multiValueHeaders", "identitySource", "Authorization", "authorization", "AUTHORIZATION"),
    *("authorizationToken", "requestContext", "apiId", "queryStringParameters", "token"),
    *(
        "multiValueQueryStringParameters",
        "TOKEN",
        "REQUEST",
        "1.0",
        "2.0",
        "Basic YTpi",
        "*",
        "${x}",
        "",
        "Bearer ",
        "x,y",
    ),
    *(_API + "*/GET/", _API + "$default/GET/", _API + "prod", _API + "prod/$connect"),
    _API + "pr?d/GET/",
)
_SCRAPS = (" ", ",", "bearer ", "*", "?", "${", ":", "/", "\n", "\u0130", "")


class _Setup:
    """How the authorizer is set up that is asked."""

    def __init__(self, number: int) -> None:
        self.on_invalid = ("401", "deny")[number % 2]
        self.response = ("iam", "simple")[number // 2 % 2]
        self.place = _PLACES[number // 4 % 2]
        self.has_rules = bool(number // 8 % 2)

    def authorizer(self, log: Any) -> Authorizer:
        """Return it. Rules for paths and simple answers go together where nothing is kept."""
        return Authorizer(
            tokens.cases()[0].fresh,
            rules=_rules() if self.has_rules else None,
            token_from=self.place,
            on_invalid=self.on_invalid,
            response=self.response,
            cache_ttl=0 if self.has_rules else None,
            log=log,
            clock=lambda: 0.0,
        )

    def credentials(self, token: str) -> tuple[str, ...]:
        """Return every spelling of a token that is right in its place."""
        if self.place == _PLACES[0]:
            return f"Bearer {token}", f"bEARER {token}"
        return (token,)


def one_input(data: bytes) -> None:
    """Ask an authorizer about the event that the bytes spell, or choose and change."""
    draw = Draw(data)
    setup = _Setup(draw.below(16))
    if draw.below(8) == 7:
        try:
            event = json.loads(draw.rest())
        except (ValueError, RecursionError):
            return
        _ask(event, setup)
        return
    token, credential = _credential(draw)
    event = _event(draw.choose(_KINDS), credential, draw.choose(_PATHS), setup.place)
    changes = draw.below(6)
    for _ in range(changes):
        _change(draw, event, (*_NAMES, *_pool(), credential, ["x", credential]))
    answer = _ask(event, setup)
    is_genuine = token in _good() and credential in setup.credentials(token)
    is_genuine &= setup.place == _PLACES[0] or "authorizationToken" not in event
    if not changes and is_genuine and not setup.has_rules:
        promise(answer is not None and _allows(answer), "no Allow for a genuine request")
    elif not changes and is_genuine and "requestContext" in event and "methodArn" in event:
        allowed = _granted(_good()[token])
        promise(answer is not None and _allows(answer) == bool(allowed), "not what is granted")


def seeds() -> Iterator[bytes]:
    """Return inputs to begin with."""
    for setup in range(16):
        for kind in range(len(_KINDS)):
            for token in range(len(_pool())):
                yield bytes((setup, 0, token, 2 * (setup // 4 % 2), kind, 1))
            yield bytes((setup, 0, 0, 0, kind, 2, 3, 1, 0, 1, 0, 2, kind, 2, 0, 3, kind))
    for name in _KINDS:
        event = _event(name, f"Bearer {_pool()[0]}", "/orders/42", _PLACES[0])
        yield b"\0\7" + json.dumps(event).encode()


@cache
def _rules() -> Rules:
    return Rules(Rule("GET /orders/*", scope("a")), Rule("/users/{sub}/*"))


def _granted(claims: dict[str, Any]) -> set[str]:
    """Return what those rules grant a token, below its stage; written without a look at them."""
    granted = {"GET/orders/*"} if "a" in str(claims.get("scope", "")).split(" ") else set()
    sub = claims.get("sub")
    if isinstance(sub, str) and _FIT_FOR_PATHS.fullmatch(sub):
        granted |= {f"{method}/users/{sub}/*" for method in _METHODS}
    return granted


@cache
def _pool() -> tuple[str, ...]:
    """Return tokens, good and bad."""
    claims = {"iss": tokens.ISSUER, "aud": "orders", "iat": tokens.NOW, "exp": tokens.NOW + 600}
    variants: tuple[dict[str, Any], ...] = (
        {"sub": "ala", "jti": "1"},
        {"sub": "bob", "jti": "2", "scope": "a b", "client_id": "app"},
        {"sub": "*", "scope": "${aws:x} * ?", "client_id": "arn:aws:*"},
        {"sub": "\u017c\u00f3\u0142w/../*\n%2A\U0001f511", "x": [1]},
        {"client_id": "app-1"},
        {},
        {"sub": "ala", "exp": tokens.NOW - 60, "iat": tokens.NOW - 600},
        {"sub": "ala", "aud": "billing"},
    )
    header = json.dumps({"alg": "Ed25519", "kid": "ed25519", "typ": "JWT"}).encode()
    payloads = [json.dumps({**claims, **variant}).encode() for variant in variants]
    signed = [tokens.signed("Ed25519", header, payload) for payload in payloads]
    return (*signed, tokens.signed("Ed25519", header, payloads[0], which="another"))


@cache
def _good() -> dict[str, dict[str, Any]]:
    """Return the good tokens of the pool and their claims, judged by the second verifier."""
    found = {}
    for token in _pool():
        try:
            found[token] = reference.claims(token, tokens.cases()[0].demands, tokens.NOW)
        except No:
            continue
    return found


def _credential(draw: Draw) -> tuple[str, str]:
    token = draw.choose(_pool())
    spelling = draw.below(5)
    if spelling == 4:
        edited = draw.edited(f"Bearer {token}", (*_SCRAPS, token, f"Bearer {token}"))
        return token, edited
    return token, (f"Bearer {token}", f"bEARER {token}", token, f"Bearer  {token}")[spelling]


def _event(kind: str, credential: str, path: str, place: str) -> dict[str, Any]:
    if kind == "rest_token":
        return shapes.rest_token("GET", path, authorization=credential)
    if kind == "appsync":
        return shapes.appsync(authorization=credential)
    values: dict[str, Any] = {"headers": {"Authorization": credential}}
    if place != _PLACES[0]:
        values = {"query": {"token": credential}}
    if kind == "websocket_connect":
        return shapes.websocket_connect(now=tokens.NOW, **values)
    made: dict[str, Any] = getattr(shapes, kind)("GET", path, now=tokens.NOW, **values)
    return made


def _change(draw: Draw, event: dict[str, Any], known: tuple[Any, ...]) -> None:
    holder: Any = event
    name: Any = None
    for _ in range(4):
        if not holder or (name is not None and draw.below(2)):
            break
        names = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        name = draw.choose(names)
        if not isinstance(holder[name], (dict, list)) or not holder[name]:
            break
        if draw.below(2):
            holder, name = holder[name], None
    change = draw.below(5)
    if name is None or change == 0:
        holder, name = event, draw.name(known)
    if change == 1 and isinstance(holder, dict):
        holder.pop(name, None)
    elif change == 2 and isinstance(holder, dict):
        holder[draw.name(known)] = holder.get(name)
    elif change == 3 and isinstance(holder, dict) and isinstance(holder.get(name), str):
        holder[name] = draw.edited(holder[name], _SCRAPS)
    else:
        holder[name] = draw.value(known)


def _ask(event: Any, setup: _Setup) -> dict[str, Any] | None:
    lines: list[dict[str, Any]] = []

    def log(level: str, event: str, **fields: object) -> None:
        lines.append({"level": level, "event": event, **fields})

    answer = None
    try:
        answer = setup.authorizer(log)(event)
    except Unauthorized as error:
        promise(str(error) == "Unauthorized", "another text than Unauthorized")
        promise(error.__cause__ is None and error.__context__ is None, "another error along")
    except CannotKnow as error:
        promise(str(error) != "Unauthorized", "a fault that reads Unauthorized")
    except ConfigError as error:
        promise(setup.has_rules and "authorizationToken" in event, "a setting that is wrong")
        promise(str(error) != "Unauthorized", "a fault that reads Unauthorized")
    promise(len(lines) == 1, "not one line in the log")
    told = json.dumps([lines, answer])
    for token in _pool():
        promise(token not in told and token.rpartition(".")[2] not in told, "told a token")
    if answer is not None:
        _check(event, answer, setup)
    return answer


def _check(event: dict[str, Any], answer: dict[str, Any], setup: _Setup) -> None:
    if "type" not in event:
        _check_appsync(event, read_appsync_answer(answer), setup)
        return
    second = event["type"] == "REQUEST" and event.get("version") == "2.0"
    simple = second and setup.response == "simple"
    read = read_answer(answer, simple=simple, flat_context=not second)
    arn = event["routeArn" if second else "methodArn"]
    for _, actions, _ in read.statements:
        promise(actions == ["execute-api:Invoke"], "another action")
    if not _allows(answer):
        if read.context:  # a good token that may not: the log of the backend may say who it was
            promise(setup.has_rules, "a denial that tells of the token")
            _check_identity(read, _claims_of_one_token(event, setup))
        promise(_resources(read) in ([], [_whole_stage(arn)]), "a denial of less than the stage")
        return
    routed = arn if arn.count("/") > 1 else arn + "/"  # no gateway leaves the route out
    claims = _claims_of_one_token(event, setup)
    _check_resources(read, arn, claims, setup)
    if not setup.has_rules:
        promise(read.verdict(routed) == "allowed", "an Allow that does not allow")
    _check_identity(read, claims)


def _check_appsync(event: dict[str, Any], read: Answer, setup: _Setup) -> None:
    if read.authorized:
        promise(not setup.has_rules, "an Allow by rules for paths where there is none")
        claims = _claims_of_one_token(event, setup)
        context = {name: claims[name] for name in _CONTEXT if name in claims}
        promise(read.context == context, "another context than the claims")
    else:
        promise(not read.context, "a denial that tells of the token")


def _check_resources(read: Answer, arn: str, claims: dict[str, Any], setup: _Setup) -> None:
    resources, stage = _resources(read), _whole_stage(arn)
    if not read.statements:
        return
    promise("*" not in stage[:-1] and not {"?", "{"} & set(stage), "an Allow for any stage")
    expected = {"*"} if not setup.has_rules else _granted(claims)
    promise(
        {effect for effect, _, _ in read.statements} == {"Allow"}
        and len(resources) == len(expected)
        and set(resources) == {stage[:-1] + each for each in expected},
        "another resource than what the token is granted on the API and stage",
    )


def _check_identity(read: Answer, claims: dict[str, Any]) -> None:
    context = {name: claims[name] for name in _CONTEXT if name in claims}
    promise(read.context == context, "another context than the claims")
    if read.statements:
        principal = claims.get("sub") or claims.get("client_id") or "anonymous"
        promise(unquote(read.principal) == principal, "another principal than the claims")
        promise(re.fullmatch(r"[!-~]+", read.principal), "a principal that is not plain")
        promise(not set("*?$") & set(read.principal), "a wildcard in the principal")


def _resources(read: Answer) -> list[str]:
    return [resource for _, _, resources in read.statements for resource in resources]


def _claims_of_one_token(event: dict[str, Any], setup: _Setup) -> dict[str, Any]:
    try:
        return _good()[_one_token(event, setup.place)]
    except (No, KeyError):
        broken("an Allow without one good token in its one place")


def _allows(answer: dict[str, Any]) -> bool:
    if "isAuthorized" in answer:
        return answer["isAuthorized"] is True
    effects = {statement["Effect"] for statement in answer["policyDocument"]["Statement"]}
    promise(effects in ({"Allow"}, {"Deny"}), "a policy of two minds")
    return effects == {"Allow"}


def _whole_stage(arn: str) -> str:
    api, stage = (arn.split(":", 5)[5] + "/").split("/")[:2]
    return ":".join(arn.split(":", 5)[:5]) + f":{api}/{stage}/*"


def _one_token(event: dict[str, Any], place: str) -> str:
    """Return the one token of a request, or raise No."""
    is_header = place == _PLACES[0]
    if event.get("type", "TOKEN") == "TOKEN":  # the header is all that such an event has
        values: list[Any] = [event["authorizationToken"]] if is_header else []
    else:
        found = _authorizations(event) if is_header else _parameters(event, "token")
        values = [value for value in found if value not in (None, "")]
    demand(values and all(value == values[0] for value in values) and isinstance(values[0], str))
    token = values[0]
    if is_header and ("type" in event or " " in token):  # AppSync's clients leave the scheme out
        scheme, _, token = token.partition(" ")
        demand(scheme.lower() == "bearer" and scheme.isascii())
    sources = event.get("identitySource") if event.get("type") == "REQUEST" else None
    if event.get("version") == "1.0":
        sources = sources.split(",") if isinstance(sources, str) else []
    elif event.get("version") != "2.0" or not isinstance(sources, list):
        sources = []
    sources = [source for source in sources if source]
    demand(not sources or any(isinstance(each, str) and token in each for each in sources))
    return str(token)


def _authorizations(event: dict[str, Any]) -> Iterator[Any]:
    for member in ("headers", "multiValueHeaders"):
        headers = event.get(member)
        for name, value in headers.items() if isinstance(headers, dict) else ():
            if name.lower() == "authorization":
                yield from value if isinstance(value, list) else [value]


def _parameters(event: dict[str, Any], name: str) -> Iterator[Any]:
    for member in ("queryStringParameters", "multiValueQueryStringParameters"):
        parameters = event.get(member)
        value = parameters.get(name) if isinstance(parameters, dict) else None
        yield from value if isinstance(value, list) else [value]
