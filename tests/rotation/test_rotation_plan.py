"""Each rule of the plan, with facts just before, at and after the time when it is due."""

from __future__ import annotations

from typing import Any

import pytest
from tests.rotation.rings import (
    DRAIN,
    LONG_AGO,
    NOW,
    PUBLISH_WAIT,
    REST,
    SETTINGS,
    actions,
    drained,
    due,
    key,
    planned,
    ring,
)

from kmsjwt._immutable import replaced
from kmsjwt.rotation import Marks, Ring
from kmsjwt.rotation.planning import MOST_KEYS, is_elsewhere
from kmsjwt.rotation.steps import Step

EDGES = pytest.mark.parametrize(
    ("late_by", "is_due"), [(-1, False), (0, True), (1, True)], ids=["before", "at", "after"]
)
DAY = 86_400


def later(of: Ring, what: str, **asked: Any) -> list[Any]:
    return [each.at for each in planned(of, **asked).later if what in each.what]


# --- each rule at its time


@EDGES
def test_a_key_signs_once_every_cache_has_it(late_by, is_due):
    published = NOW - PUBLISH_WAIT - late_by
    found = ring(key(1), key(2, published=published), signing=1)
    assert due(found) == ([("point", 2)] if is_due else [])
    if not is_due:
        assert later(found, "generation 2 signs") == [published + PUBLISH_WAIT]


@EDGES
def test_the_pointer_rests_before_it_moves_again(late_by, is_due):
    found = ring(drained(1), key(2), key(3), signing=2, signing_since=NOW - REST - late_by)
    assert (("point", 3) in due(found)) == is_due


@EDGES
def test_a_key_retires_once_its_last_token_is_dead(late_by, is_due):
    since = NOW - DRAIN - late_by
    found = ring(drained(1), key(2), signing=2, signing_since=since)
    assert due(found) == ([("retire", 1)] if is_due else [])
    if not is_due:
        assert later(found, "generation 1 retires") == [since + DRAIN]


@EDGES
def test_the_drain_runs_from_the_later_of_mark_and_move(late_by, is_due):
    """A mark that was written late, such as by the run after a killed one, only prolongs it."""
    found = ring(key(1, draining=NOW - DRAIN - late_by), key(2), signing=2)
    assert (("retire", 1) in due(found)) == is_due


@EDGES
def test_a_period_ends(late_by, is_due):
    found = ring(key(1), signing=1, signing_since=NOW - DAY - late_by)
    assert due(found) == ([("create", 2)] if is_due else [])


@EDGES
def test_a_period_that_is_told_counts_at_once(late_by, is_due):
    found = ring(key(1), signing=1, signing_since=NOW - 5_000 - late_by)
    assert actions(found, period=5_000) == ({"create"} if is_due else set())


def test_each_generation_waits_by_its_own_settings():
    """Shortening a lifetime counts for keys that were made after it."""
    short = SETTINGS.replaced(max_lifetime=60, consumer_cache=0, document_max_age=60)
    at = NOW - DRAIN + 60
    assert due(ring(drained(1), key(2, settings=short), signing=2, signing_since=at)) == []
    assert due(ring(drained(1, settings=short), key(2), signing=2, signing_since=at)) == [
        ("retire", 1)
    ]


def test_the_longest_cache_of_any_live_key_counts():
    quick = SETTINGS.replaced(consumer_cache=0)
    just = NOW - quick.publish_wait
    assert due(ring(key(1), key(2, settings=quick, published=just), signing=1)) == []
    assert due(ring(key(1, settings=quick), key(2, settings=quick, published=just), signing=1)) == [
        ("point", 2)
    ]


# --- a life, fact by fact


def test_a_ring_begins_with_its_first_key():
    nothing = Ring(name="auth", now=0.0, generations=(), signing=None, signing_since=None)
    assert due(nothing, start=True) == [("create", 1)]
    assert due(nothing) == []


def test_the_first_key_signs_as_soon_as_it_is_read_back():
    first = key(1, published=None)
    assert due(ring(first, signing=None), []) == [("publish", 0)]
    assert due(ring(first, signing=None), ["k1"]) == [("mark-published", 1)]
    assert due(ring(key(1, published=NOW), signing=None)) == [("point", 1)]


def test_a_ring_whose_pointer_is_missing_waits_for_caches():
    """It may be there, unseen: then the second key must not sign for being the newest."""
    fresh = ring(key(1), key(2, published=NOW), signing=None)
    assert due(fresh) == [("point", 1)]
    fresh = ring(key(1, published=NOW), key(2, published=NOW), signing=None)
    assert due(fresh) == []
    assert due(ring(key(1), key(2), signing=None)) == [("point", 2)]


def test_a_new_key_is_published_read_back_and_then_marked():
    found = ring(key(1), key(2, published=None), signing=1)
    assert due(found, ["k1"]) == [("publish", 0)]
    assert due(found, ["k1", "k2"]) == [("mark-published", 2)]


def test_whoever_follows_the_pointer_is_marked_as_draining():
    assert due(ring(key(1), key(2), signing=2)) == [("mark-draining", 1)]


def test_a_retired_key_leaves_the_jwks():
    found = ring(drained(1, retired=NOW), key(2), signing=2)
    assert due(found, ["k1", "k2"]) == [("publish", 0)]
    assert due(found, ["k2"]) == []


def test_keys_retire_oldest_first_and_one_at_a_time():
    found = ring(drained(1), drained(2), key(3), signing=3)
    assert due(found) == [("retire", 1)]
    found = ring(drained(1, retired=NOW), drained(2), key(3), signing=3)
    assert due(found, ["k1", "k2", "k3"]) == [("publish", 0)]
    assert due(found, ["k2", "k3"]) == [("retire", 2)]


def test_nothing_overtakes_an_older_key_that_cannot_retire():
    found = ring(drained(1, settings=None), drained(2), key(3), signing=3)
    assert "retire" not in actions(found)


def test_one_generation_at_a_time_is_under_way():
    waits = key(2, published=NOW)
    assert actions(ring(key(1), waits, signing=1), start=True) == set()
    assert actions(ring(key(1), key(2, doubt="?"), signing=1), start=True) == set()


def test_the_newest_key_that_may_sign_is_the_one():
    assert due(ring(key(1), key(2), key(3), signing=1)) == [("point", 3)]
    found = ring(key(1), key(2), key(3, published=NOW), signing=1)
    assert due(found) == [("point", 2)]


def test_a_document_has_at_most_so_many_keys():
    def many(count: int) -> Ring:
        keys = [drained(number) for number in range(1, count)]
        return ring(*keys, key(count), signing=count, signing_since=NOW)

    assert MOST_KEYS == 10  # what a load balancer reads
    assert "create" in actions(many(MOST_KEYS - 1), start=True)
    assert "create" not in actions(many(MOST_KEYS), start=True)


def test_start_asks_for_a_generation_before_its_time():
    assert due(ring(key(1), signing=1)) == []
    assert due(ring(key(1), signing=1), start=True) == [("create", 2)]


# --- bundles


def test_a_key_for_bundles_waits_for_a_person():
    bundled = SETTINGS.replaced(bundle=True)
    assert due(ring(key(1), key(2, settings=bundled), signing=1)) == []
    assert due(ring(key(1), key(2, settings=bundled, confirmed=NOW), signing=1)) == [("point", 2)]


def test_a_confirmation_shortens_no_wait():
    bundled = SETTINGS.replaced(bundle=True)
    fresh = key(2, settings=bundled, confirmed=NOW, published=NOW - PUBLISH_WAIT + 1)
    assert due(ring(key(1), fresh, signing=1)) == []


# --- emergency

WITHDRAWN = {"compromised": NOW, "retired": NOW}


def test_a_withdrawn_signer_is_followed_at_once_by_one_that_is_published():
    found = ring(key(1, **WITHDRAWN), key(2, published=NOW), signing=1, signing_since=NOW)
    assert due(found, ["k1", "k2"]) == [("publish", 0), ("point", 2)]


def test_a_key_that_is_known_to_be_compromised_is_gone_whatever_else_is_missing():
    found = ring(key(1, compromised=NOW), key(2, published=NOW), signing=1, signing_since=NOW)
    assert due(found, ["k1", "k2"]) == [("publish", 0), ("point", 2)]
    assert found.retired_kids == {"k1"}


def test_a_withdrawn_signer_without_a_successor_gets_one():
    found = ring(key(1, **WITHDRAWN), signing=1)
    assert due(found, ["k1"]) == [("create", 2)]
    assert any("never left without a key" in each.why for each in planned(found, ["k1"]).later)


def test_a_withdrawn_signer_is_not_followed_by_a_key_that_nobody_can_read():
    found = ring(key(1, **WITHDRAWN), key(2, published=None), signing=1)
    assert due(found, ["k1"]) == [("publish", 0)]


def test_no_emergency_moves_the_pointer_to_an_older_key():
    found = ring(drained(1), key(2, **WITHDRAWN), signing=2, signing_since=NOW)
    assert "point" not in actions(found, ["k1"])


def test_a_withdrawn_key_is_disabled_when_it_neither_signs_nor_is_published():
    gone = key(1, **WITHDRAWN)
    assert ("disable", 1) not in due(ring(gone, key(2), signing=1), ["k2"])
    assert ("disable", 1) not in due(ring(gone, key(2), signing=2), ["k1", "k2"])
    assert ("disable", 1) in due(ring(gone, key(2), signing=2), ["k2"])
    kept = key(1, **WITHDRAWN, keep_enabled=True)
    assert ("disable", 1) not in due(ring(kept, key(2), signing=2), ["k2"])
    disabled = key(1, **WITHDRAWN, state="Disabled")
    assert ("disable", 1) not in due(ring(disabled, key(2), signing=2), ["k2"])


def test_a_withdrawn_key_that_waits_gives_way_to_the_next():
    found = ring(key(1), key(2, **WITHDRAWN), signing=1)
    assert ("point", 2) not in due(found, ["k1"], start=True)
    assert ("create", 3) in due(found, ["k1"], start=True)


def test_a_withdrawn_key_in_between_does_not_hold_up_the_others():
    found = ring(drained(1), drained(2, **WITHDRAWN), key(3), signing=3)
    assert ("retire", 1) in due(found, ["k1", "k3"])


# --- facts that are missing, contradictory or in doubt: wait

UNSURE: dict[str, tuple[Ring, str]] = {
    "the ring is in doubt": (
        ring(drained(1), key(2), key(3), signing=2, doubt="two keys, one number"),
        "any",
    ),
    "not known when the pointer moved: no pointing": (
        ring(key(1), key(2), signing=1, signing_since=None),
        "point",
    ),
    "not known when the pointer moved: no retiring": (
        ring(drained(1), key(2), signing=2, signing_since=None),
        "retire",
    ),
    "not known when the pointer moved: no creating": (
        ring(key(1), signing=1, signing_since=None),
        "create",
    ),
    "settings of the signer unreadable": (ring(key(1, settings=None), key(2), signing=1), "point"),
    "settings of the next unreadable": (ring(key(1), key(2, settings=None), signing=1), "point"),
    "settings of an old live key unreadable": (
        ring(drained(1, settings=None), key(2), key(3), signing=2),
        "point",
    ),
    "settings of the draining key unreadable": (
        ring(drained(1, settings=None), key(2), signing=2),
        "retire",
    ),
    "draining for an unknown time": (ring(key(1), key(2), signing=2), "retire"),
    "draining since a time to come": (
        ring(key(1, draining=NOW + DAY), key(2), signing=2),
        "retire",
    ),
    "published at a time to come": (ring(key(1), key(2, published=NOW + 1), signing=1), "point"),
    "the draining key is in doubt": (ring(drained(1, doubt="?"), key(2), signing=2), "retire"),
    "the next key is in doubt": (ring(key(1), key(2, doubt="?"), signing=1), "point"),
    "the next key is disabled": (ring(key(1), key(2, state="Disabled"), signing=1), "point"),
    "the next key is to be deleted": (
        ring(key(1), key(2, state="PendingDeletion"), signing=1),
        "point",
    ),
    "the next key's public half is unknown": (ring(key(1), key(2, kid=None), signing=1), "point"),
    "the next key is retired": (ring(key(1), key(2, retired=LONG_AGO), signing=1), "point"),
    "a signer in doubt is no emergency": (
        ring(key(1, doubt="?"), key(2, published=NOW), signing=1),
        "point",
    ),
    "the clock of KMS went back": (
        ring(drained(1), key(2), signing=2, signing_since=NOW + DAY),
        "retire",
    ),
    "the period of the signer unreadable": (
        ring(key(1, settings=None), signing=1, signing_since=LONG_AGO),
        "create",
    ),
}


@pytest.mark.parametrize(("found", "action"), UNSURE.values(), ids=UNSURE)
def test_what_is_not_known_for_sure_lets_nothing_happen(found, action):
    steps = actions(found)
    assert not steps if action == "any" else action not in steps


@pytest.mark.parametrize("why", [name for name in UNSURE if "a withdrawn key" not in name])
def test_a_plan_that_waits_says_what_for(why):
    found, _ = UNSURE[why]
    plan = planned(found, [str(each.kid) for each in found.generations])
    assert plan.later


def test_a_key_whose_kid_is_not_known_keeps_its_mark():
    found = ring(key(1), key(2, kid=None), signing=1)
    assert "mark-unpublished" not in actions(found, ["k1", "k2"])


def test_a_key_that_has_left_the_jwks_does_not_sign():
    """Marked as published long ago, and not there now: who took it out took it out of caches.

    It is not published again before its mark is taken back, by which it could sign at once.
    """
    found = ring(key(1), key(2), signing=1)
    assert due(found, ["k1"]) == [("mark-unpublished", 2)]
    unmarked = ring(key(1), key(2, published=None), signing=1)
    assert due(unmarked, ["k1"]) == [("publish", 0)]


def test_in_an_emergency_a_key_that_has_left_the_jwks_is_published_whatever_is_marked():
    found = ring(key(1, **WITHDRAWN), key(2), signing=1)
    assert {("mark-unpublished", 2), ("publish", 0)} <= set(due(found, []))


def test_a_key_that_signs_is_published_again_and_goes_on_signing():
    assert due(ring(drained(1), key(2), signing=2, signing_since=NOW), ["k1"]) == [("publish", 0)]


def test_no_emergency_lets_a_key_sign_that_is_not_in_the_jwks_now():
    found = ring(key(1, **WITHDRAWN), key(2), signing=1)
    assert "point" not in actions(found, ["k1"])


def test_a_key_in_doubt_is_neither_published_nor_taken_out():
    found = ring(key(1), key(2, doubt="?"), signing=1)
    assert due(found, ["k1", "k2"]) == []
    assert due(found, ["k1"]) == []


def test_what_is_written_on_a_key_of_the_ring_counts_though_it_is_in_doubt():
    """A stranger's key has no marks: what is in doubt is the ring's, with something unclear."""
    withdrawn = ring(key(1, **WITHDRAWN, doubt="?"), key(2, published=NOW), signing=1)
    assert "point" in actions(withdrawn, ["k1", "k2"])
    assert ("publish", 0) in due(withdrawn, ["k1", "k2"])
    assert "disable" in actions(ring(key(1, **WITHDRAWN, doubt="?"), key(2), signing=2), ["k2"])


def test_unknown_keys_in_the_jwks_are_let_be():
    assert due(ring(key(1), signing=1), ["k1", "somebody's"]) == []


def test_the_jwks_is_never_emptied():
    found = ring(key(1, **WITHDRAWN), key(2, state="Disabled"), signing=1)
    assert "publish" not in actions(found, ["k1"])


def test_a_withdrawn_key_leaves_a_jwks_that_others_keep_filled():
    found = ring(drained(1, state="Disabled"), key(2, **WITHDRAWN), signing=2)
    assert ("publish", 0) in due(found, ["k1", "k2"])


@pytest.mark.parametrize(
    ("ago", "signing", "is_certain"),
    [(0, 2, True), (0, 1, False), (REST - 1, 1, False), (REST, 1, True), (REST, None, False)],
)
def test_a_withdrawn_key_is_disabled_once_the_pointer_is_certainly_elsewhere(
    ago, signing, is_certain
):
    """It goes forward alone, so what was passed is; what is ahead may have been reached unseen."""
    number = 1 if signing == 2 else 2
    gone = {"compromised": NOW - ago, "retired": NOW - ago}
    keys = [drained(each, **(gone if each == number else {})) for each in (1, 2)]
    found = ring(*keys, signing=signing)
    assert (("disable", number) in due(found, [f"k{3 - number}"])) == is_certain


def test_an_emergency_passes_over_a_key_in_doubt_that_is_not_young():
    signing = key(1, **WITHDRAWN)
    young = key(2, doubt="?", published=None, born=NOW - 599)
    old = key(2, doubt="?", published=None, born=NOW - 600)
    assert "create" not in actions(ring(signing, young, signing=1), ["k1"])
    assert ("create", 3) in due(ring(signing, old, signing=1), ["k1"])
    assert "create" not in actions(ring(key(1), old, signing=1), start=True)


@pytest.mark.parametrize("keep_enabled", [False, True])
def test_what_is_to_be_disabled_holds_up_no_retirement(keep_enabled):
    gone = key(1, **WITHDRAWN, keep_enabled=keep_enabled)
    found = due(ring(gone, drained(2), key(3), signing=3), ["k2", "k3"])
    assert ("retire", 2) in found
    assert (("disable", 1) in found) != keep_enabled


LOST = {"state": "PendingDeletion", "kid": None, "published": None}


def test_a_lost_key_holds_up_nothing():
    """KMS will delete it, nothing can be written on it, and no document can be said to hold it."""
    assert ("retire", 2) in due(ring(key(1, **LOST), drained(2), key(3), signing=3))
    assert ("create", 3) in due(ring(key(1), key(2, **LOST), signing=1), start=True)
    withdrawn = ring(key(1, **WITHDRAWN), key(2, **LOST, settings=None), signing=1)
    assert ("create", 3) in due(withdrawn, ["k1"])
    assert ("point", 3) in due(ring(key(1), key(2, **LOST, settings=None), key(3), signing=1))


@pytest.mark.parametrize("facts", [{}, {"published": None}, {"doubt": "?", "born": NOW}], ids=str)
def test_an_emergency_waits_for_no_key_that_kms_will_delete(facts):
    leaving = key(2, state="PendingDeletion", **facts)
    assert ("create", 3) in due(ring(key(1, **WITHDRAWN), leaving, signing=1), ["k1", "k2"])
    assert "create" not in actions(ring(key(1), leaving, signing=1), ["k1", "k2"], start=True)


def test_a_lost_key_that_signs_is_followed_in_haste():
    assert due(ring(key(1, **LOST), signing=1), ["k1"]) == [("create", 2)]
    new = key(2, published=NOW, born=NOW - 60)
    steps = planned(ring(key(1, **LOST), new, signing=1), ["k1", "k2"]).due
    assert [(step.action, step.number, step.why) for step in steps] == [
        ("point", 2, "the key that signs is lost")
    ]


@pytest.mark.parametrize("facts", [{"doubt": "?"}, {"kid": "k1"}, {"state": "Disabled"}], ids=str)
def test_a_key_of_which_more_may_be_known_is_not_lost(facts):
    assert key(1, **{**LOST, **facts}).is_lost is False
    assert "create" not in actions(ring(key(1, **{**LOST, **facts}), signing=1), ["k1"])
    assert "retire" not in actions(
        ring(key(1, **{**LOST, **facts}), drained(2), key(3), signing=3, signing_since=NOW)
    )


@pytest.mark.parametrize(
    ("published", "born", "is_due"),
    [
        (NOW - 701, LONG_AGO, True),  # it was there when the other was withdrawn
        (NOW - 300, LONG_AGO, True),  # everybody sees what was written when it was put back
        (NOW - 299, LONG_AGO, False),
        (NOW - 299, NOW - 761, False),
        (NOW - 299, NOW - 760, True),  # it was made because of that
    ],
)
def test_a_key_that_was_put_back_since_waits_until_all_is_seen(published, born, is_due):
    """It may have been taken out of the JWKS on purpose, as withdrawn too."""
    gone = {"compromised": NOW - 700, "retired": NOW - 700}
    of = ring(key(1, **gone), key(2), key(3, published=published, born=born), signing=1)
    assert [step for step in due(of, ["k2", "k3"]) if step[0] == "point"] == (
        [("point", 3)] if is_due else []
    )
    assert told(of, "generation 3 signs", ["k2", "k3"]) == (
        [] if is_due else [("withdrawn", published + 300)]
    )


def test_what_is_later_comes_soonest_first_and_says_why():
    found = ring(drained(1), key(2), key(3, published=NOW), signing=2, signing_since=NOW)
    times = [each.at or 0.0 for each in planned(found).later]
    assert times == sorted(times)
    assert all(each.why for each in planned(found).later)


# --- facts that the rules are built of


@pytest.mark.parametrize(
    ("state", "room", "is_due"),
    [
        ("PendingDeletion", 43, True),
        ("PendingDeletion", 42, False),
        ("Enabled", 0, True),  # it says itself that it has retired
    ],
)
def test_a_key_that_kms_will_delete_retires_where_others_have_room_to_say_so(state, room, is_due):
    known = "a" * (256 - 1 - room)
    of = ring(
        drained(1, kid="b" * 43, state=state),
        drained(2, kid=known, retired=LONG_AGO),
        key(3),
        signing=3,
        gone=("c" * 43, known),  # the first of which names no key any more
    )
    assert (("retire", 1) in due(of)) == is_due


def test_a_key_that_others_name_already_takes_no_more_room():
    of = ring(key(1, kid="a" * 212), key(2, kid="b" * 43), signing=2, gone=("a" * 212, "b" * 43))
    assert of.has_room_for("b" * 43)
    assert not of.has_room_for("b" * 44)


@pytest.mark.parametrize(
    "signer",
    [
        {"state": "PendingDeletion", "compromised": LONG_AGO, "retired": LONG_AGO},
        LOST,
    ],
    ids=["by what another key says", "lost"],
)
@pytest.mark.parametrize(
    ("published", "born"), [(NOW - 300, LONG_AGO), (NOW - 1, LONG_AGO), (NOW, NOW - 1)]
)
def test_where_nobody_can_tell_when_the_signer_went_the_next_signs_at_once(signer, published, born):
    """KMS will delete it, so nobody signs; what others say of it has no time."""
    of = ring(key(1, **signer), key(2, published=published, born=born), signing=1)
    assert due(of, ["k2"]) == [("point", 2)]


def told(of: Ring, what: str, published: list[str] | None = None) -> list[tuple[str, Any]]:
    return [(each.reason, each.at) for each in planned(of, published).later if what in each.what]


def test_a_key_in_doubt_that_is_said_to_be_gone_holds_up_no_other():
    """Nothing can be written on it; its kid has left the JWKS by what another key says."""
    of = ring(
        key(1, doubt="its tags are another's"),
        key(2, published=LONG_AGO, draining=LONG_AGO),
        key(3, published=LONG_AGO),
        signing=3,
    )
    assert ("retire", 2) not in due(of, ["k2", "k3"])
    assert ("retire", 2) in due(replaced(of, gone=("k1",)), ["k2", "k3"])


def test_a_young_key_whose_tags_are_not_seen_is_waited_for_and_needs_nobody():
    """Nobody is told to give up a good key."""
    for age, reason, at in ((599, "time", NOW + 1), (600, "stuck", None)):
        of = ring(key(1), key(2, born=NOW - age, doubt="no tags"), signing=1)
        assert told(of, "generation 3 is made") == [(reason, at)]


def test_a_withdrawal_is_not_over_while_the_next_key_cannot_be_seen():
    """Or a run would say that nothing is left of it."""
    of = ring(key(1, **WITHDRAWN), key(2, born=NOW - 1, doubt="no tags"), signing=1)
    assert told(of, "generation 3 is made") == [("withdrawn", NOW + 599)]


def test_without_a_pointer_the_last_live_key_is_an_emergency_and_one_of_several_is_none():
    new = {"published": NOW, "born": NOW - 60}
    alone = ring(key(1, **WITHDRAWN), key(2, **new), signing=None)
    several = ring(key(1, **WITHDRAWN), key(2, **new), key(3, **new), signing=None)
    unknown = ring(key(1, **WITHDRAWN), key(8, **new), signing=7)
    assert ("point", 2) in due(alone, ["k2"])
    assert "point" not in actions(several, ["k2", "k3"])
    assert "point" not in actions(unknown, ["k8"])
    assert "point" not in actions(ring(key(8, **new), signing=7), ["k8"])


@pytest.mark.parametrize(
    ("number", "facts", "stage"),
    [
        (1, {"compromised": NOW, "retired": NOW}, "compromised"),
        (1, {"retired": NOW}, "retired"),
        (1, {}, "verifying"),
        (2, {}, "signing"),
        (3, {}, "published"),
        (3, {"published": None}, "new"),
    ],
)
def test_where_in_its_life_a_key_is(number, facts, stage):
    of = ring(*(key(each, **(facts if each == number else {})) for each in (1, 2, 3)), signing=2)
    assert of.stage(of.generations[number - 1]) == stage
    if stage == "verifying":
        headless = ring(key(1), signing=None)
        assert headless.stage(headless.generations[0]) == "published"


def test_what_is_known_of_all_keys_together():
    quick = SETTINGS.replaced(document_max_age=60)
    of = ring(
        key(1, retired=NOW, settings=quick),
        key(2, retired=NOW, compromised=NOW),
        key(3, retired=NOW, doubt="?"),
        key(4, published=None, settings=None),
        key(5, kid=None),
        signing=5,
        gone=["k0"],
    )
    assert of.newest_retired == 1
    assert of.document_max_age == 600
    assert ring(key(1, settings=None), signing=1).document_max_age is None
    assert of.marked_published == {"k1", "k2", "k3"}
    assert of.withdrawn_kids == {"k0", "k2"}
    assert of.retired_kids == {"k0", "k1", "k2", "k3"}
    nameless = ring(key(1, kid=None, **WITHDRAWN), key(2), signing=2)
    assert nameless.withdrawn_kids == nameless.retired_kids == set()


def test_a_retired_key_s_settings_are_waited_for_no_more():
    found = ring(drained(1, retired=NOW, settings=None), key(2), key(3), signing=2)
    assert ("point", 3) in due(found)


@pytest.mark.parametrize(("ago", "expected"), [(299, [("withdrawn", NOW + 1)]), (300, [])])
def test_after_a_withdrawal_the_jwks_is_looked_at_again(ago, expected):
    gone = key(1, compromised=NOW - ago, retired=NOW - ago)
    assert told(ring(gone, key(2), signing=2), "looked at again", ["k2"]) == expected


@pytest.mark.parametrize(
    ("facts", "kind"), [(WITHDRAWN, "withdrawn"), ({"retired": NOW}, "retired")]
)
def test_why_a_key_leaves_the_jwks(facts, kind):
    found = ring(drained(1, **facts), key(2), signing=2)
    (step,) = [each for each in planned(found, ["k1", "k2"]).due if each.action == "publish"]
    assert f"holds a {kind} key" in step.why


def test_what_is_not_written_on_a_key_that_is_in_doubt_done_or_leaving():
    assert "mark-published" not in actions(
        ring(key(1), key(2, doubt="?", published=None), signing=1), ["k1", "k2"]
    )
    for facts in ({"state": "PendingDeletion"}, {"retired": NOW}, {"doubt": "?"}):
        assert "mark-draining" not in actions(ring(key(1, **facts), key(2), signing=2))
    leaving = key(2, state="PendingDeletion")
    alone = ring(key(1, state="Disabled"), leaving, signing=1)  # nobody is there to tell it
    assert "mark-unpublished" not in actions(alone, ["k1"])
    assert due(ring(key(1), leaving, signing=1), ["k1"]) == [("mark-unpublished", 2)]
    unmarked = replaced(leaving, marks=Marks())
    assert "mark-published" not in actions(ring(key(1), unmarked, signing=1), ["k1", "k2"])


def test_a_key_that_kms_will_delete_drains_since_the_pointer_moved():
    leaving = key(1, state="PendingDeletion")
    assert ("retire", 1) in due(ring(leaving, key(2), signing=2))
    young = ring(leaving, key(2), signing=2, signing_since=NOW - DRAIN + 1)
    assert "retire" not in actions(young)


def test_a_withdrawn_key_does_not_hold_up_its_own_retirement():
    for gone in ((), ("k1",)):
        found = ring(drained(1, compromised=LONG_AGO), key(2), signing=2, gone=gone)
        assert ("retire", 1) in due(found, ["k2"])


def test_who_is_given_up_holds_up_no_other():
    assert ("create", 3) in due(ring(key(1), key(2, retired=NOW), signing=1), ["k1"], start=True)
    given_up = key(2, compromised=NOW, doubt="?")
    assert ("create", 3) in due(ring(key(1), given_up, signing=1), ["k1"], start=True)
    headless = ring(key(1, **WITHDRAWN), key(2, doubt="?"), signing=None)
    assert "create" not in actions(headless, [])


def test_what_is_stuck_is_said_and_what_is_not_is_not():
    disabled = key(2, state="Disabled")
    for each in (disabled, replaced(disabled, born=NOW - 1)):
        assert told(ring(key(1), each, signing=1), "generation 3 is made") == [("stuck", None)]
    assert told(ring(key(1), disabled, key(3), signing=1), "generation 4 is made") == []
    signs = "generation 1 signs"
    assert told(ring(key(1, state="Disabled"), signing=1), signs) == [("stuck", None)]
    assert told(ring(key(1), signing=1), signs) == []
    assert told(ring(key(1, state="Disabled", **WITHDRAWN), signing=1), signs) == []


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"doubt": "?"}, [("doubt", None)]),
        ({"doubt": "?", "born": NOW - 599}, []),
        ({"doubt": "?", "compromised": NOW}, []),
        ({}, []),
    ],
    ids=str,
)
def test_doubt_is_told_of_keys_that_are_trusted_all_the_same(facts, expected):
    assert told(ring(drained(1, **facts), key(2), signing=2), "is trusted", ["k2"]) == expected


def test_when_a_withdrawn_key_can_be_disabled_is_told():
    ahead = key(2, **WITHDRAWN)
    assert told(ring(key(1), ahead, signing=1), "is disabled") == [("withdrawn", NOW + REST)]
    assert told(ring(key(1), ahead, signing=None), "is disabled") == [("withdrawn", None)]
    assert told(ring(key(1, **WITHDRAWN), key(2), signing=1), "is disabled", ["k2"]) == []


def test_where_the_pointer_is_certainly_not():
    old = {"compromised": NOW - 2 * REST}
    signing = ring(key(1, **old), key(2), key(3, **old), signing=1)
    assert [is_elsewhere(signing, each) for each in signing.generations] == [False, False, True]


def test_what_another_key_says_of_a_withdrawal_has_no_time():
    """A reading has the key's birth for it; its own mark may be a minute old, and unseen."""
    ahead = key(2, compromised=LONG_AGO, retired=LONG_AGO)
    assert ahead.withdrawn_since is None
    of = ring(key(1), ahead, signing=1)
    assert not is_elsewhere(of, ahead)
    assert "disable" not in actions(of, ["k1"])
    assert told(of, "is disabled", ["k1"]) == [("withdrawn", None)]
    assert ("disable", 2) in due(ring(key(1), ahead, key(3), signing=3), ["k1", "k3"])


def test_a_run_makes_one_key_whatever_its_number():
    assert Step("create", 2, "a").key == Step("create", 3, "b").key
    assert Step("retire", 2, "a").key != Step("retire", 3, "a").key
