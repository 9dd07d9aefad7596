"""A token that meets some rules and not those within them is denied most: it is reckoned, too."""

from __future__ import annotations

import json
import re
from itertools import chain, combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.trusting import Trusting
from tests.rules.lines import lines_run

from kmsjwt.cli import main
from kmsjwt.errors import ConfigError
from kmsjwt.gateway import Authorizer
from kmsjwt.gateway.fit import tight, unfit
from kmsjwt.rules import Rule, Rules, all_of, any_of, claim, scope
from kmsjwt.testing import events

LIMIT = 8_192
USER, ADMIN, T1 = scope("user"), scope("admin"), claim("tenant").equals("t1")
IS_ADMIN, IS_B = claim("roles").contains("admin"), claim("roles").contains("b")


def policy_bytes(rules, claims) -> int:
    """Return the size of the policy by hand, on the shortest ARN there is."""
    grant = rules.grant(claims)
    stage = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/x/"
    sides = [("Allow", grant.allow), ("Deny", grant.deny)]
    statements = [
        {
            "Action": "execute-api:Invoke",
            "Effect": effect,
            "Resource": [stage + each for each in resources],
        }
        for effect, resources in sides
        if resources
    ]
    document = {"Version": "2012-10-17", "Statement": statements}
    return len(json.dumps({"principalId": "x", "policyDocument": document}))


def refusal(rules) -> str:
    try:
        Authorizer(Trusting({}), rules=rules, context=(), log=None)
    except ConfigError as error:
        return str(error)
    return ""


def answered(rules, claims) -> int | str:
    """Return the bytes of a real answer, or the code of the error."""
    authorizer = Authorizer(Trusting(claims), rules=rules, context=(), log=None)
    event = events.rest_token(
        "GET", "/none", authorization="Bearer x", stage="x", region="us-east-1"
    )
    try:
        return len(json.dumps(authorizer(event)))
    except ConfigError as error:
        return error.code


def closed(count, *needs, method="GET", at="/closed") -> list[Rule]:
    return [Rule(f"{method} {at}/{n:03d}".strip(), *needs) for n in range(count)]


def around(name, needs, whole=None) -> list[Rule]:
    outer = Rule(f"GET /{name}/*", whole or scope(name))
    return [outer, *closed(25, needs, at=f"/{name}")]


TOO_MUCH: dict[str, tuple[Rules, dict[str, Any], str]] = {
    "any method": (
        Rules(Rule("/*", USER), *closed(8, ADMIN, method="")),
        {"scope": "user"},
        "'/*' alone",
    ),
    "many of one method": (
        Rules(Rule("GET /*", USER), *closed(55, ADMIN)),
        {"scope": "user"},
        "'GET /*' alone",
    ),
    "values and members": (
        Rules(Rule("/*", T1), *closed(8, IS_ADMIN, method="")),
        {"tenant": "t1"},
        "'/*' alone",
    ),
    "several around, of one need": (
        Rules(*chain.from_iterable(around(name, ADMIN, USER) for name in "abcd")),
        {"scope": "user"},
        "'GET /a/*', 'GET /b/*', 'GET /c/*' and 1 more alone",
    ),
    "what every token needs": (
        Rules(Rule("GET /*"), *closed(55, ADMIN), require=T1),
        {"tenant": "t1"},
        "'GET /*' alone",
    ),
    "a path of one's own": (
        Rules(Rule("GET /{sub}/*"), *closed(60, ADMIN, at="/{sub}")),
        {"sub": "x"},
        "'GET /{sub}/*' alone",
    ),
    "a scope around one, and within another": (
        Rules(
            *(Rule("GET /a/*", ADMIN), Rule("GET /a/x"), Rule("GET /b/*", USER)),
            *closed(60, ADMIN, at="/b"),
        ),
        {"scope": "user"},
        "'GET /b/*' alone",
    ),
    "a member around one, and within another": (
        Rules(
            *(Rule("GET /a/*", IS_ADMIN), Rule("GET /a/x"), Rule("GET /b/*", USER)),
            *(Rule("GET /c/*", claim("roles").contains("b")), Rule("GET /c/x")),
            *closed(60, IS_ADMIN, at="/b"),
        ),
        {"scope": "user"},
        "'GET /b/*' alone",
    ),
    "one of two members that every token needs": (
        Rules(Rule("GET /*"), *closed(55, IS_ADMIN), require=any_of(IS_ADMIN, IS_B)),
        {"roles": ["b"]},
        "has claim('roles').contains('b') alone",
    ),
    "one of two that every token needs": (
        Rules(Rule("GET /*"), *closed(55, USER), require=any_of(USER, scope("more"))),
        {"scope": "more"},
        "has scope('more') alone",
    ),
    "one of several scopes, others of which the inner ones need": (
        Rules(
            Rule("/*", any_of(USER, ADMIN, scope("ops"))),
            *closed(8, any_of(ADMIN, scope("ops")), method=""),
        ),
        {"scope": "user"},
        "has scope('user') alone",
    ),
    "one of several scopes, beside what every token needs": (
        Rules(
            Rule("/*", any_of(USER, ADMIN, scope("ops"))),
            *closed(8, any_of(ADMIN, scope("ops")), method=""),
            require=scope("api"),
        ),
        {"scope": "api user"},
        "has scope('user') alone",
    ),
    "one of several members, beside what every token needs": (
        Rules(
            Rule("/*", any_of(claim("roles").contains("user"), IS_ADMIN, IS_B)),
            *closed(8, any_of(IS_ADMIN, IS_B), method=""),
            require=claim("roles").contains("api"),
        ),
        {"roles": ["api", "user"]},
        "has claim('roles').contains('user') alone",
    ),
    "one of several values, others of which the inner ones need": (
        Rules(
            Rule("/*", any_of(claim("plan").equals("free"), IS_ADMIN, IS_B)),
            *closed(8, any_of(IS_ADMIN, IS_B), method=""),
        ),
        {"plan": "free"},
        "has claim('plan').equals('free') alone",
    ),
    "one of several members, others of which the inner ones need": (
        Rules(
            Rule("/*", any_of(claim("roles").contains("user"), IS_ADMIN, IS_B)),
            *closed(8, any_of(IS_ADMIN, IS_B), method=""),
        ),
        {"roles": ["user"]},
        "has claim('roles').contains('user') alone",
    ),
}


@pytest.mark.parametrize(("rules", "claims", "told"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_rules_whose_ordinary_user_would_always_get_500_are_refused(rules, claims, told):
    size = policy_bytes(rules, claims)
    assert size > LIMIT
    message = refusal(rules)
    assert f"at least {size:,} bytes for a token that " in message
    assert f"{told}, API Gateway takes 8,192" in message


TEAMS = ("orders", "billing", "stock", "users", "search", "mail")
INNER = ("settings", "export")


@pytest.mark.parametrize("count", range(3, 7))
def test_what_only_a_member_of_every_team_would_get_is_warned_of_and_not_refused(count):
    """Scopes cannot say that nobody has all of them."""
    rules = Rules(
        *(Rule(f"/{team}/*", scope(team)) for team in TEAMS[:count]),
        *(
            Rule(f"/{team}/{inner}", scope(f"{team}:admin"))
            for team in TEAMS[:count]
            for inner in INNER
        ),
    )
    for team in TEAMS[:count]:
        assert isinstance(answered(rules, {"scope": team, "sub": "ala"}), int)
    every = {"scope": " ".join(TEAMS[:count]), "sub": "ala"}
    assert answered(rules, every) == "answer_too_large"
    (warning,) = tight(rules)
    more = f" and {count - 3} more" if count > 3 else ""
    assert f"meets the needs of '/orders/*', '/billing/*', '/stock/*'{more} alone" in warning


def test_who_has_part_of_what_is_needed_around_is_warned_of():
    """Whose policy names all that lies within."""
    around = all_of(USER, claim("role").equals("admin"))
    rules = Rules(Rule("/*", around), *(Rule(f"/r{n:02d}", USER) for n in range(16)))
    assert isinstance(answered(rules, {"scope": "user", "sub": "ala"}), int)  # in a short stage
    (warning,) = tight(rules)
    assert "has scope('user') alone" in warning


@pytest.mark.parametrize(
    ("has", "needed", "told"),
    [
        (lambda names: {"scope": " ".join(names)}, scope, "scope('admin')"),
        (
            lambda names: {"roles": list(names)},
            lambda name: claim("roles").contains(name),
            "claim('roles').contains('admin')",
        ),
    ],
    ids=["a scope", "a member"],
)
def test_who_has_all_but_one_thing_is_warned_of(has, needed, told):
    """Who is let in to most, and shut out of what lies within that."""
    reads = closed(30, needed("read"), at="/reports")
    within = closed(25, needed("admin"), at="/shop")
    rules = Rules(Rule("GET /shop/*", needed("user")), *within, *reads)
    for count in range(4):
        for names in combinations(("user", "admin", "read"), count):
            assert isinstance(answered(rules, {**has(names), "sub": "ala"}), int)
    (warning,) = tight(rules)
    assert f"a token that meets all it can but {told} gets" in warning
    size = re.search(r"policy of some ([0-9,]+) bytes", warning)
    assert size is not None
    ordinary = len("arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/")
    shortest = len("arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/x/")
    grant = rules.grant(has(("user", "read")))
    longer = (ordinary - shortest) * (len(grant.allow) + len(grant.deny))
    assert int(size[1].replace(",", "")) == policy_bytes(rules, has(("user", "read"))) + longer


def test_members_of_every_team_are_not_supposed_where_teams_share_a_scope_within():
    """One team's administrator fits, and so does whoever has every team and that scope."""
    names = range(6)
    rules = Rules(
        *(Rule(f"/t{n}/*", scope(f"team{n}")) for n in names),
        *(Rule(f"/t{n}/adm{inner}", ADMIN) for n in names for inner in (0, 1)),
    )
    every = " ".join(f"team{n}" for n in names)
    for scopes in (*(f"team{n} admin" for n in names), "team0", f"{every} admin"):
        assert isinstance(answered(rules, {"scope": scopes, "sub": "ala"}), int)
    assert answered(rules, {"scope": every, "sub": "ala"}) == "answer_too_large"
    assert len(tight(rules)) == 1


@pytest.mark.parametrize("method", ["GET", ""])
def test_rules_that_fit_every_token_are_taken_in_silence(method):
    rules = Rules(Rule(f"{method} /*", USER), *closed(35 if method else 4, ADMIN, method=method))
    for scopes in ("", "user", "admin", "user admin"):
        assert isinstance(answered(rules, {"scope": scopes, "sub": "ala"}), int)
    assert tight(rules) == []


def test_what_is_near_the_limit_is_a_warning():
    rules = Rules(Rule("GET /*", USER), *closed(48, ADMIN))
    assert refusal(rules) == ""
    (warning,) = tight(rules)
    assert "a token that meets the needs of 'GET /*' alone gets a policy of some 8,01" in warning


def test_the_larger_policy_is_told_beside_one_that_is_near_already():
    """Which of two warnings is the worse nobody should have to guess."""
    rules = Rules(*closed(85, method="POST", at="/open"), Rule("GET /*", USER), *closed(8, ADMIN))
    *near, worst = (int(re.findall(r"some (\d),(\d+)", each)[0][0]) for each in tight(rules))
    assert (near, worst) == ([6, 6], 8)


def test_the_command_says_it_too(tmp_path, capsys):
    file = tmp_path / "rules.toml"
    routes = ", ".join(f'"/admin/{n}"' for n in range(8))
    text = f'[[rule]]\nroute="/*"\nscope="user"\n[[rule]]\nroute=[{routes}]\nscope="admin"\n'
    file.write_text(text)
    assert main(["rules", str(file)]) == 2
    assert "meets the needs of '/*' alone" in capsys.readouterr().err
    file.write_text(text.replace(', "/admin/7"', ""))
    assert main(["rules", str(file)]) == 0
    assert "meets the needs of '/*' alone" in capsys.readouterr().err


WORDS = ["a", "b", "c"]
NEEDS: list[Any] = [None, *map(scope, WORDS), any_of(scope("a"), scope("b")), scope("b c")]
OPEN = st.lists(
    st.tuples(st.sampled_from(["GET /*", "/*", "GET /p/*", "/q/*"]), st.sampled_from(NEEDS)),
    min_size=1,
    max_size=2,
    unique_by=lambda each: each[0],
)
CLOSED = st.lists(
    st.tuples(
        st.integers(1, 40),
        st.sampled_from(NEEDS),
        st.sampled_from(["GET", ""]),
        st.sampled_from(["/p", "/q", "/r"]),
    ),
    max_size=3,
    unique_by=lambda each: each[2:],
)


@settings(max_examples=150, deadline=None)
@given(open_ones=OPEN, closed_ones=CLOSED, require=st.sampled_from(NEEDS))
def test_no_rules_are_refused_that_every_token_fits(open_ones, closed_ones, require):
    """Against each token that there could be."""
    kept = [Rule(path, *([needs] if needs else [])) for path, needs in open_ones]
    for count, needs, method, at in closed_ones:
        kept += closed(count, *([needs] if needs else []), method=method, at=at)
    try:
        rules = Rules(*kept, require=require)
    except ConfigError:
        return  # three nested
    tokens = [
        {"scope": " ".join(words)}
        for count in range(len(WORDS) + 1)
        for words in combinations(WORDS, count)
    ]
    largest = max(policy_bytes(rules, claims) for claims in tokens)
    assert largest > LIMIT or unfit(rules) == []


def test_a_required_value_of_a_claim_in_paths_is_the_one_that_is_reckoned():
    """With any other there is no token, and nothing to be reckoned."""
    both = all_of(claim("sub").equals("ala"), claim("client_id").equals("web"))

    def rules(count: int) -> Rules:
        return Rules(
            *(Rule(f"GET /{{sub}}/{{client_id}}/{n:03d}") for n in range(count)), require=both
        )

    ala = {"sub": "ala", "client_id": "web"}
    assert f"at least {policy_bytes(rules(150), ala):,} bytes" in refusal(rules(150))
    assert isinstance(answered(rules(80), ala), int)


def test_what_is_taken_at_start_is_answered_and_what_is_refused_never_would_be():
    """The size is counted alike before deployment and at each request."""
    for count in range(116, 123):
        rules = Rules(*(Rule(f"GET /r{n:03d}") for n in range(count)))
        size = policy_bytes(rules, {})
        assert ("bytes" in refusal(rules)) == (size > LIMIT)
        if size <= LIMIT:
            assert answered(rules, {"sub": "x"}) == size


def test_looking_for_slashes_compares_not_each_with_each():
    def rules(many: int) -> Rules:
        return Rules(
            *(Rule(f"GET /{{sub}}/a{n}/*", claim("t").equals(str(n))) for n in range(many)),
            *(Rule(f"GET /p{n}/q", claim("t").equals(str(n))) for n in range(many)),
        )

    few, many = rules(30), rules(60)
    assert lines_run(lambda: unfit(many)) < 3 * lines_run(lambda: unfit(few))
