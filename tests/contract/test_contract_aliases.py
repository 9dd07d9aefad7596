"""Aliases."""

from __future__ import annotations

from typing import Any

import pytest


def aliases_of(kms: Any, key: Any) -> Any:
    pages = kms.client.get_paginator("list_aliases").paginate(KeyId=key)
    return [alias for page in pages for alias in page["Aliases"]]


def test_an_alias_names_a_key_and_is_listed_with_its_dates(kms, alias):
    key = kms.new_key()
    kms.client.create_alias(AliasName=alias, TargetKeyId=key)
    (entry,) = aliases_of(kms, key)
    assert entry["AliasName"] == alias
    assert entry["AliasArn"] == key.rpartition(":")[0] + ":" + alias
    assert entry["TargetKeyId"] == key.rpartition("/")[2]
    assert entry["LastUpdatedDate"] >= entry["CreationDate"]
    assert kms.client.describe_key(KeyId=alias)["KeyMetadata"]["Arn"] == key


def test_an_alias_moves_between_keys_of_one_usage_and_type(kms, alias):
    old, new = kms.key("ECC_NIST_P256"), kms.key("ECC_NIST_P384")
    kms.client.create_alias(AliasName=alias, TargetKeyId=old)
    kms.client.update_alias(AliasName=alias, TargetKeyId=new)
    assert kms.sign(alias, "ECDSA_SHA_384")["KeyId"] == new
    kms.client.delete_alias(AliasName=alias)
    assert alias not in [entry["AliasName"] for entry in aliases_of(kms, new)]


@pytest.mark.parametrize(
    ("spec", "usage"),
    [
        ("HMAC_256", "GENERATE_VERIFY_MAC"),
        ("RSA_2048", "ENCRYPT_DECRYPT"),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
    ],
)
def test_an_alias_does_not_move_to_a_key_of_another_usage(kms, refused, alias, spec, usage):
    kms.client.create_alias(AliasName=alias, TargetKeyId=kms.key("ECC_NIST_P256"))
    with refused("ValidationException"):
        kms.client.update_alias(AliasName=alias, TargetKeyId=kms.key(spec, usage))


def test_an_alias_exists_once(kms, refused, alias):
    key = kms.key("ECC_NIST_P256")
    kms.client.create_alias(AliasName=alias, TargetKeyId=key)
    with refused("AlreadyExistsException") as error:
        kms.client.create_alias(AliasName=alias, TargetKeyId=kms.key("ECC_NIST_P384"))
    arn = key.rpartition(":")[0] + ":" + alias
    assert error.message == f"An alias with the name {arn} already exists"


def test_an_alias_that_is_not_there_can_neither_move_nor_go(kms, refused, alias):
    key = kms.key("ECC_NIST_P256")
    message = f"Alias {key.rpartition(':')[0]}:{alias} is not found."
    with refused("NotFoundException") as error:
        kms.client.update_alias(AliasName=alias, TargetKeyId=key)
    assert error.message == message
    with refused("NotFoundException") as error:
        kms.client.delete_alias(AliasName=alias)
    assert error.message == message


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("auth", "ValidationException"),
        ("alias/aws/auth", "NotAuthorizedException"),
        ("alias/kmsjwt.auth", "ValidationException"),
        ("alias/kmsjwt auth", "ValidationException"),
        ("alias/kmsjwt:auth", "ValidationException"),
        ("alias/" + "a" * 251, "ValidationException"),
        ("alias/", "ValidationException"),
    ],
)
def test_a_name_that_breaks_the_rules_is_refused(kms, refused, name, code):
    with refused(code):
        kms.client.create_alias(AliasName=name, TargetKeyId=kms.key("ECC_NIST_P256"))


def test_a_name_without_the_prefix_is_refused_in_aws_words(kms, refused):
    with refused("ValidationException") as error:
        kms.client.create_alias(AliasName="auth", TargetKeyId=kms.key("ECC_NIST_P256"))
    assert error.message == (
        'Alias must start with the prefix "alias/". Please see '
        "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
    )


def test_an_alias_does_not_name_an_alias(kms, refused, alias):
    key = kms.key("ECC_NIST_P256")
    kms.client.create_alias(AliasName=alias, TargetKeyId=key)
    for target in (alias, key.rpartition(":")[0] + ":" + alias):
        with refused("ValidationException") as error:
            kms.client.create_alias(AliasName=alias + "2", TargetKeyId=target)
        assert error.message == "Aliases must refer to keys. Not aliases"


def test_an_alias_of_no_key_is_not_made(kms, refused, alias):
    with refused("NotFoundException"):
        kms.client.create_alias(AliasName=alias, TargetKeyId="1234abcd-12ab-34cd-56ef-1234567890ab")


def test_operations_on_the_key_itself_take_no_alias(kms, refused, alias):
    kms.client.create_alias(AliasName=alias, TargetKeyId=kms.key("ECC_NIST_P256"))
    uses: tuple[Any, ...] = (
        lambda: kms.client.list_resource_tags(KeyId=alias),
        lambda: kms.client.disable_key(KeyId=alias),
        lambda: kms.client.list_aliases(KeyId=alias),
        lambda: kms.client.tag_resource(KeyId=alias, Tags=[]),
    )
    for use in uses:
        with refused("NotFoundException"):
            use()
