"""Each condition of a ring at its limit: what is read, what is known of it, what is written."""

from __future__ import annotations

from typing import Any

import pytest
from tests.kms_ring import world
from tests.kms_ring.world import (
    START,
    born,
    issuer,
    kid_of,
    mark,
    point,
    row,
    signed_by,
    verdict,
)

from kmsjwt.errors import KmsAccessDenied, KmsError, KmsUnavailable
from kmsjwt.kms import read_ring
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.asking import described, pages, tags_of
from kmsjwt.kms.ring.keys import RingKeys
from kmsjwt.kms.ring.reading import read
from kmsjwt.kms.ring.writing import RingWriter
from kmsjwt.kms.ring.written import Written
from kmsjwt.rotation import RingSettings

MOST_PAGES, MOST_ABOVE = 10_000, 100
LATER, EARLIER = START + 50, START - 50


def pointed(number: int, since: float = LATER) -> Written:
    """Return what somebody knows who moved the pointer."""
    written = Written()
    written.pointed = (number, since)
    return written


def many(kms: Any, first: int, count: int) -> None:
    """Have so many aliases of generations; KMS lets a key have 50."""
    for place in range(count):
        if place % 50 == 0:
            made = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
        arn = made["KeyMetadata"]["Arn"]
        kms.create_alias(AliasName=f"alias/auth/{first + place}", TargetKeyId=arn)


class TestReading:
    def test_consumers_are_to_have_usable_keys_whose_public_half_is_known(self, kms):
        arns = row(kms, 4, signing=3)
        mark(kms, arns[1], "compromised")
        mark(kms, arns[3], "kid", text=kid_of(kms, arns[3]))
        kms.faults.add("GetPublicKey", kind="access_denied", key=arns[3], times=None)

        reading = read(kms, "auth", down_to=1)

        assert reading.ring.generations[3].is_usable
        assert set(reading.public) == {1, 2, 3}
        assert [key.kid for key in reading.live] == [kid_of(kms, arns[0]), kid_of(kms, arns[2])]

    @pytest.mark.parametrize("since", [EARLIER, LATER])
    @pytest.mark.parametrize("asks", [True, False])
    def test_who_moved_the_pointer_knows_better_than_kms_that_shows_it_late(self, kms, since, asks):
        row(kms, 3, signing=1)

        ring = read(kms, "auth", since=asks, written=pointed(2, since)).ring

        assert (ring.signing, ring.doubt) == (2, None)
        assert ring.signing_since == since

    @pytest.mark.parametrize("since", [EARLIER, LATER])
    def test_who_moved_the_pointer_and_sees_it_there_knows_since_when(self, kms, since):
        row(kms, 3, signing=2)

        ring = read(kms, "auth", written=pointed(2, since)).ring

        assert (ring.signing, ring.signing_since) == (2, max(START, since))

    def test_others_may_have_moved_the_pointer_further(self, kms):
        row(kms, 3, signing=3)

        ring = read(kms, "auth", written=pointed(2)).ring

        assert (ring.signing, ring.signing_since) == (3, START)

    def test_a_pointer_that_was_just_made_need_not_be_seen(self, kms):
        born(kms, 1)

        assert read(kms, "auth").ring.signing is None
        assert read(kms, "auth", written=pointed(1)).ring.signing == 1

    def test_where_the_key_it_was_moved_to_is_not_seen_what_is_seen_counts(self, kms):
        row(kms, 1, signing=1)

        ring = read(kms, "auth", written=pointed(2)).ring

        assert (ring.signing, ring.signing_since) == (1, START)

    def test_a_pointer_at_a_stranger_is_in_doubt_for_who_moved_it_as_well(self, kms):
        row(kms, 2, signing=1)
        stranger = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
        point(kms, stranger["KeyMetadata"]["Arn"])

        ring = read(kms, "auth", written=pointed(2)).ring

        assert ring.signing is None
        assert ring.doubt is not None
        assert "is not tagged as a key of ring" in ring.doubt

    def test_two_keys_of_one_number_are_in_doubt_for_who_moved_the_pointer_as_well(self, kms):
        row(kms, 2, signing=2)
        kms.delete_alias(AliasName="alias/auth/2")
        born(kms, 2)

        ring = read(kms, "auth", written=pointed(2)).ring

        assert ring.doubt is not None
        assert "are different keys" in ring.doubt

    def test_a_key_that_was_just_made_need_not_be_seen(self, kms):
        row(kms, 2, signing=1)
        written = Written()
        written.keys[2] = described(kms, "alias/auth/2") or {}
        kms.delete_alias(AliasName="alias/auth/2")

        assert [each.number for each in read(kms, "auth").ring.generations] == [1]
        seen = read(kms, "auth", written=written).ring.generations
        assert [each.number for each in seen] == [1, 2]

    @pytest.mark.parametrize("more", [0, 1])
    def test_fewer_than_a_hundred_generations_are_above_the_one_that_signs(self, kms, more):
        row(kms, 2, signing=2)
        many(kms, 3, MOST_ABOVE - 1 + more)

        if more:
            with pytest.raises(KmsError, match="no end of generations") as raised:
                read_ring(kms, "auth")
            assert raised.value.code == "kms_wrong_answer"
        else:
            assert len(read_ring(kms, "auth").ring.generations) == 1 + MOST_ABOVE

    def test_without_a_pointer_there_may_be_more(self, kms):
        born(kms, 1)
        many(kms, 2, MOST_ABOVE)

        assert len(read_ring(kms, "auth").ring.generations) == MOST_ABOVE + 1

    @pytest.mark.parametrize("count", [1, MOST_PAGES, MOST_PAGES + 1])
    def test_a_list_has_an_end(self, count):
        left = [count]

        def page(**_: Any) -> dict[str, Any]:
            left[0] -= 1
            return {"Truncated": left[0] > 0, "NextMarker": "more"}

        listed = pages(page, "ListAliases", "alias/auth")
        if count > MOST_PAGES:
            with pytest.raises(KmsError, match="more than 10000 pages"):
                list(listed)
        else:
            assert len(list(listed)) == count

    def test_a_pointer_at_a_stranger_and_no_key_of_the_ring(self, kms):
        stranger = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
        point(kms, stranger["KeyMetadata"]["Arn"])

        reading = read_ring(kms, "auth")

        assert (reading.ring.generations, reading.ring.signing, reading.missing) == ((), None, None)
        assert reading.ring.doubt is not None

    @pytest.mark.parametrize("text", ["1st", "01", "0", "", "-1"])
    def test_a_pointer_at_a_key_whose_tag_says_no_number(self, kms, text):
        (arn,) = row(kms, 1, signing=1)
        mark(kms, arn, "generation", text=text) if text else kms.untag_resource(
            KeyId=arn, TagKeys=["kmsjwt:generation"]
        )

        ring = read_ring(kms, "auth").ring

        assert ring.signing is None
        assert "is not tagged as a key of ring auth" in str(ring.doubt)

    @pytest.mark.parametrize(
        ("down_to", "numbers"), [(None, [3, 4]), (3, [3, 4]), (2, [2, 3, 4]), (1, [1, 2, 3, 4])]
    )
    def test_below_a_retired_generation_is_read_as_far_as_was_asked(self, kms, down_to, numbers):
        arns = row(kms, 4, signing=4)
        for arn in arns[:3]:
            mark(kms, arn, "retired")

        ring = read(kms, "auth", down_to=down_to).ring

        assert sorted(each.number for each in ring.generations) == numbers

    @pytest.mark.parametrize(
        ("facts", "numbers"),
        [
            ({"retired": world.MARK}, [2, 3]),
            ({"retired": world.MARK, "compromised": world.MARK}, [1, 2, 3]),
            ({"retired": world.MARK, "published": "soon"}, [1, 2, 3]),
            ({}, [1, 2, 3]),
        ],
        ids=["retired", "withdrawn", "in doubt", "draining"],
    )
    def test_only_what_retired_in_its_turn_ends_the_reading(self, kms, facts, numbers):
        arns = row(kms, 3, signing=3)
        for name, text in facts.items():
            mark(kms, arns[1], name, text=text)

        ring = read_ring(kms, "auth").ring

        assert sorted(each.number for each in ring.generations) == numbers

    @pytest.mark.parametrize(
        ("told", "numbers"),
        [
            (None, [3, 4]),
            ("disable 1", [1, 3, 4]),
            ("disable 1 2", [1, 2, 3, 4]),
            ("disable 3 4 6", [3, 4]),
            ("4 a-key-id", [3, 4]),
        ],
    )
    def test_below_it_are_read_those_that_it_says_are_to_be_disabled(self, kms, told, numbers):
        arns = row(kms, 4, signing=4)
        for arn in arns[:2]:
            mark(kms, arn, "compromised", "retired")
        born(kms, 6)  # there is no 5: nobody looks further up
        mark(kms, arns[2], "retired")
        if told is not None:
            mark(kms, arns[2], "next", text=told)

        ring = read_ring(kms, "auth").ring

        assert sorted(each.number for each in ring.generations) == numbers
        assert ring.to_disable == ()

    @pytest.mark.parametrize("is_off", [True, False], ids=["disabled", "to stay enabled"])
    def test_a_withdrawn_one_that_need_not_be_disabled_is_out_of_view(self, kms, is_off):
        arns = row(kms, 4, signing=4)
        mark(kms, arns[0], "compromised", "retired")
        if is_off:
            kms.disable_key(KeyId=arns[0])
        else:
            mark(kms, arns[0], "keep-enabled", text="yes")
        mark(kms, arns[2], "retired")
        mark(kms, arns[2], "next", text="disable 1")

        ring = read_ring(kms, "auth").ring

        assert sorted(each.number for each in ring.generations) == [3, 4]
        assert ring.to_disable == ()

    def test_one_that_is_to_be_disabled_may_be_gone(self, kms):
        arns = row(kms, 4, signing=4)
        mark(kms, arns[1], "compromised", "retired")
        mark(kms, arns[2], "retired")
        mark(kms, arns[2], "next", text="disable 1 2")
        kms.delete_alias(AliasName="alias/auth/1")

        ring = read_ring(kms, "auth").ring

        assert sorted(each.number for each in ring.generations) == [2, 3, 4]
        assert ring.to_disable == ()

    def test_one_of_them_that_nothing_says_of_that_it_was_withdrawn_is_merely_noted(self, kms):
        arns = row(kms, 4, signing=4)
        kms.disable_key(KeyId=arns[0])
        mark(kms, arns[2], "retired")
        mark(kms, arns[2], "next", text="disable 1 2")

        ring = read_ring(kms, "auth").ring

        assert sorted(each.number for each in ring.generations) == [3, 4]
        assert ring.to_disable == (2,)

    def test_one_of_them_that_does_not_say_that_it_retired_is_merely_noted(self, kms):
        """Else it were the oldest that is to retire, and no other would."""
        arns = row(kms, 4, signing=4)
        mark(kms, arns[0], "compromised")
        mark(kms, arns[0], "retired", text="soon")
        mark(kms, arns[2], "retired")
        mark(kms, arns[2], "next", text="disable 1")

        ring = read_ring(kms, "auth").ring

        assert sorted(each.number for each in ring.generations) == [3, 4]
        assert ring.to_disable == (1,)

    def test_tags_that_may_not_be_read_leave_a_key_in_doubt(self, kms):
        arns = row(kms, 2, signing=2)
        kms.faults.add("ListResourceTags", kind="access_denied", key=arns[0], times=None)

        reading = read_ring(kms, "auth")

        first = next(each for each in reading.ring.generations if each.number == 1)
        assert str(first.doubt).startswith("the tags of generation 1 may not be read: ")
        assert reading.unseen == (first.doubt,)

    @pytest.mark.parametrize(
        ("tag", "text", "doubt"),
        [
            ("published", "soon", "generation 1 is in doubt: its tag kmsjwt:published is 'soon'"),
            ("alg", "RS256", "generation 1 signs no such JWT: "),
            ("kid", "another", "generation 1 was published as 'another', is "),
        ],
    )
    def test_why_a_key_is_in_doubt(self, kms, clock, tag, text, doubt):
        (arn,) = row(kms, 1, signing=1)
        mark(kms, arn, tag, text=text)

        (generation,) = read_ring(kms, "auth").ring.generations

        assert str(generation.doubt).startswith(doubt)
        with pytest.raises(KmsError) as raised:
            RingKeys("auth", client=kms, clock=clock).key("another kid")
        assert doubt in str(raised.value)

    @pytest.mark.parametrize(
        ("missing", "told"),
        [
            (("ring", "generation"), "has no tag of a ring, or none that can be seen yet"),
            (("ring",), "is tagged as generation '1' of ring None"),
            (("generation",), "is tagged as generation None of ring 'auth'"),
        ],
        ids=str,
    )
    def test_what_a_stranger_s_tags_say(self, kms, missing, told):
        arns = row(kms, 2, signing=2)
        kms.untag_resource(KeyId=arns[0], TagKeys=[f"kmsjwt:{name}" for name in missing])

        generations = read_ring(kms, "auth").ring.generations

        first = next(each for each in generations if each.number == 1)
        assert first.doubt == f"the key of alias/auth/1 {told}"

    def test_a_disabled_key_is_in_no_doubt_though_its_public_half_is_not_given_out(self, kms):
        arns = row(kms, 3, signing=3)
        for arn in arns[:2]:
            kms.disable_key(KeyId=arn)

        reading = read_ring(kms, "auth")

        assert {each.number: each.state for each in reading.ring.generations} == {
            1: "Disabled",
            2: "Disabled",
            3: "Enabled",
        }
        assert [each.kid for each in reading.ring.generations[:2]] == [None, None]
        assert [each.doubt for each in reading.ring.generations] == [None, None, None]
        assert set(reading.public) == {3}

    def test_what_a_key_is_called_that_lacks_a_kid_is_needed_as_long_as_any_kid(self, kms):
        """What is needed least is the first to be forgotten where there is no more room."""
        arns = row(kms, 3, signing=3)
        mark(kms, arns[1], "kid", text=kid_of(kms, arns[1]))
        called = f"{kid_of(kms, arns[1])} {arns[0].rpartition('/')[2]}"
        for arn in arns[:2]:
            kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)
        mark(kms, arns[2], "gone", text=called)

        assert " ".join(read_ring(kms, "auth").ring.gone) == called

    def test_who_may_not_list_aliases_does_not_learn_when_the_pointer_moved(self, kms):
        row(kms, 1, signing=1)
        kms.permissions.deny("ListAliases")

        reading = read_ring(kms, "auth")

        assert (reading.ring.signing, reading.ring.signing_since) == (1, None)
        (why,) = reading.unseen
        assert "kms:ListAliases" in why

    def test_an_alias_without_a_date_does_not_say_when_it_moved(self, kms):
        """KMS dates none that was made before it began to."""
        row(kms, 1, signing=1)

        class Undated:
            def list_aliases(self, **request: Any) -> Any:
                answer = kms.list_aliases(**request)
                for alias in answer["Aliases"]:
                    del alias["LastUpdatedDate"]
                return answer

            def __getattr__(self, name: str) -> Any:
                return getattr(kms, name)

        assert read_ring(Undated(), "auth").ring.signing_since is None


class Counting:
    """A client that counts how often the pointer is asked for."""

    def __init__(self, kms: Any) -> None:
        self._kms = kms
        self.readings = 0

    def describe_key(self, **request: Any) -> Any:
        self.readings += request["KeyId"] == "alias/auth"
        return self._kms.describe_key(**request)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kms, name)


class TestKnowing:
    def test_who_comes_at_the_very_moment_of_a_failure_does_not_ask_again(self, kms, clock):
        row(kms, 1, signing=1)
        kms.faults.add("DescribeKey", kind="throttle", times=None)
        client = Counting(kms)
        keys = RingKeys("auth", client=client, clock=clock)

        assert [verdict(keys, "a"), verdict(keys, "a")] == ["unsure"] * 2
        assert client.readings == 1

    @pytest.mark.parametrize(
        ("seconds", "is_published"), [(300, True), (0, True), (-1, False), (-10, False)]
    )
    def test_that_all_was_seen_in_the_future_tells_nothing(self, kms, clock, seconds, is_published):
        arns = row(kms, 2, signing=2)
        keys = RingKeys("auth", client=kms, clock=clock)
        keys.key_set()
        kms.delete_alias(AliasName="alias/auth/1")
        clock.move(seconds)

        if is_published:
            assert {key.kid for key in keys.key_set()} == {kid_of(kms, arn) for arn in arns}
        else:
            with pytest.raises(KmsError) as raised:
                keys.key_set()
            assert raised.value.code == "ring_not_known"


@pytest.mark.parametrize("passed", [300, 900, 3600])
def test_who_knows_what_tags_say_signs_on_where_they_may_not_be_read_any_more(kms, clock, passed):
    arns = row(kms, 2, signing=2)
    by = issuer("alias/auth", kms, clock)
    by.issue(sub="ala", aud=world.AUD)
    kms.permissions.deny("ListResourceTags")
    for _ in range(2):
        clock.move(passed)
        assert signed_by(by.issue(sub="ala", aud=world.AUD).token, kms, *arns) == 2


class NeverSees:
    """A client to which KMS does not show a key that was made a moment ago, for so many calls."""

    def __init__(self, kms: Any, calls: int) -> None:
        self._kms = kms
        self._calls = calls

    def create_alias(self, **request: Any) -> Any:
        if self._calls:
            self._calls -= 1
            request["TargetKeyId"] = "1234abcd-12ab-34cd-56ef-1234567890ab"
        return self._kms.create_alias(**request)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kms, name)


KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"


class TestWriting:
    @pytest.mark.parametrize("unseen", [0, 1, 2, 3, 4])
    def test_a_new_key_is_waited_for_seven_seconds(self, kms, unseen):
        pauses: list[float] = []
        writer = RingWriter(NeverSees(kms, unseen), "auth", allow=lambda: None, pause=pauses.append)
        made = writer.make(1, spec=world.SPEC, settings=RingSettings())

        if unseen > 3:
            with pytest.raises(KmsUnavailable, match="waits for its alias") as raised:
                writer.claim(1, made)
            assert raised.value.code == "key_not_visible"
        else:
            assert writer.claim(1, made)["Arn"] == made["Arn"]
        assert pauses == [1, 2, 4][:unseen]

    def test_a_key_that_came_too_late_is_deleted_as_soon_as_kms_lets(self, kms, clock):
        winner = born(kms, 1)
        writer = RingWriter(kms, "auth", allow=lambda: None)
        made = writer.make(1, spec=world.SPEC, settings=RingSettings())

        assert writer.claim(1, made)["Arn"] == winner
        ours = kms.describe_key(KeyId=made["Arn"])["KeyMetadata"]
        assert ours["KeyState"] == "PendingDeletion"
        assert ours["DeletionDate"].timestamp() == clock.now + 7 * world.DAY
        assert writer.orphans == []

    def test_a_key_that_came_too_late_and_may_not_be_deleted_is_told(self, kms):
        born(kms, 1)
        kms.permissions.deny("ScheduleKeyDeletion")
        writer = RingWriter(kms, "auth", allow=lambda: None)
        made = writer.make(1, spec=world.SPEC, settings=RingSettings())
        writer.claim(1, made)

        assert writer.orphans == [made["Arn"]]

    def test_a_key_that_came_too_late_and_was_made_elsewhere_is_told_and_stays(self, kms):
        winner = born(kms, 1)
        made = RingWriter(kms, "auth", allow=lambda: None).make(
            1, spec=world.SPEC, settings=RingSettings()
        )
        writer = RingWriter(kms, "auth", allow=lambda: None)

        assert writer.claim(1, made)["Arn"] == winner
        assert kms.describe_key(KeyId=made["Arn"])["KeyMetadata"]["KeyState"] == "Enabled"
        assert writer.orphans == [made["Arn"]]

    @pytest.mark.parametrize("gone", ["", "kid-1", "kid-1 kid-2"])
    def test_a_new_key_tells_which_are_gone_if_any_are(self, kms, gone):
        writer = RingWriter(kms, "auth", allow=lambda: None)
        made = writer.make(1, spec=world.SPEC, settings=RingSettings(), gone=gone)

        written = tags_of(kms, made["Arn"])
        assert written == writer.written.tags[made["Arn"]]
        assert written.get("kmsjwt:gone") == (gone or None)

    def test_an_alias_that_is_taken_and_cannot_be_seen_is_told(self, kms):
        born(kms, 1)
        writer = RingWriter(kms, "auth", allow=lambda: None)
        made = writer.make(1, spec=world.SPEC, settings=RingSettings())
        kms.faults.add("DescribeKey", kind="error_before", code="NotFoundException", times=1)

        with pytest.raises(KmsUnavailable, match="alias/auth/1 exists") as raised:
            writer.claim(1, made)
        assert raised.value.code == "alias_not_visible"
        assert kms.describe_key(KeyId=made["Arn"])["KeyMetadata"]["KeyState"] == "Enabled"

    def test_a_key_that_waits_for_its_alias_is_named_beside_what_is_to_be_done(self, kms):
        kms.permissions.deny("CreateAlias")
        writer = RingWriter(kms, "auth", allow=lambda: None)
        made = writer.make(1, spec=world.SPEC, settings=RingSettings())

        with pytest.raises(KmsAccessDenied) as raised:
            writer.claim(1, made)
        assert f"the key {made['Arn']} waits for its alias; " in str(raised.value.fix)
        assert "allow kms:CreateAlias" in str(raised.value.fix)


class TestTags:
    @pytest.mark.parametrize(
        "name", ["published", "confirmed", "draining", "retired", "compromised", "disabled"]
    )
    def test_each_fact_of_a_key_is_a_tag_of_its_name(self, name):
        marks, doubt = tags.marks_in({f"kmsjwt:{name}": "2026-09-21T14:13:20Z"})

        assert (getattr(marks, name), doubt) == (START, None)
        assert [each for each in marks.__slots__ if getattr(marks, each)] == [name]

    @pytest.mark.parametrize(
        ("text", "period"),
        [
            ("864000", 864_000),
            ("999", RingSettings().period),
            ("3599", RingSettings().period),
            ("3600", 3600),
            ("999999999", RingSettings().period),
            ("soon", RingSettings().period),
            ("", RingSettings().period),
            ("1234567890", RingSettings().period),
        ],
    )
    def test_on_the_period_nothing_else_depends(self, text, period):
        written = {**tags.of_settings(RingSettings(max_lifetime=700)), "kmsjwt:period": text}

        found = tags.settings_in(written)

        assert found is not None
        assert (found.period, found.max_lifetime) == (period, 700)

    def test_what_is_not_published_any_more_is_read_back_as_it_was_written(self):
        told = {2: 1_800_000_000.0, 31: 1_800_003_600.0}
        text = tags.with_unpublished(told)

        assert text == "2 2027-01-15T08:00:00Z 31 2027-01-15T09:00:00Z"
        assert tags.unpublished_in({"kmsjwt:unpublished": text}) == told
        assert tags.unpublished_in({}) == {}

    def test_of_what_is_not_published_any_more_the_newest_keys_are_told(self):
        text = tags.with_unpublished(dict.fromkeys(range(990, 1011), 1_800_000_000.0))

        assert 256 - len("999 2027-01-15T08:00:00Z ") < len(text) <= 256
        assert max(tags.unpublished_in({"kmsjwt:unpublished": text})) == 1010

    @pytest.mark.parametrize(
        ("text", "numbers"),
        [
            ("2", []),
            ("2 soon", []),
            ("x 2027-01-15T08:00:00Z 3 2027-01-15T08:00:00Z", [3]),
            ("-2 2027-01-15T08:00:00Z", []),
            ("2 2027-01-15T08:00:00Z 3", [2]),
            ("2 2027-01-16T08:00:00Z", [2]),
            ("2 2027-01-16T08:00:01Z", []),
        ],
    )
    def test_a_note_that_cannot_be_true_says_nothing(self, text, numbers):
        """A day ahead is what clocks may differ by; one far ahead would never let a key sign."""
        read = tags.unpublished_in({"kmsjwt:unpublished": text}, 1_800_000_000.0)
        assert list(read) == numbers

    def test_their_names_are_read_by_others_and_stay(self):
        written = tags.of_settings(RingSettings(bundle=True, alg="RS256"))
        assert set(written) < set(tags.ALL_TAGS)
        assert {tag.removeprefix("kmsjwt:") for tag in tags.ALL_TAGS} == {
            "ring",
            "generation",
            "kid",
            "published",
            "confirmed",
            "draining",
            "retired",
            "compromised",
            "disabled",
            "keep-enabled",
            "bundle",
            "alg",
            "period",
            "max-lifetime",
            "signer-refresh",
            "document-max-age",
            "consumer-cache",
            "next",
            "gone",
            "unpublished",
        }

    def test_a_value_has_256_characters_and_the_longest_gone_are_forgotten(self):
        assert tags.with_gone(["a" * 100], ["b" * 155]) == f"{'a' * 100} {'b' * 155}"
        assert tags.with_gone(["a" * 100], ["b" * 156]) == "b" * 156
        assert tags.with_gone(["a"] * 3, ["a", "b"]) == "a b"

    @pytest.mark.parametrize(
        ("text", "numbers"),
        [
            ("disable 1 22", (1, 22)),
            ("disable 1 x 02 3", (1, 3)),
            ("disable", ()),
            ("3 a-key-id", ()),
            ("3 12", ()),
            ("", ()),
        ],
    )
    def test_which_keys_are_still_to_be_disabled(self, text, numbers):
        assert tags.to_disable_in({"kmsjwt:next": text} if text else {}) == numbers

    @pytest.mark.parametrize(
        ("text", "made"),
        [
            (f"3 {KEY_ID} 2026-09-21T14:13:20Z", (KEY_ID, START)),
            (f"3 mrk-{'0a' * 16} 2026-09-21T14:13:20Z", (f"mrk-{'0a' * 16}", START)),
            (f"3 {KEY_ID} soon", (KEY_ID, 0.0)),
            (f"3 {KEY_ID}", (KEY_ID, 0.0)),
            (f"2 {KEY_ID} 2026-09-21T14:13:20Z", None),
            (f"3 arn:aws:kms:eu-central-1:999999999999:key/{KEY_ID} 2026-09-21T14:13:20Z", None),
            (f"3 {KEY_ID.upper()} 2026-09-21T14:13:20Z", None),
            ("3 alias/auth/1 2026-09-21T14:13:20Z", None),
            ("3", None),
            ("", None),
        ],
    )
    def test_which_key_was_made_next_is_told_by_its_id_alone(self, text, made):
        assert tags.made_in({"kmsjwt:next": text}, 3) == made

    def test_where_a_value_is_full_the_oldest_are_left_out(self):
        numbers = [*range(100, 161), 1000]  # 256 characters

        assert tags.to_disable_in({tags.NEXT: tags.with_to_disable(numbers)}) == tuple(numbers)
        more = tags.with_to_disable([2000, *numbers])
        assert tags.to_disable_in({tags.NEXT: more}) == (*numbers[2:], 2000)

    @pytest.mark.parametrize(
        "text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "10000-01-01"]
    )
    def test_the_ends_of_time(self, text):
        marks, doubt = tags.marks_in({tags.PUBLISHED: text})

        assert (marks.published is None) == (doubt is not None) == (text == "10000-01-01")
