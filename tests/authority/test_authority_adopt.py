"""A key that was there before becomes the first of a ring, or nothing happens at all."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from tests.kms.support import forget_aws

from kmsjwt import Issuer, Verifier
from kmsjwt.authority import Rotator
from kmsjwt.authority.adopt import adopt, has_gone_on
from kmsjwt.authority.in_kms import InKms
from kmsjwt.errors import ClaimsRefused, ConfigError, KmsAccessDenied, KmsThrottled, UnknownKey
from kmsjwt.jwks import JwksFile
from kmsjwt.kms import KmsSigner
from kmsjwt.kms.ring.create import create_ring
from kmsjwt.kms.ring.finding import orphans
from kmsjwt.local import LocalKms
from kmsjwt.publish import Folder, Publisher

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ISSUER = "https://id.example"
WRITES = {"TagResource", "CreateAlias", "UpdateAlias", "CreateKey", "UntagResource"}


class Watched:
    """A KMS client that remembers which operations were asked for."""

    def __init__(self, kms: LocalKms) -> None:
        self._kms = kms
        self.meta = kms.meta
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.asked.append("".join(word.capitalize() for word in name.split("_")))
        return getattr(self._kms, name)


@pytest.fixture
def kms() -> LocalKms:
    return LocalKms()


def made(kms: LocalKms, spec: str = "RSA_2048", usage: str = "SIGN_VERIFY") -> str:
    arn: str = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"]
    return arn


def behind(kms: LocalKms, alias: str) -> str:
    arn: str = kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"]
    return arn


def test_the_ring_signs_with_it_and_goes_on_as_any_other(kms):
    arn = made(kms, "ECC_NIST_P384")

    adoption = adopt("auth", arn, client=kms)
    report = Rotator("auth", InKms("auth", kms), client=kms).run()

    assert (adoption.arn, adoption.alias, adoption.alg) == (arn, "alias/auth/1", "ES384")
    assert adoption.is_new
    assert behind(kms, "alias/auth/1") == behind(kms, "alias/auth") == arn
    [generation] = report.ring.generations
    assert (report.ring.signing, generation.arn) == (1, arn)
    assert not report.attention


def test_again_it_is_there_already_and_stays_as_it_is(kms):
    arn = made(kms)
    adopt("auth", arn, client=kms)
    Rotator("auth", InKms("auth", kms), client=kms).run()
    before = kms.list_resource_tags(KeyId=arn)["Tags"]

    again = adopt("auth", arn, client=kms, changes={"period": 86_400})

    assert not again.is_new
    assert kms.list_resource_tags(KeyId=arn)["Tags"] == before


def test_a_key_that_was_named_by_hand_becomes_the_rings_first_all_the_same(kms):
    arn = made(kms)
    kms.create_alias(AliasName="alias/auth/1", TargetKeyId=arn)

    adopt("auth", arn, client=kms, changes={"period": 86_400})
    report = Rotator("auth", InKms("auth", kms), client=kms).run()

    [generation] = report.ring.generations
    assert generation.doubt is None
    assert generation.settings is not None
    assert (generation.settings.period, report.ring.signing) == (86_400, 1)


def test_the_alias_that_signs_today_may_be_the_rings_name(kms):
    arn = made(kms)
    kms.create_alias(AliasName="alias/auth", TargetKeyId=arn)

    assert adopt("auth", arn, client=kms).is_new

    assert Rotator("auth", InKms("auth", kms), client=kms).run().ring.signing == 1


def test_a_dry_run_says_the_same_and_writes_nothing(kms):
    arn = made(kms)
    watched = Watched(kms)

    foretold = adopt("auth", arn, client=watched, dry_run=True)

    assert set(watched.asked) & WRITES == set()
    assert kms.list_resource_tags(KeyId=arn)["Tags"] == []
    done = adopt("auth", arn, client=kms)
    for name in ("ring", "arn", "alias", "spec", "alg", "max_lifetime", "is_new"):
        assert getattr(foretold, name) == getattr(done, name)


def of_another_ring(kms: LocalKms) -> str:
    return create_ring("other", client=kms).arn


def with_ring_there(kms: LocalKms) -> str:
    create_ring("auth", client=kms)
    return made(kms)


def with_pointer_there(kms: LocalKms) -> str:
    kms.create_alias(AliasName="alias/auth", TargetKeyId=made(kms))
    return made(kms)


def disabled(kms: LocalKms) -> str:
    arn = made(kms)
    kms.disable_key(KeyId=arn)
    return arn


@pytest.mark.parametrize("dry_run", [True, False], ids=["dry run", "for real"])
@pytest.mark.parametrize(
    ("prepare", "code", "told"),
    [
        (of_another_ring, "adopt_other", "is generation 1 of ring other"),
        (with_ring_there, "adopt_other", "ring auth has begun with"),
        (with_pointer_there, "adopt_other", "alias/auth leads to"),
        (disabled, "adopt_key", "is Disabled"),
        (lambda kms: made(kms, "RSA_2048", "ENCRYPT_DECRYPT"), "adopt_key", "ENCRYPT_DECRYPT"),
        (lambda _: "mrk-" + "0" * 32, "adopt_key", "there is no key"),
    ],
    ids=["another ring's", "ring there", "alias there", "disabled", "encrypts", "none"],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(kms, prepare, code, told, dry_run):
    key = prepare(kms)
    watched = Watched(kms)

    with pytest.raises(ConfigError, match=told) as refused:
        adopt("auth", key, client=watched, dry_run=dry_run)

    assert refused.value.code == code
    assert refused.value.fix
    assert set(watched.asked) & WRITES == set()


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256"])
def test_a_key_that_signs_no_token_is_refused(kms, spec):
    usage = "ENCRYPT_DECRYPT" if spec == "SYMMETRIC_DEFAULT" else "GENERATE_VERIFY_MAC"

    with pytest.raises(ConfigError, match=spec):
        adopt("auth", made(kms, spec, usage), client=kms)


def test_its_algorithm_may_be_said(kms):
    arn = made(kms)

    with pytest.raises(ConfigError, match="alg is 'ES256'"):
        adopt("auth", arn, client=kms, alg="ES256")

    # Of a deployment's settings, an algorithm that it does not sign is the next key's.
    assert adopt("auth", arn, client=kms, changes={"alg": "ES256"}, dry_run=True).alg == "RS256"
    assert adopt("auth", arn, client=kms, alg="PS256").alg == "PS256"
    [generation] = Rotator("auth", InKms("auth", kms), client=kms).run().ring.generations
    assert generation.settings is not None
    assert generation.settings.alg == "PS256"


HOUR, DAY = 3_600, 86_400
TIMES = {
    "period": DAY,
    "max_lifetime": HOUR,
    "document_max_age": 300,
    "consumer_cache": 2 * HOUR,
}


class Moved:
    """A ring whose key signed before there was a ring, and a time that moves when told to."""

    def __init__(self, folder: Path) -> None:
        self.now = 1_800_000_000.0
        self.kms = LocalKms(clock=self.time, environ={})
        self.folder = folder
        self.arn = made(self.kms, "ECC_NIST_P256")
        self.kms.create_alias(AliasName="alias/auth", TargetKeyId=self.arn)

    def time(self) -> float:
        return self.now

    def issuer(self) -> Issuer:
        signer = KmsSigner("alias/auth", client=self.kms, clock=self.time)
        return Issuer(ISSUER, signer, clock=self.time)

    def adopt(self, **more: Any) -> Any:
        return adopt("auth", self.arn, client=self.kms, changes=TIMES, **more)

    def rotator(self) -> Rotator:
        publisher = Publisher(Folder(str(self.folder)), issuer=ISSUER)
        return Rotator(
            "auth",
            publisher,
            client=self.kms,
            spec="ECC_NIST_P256",
            changes=TIMES,
            clock=self.time,
            pause=lambda _: None,
        )

    def verifies(self, token: str) -> bool:
        keys = JwksFile(str(self.folder / ".well-known/jwks.json"))
        verifier = Verifier(keys, issuer=ISSUER, audience="orders", clock=self.time)
        try:
            return verifier.verify(token) is not None
        except UnknownKey:
            return False


@pytest.mark.parametrize("days", [0, 30], ids=["a new alias", "an old alias"])
def test_no_token_dies_early_whether_issued_before_or_since(tmp_path, days):
    """By an issuer that has run since before, and lets tokens live for as long as they may."""
    moved = Moved(tmp_path)
    moved.now += days * DAY
    issuer = moved.issuer()
    tokens = [issuer.issue(sub="ala", aud="orders", lifetime=DAY)]
    moved.now += 60
    moved.adopt()
    rotator = moved.rotator()
    stages = []
    for _ in range(2 * 24 * 4):
        ring = rotator.run().ring
        alive = [each for each in tokens if moved.now < each.expires_at]
        assert all(moved.verifies(each.token) for each in alive)
        with suppress(ClaimsRefused):  # of the second key
            tokens.append(issuer.issue(sub="ala", aud="orders", lifetime=DAY))
        tokens.append(issuer.issue(sub="ala", aud="orders", lifetime=HOUR))
        stages = [ring.stage(each) for each in ring.generations]
        moved.now += 1_800

    assert stages[0] == "retired"


@pytest.mark.parametrize(
    ("changes", "before", "expected"),
    [
        ({}, None, DAY),
        ({"max_lifetime": HOUR}, None, DAY),
        ({"max_lifetime": HOUR}, 900, HOUR),
        ({"max_lifetime": HOUR}, 2 * HOUR, 2 * HOUR),
        ({}, 900, DAY),
        ({"max_lifetime": HOUR}, 1, HOUR),
    ],
    ids=["defaults", "shorter", "longer", "shorter than before", "the ring's own", "a second"],
)
def test_the_longest_that_tokens_may_live_is_the_longer_of_before_and_since(
    kms, changes, before, expected
):
    arn = made(kms)
    more = {} if before is None else {"before": before}

    foretold = adopt("auth", arn, client=kms, changes=changes, dry_run=True, **more)
    done = adopt("auth", arn, client=kms, changes=changes, **more)

    tags = kms.list_resource_tags(KeyId=arn)["Tags"]
    assert {"TagKey": "kmsjwt:max-lifetime", "TagValue": str(expected)} in tags
    assert foretold.max_lifetime == done.max_lifetime == expected


def test_the_next_key_has_the_ring_s_own_maximum(tmp_path):
    moved = Moved(tmp_path)
    moved.adopt()
    rotator = moved.rotator()
    rotator.run()

    ring = rotator.run(start=True).ring

    told = [each.settings and each.settings.max_lifetime for each in ring.generations]
    assert told == [DAY, HOUR]


@pytest.mark.parametrize("before", [0, -1, DAY + 1, 1.5, "1h"], ids=repr)
def test_tokens_that_live_longer_than_a_ring_may_drain_are_no_ring_s(kms, before):
    arn = made(kms)

    with pytest.raises(ConfigError, match="before is"):
        adopt("auth", arn, client=kms, before=before)

    assert kms.list_resource_tags(KeyId=arn)["Tags"] == []


@pytest.mark.parametrize("end", ["disable_key", "schedule_key_deletion"])
def test_the_key_that_the_ring_began_with_may_be_named_when_it_is_over(kms, end):
    """As in a stack whose description still names it."""
    arn = made(kms)
    adopt("auth", arn, client=kms)
    getattr(kms, end)(KeyId=arn)
    before = kms.list_resource_tags(KeyId=arn)["Tags"]

    again = adopt("auth", arn, client=kms)

    assert (again.arn, again.is_new) == (arn, False)
    assert kms.list_resource_tags(KeyId=arn)["Tags"] == before


@pytest.mark.parametrize(
    ("left", "spec", "alg"),
    [
        ({"kmsjwt:alg": "PS256"}, "RSA_2048", "RS256"),
        ({"kmsjwt:alg": "PS256", "kmsjwt:bundle": "yes"}, "RSA_2048", "PS384"),
        ({"kmsjwt:alg": "RS256"}, "ECC_NIST_P256", "ES256"),
        ({"kmsjwt:bundle": "yes"}, "ECC_NIST_P384", "ES384"),
    ],
    ids=["another algorithm", "all asked for", "of another spec", "the bundle"],
)
def test_what_is_left_of_a_former_life_decides_nothing(kms, left, spec, alg):
    arn = made(kms, spec)
    kms.tag_resource(
        KeyId=arn, Tags=[{"TagKey": name, "TagValue": value} for name, value in left.items()]
    )
    asked = alg if alg == "PS384" else None

    foretold = adopt("auth", arn, client=kms, alg=asked, dry_run=True)
    done = adopt("auth", arn, client=kms, alg=asked)
    ring = Rotator("auth", InKms("auth", kms), client=kms).run().ring

    [generation] = ring.generations
    assert (foretold.alg, done.alg, generation.doubt) == (alg, alg, None)
    assert KmsSigner("ring:auth", client=kms).current().alg.name == alg
    assert generation.settings is not None
    assert not generation.settings.bundle


def test_of_a_ring_that_has_begun_is_told_what_is_so_and_not_what_is_asked(kms):
    arn = made(kms)
    adopt("auth", arn, client=kms, alg="PS256")

    again = adopt("auth", arn, client=kms, alg="RS512")

    assert (again.alg, again.is_new) == ("PS256", False)
    kms.tag_resource(KeyId=arn, Tags=[{"TagKey": "kmsjwt:alg", "TagValue": "ES256"}])
    again = adopt("auth", arn, client=kms)  # in any state
    assert (again.arn, again.alg) == (arn, "RS256")


@pytest.mark.parametrize("mark", ["draining", "retired", "compromised", "disabled"])
def test_a_key_that_is_done_signing_begins_no_ring(kms, mark):
    arn = made(kms)
    tag = {"TagKey": f"kmsjwt:{mark}", "TagValue": "2026-01-01T00:00:00Z"}
    kms.tag_resource(KeyId=arn, Tags=[tag])

    with pytest.raises(ConfigError, match=f"has the tag kmsjwt:{mark}") as refused:
        adopt("auth", arn, client=kms)

    assert refused.value.code == "adopt_other"
    assert kms.list_resource_tags(KeyId=arn)["Tags"] == [tag]
    assert kms.list_aliases(KeyId=arn)["Aliases"] == []


# --- cut off, overtaken, or half of it there


class Overtaken(Watched):
    """Somebody comes between the looking and the naming."""

    def __init__(self, kms: LocalKms, meanwhile: Callable[[], Any]) -> None:
        super().__init__(kms)
        self._meanwhile: Callable[[], Any] | None = meanwhile

    def create_alias(self, **parameters: Any) -> Any:
        if self._meanwhile is not None:
            self._meanwhile()
        self._meanwhile = None
        return self._kms.create_alias(**parameters)


def test_who_loses_the_race_has_left_nothing_on_somebodys_key(kms):
    arn = made(kms)
    client = Overtaken(kms, lambda: create_ring("auth", client=kms))

    with pytest.raises(ConfigError, match="ring auth has begun with") as refused:
        adopt("auth", arn, client=client)

    assert refused.value.code == "adopt_other"
    assert kms.list_resource_tags(KeyId=arn)["Tags"] == []
    assert adopt("other", arn, client=kms).is_new


def test_who_may_not_name_it_leaves_nothing_on_it(kms):
    """A key that signs in production is not listed as lost, nor taken by who begins the ring."""
    arn = made(kms)
    kms.permissions.deny("CreateAlias", key=arn)

    with pytest.raises(KmsAccessDenied, match="CreateAlias"):
        adopt("auth", arn, client=kms)

    assert kms.list_resource_tags(KeyId=arn)["Tags"] == []
    assert list(orphans(kms)) == []
    assert create_ring("auth", client=kms).arn != arn


@pytest.mark.parametrize("pointed", [False, True], ids=["no pointer", "a pointer"])
def test_cut_off_before_its_tags_it_is_neither_lost_nor_anybody_elses_and_is_finished(kms, pointed):
    arn = made(kms)
    if pointed:
        kms.create_alias(AliasName="alias/auth", TargetKeyId=arn)
    kms.faults.add("TagResource", kind="throttle")

    with pytest.raises(KmsThrottled, match="alias/auth/1 is there") as cut_off:
        adopt("auth", arn, client=kms)

    assert cut_off.value.fix is not None
    assert cut_off.value.fix.startswith("run this again")
    assert "try again with back-off" in cut_off.value.fix  # what KMS's refusal calls for
    assert list(orphans(kms)) == []
    rotator = Rotator("auth", InKms("auth", kms), client=kms)
    assert rotator.run(start=True).done == ()  # nobody else begins the ring
    assert len(kms.list_keys()["Keys"]) == 1
    assert adopt("auth", arn, client=kms).is_new
    assert not adopt("auth", arn, client=kms).is_new
    assert rotator.run().ring.signing == 1


def test_who_comes_second_with_the_same_key_takes_what_is_there(kms):
    arn = made(kms)
    first = {"period": 86_400}
    client = Overtaken(kms, lambda: adopt("auth", arn, client=kms, changes=first, alg="PS256"))

    second = adopt("auth", arn, client=client, alg="RS512")

    assert (second.is_new, second.alg) == (False, "PS256")
    tags = kms.list_resource_tags(KeyId=arn)["Tags"]
    assert {"TagKey": "kmsjwt:period", "TagValue": "86400"} in tags
    assert "TagResource" not in client.asked


def tag(kms: LocalKms, arn: str, **named: str) -> None:
    listed = [{"TagKey": f"kmsjwt:{name}", "TagValue": value} for name, value in named.items()]
    kms.tag_resource(KeyId=arn, Tags=listed)


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({"ring": "other", "generation": "1"}, "is generation 1 of ring other"),
        ({"ring": "auth", "generation": "5"}, "is generation 5 of ring auth"),
        ({"ring": "other"}, "is generation 1 of ring other"),
    ],
    ids=["another ring's", "another generation", "another ring's, of no generation"],
)
@pytest.mark.parametrize("settled", [False, True])
def test_a_stranger_that_has_the_first_alias_is_no_beginning(kms, named, told, settled):
    """The ring would stand still, and be said to be there."""
    arn = made(kms)
    kms.create_alias(AliasName="alias/auth/1", TargetKeyId=arn)
    tag(kms, arn, **named, **({"max-lifetime": "900"} if settled else {}))
    before = kms.list_resource_tags(KeyId=arn)["Tags"]

    with pytest.raises(ConfigError, match=told) as refused:
        adopt("auth", arn, client=kms)

    assert refused.value.code == "adopt_other"
    assert kms.list_resource_tags(KeyId=arn)["Tags"] == before


@pytest.mark.parametrize("named", [{"ring": "auth"}, {"ring": "auth", "generation": "1"}], ids=str)
def test_a_first_key_that_tells_no_times_is_told_them(kms, named):
    arn = made(kms)
    kms.create_alias(AliasName="alias/auth/1", TargetKeyId=arn)
    tag(kms, arn, **named)

    assert adopt("auth", arn, client=kms, changes={"period": 86_400}).is_new

    [generation] = Rotator("auth", InKms("auth", kms), client=kms).run().ring.generations
    assert generation.doubt is None
    assert generation.settings is not None
    assert generation.settings.period == 86_400


@pytest.mark.parametrize(
    "named", [{"max-lifetime": "900"}, {"draining": "2026-01-01T00:00:00Z"}], ids=str
)
def test_a_first_key_that_tells_any_or_is_over_is_left_as_it_is(kms, named):
    arn = made(kms)
    kms.create_alias(AliasName="alias/auth/1", TargetKeyId=arn)
    tag(kms, arn, ring="auth", generation="1", **named)
    before = kms.list_resource_tags(KeyId=arn)["Tags"]

    assert not adopt("auth", arn, client=kms).is_new
    assert kms.list_resource_tags(KeyId=arn)["Tags"] == before


def test_a_first_key_that_has_no_alias_is_named_and_told_what_is_asked(kms):
    """As a run leaves it that made a key and was cut off."""
    arn = made(kms)
    tag(kms, arn, ring="auth", generation="1", period="7200", **{"max-lifetime": "900"})

    adoption = adopt("auth", arn, client=kms, changes={"period": 86_400})

    assert (adoption.is_new, adoption.max_lifetime) == (True, DAY)
    assert behind(kms, "alias/auth/1") == arn
    tags = kms.list_resource_tags(KeyId=arn)["Tags"]
    assert {"TagKey": "kmsjwt:period", "TagValue": "86400"} in tags


# --- a ring that has gone on without its first key


def test_a_ring_that_nothing_points_to_has_not_gone_on(kms):
    assert has_gone_on("auth", client=kms) is False


@pytest.mark.parametrize("seen", ["gone", "denied"])
@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"ring": "auth", "generation": "2"}, True),
        ({"ring": "auth", "generation": "1"}, False),
        ({"ring": "auth"}, False),
        ({"ring": "other", "generation": "2"}, False),
        ({"generation": "2"}, False),
        ({}, False),
    ],
    ids=str,
)
def test_a_ring_has_gone_on_if_a_later_key_of_its_own_signs(kms, named, expected, seen):
    arn = made(kms)
    kms.create_alias(AliasName="alias/auth", TargetKeyId=arn)
    if named:
        tag(kms, arn, **named)
    if seen == "denied":
        first = made(kms)
        kms.create_alias(AliasName="alias/auth/1", TargetKeyId=first)
        kms.permissions.deny("DescribeKey", key=first)

    assert has_gone_on("auth", client=kms) is expected


def test_a_ring_whose_first_key_can_be_seen_has_not_gone_on_without_it(kms):
    later = made(kms)
    tag(kms, later, ring="auth", generation="2")
    kms.create_alias(AliasName="alias/auth", TargetKeyId=later)
    kms.create_alias(AliasName="alias/auth/1", TargetKeyId=made(kms))

    assert not has_gone_on("auth", client=kms)


# --- a client of its own

KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
KEY_ARN = f"arn:aws:kms:us-east-1:111122223333:key/{KEY}"


@pytest.mark.parametrize(
    ("asks", "code"),
    [
        (lambda: adopt("auth", KEY), "no_region"),
        (lambda: adopt("auth", KEY, region="eu-west-3"), "no_credentials"),
        (lambda: adopt("auth", KEY_ARN), "no_credentials"),
        (lambda: has_gone_on("auth"), "no_region"),
        (lambda: has_gone_on("auth", region="eu-west-3"), "no_credentials"),
    ],
    ids=["no region", "the region said", "the ARN's", "gone on, no region", "gone on, in a region"],
)
def test_without_a_client_one_is_made_for_the_region_that_is_said(
    asks, code, monkeypatch, tmp_path
):
    """There it asks for credentials, of which there are none: nothing is sent."""
    forget_aws(monkeypatch, tmp_path)

    with pytest.raises((ConfigError, KmsAccessDenied)) as refused:
        asks()

    assert refused.value.code == code
