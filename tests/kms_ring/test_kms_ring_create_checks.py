"""Making a ring's first key where somebody else has been, or is just now."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.rotation.scene import Meddled

from kmsjwt.errors import ConfigError, KmsUnavailable
from kmsjwt.kms import create_ring
from kmsjwt.kms.ring.asking import tags_of
from kmsjwt.local import LocalKms

SPEC = "ECC_NIST_P256"


@pytest.fixture
def kms() -> LocalKms:
    return LocalKms()


def key(kms: LocalKms, spec: str = SPEC, **tags: str) -> str:
    """Make a key by hand."""
    listed = [{"TagKey": f"kmsjwt:{name}", "TagValue": value} for name, value in tags.items()]
    made = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY", Tags=listed)
    return str(made["KeyMetadata"]["Arn"])


def described(kms: LocalKms, which: str) -> Any:
    return kms.describe_key(KeyId=which)["KeyMetadata"]


def count(kms: LocalKms) -> int:
    return len(kms.list_keys()["Keys"])


def names(kms: LocalKms) -> set[str]:
    return {each["AliasName"] for each in kms.list_aliases()["Aliases"]}


@pytest.mark.parametrize("multi_region", [False, True])
def test_a_key_is_for_several_regions_only_if_that_is_asked_for(kms, multi_region):
    made = create_ring("auth", client=kms, spec=SPEC, multi_region=multi_region)

    assert described(kms, made.arn)["MultiRegion"] is multi_region


def test_its_policy_is_the_one_that_is_given(kms):
    policy = json.loads(kms.get_key_policy(KeyId=key(kms))["Policy"])
    policy["Id"] = "ours"

    made = create_ring("auth", client=kms, spec=SPEC, policy=json.dumps(policy))
    other = create_ring("other", client=kms, spec=SPEC)

    assert json.loads(kms.get_key_policy(KeyId=made.arn)["Policy"])["Id"] == "ours"
    assert json.loads(kms.get_key_policy(KeyId=other.arn)["Policy"]).get("Id") != "ours"


def test_a_spec_that_signs_no_token_is_refused_before_anything_is_named(kms):
    """Though the ring has its key, and lacks but its pointer."""
    create_ring("auth", client=kms, spec=SPEC)
    kms.delete_alias(AliasName="alias/auth")

    with pytest.raises(ConfigError, match="SYMMETRIC_DEFAULT"):
        create_ring("auth", client=kms, spec="SYMMETRIC_DEFAULT")

    assert names(kms) == {"alias/auth/1"}


def test_a_first_key_without_a_pointer_gets_it_and_no_other_key_is_made(kms):
    first = create_ring("auth", client=kms, spec=SPEC)
    kms.delete_alias(AliasName="alias/auth")

    again = create_ring("auth", client=kms, spec=SPEC)

    assert (again.arn, again.created, count(kms)) == (first.arn, False, 1)
    assert described(kms, "alias/auth")["Arn"] == first.arn


def test_a_key_that_a_run_left_is_taken_and_is_not_said_to_be_new(kms):
    first = create_ring("auth", client=kms, spec=SPEC)
    for alias in ("alias/auth", "alias/auth/1"):
        kms.delete_alias(AliasName=alias)

    again = create_ring("auth", client=kms, spec=SPEC)

    assert (again.arn, again.created, count(kms)) == (first.arn, False, 1)


@pytest.mark.parametrize("tags", [{}, {"ring": "other"}], ids=["untagged", "another ring's"])
def test_a_pointer_that_was_moved_to_a_strangers_key_is_refused(kms, tags):
    """What signs for the ring must be the ring's, though its first key is in its place."""
    create_ring("auth", client=kms, spec=SPEC)
    stranger = key(kms, **tags)
    kms.update_alias(AliasName="alias/auth", TargetKeyId=stranger)

    with pytest.raises(ConfigError, match="not tagged as of ring auth") as caught:
        create_ring("auth", client=kms, spec=SPEC)

    assert caught.value.code == "alias_taken"
    assert stranger in caught.value.message


STRANGERS = [{}, {"ring": "other", "generation": "1"}, {"ring": "auth", "generation": "2"}]


@pytest.mark.parametrize("tags", STRANGERS, ids=str)
def test_a_strangers_key_in_the_place_of_the_first_is_refused(kms, tags):
    kms.create_alias(AliasName="alias/auth/1", TargetKeyId=key(kms, **tags))

    with pytest.raises(ConfigError, match="alias/auth/1 is there, and is not the ring's") as caught:
        create_ring("auth", client=kms, spec=SPEC)

    assert caught.value.code == "alias_taken"
    assert names(kms) == {"alias/auth/1"}
    assert count(kms) == 1


@pytest.mark.parametrize("tags", STRANGERS, ids=str)
def test_a_strangers_key_that_comes_into_the_place_of_the_first_is_refused(kms, tags):
    stranger = key(kms, **tags)

    def meddle(name: str, parameters: dict[str, Any]) -> None:
        if name == "create_alias" and parameters["TargetKeyId"] != stranger:
            kms.create_alias(AliasName="alias/auth/1", TargetKeyId=stranger)

    with pytest.raises(ConfigError, match="alias/auth/1 is there, and is not the ring's") as caught:
        create_ring("auth", client=Meddled(kms, meddle), spec=SPEC)

    assert caught.value.code == "alias_taken"
    assert names(kms) == {"alias/auth/1"}


def just_before_the_pointer(kms: LocalKms, meddle: Any) -> Any:
    """Return a client in whose making of the pointer somebody meddles."""

    def meddling(name: str, parameters: dict[str, Any]) -> None:
        if name == "create_alias" and parameters["AliasName"] == "alias/auth":
            meddle()

    return Meddled(kms, meddling)


@pytest.mark.parametrize("tags", [{}, {"ring": "other"}], ids=["untagged", "another ring's"])
def test_a_pointer_that_a_stranger_makes_meanwhile_is_refused(kms, tags):
    stranger = key(kms, **tags)
    client = just_before_the_pointer(
        kms, lambda: kms.create_alias(AliasName="alias/auth", TargetKeyId=stranger)
    )

    with pytest.raises(ConfigError, match="not tagged as of ring auth") as caught:
        create_ring("auth", client=client, spec=SPEC)

    assert caught.value.code == "alias_taken"
    assert tags_of(kms, stranger) == {f"kmsjwt:{name}": text for name, text in tags.items()}


def test_one_that_another_run_makes_meanwhile_is_as_good(kms):
    def other_run() -> None:
        kms.create_alias(
            AliasName="alias/auth", TargetKeyId=described(kms, "alias/auth/1")["KeyId"]
        )

    made = create_ring("auth", client=just_before_the_pointer(kms, other_run), spec=SPEC)

    assert made.arn == described(kms, "alias/auth")["Arn"]
    assert (made.created, count(kms)) == (True, 1)


def test_a_pointer_that_is_taken_and_cannot_be_seen_yet_is_waited_for(kms):
    """Nobody knows where it leads."""

    class Late(Meddled):
        def __getattr__(self, name: str) -> Any:
            method = super().__getattr__(name)

            def call(**parameters: Any) -> Any:
                try:
                    return method(**parameters)
                finally:
                    if name == "create_alias" and parameters["AliasName"] == "alias/auth":
                        kms.delete_alias(AliasName="alias/auth")

            return call

    def taken(name: str, parameters: dict[str, Any]) -> None:
        if name == "create_alias" and parameters["AliasName"] == "alias/auth":
            kms.create_alias(AliasName="alias/auth", TargetKeyId=key(kms))

    with pytest.raises(KmsUnavailable, match="cannot be seen yet") as caught:
        create_ring("auth", client=Late(kms, taken), spec=SPEC)

    assert (caught.value.code, caught.value.retryable) == ("alias_not_visible", True)
