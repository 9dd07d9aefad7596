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
from kmsjwt import CannotKnow
from kmsjwt.gateway import Authorizer, Unauthorized
from kmsjwt.testing import events as shapes
from kmsjwt.testing.answers import read_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

_KINDS = ("rest_token", "rest_request", "http_api_v1", "http_api_v2", "websocket_connect")
_RAISING = ("rest_token", "rest_request", "websocket_connect")
_CONTEXT = ("sub", "client_id", "scope", "jti")
_PATHS = ("/", "/orders/42", "/*", "/a:b/${x}?/*", "/\u017c/\ud800", "/" + "x" * 600)
_API = "arn:aws:execute-api:eu-west-1:123456789012:a1b2/"
_NAMES = (
    *("type", "version", "methodArn", "routeArn", "authorizationToken", "headers"),
    *("multiValueHeaders", "identitySource", "Authorization", "authorization", "AUTHORIZATION"),
    *("TOKEN", "REQUEST", "1.0", "2.0", "Basic YTpi", "*", "${x}", "", "Bearer ", "x,y"),
    *(_API + "*/GET/", _API + "$default/GET/", _API + "prod", _API + "prod/$connect"),
    _API + "pr?d/GET/",
)
_SCRAPS = (" ", ",", "bearer ", "*", "?", "${", ":", "/", "\n", "\u0130", "")


def one_input(data: bytes) -> None:
    """Ask an authorizer about the event that the bytes spell, or choose and change."""
    draw = Draw(data)
    settings = draw.below(4)
    on_invalid, response = ("401", "deny")[settings % 2], ("iam", "simple")[settings // 2]
    if draw.below(8) == 7:
        try:
            event = json.loads(draw.rest())
        except (ValueError, RecursionError):
            return
        _ask(event, on_invalid, response)
        return
    credential = _credential(draw)
    event = _event(draw.choose(_KINDS), credential, draw.choose(_PATHS))
    changes = draw.below(6)
    for _ in range(changes):
        _change(draw, event, (*_NAMES, *_pool(), credential, ["x", credential]))
    answer = _ask(event, on_invalid, response)
    if not changes and credential in _good_credentials():
        promise(answer is not None and _allows(answer), "no Allow for a genuine request")


def seeds() -> Iterator[bytes]:
    """Return inputs to begin with."""
    for settings in range(4):
        for kind in range(len(_KINDS)):
            for token in range(len(_pool())):
                yield bytes((settings, 0, token, 0, kind, 1))
            yield bytes((settings, 0, 0, 0, kind, 2, 3, 1, 0, 1, 0, 2, kind, 2, 0, 3, kind))
    for name in _KINDS:
        event = _event(name, f"Bearer {_pool()[0]}", "/orders/42")
        yield b"\0\7" + json.dumps(event).encode()


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


@cache
def _good_credentials() -> frozenset[str]:
    return frozenset(f"{scheme} {token}" for scheme in ("Bearer", "bEARER") for token in _good())


def _credential(draw: Draw) -> str:
    token = draw.choose(_pool())
    spelling = draw.below(5)
    if spelling == 4:
        return draw.edited(f"Bearer {token}", (*_SCRAPS, token, f"Bearer {token}"))
    return (f"Bearer {token}", f"bEARER {token}", token, f"Bearer  {token}")[spelling]


def _event(kind: str, credential: str, path: str) -> dict[str, Any]:
    if kind == "rest_token":
        return shapes.rest_token("GET", path, authorization=credential)
    headers = {"Authorization": credential}
    if kind == "websocket_connect":
        return shapes.websocket_connect(headers=headers, now=tokens.NOW)
    made: dict[str, Any] = getattr(shapes, kind)("GET", path, headers=headers, now=tokens.NOW)
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


def _ask(event: Any, on_invalid: str, response: str) -> dict[str, Any] | None:
    lines: list[dict[str, Any]] = []

    def log(level: str, event: str, **fields: object) -> None:
        lines.append({"level": level, "event": event, **fields})

    verifier = tokens.cases()[0].fresh
    authorizer = Authorizer(
        verifier, on_invalid=on_invalid, response=response, log=log, clock=lambda: 0.0
    )
    answer = None
    try:
        answer = authorizer(event)
    except Unauthorized as error:
        promise(str(error) == "Unauthorized", "another text than Unauthorized")
        promise(error.__cause__ is None and error.__context__ is None, "another error along")
    except CannotKnow as error:
        promise(str(error) != "Unauthorized", "a fault that reads Unauthorized")
    promise(len(lines) == 1, "not one line in the log")
    told = json.dumps([lines, answer])
    for token in _pool():
        promise(token not in told and token.rpartition(".")[2] not in told, "told a token")
    if answer is not None:
        _check(event, answer, simple=response == "simple")
    return answer


def _check(event: dict[str, Any], answer: dict[str, Any], *, simple: bool) -> None:
    second = event["type"] == "REQUEST" and event.get("version") == "2.0"
    read = read_answer(answer, simple=simple and second, flat_context=not second)
    arn = event["routeArn" if second else "methodArn"]
    for _, actions, resources in read.statements:
        promise(actions == ["execute-api:Invoke"], "another action")
        promise(resources == [_whole_stage(arn)], "another resource than the API and stage")
        promise(not {"?", "{"} & set(resources[0]), "a resource that is wider than it looks")
    if not _allows(answer):
        promise(not read.context, "a denial that tells of the token")
        return
    routed = arn if arn.count("/") > 1 else arn + "/"  # no gateway leaves the route out
    promise(read.verdict(routed) == "allowed", "an Allow that does not allow")
    promise(not read.statements or "*" not in _whole_stage(arn)[:-1], "an Allow for any stage")
    try:
        claims = _good()[_one_token(event)]
    except (No, KeyError):
        broken("an Allow without one good token in its one place")
    context = {name: claims[name] for name in _CONTEXT if name in claims}
    promise(read.context == context, "another context than the claims")
    if read.statements:
        principal = claims.get("sub") or claims.get("client_id") or "anonymous"
        promise(unquote(read.principal) == principal, "another principal than the claims")
        promise(re.fullmatch(r"[!-~]+", read.principal), "a principal that is not plain")
        promise(not set("*?$") & set(read.principal), "a wildcard in the principal")


def _allows(answer: dict[str, Any]) -> bool:
    if "isAuthorized" in answer:
        return answer["isAuthorized"] is True
    effects = {statement["Effect"] for statement in answer["policyDocument"]["Statement"]}
    promise(effects in ({"Allow"}, {"Deny"}), "a policy of two minds")
    return effects == {"Allow"}


def _whole_stage(arn: str) -> str:
    api, stage = (arn.split(":", 5)[5] + "/").split("/")[:2]
    return ":".join(arn.split(":", 5)[:5]) + f":{api}/{stage}/*"


def _one_token(event: dict[str, Any]) -> str:
    """Return the one token of a request, or raise No."""
    if event["type"] == "TOKEN":
        values: list[Any] = [event["authorizationToken"]]
    else:
        values = [value for value in _authorizations(event) if value not in (None, "")]
    demand(values and all(value == values[0] for value in values) and isinstance(values[0], str))
    scheme, _, token = values[0].partition(" ")
    demand(scheme.lower() == "bearer" and scheme.isascii())
    sources = event.get("identitySource") if event["type"] == "REQUEST" else None
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
