"""The judge of the matrix goes red when a library, or we, would deserve it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from interop.cells import Bench, Outcome
from interop.runtimes import Runtime
from interop.tokens import ISSUER, OurTokens, TheirKeys

from interop import matrix, page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from interop.adapters import Adapter

    Meddle = Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]


class Meddled:
    """A true adapter whose answers are tampered with: ``meddle(question, answer)``."""

    def __init__(self, adapter: Adapter, meddle: Meddle) -> None:
        self._adapter = adapter
        self._meddle = meddle

    def ask(self, **question: Any) -> dict[str, Any]:
        return self._meddle(question, self._adapter.ask(**question))


@pytest.fixture(scope="module")
def ours() -> OurTokens:
    return OurTokens()


@pytest.fixture(scope="module")
def judge(ours: OurTokens) -> Bench:
    return Bench(ours, TheirKeys())


@pytest.fixture
def meddled(adapters: Mapping[str, Adapter]) -> Callable[[Meddle], Any]:
    return lambda meddle: Meddled(adapters["jose"], meddle)


def refused(question: dict[str, Any]) -> dict[str, Any]:
    return {"ok": False, "error": f"no {question['alg']} today"}


@pytest.mark.parametrize("forgery", [0, 1], ids=["flipped signature bit", "another subject"])
def test_a_library_that_accepts_a_forgery_is_no_reader(forgery, judge, ours, meddled):
    sample = ours.sample("ES256")
    gullible = meddled(
        lambda question, answer: (
            {"ok": True, "claims": sample.claims}
            if question["token"] == sample.forged[forgery]
            else answer
        )
    )

    verdict = judge.reads_ours(gullible, "jose", "ES256")

    assert (verdict.outcome, verdict.why) == (Outcome.WRONG, "accepts a forged token")


@pytest.mark.parametrize("name", ["sub", "nbf", "imię", "tenant", "many"])
def test_a_library_that_loses_a_claim_is_no_reader(name, judge, meddled):
    def forget(_, answer):
        answer.get("claims", {}).pop(name, None)
        return answer

    verdict = judge.reads_ours(meddled(forget), "jose", "ES256")

    assert verdict.outcome is Outcome.WRONG
    assert verdict.why.startswith(f"reads other claims: {name} None, not ")


def test_a_refusal_of_our_token_alone_is_a_fault(judge, ours, meddled):
    token = ours.sample("ES256").token
    picky = meddled(
        lambda question, answer: refused(question) if question["token"] == token else answer
    )

    verdict = judge.reads_ours(picky, "jose", "ES256")

    assert verdict.outcome is Outcome.WRONG
    assert verdict.why == "refuses ours, reads another's: no ES256 today"


def test_a_refusal_of_everybody_s_token_is_lack_of_support(judge, meddled):
    verdict = judge.reads_ours(meddled(lambda question, _: refused(question)), "jose", "ES256")

    assert (verdict.outcome, verdict.why) == (Outcome.UNSUPPORTED, "no ES256 today")


def test_a_token_that_jwcrypto_refuses_too_is_theirs_to_mend(judge, meddled):
    def shorten(_, answer):
        return {**answer, "token": answer["token"][:-4]}

    verdict = judge.read_by_us(meddled(shorten), "jose", "ES256")

    assert verdict.outcome is Outcome.ODD
    assert verdict.why.startswith("its token is refused by us and by jwcrypto: ")


def test_a_good_token_that_we_refuse_is_a_fault(judge, adapters):
    """Another issuer: jwcrypto, not asked about it, sees nothing wrong."""

    class Stranger:
        def ask(self, **question):
            claims = {**question["claims"], "iss": f"{ISSUER}/other"}
            return adapters["jose"].ask(**{**question, "claims": claims})

    verdict = judge.read_by_us(Stranger(), "jose", "ES256")

    assert verdict.outcome is Outcome.WRONG
    assert verdict.why.startswith("we refuse its token: ")


def test_other_claims_than_were_to_be_signed_are_a_fault(judge, adapters):
    class Forgetful:
        def ask(self, **question):
            claims = {**question["claims"], "tenant": {"id": 8}}
            return adapters["jose"].ask(**{**question, "claims": claims})

    verdict = judge.read_by_us(Forgetful(), "jose", "ES256")

    assert verdict.outcome is Outcome.WRONG
    assert verdict.why.startswith("we read other claims: tenant {'id': 8}, not ")


def absent(_: Path) -> list[str]:
    return [sys.executable, "-c", "raise SystemExit('cannot load such file -- jwt')"]


ABSENT = Runtime(
    language="Ruby", speaks_for=("ruby-jwt",), command=absent, packages=("ruby", "ruby-jwt")
)


def test_a_runtime_that_is_missing_is_named_and_the_page_left(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(matrix, "RUNTIMES", (ABSENT,))
    target = tmp_path / "page.md"

    matrix.main(["--write", str(target)])

    printed = capsys.readouterr().out
    assert "not run: ruby-jwt (Ruby): cannot load such file -- jwt" in printed
    assert "apt-get install --no-install-recommends ruby ruby-jwt" in printed
    assert not target.exists()


def test_an_algorithm_without_a_reader_fails_the_run(monkeypatch, capsys):
    monkeypatch.setattr(matrix, "RUNTIMES", (ABSENT,))

    assert matrix.main([]) == 1
    assert "wrong: no library reads ML-DSA-87" in capsys.readouterr().err


def test_a_library_that_reads_nothing_fails_the_run(adapters, judge, meddled):
    mute = meddled(lambda question, _: refused(question))
    cells = {("jose", "ES256"): judge.cell(mute, "jose", "ES256")}
    found = page.Found(runtime=ABSENT, libraries={"jose": "1"}, cells=cells)

    assert "wrong: jose reads nothing" in matrix.unread([found])
    assert page.mark(cells["jose", "ES256"]) == "–"
