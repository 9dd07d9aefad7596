"""A ring's first key is made once: run twice, killed anywhere, raced by another, seen late."""

from __future__ import annotations

from typing import Any

import pytest
from tests.kms_ring.world import MARK, SPEC, born

from kmsjwt.errors import ConfigError, KmsAccessDenied, KmsError, KmsUnavailable
from kmsjwt.key_names import ring_name
from kmsjwt.kms import KmsSigner
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.create import create_ring
from kmsjwt.kms.ring.fitting import fitting
from kmsjwt.kms.ring.writing import RingWriter
from kmsjwt.local import LocalKms
from kmsjwt.rotation import RingSettings

STEPS = [
    "describe_key",
    "list_aliases",
    "list_keys",
    "create_key",
    "create_alias",
    "get_public_key",
]


class Killed(BaseException):
    """The process is gone."""


class Mortal:
    """A client of a process that is killed before, or right after, its nth call."""

    def __init__(self, kms, *, at, after) -> None:
        self._kms = kms
        self._left = at
        self._after = after
        self.calls: list[str] = []

    def __getattr__(self, name) -> Any:
        def call(**parameters) -> Any:
            self.calls.append(name)
            self._left -= 1
            if self._left == 0 and not self._after:
                raise Killed
            try:
                return getattr(self._kms, name)(**parameters)
            finally:
                if self._left == 0:
                    raise Killed

        return call


def enabled_keys(kms) -> Any:
    arns = [key["KeyArn"] for key in kms.list_keys()["Keys"]]
    described = [kms.describe_key(KeyId=arn)["KeyMetadata"] for arn in arns]
    return [key["Arn"] for key in described if key["KeyState"] == "Enabled"]


def aliases(kms) -> Any:
    return {alias["AliasName"]: alias["TargetKeyId"] for alias in kms.list_aliases()["Aliases"]}


@pytest.fixture
def kms() -> Any:
    return LocalKms()


def test_a_ring_is_a_tagged_key_with_two_aliases(kms):
    made = create_ring("auth", spec=SPEC, client=kms)

    key = kms.describe_key(KeyId=made.arn)["KeyMetadata"]
    tags = kms.list_resource_tags(KeyId=made.arn)["Tags"]
    assert (key["KeySpec"], key["KeyUsage"]) == (SPEC, "SIGN_VERIFY")
    assert aliases(kms) == dict.fromkeys(("alias/auth", "alias/auth/1"), key["KeyId"])
    assert {tag["TagKey"]: tag["TagValue"] for tag in tags} == {
        "kmsjwt:ring": "auth",
        "kmsjwt:generation": "1",
        "kmsjwt:period": "2592000",
        "kmsjwt:max-lifetime": "86400",
        "kmsjwt:signer-refresh": "3600",
        "kmsjwt:document-max-age": "300",
        "kmsjwt:consumer-cache": "86400",
    }
    assert made.kid == KmsSigner("alias/auth", client=kms).current().kid
    assert made.created


def test_rsa_2048_is_the_spec_where_none_is_named(kms):
    made = create_ring("auth", client=kms)

    assert kms.describe_key(KeyId=made.arn)["KeyMetadata"]["KeySpec"] == "RSA_2048"


@pytest.mark.parametrize("again", ["auth", "alias/auth"])
def test_running_it_again_changes_nothing(kms, again):
    first = create_ring("auth", spec=SPEC, client=kms)
    before = aliases(kms)

    second = create_ring(again, client=kms)

    assert (second.arn, second.kid, second.alias) == (first.arn, first.kid, "alias/auth")
    assert not second.created
    assert aliases(kms) == before
    assert enabled_keys(kms) == [first.arn]


def _calls_of_a_run() -> Any:
    client = Mortal(LocalKms(), at=-1, after=False)
    create_ring("auth", spec=SPEC, client=client)
    return client.calls


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 9))
def test_killed_at_any_call_the_next_run_finishes_with_one_key(kms, at, after):
    with pytest.raises(Killed):
        create_ring("auth", spec=SPEC, client=Mortal(kms, at=at, after=after))

    made = create_ring("auth", spec=SPEC, client=kms)

    assert enabled_keys(kms) == [made.arn]
    assert set(aliases(kms)) == {"alias/auth", "alias/auth/1"}
    assert {made.arn.rpartition("/")[2]} == set(aliases(kms).values())


def test_the_matrix_above_reaches_every_call():
    calls = _calls_of_a_run()

    assert len(calls) == 8
    assert set(calls) == set(STEPS)


@pytest.mark.parametrize("operation", ["CreateKey", "CreateAlias", "GetPublicKey"])
def test_a_lost_answer_is_made_good_by_the_next_run(kms, operation):
    kms.faults.add(operation, kind="drop_after")
    with pytest.raises(KmsUnavailable) as raised:
        create_ring("auth", spec=SPEC, client=kms)

    made = create_ring("auth", spec=SPEC, client=kms)

    assert raised.value.retryable
    assert enabled_keys(kms) == [made.arn]


def _left_over(kms: Any) -> Any:
    """Make what a run leaves that is killed right after CreateKey."""
    with pytest.raises(Killed):
        create_ring("auth", spec=SPEC, client=Mortal(kms, at=5, after=True))
    (arn,) = enabled_keys(kms)
    return arn


def test_a_key_that_is_to_be_deleted_is_not_taken_up_again(kms):
    left_over = _left_over(kms)
    kms.schedule_key_deletion(KeyId=left_over, PendingWindowInDays=7)

    made = create_ring("auth", spec=SPEC, client=kms)

    assert made.created
    assert enabled_keys(kms) == [made.arn]


def test_a_key_that_somebody_named_otherwise_is_not_taken(kms):
    left_over = _left_over(kms)
    kms.create_alias(AliasName="alias/theirs", TargetKeyId=left_over)

    assert create_ring("auth", spec=SPEC, client=kms).arn != left_over


def test_a_key_of_another_spec_is_not_taken(kms):
    left_over = _left_over(kms)

    assert create_ring("auth", spec="ECC_NIST_P384", client=kms).arn != left_over


def test_without_the_right_to_look_around_a_key_is_made_all_the_same(kms):
    kms.faults.add("ListKeys", kind="access_denied", times=None)

    assert create_ring("auth", spec=SPEC, client=kms).created


def test_a_key_that_waits_for_its_alias_is_named(kms):
    kms.faults.add("CreateAlias", kind="access_denied")

    with pytest.raises(KmsAccessDenied) as raised:
        create_ring("auth", spec=SPEC, client=kms)

    (orphan,) = enabled_keys(kms)
    assert orphan in str(raised.value)
    assert "run this again" in str(raised.value)


class Overtaken:
    """A client before whose CreateAlias another process makes the same ring."""

    def __init__(self, kms) -> None:
        self._kms = kms
        self.winner: Any = None

    def list_keys(self, **parameters) -> Any:
        return {**self._kms.list_keys(**parameters), "Keys": []}

    def create_alias(self, **parameters) -> Any:
        if self.winner is None:
            rival = LooksNowhere(self._kms)
            self.winner = create_ring("auth", spec=SPEC, client=rival)
        return self._kms.create_alias(**parameters)

    def __getattr__(self, name) -> Any:
        return getattr(self._kms, name)


class LooksNowhere:
    """A client that sees no keys, so that it never takes over what another run is making."""

    def __init__(self, kms) -> None:
        self._kms = kms

    def list_keys(self, **parameters) -> Any:
        return {**self._kms.list_keys(**parameters), "Keys": []}

    def __getattr__(self, name) -> Any:
        return getattr(self._kms, name)


def test_whoever_loses_the_race_takes_the_winners_key_and_gives_up_its_own(kms):
    client = Overtaken(kms)

    made = create_ring("auth", spec=SPEC, client=client)

    assert made.arn == client.winner.arn
    assert not made.created
    assert enabled_keys(kms) == [made.arn]


def test_a_left_over_key_that_loses_the_race_is_nobodys_to_delete(kms):
    left_over = _left_over(kms)

    class Overtaken:
        def create_alias(self, **parameters) -> Any:
            if parameters["TargetKeyId"] == left_over:
                create_ring("auth", spec=SPEC, client=LooksNowhere(kms))
            return kms.create_alias(**parameters)

        def __getattr__(self, name) -> Any:
            return getattr(kms, name)

    made = create_ring("auth", spec=SPEC, client=Overtaken())

    assert made.arn != left_over
    assert set(enabled_keys(kms)) == {made.arn, left_over}


def test_with_changes_seen_late_and_throttling_it_gets_there():
    now = [1_800_000_000.0]
    kms = LocalKms(strict=True, clock=lambda: now[0])
    client = kms.reader("late")
    for _ in range(30):
        now[0] += 60
        try:
            made = create_ring("auth", spec=SPEC, client=client)
        except KmsError as error:
            if not error.retryable:
                raise
        else:
            break
    now[0] += 600

    assert enabled_keys(kms) == [made.arn]
    assert create_ring("auth", client=kms).arn == made.arn


def test_an_alias_of_somebody_else_is_left_alone(kms):
    foreign = kms.create_key(KeySpec=SPEC, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/auth", TargetKeyId=foreign)

    with pytest.raises(ConfigError, match="not tagged as of ring auth") as raised:
        create_ring("auth", spec=SPEC, client=kms)

    assert raised.value.code == "alias_taken"
    assert len(enabled_keys(kms)) == 1


def test_after_a_rotation_the_key_that_signs_is_the_answer(kms):
    create_ring("auth", spec=SPEC, client=kms)
    tags = [
        {"TagKey": "kmsjwt:ring", "TagValue": "auth"},
        {"TagKey": "kmsjwt:generation", "TagValue": "2"},
    ]
    second = kms.create_key(KeySpec=SPEC, KeyUsage="SIGN_VERIFY", Tags=tags)["KeyMetadata"]
    kms.create_alias(AliasName="alias/auth/2", TargetKeyId=second["KeyId"])
    kms.update_alias(AliasName="alias/auth", TargetKeyId=second["KeyId"])

    assert create_ring("auth", client=kms).arn == second["Arn"]


def test_another_spec_than_the_rings_is_refused(kms):
    create_ring("auth", spec=SPEC, client=kms)

    with pytest.raises(ConfigError, match="exists with spec ECC_NIST_P256") as raised:
        create_ring("auth", spec="RSA_2048", client=kms)

    assert raised.value.code == "ring_spec"


def test_a_spec_that_signs_no_token_is_refused_before_anything_is_made(kms):
    with pytest.raises(ConfigError, match="signs no JWT"):
        create_ring("auth", spec="SYMMETRIC_DEFAULT", client=kms)

    assert enabled_keys(kms) == []


def tags_of(kms, arn) -> Any:
    return {tag["TagKey"]: tag["TagValue"] for tag in kms.list_resource_tags(KeyId=arn)["Tags"]}


def test_the_rings_settings_are_tags_that_the_key_is_made_with(kms):
    settings = {"max_lifetime": 3_600, "consumer_cache": 7_200, "bundle": True, "alg": "PS256"}

    made = create_ring("auth", settings=settings, client=kms)

    tags = tags_of(kms, made.arn)
    assert tags["kmsjwt:max-lifetime"] == "3600"
    assert tags["kmsjwt:consumer-cache"] == "7200"
    assert (tags["kmsjwt:bundle"], tags["kmsjwt:alg"]) == ("yes", "PS256")


def test_other_settings_than_the_rings_are_refused(kms):
    create_ring("auth", spec=SPEC, settings={"max_lifetime": 3_600}, client=kms)
    create_ring("auth", settings={"max_lifetime": 3_600}, client=kms)

    with pytest.raises(ConfigError, match="exists with max_lifetime 3600, asked") as raised:
        create_ring("auth", settings={"max_lifetime": 7_200}, client=kms)

    assert (raised.value.code, "key rotate" in str(raised.value)) == ("ring_settings", True)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"period": 60}, "period is 60, expected 3600 to"),
        ({"max_lifetime": 86_401}, "max_lifetime is 86401"),
        ({"max_lifetime": True}, "max_lifetime is True"),
        ({"consumer_cache": -1}, "consumer_cache is -1"),
        ({"document_max_age": 0}, "document_max_age is 0"),
        ({"signer_refresh": 1.5}, "signer_refresh is 1.5"),
        ({"bundle": "yes"}, "bundle is 'yes'"),
        ({"alg": "HS256"}, "HS256"),
        ({"alg": "ES256"}, "ES256"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_settings_that_make_no_sense_are_refused_before_anything_is_made(kms, settings, told):
    with pytest.raises(ConfigError, match=told):
        create_ring("auth", spec="RSA_2048", settings=settings, client=kms)

    assert enabled_keys(kms) == []


@pytest.mark.parametrize("alg", ["ES256", "Ed25519", "ML-DSA-65"])
def test_an_alg_that_the_default_spec_does_not_sign_is_refused_before_anything_is_made(kms, alg):
    with pytest.raises(ConfigError, match="a key of spec RSA_2048 signs") as raised:
        create_ring("auth", settings={"alg": alg}, client=kms)

    assert (raised.value.code, "key spec" in str(raised.value)) == ("alg_mismatch", True)
    assert enabled_keys(kms) == []


def test_a_ring_whose_alg_only_its_own_spec_signs_needs_no_spec_named_again(kms):
    first = create_ring("auth", spec=SPEC, settings={"alg": "ES256"}, client=kms)

    assert create_ring("auth", settings={"alg": "ES256"}, client=kms).arn == first.arn


@pytest.mark.parametrize(
    ("spec", "settings", "code"),
    [
        ("RSA_2048", {"alg": "ES256"}, "alg_mismatch"),
        ("ECC_NIST_P256", {"alg": "PS256"}, "alg_mismatch"),
        ("SYMMETRIC_DEFAULT", {}, "key_spec"),
    ],
)
def test_no_writer_makes_a_key_that_could_not_sign_for_its_ring(kms, spec, settings, code):
    writer = RingWriter(kms, "auth", allow=lambda: None)

    with pytest.raises(ConfigError) as raised:
        writer.make(2, spec=spec, settings=RingSettings(**settings))

    assert raised.value.code == code
    assert enabled_keys(kms) == []


def test_what_fits_is_returned_as_it_was():
    settings = RingSettings(alg="PS384")

    assert fitting("RSA_3072", settings) is settings


def test_a_key_that_does_not_tell_its_settings_is_left_as_it_is(kms):
    made = create_ring("auth", spec=SPEC, client=kms)
    kms.untag_resource(KeyId=made.arn, TagKeys=["kmsjwt:signer-refresh"])
    before = tags_of(kms, made.arn)

    again = create_ring("auth", settings={"max_lifetime": 60}, client=kms)

    assert (again.arn, again.created) == (made.arn, False)
    assert tags_of(kms, made.arn) == before


def test_a_multi_region_key_is_made_where_one_is_asked_for(kms):
    made = create_ring("auth", spec=SPEC, multi_region=True, client=kms)

    assert kms.describe_key(KeyId=made.arn)["KeyMetadata"]["MultiRegion"]


@pytest.mark.parametrize("name", ["a/b", "", "alias/", "a b", "aws", "a" * 241, "ä", "a\n", None])
def test_a_name_that_can_be_no_rings_is_refused(name):
    with pytest.raises(ConfigError, match="the key's name is"):
        ring_name(name)


@pytest.mark.parametrize("mark", ["draining", "retired", "compromised", "disabled"])
def test_a_key_that_is_done_signing_is_not_pointed_to_again(kms, mark):
    """Somebody has deleted the pointer; the first key is not the one that signed last."""
    born(kms, 1, **{mark: MARK})

    with pytest.raises(ConfigError, match="aws kms create-alias --alias-name alias/auth") as raised:
        create_ring("auth", client=kms)

    assert raised.value.code == "ring_headless"
    assert set(aliases(kms)) == {"alias/auth/1"}


def test_a_ring_whose_first_keys_are_deleted_is_not_begun_again(kms):
    born(kms, 47)

    with pytest.raises(ConfigError, match="alias/auth/47 is there") as raised:
        create_ring("auth", spec=SPEC, client=kms)

    assert raised.value.code == "ring_headless"
    assert len(enabled_keys(kms)) == 1


def test_without_the_right_to_list_aliases_a_ring_is_made_all_the_same(kms):
    kms.faults.add("ListAliases", kind="access_denied", times=None)

    assert create_ring("auth", spec=SPEC, client=kms).created


@pytest.mark.parametrize("mark", ["draining", "retired", "compromised", "disabled"])
def test_a_key_without_an_alias_that_is_done_signing_is_not_taken_up(kms, mark):
    left_over = _left_over(kms)
    tag = {"TagKey": f"kmsjwt:{mark}", "TagValue": MARK}
    kms.tag_resource(KeyId=left_over, Tags=[tag])

    assert create_ring("auth", spec=SPEC, client=kms).arn != left_over


@pytest.mark.parametrize(("number", "is_found"), [(2, True), (29, True), (30, False)])
def test_where_aliases_may_not_be_listed_thirty_generations_are_asked_for(kms, number, is_found):
    born(kms, number)
    kms.permissions.deny("ListAliases")

    if not is_found:
        assert create_ring("auth", spec=SPEC, client=kms).created
        return
    with pytest.raises(ConfigError, match=f"alias/auth/{number} is there") as raised:
        create_ring("auth", spec=SPEC, client=kms)
    assert raised.value.code == "ring_headless"


def test_a_generation_that_may_not_be_seen_hides_no_other(kms):
    born(kms, 2)
    born(kms, 3)
    kms.permissions.deny("ListAliases")
    kms.permissions.deny("DescribeKey", key="alias/auth/2")

    with pytest.raises(ConfigError, match="alias/auth/3 is there"):
        create_ring("auth", spec=SPEC, client=kms)


@pytest.mark.parametrize(
    "tag",
    [
        ("kmsjwt:ring", "other"),
        ("kmsjwt:generation", "2"),
        ("kmsjwt:max-lifetime", "3600"),
        ("kmsjwt:bundle", "yes"),
        ("kmsjwt:signer-refresh", "soon"),
    ],
    ids=":".join,
)
def test_a_left_over_key_that_says_something_else_is_not_taken(kms, tag):
    left_over = _left_over(kms)
    kms.tag_resource(KeyId=left_over, Tags=[{"TagKey": tag[0], "TagValue": tag[1]}])

    assert create_ring("auth", spec=SPEC, client=kms).arn != left_over


def test_a_disabled_left_over_key_is_not_taken(kms):
    left_over = _left_over(kms)
    kms.disable_key(KeyId=left_over)

    assert create_ring("auth", spec=SPEC, client=kms).arn != left_over


def test_a_left_over_key_that_decrypts_is_not_taken(kms):
    """It would have both aliases of a ring for which it cannot sign."""
    ring = {"kmsjwt:ring": "auth", "kmsjwt:generation": "1"}
    its = {**ring, **tags.of_settings(RingSettings())}
    listed = [{"TagKey": name, "TagValue": value} for name, value in its.items()]
    made = kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT", Tags=listed)
    left_over = made["KeyMetadata"]["Arn"]

    assert create_ring("auth", spec="RSA_2048", client=kms).arn != left_over
    assert kms.list_aliases(KeyId=left_over)["Aliases"] == []


@pytest.mark.parametrize("operation", ["ListResourceTags", "ListAliases", "DescribeKey"])
@pytest.mark.parametrize("code", ["AccessDeniedException", "NotFoundException"])
def test_a_key_that_cannot_be_looked_at_hides_no_left_over_one(kms, operation, code):
    hidden, left_over = _left_over(kms), None
    with pytest.raises(Killed):
        create_ring("auth", spec=SPEC, client=Mortal(LooksNowhere(kms), at=5, after=True))
    (left_over,) = set(enabled_keys(kms)) - {hidden}
    kms.faults.add(operation, kind="error_before", code=code, key=hidden, times=None)

    assert create_ring("auth", spec=SPEC, client=kms).arn == left_over


def test_of_two_left_over_keys_the_older_is_taken():
    now = [1_800_000_000.0]
    kms = LocalKms(clock=lambda: now[0])
    older = _left_over(kms)
    now[0] += 60
    with pytest.raises(Killed):
        create_ring("auth", spec=SPEC, client=Mortal(LooksNowhere(kms), at=5, after=True))

    assert len(enabled_keys(kms)) == 2
    assert create_ring("auth", spec=SPEC, client=kms).arn == older
