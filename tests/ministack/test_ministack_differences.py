"""Where our simulator and ministack part, each place a row with its reason.

Everything else in these tables they agree on, which is asserted too: so a new difference, of a
later ministack or of ours, is seen. Where they part, no row claims to know what AWS does beyond
what it cites.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from tests.ministack.doors import KINDS, Kind
from tests.ministack.functions import foreign

from kmsjwt.testing.answers import NotSimulated

REST = ("REST TOKEN", "REST REQUEST")
IAM = (*REST, "HTTP API IAM")
HTTP = ("HTTP API IAM", "HTTP API simple")

every_kind = pytest.mark.parametrize("kind_name", KINDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One difference.

    Attributes:
        on: the kinds of API that have it; the others agree.
        simulator: the status by our simulator.
        ministack: the status by ministack.
        why: the reason, and what AWS says if it does.
    """

    on: tuple[str, ...]
    simulator: int
    ministack: int
    why: str


OF_HTTP = "the simulator has no HTTP server, which takes outer blanks off (RFC 9110 section 5.5)"
EMPTY_SEGMENT = "ministack overlooks empty segments; what AWS does is not verified"
LENIENT = "ministack does not look; the simulator refuses what may not work on AWS"

# What an authorizer answered (functions/foreign.py), and what the gateway made of it.
ANSWERS = {
    "no principalId": Row(
        on=IAM,
        simulator=500,
        ministack=200,
        why="AWS's guide says the answer must have it; ministack's source says AWS was seen to do"
        " without. Unresolved, and ours always has one.",
    ),
    "context of a list": Row(
        on=REST,
        simulator=500,
        ministack=200,
        why="AWS's guide takes no list or object on REST APIs; ministack leaves the member out.",
    ),
    "context of null": Row(on=IAM, simulator=500, ministack=200, why=LENIENT),
    "context of claims": Row(
        on=IAM, simulator=500, ministack=200, why=f"AWS keeps that name for itself. {LENIENT}"
    ),
    "no Statement": Row(
        on=IAM, simulator=500, ministack=403, why="no policy to one, an empty one to the other"
    ),
    "Effect of neither kind": Row(
        on=IAM, simulator=500, ministack=403, why="ministack passes over such a statement"
    ),
    "Action of another service": Row(
        on=IAM, simulator=403, ministack=200, why="ministack's evaluator reads no Action"
    ),
    "no Action": Row(
        on=IAM, simulator=500, ministack=200, why="ministack's evaluator reads no Action"
    ),
    "Resource of 513 characters": Row(
        on=IAM, simulator=500, ministack=200, why=f"AWS's quota is 512. {LENIENT}"
    ),
    "answer of 9,000 bytes": Row(
        on=IAM, simulator=500, ministack=200, why=f"AWS's quota is 8 KB. {LENIENT}"
    ),
    "raise unauthorized": Row(
        on=REST,
        simulator=500,
        ministack=401,
        why="AWS's guide spells it 'Unauthorized'; ministack takes any case",
    ),
}

# A simple answer is one of two texts, so few of the answers are worth trying.
ON_SIMPLE = ("one ARN", "isAuthorized", "isAuthorized is a text", "no object", "raise Unauthorized")

GOOD, BAD = "GOOD", "Bearer no-token"

# Requests with our own authorizer: path and Authorization headers, and the status on both.
REQUESTS: dict[str, tuple[tuple[str, ...], int, int]] = {
    "two good tokens": (("/orders", GOOD, GOOD), 401, 403),
    "a bad and a good token": (("/orders", BAD, GOOD), 401, 403),
    "a good and a bad token": (("/orders", GOOD, BAD), 401, 403),
    "an empty header": (("/orders", ""), 401, 401),
    "a long path on an HTTP API": (("/users/" + "x" * 1_000, GOOD), 200, 200),
}
DIFFERENT_REQUESTS = {
    "blanks after the token": (
        ("/orders", GOOD + "  "),
        [
            Row(on=REST, simulator=401, ministack=200, why=OF_HTTP),
            Row(on=HTTP, simulator=403, ministack=200, why=OF_HTTP),
        ],
    ),
    "a header of blanks": (
        ("/orders", "  "),
        [Row(on=HTTP, simulator=403, ministack=401, why=f"empty then. {OF_HTTP}")],
    ),
    "an ARN of more than 1,600 bytes": (
        ("/users/" + "x" * 1_700, GOOD),
        [
            Row(
                on=REST,
                simulator=414,
                ministack=200,
                why="AWS's quota for REST; ministack has none",
            )
        ],
    ),
    "a slash at the end": (
        ("/orders/", GOOD),
        [
            Row(on=REST, simulator=403, ministack=200, why=EMPTY_SEGMENT),
            Row(on=HTTP, simulator=404, ministack=200, why=EMPTY_SEGMENT),
        ],
    ),
    "two slashes": (
        ("//orders", GOOD),
        [
            Row(on=REST, simulator=403, ministack=200, why=EMPTY_SEGMENT),
            Row(on=HTTP, simulator=404, ministack=200, why=EMPTY_SEGMENT),
        ],
    ),
}

# The path in the ARN that an authorizer is given. Not verified against AWS: what it puts there.
SAME_IN_ARN = ("/users/a*b", "/users/a:b", "/users/..")
DECODED_BY_MINISTACK = {
    "/users/a%20b": "/users/a b",
    "/users/%C3%A4": "/users/ä",
    "/users/%2e%2e": "/users/..",
    "/users/a%2Ab": "/users/a*b",
    "/users/a%3Fb": "/users/a?b",
}


@pytest.fixture(scope="module")
def foreign_doors(cloud, functions, backend) -> Any:
    """Return both doors of a kind with the authorizer that answers as it is told."""
    function = functions.arn("foreign", "foreign.handler", {})
    made: dict[str, Any] = {}

    def both(kind_name: str) -> Any:
        if kind_name not in made:
            kind = KINDS[kind_name]
            made[kind_name] = (
                kind.on_ministack(cloud, function, backend),
                kind.simulated(foreign.handler),
            )
        return made[kind_name]

    return both


@every_kind
def test_what_becomes_of_an_authorizers_answer(kind_name, foreign_doors):
    answers = [*foreign.answers("any"), "raise unauthorized", "raise Unauthorized"]
    tried = ON_SIMPLE if KINDS[kind_name].response == "simple" else answers
    ministack, simulator = (
        {name: door.get("/orders", name).status for name in tried}
        for door in foreign_doors(kind_name)
    )
    rows = {name: row for name, row in ANSWERS.items() if kind_name in row.on}

    assert {name: simulator[name] for name in rows} == {n: r.simulator for n, r in rows.items()}
    assert ministack == {**simulator, **{name: row.ministack for name, row in rows.items()}}


@every_kind
@pytest.mark.parametrize(("sent", "rest", "http"), REQUESTS.values(), ids=REQUESTS)
def test_requests_that_both_answer_alike(sent, rest, http, kind_name, doors, bearer):
    kind = KINDS[kind_name]
    request = _filled(sent, bearer)

    statuses = [door.get(*request).status for door in doors(kind)]

    assert statuses == [rest if kind.is_rest else http] * 2


@pytest.mark.parametrize(
    ("sent", "row"),
    [
        pytest.param(sent, row, id=f"{name}, {row.on[0]}")
        for name, (sent, rows) in DIFFERENT_REQUESTS.items()
        for row in rows
    ],
)
def test_requests_that_they_answer_differently(sent, row, doors, bearer):
    for kind_name in row.on:
        ministack, simulated = doors(KINDS[kind_name])
        request = _filled(sent, bearer)

        assert ministack.get(*request).status == row.ministack, (kind_name, row.why)
        assert simulated.get(*request).status == row.simulator, (kind_name, row.why)


@pytest.mark.parametrize("kind_name", IAM)
def test_the_path_in_the_arn(kind_name, cloud, functions, backend):
    """ministack tells authorizers the decoded path, and the simulator the path as it was sent.

    Of AWS neither is verified. Ours grants nothing by a path that it must decode.
    """
    function = functions.arn("foreign", "foreign.handler", {})
    kind = KINDS[kind_name]
    # Without a cache: the one token would be answered with the first ARN again.
    ministack = kind.on_ministack(cloud, function, backend, **_ttl_of_ministack(kind, 0))
    simulated = kind.simulated(foreign.handler, ttl=0)

    def path_in_arn(door: Any, path: str) -> str:
        arn = door.get(path, "tell the ARN").context["arn"]
        return "/" + str(arn).split("/", 3)[3]

    sent = (*SAME_IN_ARN, *DECODED_BY_MINISTACK)
    assert {path: path_in_arn(simulated, path) for path in sent} == {path: path for path in sent}
    assert {path: path_in_arn(ministack, path) for path in sent} == {
        **{path: path for path in SAME_IN_ARN},
        **DECODED_BY_MINISTACK,
    }


@every_kind
def test_a_slash_in_a_segment_is_a_segment_to_the_simulator_alone(kind_name, foreign_doors):
    """``%2F``: ministack decodes before it looks for the route, and finds none."""
    ministack, simulated = foreign_doors(kind_name)
    asked = "isAuthorized" if KINDS[kind_name].response == "simple" else "context of numbers"

    assert ministack.get("/users/a%2Fb", asked).status == (403 if kind_name in REST else 404)
    assert simulated.get("/users/a%2Fb", asked).status == 200


@every_kind
def test_without_a_cache_and_without_a_token(kind_name, cloud, authorizer, backend, in_process):
    """A REST REQUEST authorizer is asked then, and the others are not; 401 either way."""
    kind = KINDS[kind_name]
    ministack = kind.on_ministack(cloud, authorizer(kind), backend, **_ttl_of_ministack(kind, 0))
    simulated = kind.simulated(in_process(**kind.environ), ttl=0)

    assert [door.get("/orders").status for door in (ministack, simulated)] == [401, 401]


def test_an_identity_validation_expression(cloud, authorizer, backend, in_process, bearer):
    kind, pattern = KINDS["REST TOKEN"], r"Bearer [\w.-]+"
    ministack = kind.on_ministack(
        cloud, authorizer(kind), backend, identityValidationExpression=pattern
    )
    simulated = kind.simulated(in_process(), identity_validation=pattern)

    for door in (ministack, simulated):
        assert [door.get("/orders", h).status for h in (bearer(), "Basic YWxh")] == [200, 401]


def test_the_route_key_as_identity_source(cloud, authorizer, backend, in_process, bearer):
    kind, header = KINDS["HTTP API simple"], bearer()
    sources = ["$request.header.Authorization", "$context.routeKey"]
    ministack = kind.on_ministack(cloud, authorizer(kind), backend, IdentitySource=sources)
    simulated = kind.simulated(in_process(**kind.environ), identity_source=sources)

    for door in (ministack, simulated):
        assert [door.get(path, header).status for path in ("/orders", "/users/7")] == [200, 200]


def test_a_context_value_as_identity_source_of_a_rest_api(cloud, authorizer, backend, bearer):
    """ministack takes it for missing, always; the simulator says that it is not simulated."""
    kind, sources = KINDS["REST REQUEST"], "method.request.header.Authorization,context.httpMethod"
    ministack = kind.on_ministack(cloud, authorizer(kind), backend, identitySource=sources)

    assert ministack.get("/orders", bearer()).status == 401
    with pytest.raises(NotSimulated):
        kind.simulated(foreign.handler, identity_source=sources.split(","))


def test_payload_format_1_of_an_http_api(cloud, authorizer, backend, in_process, bearer):
    """ministack's event lacks ``version`` and ``identitySource``, which AWS's has.

    So ours takes it for a REST API's, and tells of a bad token by raising ``Unauthorized``, which
    ministack answers with 500 on an HTTP API. With AWS's event it answers a denial.
    """
    kind = Kind(name="http_api_v1")
    ministack = kind.on_ministack(
        cloud,
        authorizer(KINDS["HTTP API IAM"]),
        backend,
        AuthorizerPayloadFormatVersion="1.0",
    )
    simulated = kind.simulated(in_process())
    headers = [bearer(), BAD, bearer(tenant="closed")]

    assert [ministack.get("/orders", header).status for header in headers] == [200, 500, 403]
    assert [simulated.get("/orders", header).status for header in headers] == [200, 403, 403]


def _filled(sent: tuple[str, ...], bearer: Any) -> tuple[str, ...]:
    path, *headers = sent
    return path, *(header.replace(GOOD, bearer()) for header in headers)


def _ttl_of_ministack(kind: Kind, seconds: int) -> dict[str, int]:
    name = "authorizerResultTtlInSeconds"
    return {name if kind.is_rest else name[0].upper() + name[1:]: seconds}
