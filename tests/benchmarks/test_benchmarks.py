"""The benchmarks run, and nobody who accepts a forgery is ever timed."""

from __future__ import annotations

from dataclasses import replace

import jwt
import pytest
from benchmarks.work import AUDIENCE, ISSUER, work

from benchmarks import contenders, harness, page, table, verify

HERE = ("bare cryptography verify", "kmsjwt", "PyJWT, key in hand", "joserfc, key in hand")


@pytest.fixture(scope="module")
def given():
    full = work("RS256")
    return replace(full, tokens=full.tokens[:4])


@pytest.fixture(scope="module")
def found(given):
    return {each.name: each for each in contenders.contenders(given)[0]}


def test_each_contender_here_is_proven_and_measured(given, found):
    """All of them accept what is good, refuse what is forged, and get a figure a round."""
    for each in found.values():
        harness.prove(each, given.tokens, given.forgeries)

    timings = harness.race(found.values(), given.tokens, rounds=2)

    assert set(HERE) <= set(timings.by_name)
    assert {len(figures) for figures in timings.by_name.values()} == {2}
    assert min(map(timings.median, timings.by_name)) > 0


@pytest.mark.parametrize("fault", ["signature", "payload", "aud", "iss", "exp", "no exp", "nbf"])
def test_who_accepts_a_forgery_stops_the_run(given, found, fault):
    """Whichever check is missing: a contender that is lax in one thing alone is found out."""

    def lax(tokens):
        if tokens != [given.forgeries[fault]]:
            found["kmsjwt"].run(tokens)

    with pytest.raises(harness.Unfit, match=f"fault is: {fault}"):
        harness.prove(harness.Contender("lax", lax), given.tokens, given.forgeries)


def test_a_library_told_to_check_less_stops_the_run(given, monkeypatch):
    """The program itself proves its contenders, before any clock runs."""
    key = jwt.PyJWK(given.key.jwk())

    def without_signature(token):
        jwt.decode(
            token,
            key,
            ["RS256"],
            {"verify_signature": False, "verify_aud": True, "verify_exp": True},
            audience=AUDIENCE,
            issuer=ISSUER,
        )

    def make(_):
        return [harness.Contender("careless", harness.one_by_one(without_signature))]

    monkeypatch.setattr(contenders, "MAKERS", (make,))
    monkeypatch.setattr(harness, "interleaved", lambda *_, **__: pytest.fail("it was timed"))

    with pytest.raises(harness.Unfit, match="careless accepts"):
        verify.tables(quick=True)


def test_who_refuses_good_tokens_stops_the_run(given):
    """Refusing everything is no way to win."""

    def grim(_):
        raise ValueError("no")

    with pytest.raises(harness.Unfit, match="refuses a good token"):
        harness.prove(harness.Contender("grim", grim), given.tokens, given.forgeries)


def test_a_ratio_is_the_median_of_the_rounds():
    """A round in which the machine was slow for both is no outlier."""
    timings = harness.Timings({"one": [2, 20, 3], "other": [1, 10, 1]})

    assert timings.ratio("one", "other") == 2
    assert timings.median("one") == 3


def test_the_page_shows_each_target_met_missed_or_not_measured():
    """No target is left out of the page, whatever became of it."""
    targets = [
        table.Target("swift", 1.5, 1.5),
        table.Target("slow", 1.5, 1.51),
        table.Target("absent", 1.5, None, "not installed"),
    ]
    figures = table.Table("A title", "A note.", ("who", "µs"), [("a|b", "1.0")], targets)

    written = page.page([figures], targets, quick=False)

    assert "| swift | ≤ 1.5 | 1.500 | yes |" in written
    assert "| slow | ≤ 1.5 | 1.510 | NO |" in written
    assert "| absent | ≤ 1.5 | not measured | not installed |" in written
    assert "### A title\n\nA note.\n\n| who | µs |" in written
    assert "| a\\|b | 1.0 |" in written
