"""A sample of the crash matrix; all of it is played by ``python -m tests.rotation.campaign``."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.rotation import campaign
from tests.rotation.cases import Case, run
from tests.rotation.emergency import SCENES
from tests.rotation.faults import WRITES
from tests.rotation.timeline import Steps, Token, refusals

SAMPLE = campaign.sample(seed=5, count=2)


def test_a_rotation_without_faults_makes_one_key_and_loses_no_token():
    outcome = run(Case())
    assert outcome.is_good, outcome
    assert outcome.orphans == 0
    assert outcome.tokens > 200
    assert outcome.issued > 150
    assert outcome.ours > 2_000
    assert outcome.signatures > 50


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("view", ["now", "later"])
def test_a_withdrawal_without_faults_is_complete_and_loses_no_other_token(scene, view):
    outcome = run(Case(scene=scene, view=view, public=True))
    assert outcome.is_good, outcome
    assert outcome.orphans == 0
    assert {"fetch", "create_invalidation", "put_object"} <= set(outcome.calls)
    assert ("disable_key" in outcome.calls) == (not SCENES[scene].keep_enabled)
    assert outcome.ours > 100
    assert outcome.signatures > 10


def test_a_key_that_lost_the_race_is_deleted():
    outcome = run(Case(scene="raced", view="now", alive=False))
    assert outcome.is_good, outcome
    assert "schedule_key_deletion" in outcome.calls
    assert outcome.orphans == 0


def test_every_call_that_can_fail_is_made_somewhere():
    """So that none of those that are denied or fail is only a name."""
    made = set()
    for scene in campaign.SCENES:
        for view in ("now", "late"):
            made |= set(run(Case(scene=scene, view=view, public=True, alive=False)).calls)
    named = {each.partition("@")[0].replace("_", "").lower() for each in campaign.DENIED}
    assert named - {"listbucket"} == {each.replace("_", "") for each in made}
    assert made >= WRITES


def test_no_live_token_fails_whatever_fails(capsys):
    sums: Counter[str] = Counter()
    bad = campaign.added(sums, map(run, SAMPLE))
    with capsys.disabled():
        print(f"\ncrash matrix, a sample: {', '.join(f'{n} {what}' for what, n in sums.items())}")
    assert not bad, "\n".join(map(str, bad[:5]))
    assert sums["runs"] == len(SAMPLE)
    assert sums["of withdrawals"] > len(SAMPLE) // 2
    assert sums["faults met"] > len(SAMPLE)
    assert sums["of our verifiers"] > 300 * len(SAMPLE)
    assert sums["keys without an alias"] < len(SAMPLE)


@pytest.mark.parametrize("kind", ["drop", "drop_after", "kill_after"])
def test_a_fault_leaves_at_most_one_key_without_an_alias(kind):
    calls = run(Case()).calls
    for operation in ("create_key", "create_alias"):
        outcome = run(Case(faults=((calls.index(operation), kind),), wait=301))
        assert outcome.hits == 1
        assert outcome.is_good, outcome
        assert outcome.orphans <= 1


# --- the judge itself


def judged(documents: Steps, *, cache: float) -> int:
    token = Token("k", 100, 200, "s")
    return len(refusals(documents, [token], caches={"v": cache}, leeway=50)[0])


@pytest.mark.parametrize(
    ("present_from", "present_until", "cache", "is_refused"),
    [
        (0, 1_000, 0, False),
        (100, 1_000, 0, False),
        (101, 1_000, 0, True),  # signed before it was published
        (0, 250, 0, False),  # gone once no leeway accepts the token
        (0, 249, 0, True),
        (50, 1_000, 50, False),
        (51, 1_000, 50, True),  # a cache may lack it when it signs
    ],
)
def test_the_judge_sees_what_is_missing(present_from, present_until, cache, is_refused):
    documents = Steps()
    documents.put(-1_000, frozenset({"other"}))
    documents.put(present_from, frozenset({"other", "k"}))
    documents.put(present_until, frozenset({"other"}))
    assert bool(judged(documents, cache=cache)) == is_refused
