"""Whether a policy fits is told before deployment where it can be; no policy is ever cut short."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from string import ascii_letters, digits
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.gateway.minting import NOW, Mint, Recorder
from tests.gateway.shapes import ROUTED, routed_event
from tests.gateway.trusting import Trusting

from kmsjwt.errors import ConfigError
from kmsjwt.gateway import Authorizer
from kmsjwt.rules import Rule, Rules, claim, scope
from kmsjwt.testing import events
from kmsjwt.testing.answers import read_answer

MINT = Mint()
VERIFIER = MINT.verifier()
LIMIT, LONGEST_RESOURCE = 8_192, 512  # API Gateway's, by its service quotas and developer guide


def answered(verifier, event, **settings) -> Any:
    """Return the answer, or None and the error."""
    try:
        return Authorizer(verifier, log=None, **settings)(event), None
    except ConfigError as error:
        return None, error


def literal_routes(count, length=20, method="GET") -> Any:
    return [Rule(f"{method} /{n:0{length - 1}d}".strip()) for n in range(count)]


def refused(rules, **more) -> str:
    with pytest.raises(ConfigError) as caught:
        Authorizer(VERIFIER, rules=rules, **more)
    assert caught.value.code == "authorizer"
    return str(caught.value)


def test_rules_that_no_token_could_be_given_a_policy_of():
    message = refused(Rules(*literal_routes(200)))
    found = re.search(r"at least ([0-9,]+) bytes", message)
    assert found is not None
    assert int(found[1].replace(",", "")) > LIMIT
    assert "8,192" in message


def test_a_route_without_a_method_counts_for_seven():
    Authorizer(VERIFIER, rules=Rules(*literal_routes(25)))
    message = refused(Rules(*literal_routes(25, method="")))
    assert "name methods" in message


def test_routes_within_another_cost_a_good_token_nothing():
    many = [Rule(f"GET /a/{n:020d}") for n in range(120)]
    refused(Rules(*many))
    Authorizer(VERIFIER, rules=Rules(*many, Rule("GET /a/*")))


def test_literals_of_every_character_leave_one_for_claims():
    literals = [Rule(f"GET /{each}") for each in ascii_letters + digits]
    Authorizer(VERIFIER, rules=Rules(*literals, Rule("GET /users/{sub}")))


def test_simple_answers_hold_no_policy_and_any_number_of_rules():
    Authorizer(VERIFIER, rules=Rules(*literal_routes(200)), response="simple", cache_ttl=0)


@pytest.mark.parametrize("count", range(40, 100, 4))
def test_what_is_refused_at_start_never_fits_and_what_is_taken_fits_or_fails(count):
    """Against the real size of the policy, on the shortest ARN there is."""
    rules = Rules(*literal_routes(count))
    least = len(json.dumps(shortest_policy(rules)))
    for kind in ROUTED:
        event = routed_event(kind, "GET", f"/{0:019d}", f"Bearer {MINT.token()}")
        answer, error = answered(VERIFIER, event, rules=rules, context=())
        if answer is None:
            assert error.code == ("authorizer" if least > LIMIT else "answer_too_large")
            assert "8,192" in str(error).replace("8192", "8,192")
        else:
            assert least <= len(json.dumps(answer)) <= LIMIT
            assert len(answer["policyDocument"]["Statement"][0]["Resource"]) == count


def shortest_policy(rules) -> Any:
    """Return by hand the policy of a token that meets every rule, all of them literal GETs."""
    stage = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/x/"
    resources = [f"{stage}GET/{n:019d}" for n in range(len(rules.ordered))]
    return {
        "principalId": "x",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": resources}
            ],
        },
    }


def test_a_policy_of_exactly_8192_bytes_is_taken_and_one_more_is_not():
    def rules(more: int) -> Rules:
        return Rules(*literal_routes(95), Rule("GET /" + "p" * more))

    spare = LIMIT - real_bytes(rules(1).grant({}))
    assert 0 < spare < 250
    exact = rules(1 + spare)
    assert real_bytes(exact.grant({})) == LIMIT
    Authorizer(VERIFIER, rules=exact)
    assert "at least 8,193 bytes" in refused(rules(2 + spare))


texts = st.builds(
    lambda method, parts, is_open: f"{method} /{'/'.join([*parts, *'*' * is_open])}".strip(),
    st.sampled_from(["GET", "POST", ""]),
    st.lists(st.sampled_from(["a", "{sub}", "{client_id}", "b" * 60, "c" * 90]), max_size=3),
    st.booleans(),
)
NEEDS: list[Any] = [scope("api"), scope("write"), claim("tenant").equals("t1")]
MEETS_ALL = {"scope": "api write", "tenant": "t1"}


@st.composite
def drawn_rules(draw, requires) -> Rules:
    """Return rules without those that may not stand beside the others."""
    kept: list[Rule] = []
    for text, needs in draw(st.lists(st.tuples(texts, st.sampled_from([None, *NEEDS])))):
        rule = Rule(text, *([needs] if needs else []))
        with suppress(ConfigError):
            Rules(*kept, rule)
            kept.append(rule)
    assume(kept)
    return Rules(*kept, require=draw(st.sampled_from(requires)))


def real_bytes(grant, region="us-east-1", stage_name="x") -> int:
    """Return the size of the policy as Lambda writes it, else on the shortest ARN there is."""
    stage = f"arn:aws:execute-api:{region}:123456789012:a1b2c3d4e5/{stage_name}/"
    policy = {
        "principalId": "x",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": effect,
                    "Resource": [stage + each for each in resources],
                }
                for effect, resources in (("Allow", grant.allow), ("Deny", grant.deny))
                if resources
            ],
        },
    }
    return len(json.dumps(policy))


@settings(max_examples=300, deadline=None)
@given(rules=drawn_rules([None]), names=st.sampled_from([("x", "x"), ("x", "y")]))
def test_the_least_size_is_never_more_than_that_of_a_token_that_meets_every_rule(rules, names):
    """Else rules would be refused at start that work: here the shortest names of all."""
    from kmsjwt.gateway.fit import least_allowed, policy_bytes

    grant = rules.grant({**MEETS_ALL, **dict(zip(("sub", "client_id"), names, strict=True))})
    least = policy_bytes(least_allowed(rules)[0])

    assert grant.allow
    assert least <= real_bytes(grant)
    if all("{" not in route.text for route, _ in rules.ordered):
        assert least == real_bytes(grant)


@settings(max_examples=300, deadline=None)
@given(rules=drawn_rules([None, *NEEDS]))
def test_nor_than_that_of_a_token_that_meets_none(rules):
    from kmsjwt.gateway.fit import least_denied, policy_bytes

    scopes = rules.decide_token({}).scopes
    grant = rules.grant({"scope": " ".join(scopes)})
    least = policy_bytes(least_denied(rules))

    assert least == (real_bytes(grant) if grant.allow else 0)


NAMES = ["orders", "invoices", "customers", "products", "carts", "coupons", "refunds", "stock"]


def test_what_a_named_method_takes_out_is_taken_out_once():
    """``GET /orders`` beside ``/orders``, which is for the other methods then."""
    write = scope("write")
    rules = Rules(
        Rule("/*"),
        *(Rule(f"/{name}", write) for name in NAMES),
        *(Rule(f"{method} /{name}") for name in NAMES for method in ("GET", "HEAD", "OPTIONS")),
    )
    event = events.rest_token("GET", "/x", authorization="Bearer x", stage="x")
    answer = Authorizer(Trusting({}), rules=rules, context=(), log=None)(event)
    assert len(json.dumps(answer)) <= LIMIT


@pytest.mark.parametrize(
    ("rules", "resources"),
    [
        ([Rule("/*"), Rule("/")], 7),
        ([Rule("GET /*"), Rule("GET /a"), Rule("/a")], 1 + 6),
        ([Rule("GET /{sub}/*"), Rule("GET /{client_id}/a")], 1),
    ],
)
def test_what_lies_within_another_is_not_counted(rules, resources):
    from kmsjwt.gateway.fit import least_allowed

    assert len(least_allowed(Rules(*rules))[0].allow) == resources


def many_closed(needs) -> list[Rule]:
    return [Rule("/*"), *(Rule(f"/{n:03d}", needs) for n in range(10))]


def test_what_every_token_must_have_is_no_reason_to_refuse():
    """No token that comes past ``require`` has anything taken out."""
    api = scope("api")
    assert "meets no requirement" in refused(Rules(*many_closed(api)))
    Authorizer(VERIFIER, rules=Rules(*many_closed(api), require=api))
    assert "meets no requirement" in refused(Rules(*many_closed(scope("write")), require=api))


def test_a_warning_is_about_claims_of_uuids():
    from kmsjwt.gateway.fit import tight

    rules = Rules(*(Rule(f"GET /{n:03d}/{{sub}}") for n in range(65)))
    (warning,) = tight(rules)
    grant = rules.grant({"sub": str(UUID(int=7))})
    size = real_bytes(grant, region="eu-central-1", stage_name="prod")
    assert f"a policy of some {size:,} bytes" in warning


def test_a_warning_is_about_claims_that_differ():
    """Were they the same, all would lie within the first."""
    from kmsjwt.gateway.fit import tight

    routes = [Rule(f"GET /{{client_id}}/{n:03d}") for n in range(65)]
    assert len(tight(Rules(Rule("GET /{sub}/*"), *routes))) == 1
    assert tight(Rules(Rule("GET /{client_id}/*"), *routes)) == []


def test_a_path_named_twice_is_one_resource():
    """``GET /a`` beside ``/a`` is in the policy once."""
    any_method = [Rule(f"/{n:03d}") for n in range(15)]
    named = [Rule(f"GET /{n:03d}") for n in range(15)]
    event = events.rest_token("GET", "/001", authorization="Bearer x", stage="x")
    trusting = Trusting({"sub": "x"})
    answer = Authorizer(trusting, rules=Rules(*any_method), log=None)(event)
    assert Rules(*any_method).grant({}).allow == Rules(*any_method, *named).grant({}).allow
    assert len(json.dumps(answer)) <= LIMIT
    assert Authorizer(trusting, rules=Rules(*any_method, *named), log=None)(event) == answer


# 512 characters a resource.

STAGE = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/"


@pytest.mark.parametrize("length", [400, 513, 600])
def test_a_route_longer_than_any_resource_is_refused_at_start(length):
    message = refused(Rules(Rule("GET /" + "a" * length)))
    assert "512" in message
    assert str(length + 4) in message  # GET and the slash are of the resource, too


def test_claims_are_reckoned_at_their_longest():
    Authorizer(VERIFIER, rules=Rules(Rule("GET /users/{sub}/*")))
    Authorizer(VERIFIER, rules=Rules(Rule("GET /{sub}/{client_id}")))
    assert "512" in refused(Rules(Rule("GET /{sub}/{client_id}/{sub}")))


def test_the_message_of_a_long_route_tells_a_number_above_the_limit():
    message = refused(Rules(Rule("GET /{sub}/{client_id}/{sub}")))
    assert max(map(int, re.findall(r"\d+", message))) > LONGEST_RESOURCE


@pytest.mark.parametrize("name", ["x", "s" * 128, "$default"])
def test_a_route_that_was_taken_fits_behind_every_stage(name):
    """On the longest ARN that AWS gives out: no token, however long its name, fails there."""
    authorizer = Authorizer(
        Trusting({"sub": "u" * 128, "client_id": "c" * 128}),
        rules=Rules(Rule("OPTIONS /{sub}/{client_id}/*")),
        log=None,
    )
    event = events.rest_token(
        "OPTIONS",
        "/x",
        authorization="Bearer x",
        stage=name,
        region="ap-southeast-7",
        partition="aws-us-gov",
    )
    (statement,) = authorizer(event)["policyDocument"]["Statement"]
    (resource,) = statement["Resource"]
    assert len(resource) <= LONGEST_RESOURCE
    assert resource.endswith("/*")


@pytest.mark.parametrize(("claim", "sub"), [("", ""), ("{sub}/", "u" * 128 + "/")])
def test_a_resource_of_exactly_512_characters_is_taken_and_one_more_is_not(claim, sub):
    """Behind the longest ARN of a stage, with the longest claim."""
    event = events.rest_token(
        "GET",
        "/x",
        authorization="Bearer x",
        stage="s" * 128,
        region="ap-southeast-7",
        partition="aws-us-gov",
    )
    room = LONGEST_RESOURCE - len(event["methodArn"].removesuffix("GET/x")) - len(f"GET/{sub}")
    rules = Rules(Rule(f"GET /{claim}{'p' * room}"))
    answer = Authorizer(Trusting({"sub": "u" * 128}), rules=rules, log=None)(event)
    assert [len(each) for each in answer["policyDocument"]["Statement"][0]["Resource"]] == [512]
    assert "513 characters" in refused(Rules(Rule(f"GET /{claim}{'p' * (room + 1)}")))


LONGEST_ARN = events.rest_token(
    "GET", "/", authorization="x", stage="s" * 128, region="ap-southeast-7", partition="aws-us-gov"
)["methodArn"]
EXACT = "/" + "p" * (LONGEST_RESOURCE - len(LONGEST_ARN))


@pytest.mark.parametrize(
    ("around", "path", "is_slashed"),
    [
        ("GET /*", EXACT, True),
        ("/*", EXACT, True),
        ("POST /*", EXACT, False),
        ("GET /*", f"{EXACT[:-2]}/*", False),
        ("GET /p", EXACT, False),
        (f"GET {EXACT}/*", EXACT, True),
        (f"POST {EXACT}/*", EXACT, False),
        ("GET /{sub}/*", EXACT, False),  # no claim in a path is so long
        (f"GET /{{sub}}/{EXACT[3:]}/*", f"/s/{EXACT[3:]}", True),
        (f"GET {EXACT}/a/*", EXACT, False),
    ],
)
def test_a_closed_route_has_room_for_the_slash_it_is_denied_with(around, path, is_slashed):
    """``/admin`` that is taken out of ``/*`` takes ``/admin/`` out, too."""
    free, closed = Rule(f"GET {path}"), Rule(f"GET {path}", scope("admin"))
    if len(around) < LONGEST_RESOURCE - len(LONGEST_ARN):
        Authorizer(VERIFIER, rules=Rules(Rule(around), free))
    message = attempted(Rules(Rule(around), closed))
    found = [f"route 'GET {path}' makes", "513 characters"]
    assert all(each in message for each in found) == is_slashed, message


def attempted(rules) -> str:
    try:
        Authorizer(VERIFIER, rules=rules)
    except ConfigError as error:
        return str(error)
    return ""


def test_an_arn_longer_than_aws_has_is_a_failure_and_nothing_is_cut():
    authorizer = Authorizer(
        Trusting({"sub": "u" * 128, "client_id": "c" * 128}),
        rules=Rules(Rule("GET /{sub}/{client_id}/*"), Rule("GET /short")),
        log=Recorder(),
    )
    event = routed_event("rest_token", "GET", "/short", "Bearer x")
    event["methodArn"] = (
        f"arn:aws:execute-api:eu-central-1:123456789012:{'a' * 64}/{'s' * 128}/GET/short"
    )
    longest = len(event["methodArn"]) - len("GET/short") + len("GET//*") + 257
    if longest <= LONGEST_RESOURCE:
        event["methodArn"] = event["methodArn"].replace("eu-central-1", "r" * 32)
    with pytest.raises(ConfigError) as caught:
        authorizer(event)
    assert caught.value.code == "policy_resource"
    assert "512" in str(caught.value)


@settings(max_examples=150, deadline=None)
@given(length=st.integers(1, 128), path=st.integers(1, 330), stage=st.integers(1, 128))
def test_no_resource_is_ever_longer_than_512(length, path, stage):
    claims = {"sub": "u" * length}
    rules = Rules(Rule(f"GET /{'p' * path}/{{sub}}/*"))
    event = events.rest_token("GET", "/x", authorization="Bearer x", stage="s" * stage)
    answer, error = answered(Trusting(claims), event, rules=rules)
    if answer is None:
        assert "512" in str(error)
        assert path + 128 > LONGEST_RESOURCE - 210  # far from there, nothing is refused
        return
    resource = answer["policyDocument"]["Statement"][0]["Resource"][0]
    assert resource.endswith(f"/GET/{'p' * path}/{'u' * length}/*")
    assert len(resource) <= LONGEST_RESOURCE


# Too large for one token alone.


@pytest.mark.parametrize("kind", ROUTED)
@pytest.mark.parametrize(
    "claims",
    [
        {"note": "x" * 8_000},
        {"note": "ż" * 1_500},
        {"note": ["x" * 100] * 90},
        {"note": {"deep": "\\" * 3_000}},
    ],
    ids=["long", "not ASCII", "array", "escapes"],
)
def test_a_context_too_large_is_a_failure_and_never_cut(kind, claims):
    rules = Rules(Rule("GET /orders/*"))
    log = Recorder()
    authorizer = Authorizer(Trusting(claims), rules=rules, context=("note",), log=log)
    with pytest.raises(ConfigError) as caught:
        authorizer(routed_event(kind, "GET", "/orders/1", "Bearer x"))
    assert caught.value.code == "answer_too_large"
    assert re.search(r"the answer is \d+ bytes, API Gateway takes 8192", str(caught.value))
    assert "context" in str(caught.value)
    (line,) = log.lines
    assert (line["decision"], line["level"]) == ("error", "ERROR")
    # A smaller token of the same rules is let in.
    small = Authorizer(Trusting({"note": "x"}), rules=rules, context=("note",), log=None)
    assert small(routed_event(kind, "GET", "/orders/1", "Bearer x"))["context"] == {"note": "x"}


@settings(max_examples=60, deadline=None)
@given(
    note=st.text(st.sampled_from('aż"\\\n\U0001f600'), max_size=60),
    repeated=st.integers(1, 200),
    routes=st.integers(1, 40),
)
def test_an_answer_is_whole_or_there_is_none(note, repeated, routes):
    claims = {"note": note * repeated}
    rules = Rules(*literal_routes(routes))
    event = routed_event("rest_token", "GET", "/x", "Bearer x")
    answer, error = answered(Trusting(claims), event, rules=rules, context=("note",))
    if answer is None:
        assert error.code == "answer_too_large"
    else:
        read = read_answer(answer, simple=False, flat_context=True)  # checks the size again
        assert read.context == claims
        assert [len(resources) for _, _, resources in read.statements] == [routes]


def test_a_name_makes_one_token_s_policy_too_large():
    """28 routes hold the claim: a short name fits, the longest does not."""
    rules = Rules(*(Rule(f"GET /{'p' * 90}{n:03d}/{{sub}}") for n in range(28)))
    short = Authorizer(Trusting({"sub": "u"}), rules=rules, context=(), log=None)
    long = Authorizer(Trusting({"sub": "u" * 128}), rules=rules, context=(), log=None)
    event = routed_event("rest_token", "GET", "/x", "Bearer x")
    (statement,) = short(event)["policyDocument"]["Statement"]
    assert len(statement["Resource"]) == 28
    with pytest.raises(ConfigError) as caught:
        long(event)
    assert caught.value.code == "answer_too_large"


def test_time_is_no_part_of_it():
    """The clock is read, yet the policy of one token is the same at any time."""
    rules = Rules(Rule("GET /orders/*"))
    event = routed_event("rest_token", "GET", "/orders/1", "Bearer x")
    answers = [
        Authorizer(Trusting({"sub": "ala"}), rules=rules, log=None, clock=clock)(event)
        for clock in (lambda: 0, lambda: NOW)
    ]
    assert answers[0] == answers[1]
