"""What each consumer is said to make of documents made for the case."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from tests.authority.compat_cases import ISSUER, finding, jwk, publish, token, verdicts

from kmsjwt import ANY, Verifier
from kmsjwt.authority.compat import CONSUMERS, LIMITS, Timing, TokenFacts, from_folder, judge
from kmsjwt.jwks import StaticKeys

OK, WARN, NO, UNKNOWN = "ok", "warn", "no", "unknown"
ORDER = ("http-api", "rest-api", "alb", "appsync", "iam-oidc", "aws-jwt-verify", "powertools")


def judged(folder, keys, *, text=None, timing=None, consumers=ORDER, **named) -> Any:
    facts: Any = from_folder(publish(folder, keys, **named))
    made = None
    if text is not None:
        verifier = Verifier(StaticKeys(facts.key_set), issuer=ANY, audience=ANY, typ=ANY)
        made = TokenFacts.of(text, verifier.verify(text))
    return judge(facts, timing=timing or Timing(), token=made, consumers=consumers)


def table(*expected) -> Any:
    return dict(zip(ORDER, expected, strict=True))


def test_the_order_is_that_of_the_consumers():
    assert tuple(CONSUMERS) == ORDER


# Written down from the consumers' documents, by hand, apart from the table of limits.
ALGORITHMS = {
    "RS256": table(OK, OK, OK, UNKNOWN, UNKNOWN, OK, OK),
    "RS384": table(UNKNOWN, OK, NO, UNKNOWN, UNKNOWN, OK, OK),
    "RS512": table(UNKNOWN, OK, NO, UNKNOWN, UNKNOWN, OK, OK),
    "PS256": table(UNKNOWN, NO, NO, UNKNOWN, UNKNOWN, NO, OK),
    "PS384": table(UNKNOWN, NO, NO, UNKNOWN, UNKNOWN, NO, OK),
    "PS512": table(UNKNOWN, NO, NO, UNKNOWN, UNKNOWN, NO, OK),
    "ES256": table(NO, OK, NO, UNKNOWN, UNKNOWN, OK, OK),
    "ES384": table(NO, OK, NO, UNKNOWN, UNKNOWN, OK, OK),
    "ES512": table(NO, OK, NO, UNKNOWN, UNKNOWN, OK, OK),
    "ES256K": table(NO, NO, NO, UNKNOWN, UNKNOWN, NO, OK),
    "EdDSA": table(NO, NO, NO, UNKNOWN, UNKNOWN, OK, OK),
    "Ed25519": table(NO, NO, NO, UNKNOWN, UNKNOWN, NO, NO),
}


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_algorithms(alg, tmp_path):
    assert verdicts(judged(tmp_path, [jwk(alg)])) == ALGORITHMS[alg]


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA"])
def test_algorithms_of_tokens(alg, tmp_path):
    """The other key of the set doesn't matter to a token, whichever it is."""
    keys = [jwk(alg), jwk("ES384")]

    assert verdicts(judged(tmp_path, keys, text=token(alg))) == ALGORITHMS[alg]


@pytest.mark.parametrize(
    ("alg", "expected"),
    [("RS256", OK), ("ES256", NO), ("ES384", NO)],
    ids=["RSA", "P-256", "P-384"],
)
def test_a_key_that_names_no_algorithm_has_that_of_its_type(alg, expected, tmp_path):
    rows = judged(tmp_path, [jwk(alg, alg=None)], consumers=["http-api"])

    assert verdicts(rows) == {"http-api": expected}


def test_a_key_that_some_refuse_beside_one_they_take_is_a_warning(tmp_path):
    rows = judged(tmp_path, [jwk("RS256"), jwk("ES256")])

    assert verdicts(rows) == table(WARN, OK, WARN, UNKNOWN, UNKNOWN, OK, OK)


def test_no_key(tmp_path):
    assert set(verdicts(judged(tmp_path, [])).values()) == {NO}


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(jwk("RS256", "weak", n="AQAB" * 40), id="a weak key"),
        pytest.param(jwk("RS256", "enc", use="enc"), id="a key for encryption"),
        pytest.param(jwk("RS256", "what", alg="RS257"), id="an unknown algorithm"),
        pytest.param("key", id="no object"),
    ],
)
def test_nobody_knows_what_they_make_of_a_broken_key(broken, tmp_path):
    alone, beside = tmp_path / "alone", tmp_path / "beside"

    assert set(verdicts(judged(alone, [broken])).values()) == {UNKNOWN}
    assert set(verdicts(judged(beside, [broken, jwk("RS256")])).values()) == {UNKNOWN}


def test_keys_without_kid(tmp_path):
    bare = {name: value for name, value in jwk("RS256").items() if name != "kid"}

    alone = judged(tmp_path / "alone", [bare])
    beside = judged(tmp_path / "beside", [bare, jwk("ES256"), jwk("RS256")])

    assert verdicts(alone) == table(NO, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, NO, NO)
    assert verdicts(beside) == table(WARN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, WARN, WARN)


@pytest.mark.parametrize(("count", "alb"), [(1, OK), (10, OK), (11, NO)])
def test_count_of_keys(count, alb, tmp_path):
    rows = judged(tmp_path, [jwk("RS256", f"k{number}") for number in range(count)])

    assert verdicts(rows) == table(OK, OK, alb, UNKNOWN, UNKNOWN, OK, OK)


@pytest.mark.parametrize(("extra", "http", "others"), [(0, OK, OK), (1, NO, UNKNOWN)])
def test_size_of_the_jwks(extra, http, others, tmp_path):
    publish(tmp_path, [jwk("RS256")])
    file = tmp_path / ".well-known" / "jwks.json"
    file.write_bytes(file.read_bytes().ljust(150_000 + extra))

    rows = judge(from_folder(tmp_path), timing=Timing())

    assert verdicts(rows) == table(http, others, http, UNKNOWN, UNKNOWN, others, others)


def with_length(length) -> Any:
    return f"{ISSUER}/{'x' * (length - len(ISSUER) - 1)}"


@pytest.mark.parametrize(
    ("issuer", "expected"),
    [
        pytest.param("https://id.example/", (OK, OK, OK, UNKNOWN), id="closing slash"),
        pytest.param("https://id.example/t/1", (OK, OK, OK, UNKNOWN), id="path"),
        pytest.param(with_length(234), (OK, OK, OK, UNKNOWN), id="jwks_uri of 256"),
        pytest.param(with_length(236), (OK, OK, NO, UNKNOWN), id="jwks_uri of 257"),
        pytest.param(with_length(256), (OK, OK, NO, NO), id="issuer of 256"),
        pytest.param("http://127.0.0.1:8000", (UNKNOWN, NO, NO, NO), id="http"),
        pytest.param("https://id.example?x=1", (UNKNOWN, NO, UNKNOWN, NO), id="query"),
    ],
)
def test_issuers(issuer, expected, tmp_path):
    named = {"issuer": issuer, "jwks_uri": f"{issuer.rstrip('/')}/.well-known/jwks.json"}
    rows = judged(tmp_path, [jwk("RS256")], discovery=named)

    found = verdicts(rows)
    assert tuple(found[name] for name in ("http-api", "rest-api", "alb", "iam-oidc")) == expected


@pytest.mark.parametrize(("length", "expected"), [(256, None), (257, NO)])
def test_length_of_an_issuer_at_a_load_balancer(length, expected, tmp_path):
    rows = judged(tmp_path, [jwk("RS256")], issuer=with_length(length))

    found = finding(rows, "alb", "issuer_length")
    assert (found and found[0]) == expected


@pytest.mark.parametrize(
    ("issuer", "expected"),
    [
        ("https://id.example", None),
        ("https://id.example/a:1", None),
        ("https://[::1]", None),
        ("https://id.example:8443", WARN),
        ("https://[::1]:8443/x", WARN),
    ],
)
def test_a_port_in_the_issuer_is_a_warning_of_iam_alone(issuer, expected, tmp_path):
    rows = judged(tmp_path, [jwk("RS256")], issuer=issuer)

    found = {name: finding(rows, name, "no_port") for name in ORDER}
    assert found.pop("iam-oidc") == (expected and (expected, "botocore, iam"))
    assert set(found.values()) == {None}


def test_no_discovery(tmp_path):
    facts = from_folder(publish(tmp_path, [jwk("RS256")], discovery=b""))

    rows = judge(replace(facts, asked=ISSUER), timing=Timing())

    assert verdicts(rows) == table(NO, NO, OK, NO, UNKNOWN, OK, NO)


def test_a_folder_that_names_no_issuer(tmp_path):
    rows = judged(tmp_path, [jwk("RS256")], discovery=b"")

    assert verdicts(rows) == table(NO, NO, UNKNOWN, NO, UNKNOWN, UNKNOWN, NO)


@pytest.mark.parametrize("asked", [ISSUER + "/", ISSUER.upper(), "https://id.example.org"])
def test_discovery_of_another_issuer(asked, tmp_path):
    """A closing slash is a difference."""
    facts = from_folder(publish(tmp_path, [jwk("RS256")]))

    rows = judge(replace(facts, asked=asked), timing=Timing())

    assert verdicts(rows) == table(UNKNOWN, NO, OK, NO, UNKNOWN, OK, NO)


@pytest.mark.parametrize(
    ("consumer_cache", "document_max_age", "served", "expected"),
    [
        pytest.param(86_400, 300, None, table(OK, OK, OK, OK, OK, OK, OK), id="default"),
        pytest.param(86_399, 300, None, table(OK, OK, WARN, WARN, WARN, OK, OK), id="under 24 h"),
        pytest.param(7_200, 300, 300, table(OK, OK, WARN, WARN, WARN, OK, OK), id="2 h"),
        pytest.param(7_199, 300, 300, table(WARN, OK, WARN, WARN, WARN, OK, OK), id="under 2 h"),
        pytest.param(3_600, 300, None, table(WARN, OK, WARN, WARN, WARN, OK, OK), id="1 h"),
        pytest.param(3_599, 300, None, table(WARN, WARN, WARN, WARN, WARN, OK, OK), id="under 1 h"),
        pytest.param(300, 300, None, table(WARN, WARN, WARN, WARN, WARN, OK, OK), id="5 min"),
        pytest.param(299, 300, None, table(WARN, WARN, WARN, WARN, WARN, OK, WARN), id="under"),
        pytest.param(1, 300, 302, table(WARN, WARN, WARN, WARN, WARN, WARN, WARN), id="served"),
        pytest.param(7_200, 300, 301, table(WARN, OK, WARN, WARN, WARN, OK, OK), id="served 301"),
    ],
)
def test_timing(consumer_cache, document_max_age, served, expected, tmp_path):
    facts = replace(from_folder(publish(tmp_path, [jwk("RS256")])), max_age=served)
    timing = Timing(consumer_cache=consumer_cache, document_max_age=document_max_age)

    rows = judge(facts, timing=timing)

    found = {name: finding(rows, name, "cache") for name in ORDER}
    assert {name: each and each[0] for name, each in found.items()} == expected


def test_it_says_when_to_publish(tmp_path):
    rows = judged(tmp_path, [jwk("RS256")])

    told = {row.consumer: row.findings[-1].why for row in rows}
    assert told["http-api"] == "caches 2 h: publish 2 h 5 min before signing"
    assert told["rest-api"] == "caches 1 h, less for a new kid: publish 1 h 5 min before signing"
    assert told["aws-jwt-verify"] == "reads the JWKS again for a new kid"
    assert told["powertools"] == "caches 5 min, less for a new kid: publish 10 min before signing"


TOKENS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "good": ({}, table(OK, OK, OK, UNKNOWN, UNKNOWN, OK, OK)),
    "two audiences": ({"aud": ["a", "b"]}, table(OK, OK, OK, UNKNOWN, UNKNOWN, OK, OK)),
    "no aud": ({"aud": None}, table(NO, NO, OK, UNKNOWN, UNKNOWN, NO, NO)),
    "client_id for aud": (
        {"aud": None, "client_id": "c"},
        table(OK, NO, OK, UNKNOWN, UNKNOWN, NO, NO),
    ),
    "no iat": ({"iat": None}, table(UNKNOWN, UNKNOWN, OK, UNKNOWN, UNKNOWN, OK, OK)),
    "no iss": ({"iss": None}, table(NO, NO, NO, UNKNOWN, UNKNOWN, NO, NO)),
    "at+jwt": (
        {"header": {"typ": "at+jwt"}},
        table(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, OK, OK),
    ),
    "jwt": ({"header": {"typ": "jwt"}}, table(OK, OK, OK, UNKNOWN, UNKNOWN, OK, OK)),
    "no typ": ({"header": {"typ": None}}, table(OK, OK, OK, UNKNOWN, UNKNOWN, OK, OK)),
    "no kid": (
        {"header": {"kid": None}},
        table(NO, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, NO, NO),
    ),
    "10 KB": ({"x": "x" * 7_400}, table(NO, NO, OK, UNKNOWN, UNKNOWN, OK, OK)),
}


@pytest.mark.parametrize("name", TOKENS)
def test_tokens(name, tmp_path):
    told, expected = TOKENS[name]

    text = token(**told)

    # Our own verifier demands an iss where one is expected; here it expects none.
    assert verdicts(judged(tmp_path, [jwk("RS256")], text=text)) == expected


@pytest.mark.parametrize("consumer", ORDER)
def test_without_a_source_for_its_algorithms_nobody_is_ok(consumer, tmp_path):
    rows = judged(tmp_path, [jwk("RS256")], text=token(), consumers=[consumer])

    has_source = (consumer, "algs") in LIMITS
    assert verdicts(rows) == {consumer: OK if has_source else UNKNOWN}


def test_every_limit_has_a_source():
    assert [limit for limit in LIMITS.values() if not limit.source] == []
    assert {consumer for consumer, _ in LIMITS} == set(ORDER)


def test_a_verdict_other_than_unknown_names_its_source(tmp_path):
    """Except for the timing where nobody says: there the longest time is assumed."""
    rows = judged(tmp_path, [jwk("PS256"), jwk("ES256")], text=token("PS256", aud=None))

    findings = [each for row in rows for each in row.findings if each.what != "cache"]
    assert {each.verdict for each in findings if each.source is None} == {UNKNOWN}
    assert None not in {each.source for each in findings if each.verdict != UNKNOWN}


def service(name) -> Any:
    return botocore.session.get_session().get_service_model(name)


def told_of(service_name, shape, member) -> Any:
    return service(service_name).shape_for(shape).members[member]


def text_of(service_name, shape, member) -> Any:
    return re.sub(r"<[^>]+>", "", told_of(service_name, shape, member).documentation)


class TestBotocore:
    """Where botocore is the source, it has to say so."""

    def test_rest_algorithms(self):
        enum = service("apigateway").shape_for("JwtSigningAlgorithm").metadata["enum"]

        assert sorted(LIMITS["rest-api", "algs"].value) == sorted(enum)

    def test_rest_issuer(self):
        text = text_of("apigateway", "JwtIssuerInput", "issuer")

        assert "absolute https URL" in text
        assert "no user information, query, or fragment" in text
        assert "discovery document must name this exact issuer" in text

    def test_rest_audience(self):
        text = text_of("apigateway", "JwtIssuerInput", "audiences")

        assert "aud claim must contain at least one" in text

    @pytest.mark.parametrize(
        ("member", "what"), [("Issuer", "issuer_length"), ("JwksEndpoint", "jwks_uri_length")]
    )
    def test_load_balancer_lengths(self, member, what):
        text = text_of("elbv2", "JwtValidationActionConfig", member)

        assert f"maximum length is {LIMITS['alb', what].value} characters" in text

    def test_http_issuer(self):
        text = service("apigatewayv2").shape_for("UriWithLengthBetween1And2048").documentation

        assert f"[1-{LIMITS['http-api', 'issuer_length'].value}]" in text

    def test_appsync_issuer(self):
        text = text_of("appsync", "OpenIDConnectConfig", "issuer")

        assert "returned by discovery must exactly match" in text

    def test_iam_url(self):
        url = told_of("iam", "CreateOpenIDConnectProviderRequest", "Url")

        assert url.metadata["max"] == LIMITS["iam-oidc", "issuer_length"].value
        assert "must begin with <code>https://</code>" in url.documentation
        assert "query parameters are not" in url.documentation
        assert "should not contain a port number" in url.documentation
