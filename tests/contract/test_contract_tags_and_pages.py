"""Tags, and listings in pages."""

from __future__ import annotations

from typing import Any

import pytest


def tag(key: Any, value: Any = "v") -> Any:
    return {"TagKey": key, "TagValue": value}


def tags_of(kms: Any, key: Any) -> Any:
    pages = kms.client.get_paginator("list_resource_tags").paginate(KeyId=key)
    return {entry["TagKey"]: entry["TagValue"] for page in pages for entry in page["Tags"]}


def test_tags_are_set_changed_and_removed(kms):
    key = kms.new_key(Tags=[tag("kmsjwt:purpose", "aws-check"), tag("ring", "auth")])
    kms.client.tag_resource(KeyId=key, Tags=[tag("ring", "other"), tag("empty", "")])
    assert tags_of(kms, key) == {"kmsjwt:purpose": "aws-check", "ring": "other", "empty": ""}
    kms.client.untag_resource(KeyId=key, TagKeys=["ring", "never-there"])
    assert tags_of(kms, key) == {"kmsjwt:purpose": "aws-check", "empty": ""}


LONG_KEY, LONG_VALUE = "a" * 129, "v" * 257


@pytest.mark.parametrize(
    ("tags", "code", "message"),
    [
        ([tag("AWS:x")], "TagException", "Tags beginning with aws: are reserved"),
        ([tag("aws:x")], "TagException", "Tags beginning with aws: are reserved"),
        ([tag("a"), tag("a", "w")], "TagException", "Duplicate tag keys"),
        ([tag(f"t{n}") for n in range(51)], "TagException", "Too many tags"),
        (
            [tag(LONG_KEY)],
            "ValidationException",
            (
                f"1 validation error detected: Value '{LONG_KEY}' at 'tags.1.member.tagKey' failed "
                "to satisfy constraint: Member must have length less than or equal to 128"
            ),
        ),
        (
            [tag("a"), tag("b", LONG_VALUE)],
            "ValidationException",
            (
                f"1 validation error detected: Value '{LONG_VALUE}' at 'tags.2.member.tagValue' "
                "failed to satisfy constraint: Member must have length less than or equal to 256"
            ),
        ),
    ],
    ids=["AWS:", "aws:", "twice", "51", "long key", "long value"],
)
def test_tags_that_break_the_rules_are_refused(kms, refused, tags, code, message):
    with refused(code) as error:
        kms.client.tag_resource(KeyId=kms.key("ECC_NIST_P256"), Tags=tags)
    assert error.message == message
    with refused(code) as error:
        kms.client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY", Tags=tags)
    assert error.message == message


def test_a_key_keeps_50_tags_at_most(kms, refused):
    key = kms.new_key(Tags=[tag(f"t{n}") for n in range(50)])
    kms.client.tag_resource(KeyId=key, Tags=[tag("t7", "w")])
    with refused("TagException"):
        kms.client.tag_resource(KeyId=key, Tags=[tag("one-more")])


def collected(kms: Any, listing: Any, field: Any, limit: Any, **more: Any) -> Any:
    """Every entry, page by page, no page longer than the limit."""
    marker: dict[str, str] = {}
    entries: list[Any] = []
    for _ in range(10_000):
        page = getattr(kms.client, listing)(Limit=limit, **marker, **more)
        assert len(page[field]) <= limit
        entries += page[field]
        if not page["Truncated"]:
            assert "NextMarker" not in page
            return entries
        marker = {"Marker": page["NextMarker"]}
    pytest.fail("the pages have no end")


def test_tags_come_in_pages(kms):
    key = kms.new_key(Tags=[tag(f"t{n}") for n in range(5)])
    entries = collected(kms, "list_resource_tags", "Tags", 2, KeyId=key)
    assert sorted(entry["TagKey"] for entry in entries) == [f"t{n}" for n in range(5)]


def test_keys_and_aliases_come_in_pages(kms, alias):
    mine = {kms.new_key() for _ in range(3)}
    kms.client.create_alias(AliasName=alias, TargetKeyId=min(mine))
    keys = [key["KeyArn"] for key in collected(kms, "list_keys", "Keys", 5)]
    assert mine <= set(keys)
    assert len(keys) == len(set(keys))
    names = [one["AliasName"] for one in collected(kms, "list_aliases", "Aliases", 1)]
    assert alias in names
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("listing", "limit"), [("list_keys", 1001), ("list_aliases", 101), ("list_resource_tags", 51)]
)
def test_a_page_is_no_longer_than_kms_makes_them(kms, refused, listing, limit):
    needed = {"KeyId": kms.key("ECC_NIST_P256")} if listing == "list_resource_tags" else {}
    with refused("ValidationException"):
        getattr(kms.client, listing)(Limit=limit, **needed)
    assert getattr(kms.client, listing)(Limit=limit - 1, **needed)


@pytest.mark.parametrize("marker", ["nonsense", "AAAA"])
def test_a_marker_that_no_page_gave_is_refused(kms, refused, marker):
    with refused("InvalidMarkerException"):
        kms.client.list_keys(Marker=marker)
