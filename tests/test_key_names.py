"""Names of KMS keys: the four forms of the KMS guide, and nothing beside them."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmsjwt.errors import ConfigError
from kmsjwt.key_names import KeyReference, is_alias, is_key_id, key_id, tells_account

ARN = "arn:aws:kms:eu-central-1:111122223333:"
ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
MULTI_REGION = "mrk-1234abcd12ab34cd56ef1234567890ab"

ids = st.uuids().map(str) | st.uuids().map(lambda each: f"mrk-{each.hex}")
aliases = st.from_regex(r"alias/[A-Za-z0-9/_-]{1,250}", fullmatch=True)
regions = st.sampled_from([("aws", "eu-central-1"), ("aws-cn", "cn-north-1"), ("aws-us-gov", "x")])
accounts = st.from_regex(r"[0-9]{12}", fullmatch=True)


@given(ids, aliases, regions, accounts)
def test_each_form_is_read(key: str, alias: str, place: tuple[str, str], account: str):
    partition, region = place
    arn = f"arn:{partition}:kms:{region}:{account}:"
    for text, its_region, its_alias in (
        (key, None, False),
        (alias, None, True),
        (f"{arn}key/{key}", region, False),
        (f"{arn}{alias}", region, True),
    ):
        read = KeyReference.parse(text)
        assert (read.text, read.region, read.is_alias) == (text, its_region, its_alias)
        assert (is_alias(text), is_key_id(text)) == (its_alias, text == key)
        assert its_alias or key_id(text) == key
        assert tells_account(text) == (text != key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "auth",
        "alias/",
        "alias/a b",
        "alias/ä",
        "alias/" + "a" * 251,
        f"key/{ID}",
        ID.upper(),
        f"{ID}\n",
        f" {ID}",
        ID[:-1],
        MULTI_REGION[:-1],
        f"{ARN}{ID}",
        f"{ARN}key/key/{ID}",
        f"{ARN}key/alias/auth",
        f"{ARN}key/{ID}\n",
        f"{ARN.replace('kms', 's3')}key/{ID}",
        f"{ARN.replace('111122223333', '')}key/{ID}",
        f"{ARN.upper()}key/{ID}",
        None,
        7,
        [ID],
        ID.encode(),
        uuid.UUID(ID),
    ],
    ids=ascii,
)
def test_anything_else_is_refused(text: object):
    with pytest.raises(ConfigError, match="expected an id, ARN, alias/NAME or alias ARN") as error:
        KeyReference.parse(text)
    assert error.value.code == "key_reference"


@pytest.mark.parametrize("name", ["auth", "my/auth", "a_b-c"])
def test_an_alias_without_its_prefix_is_told_how_it_is_written(name: str):
    with pytest.raises(ConfigError, match=f"an alias is written alias/{name}$"):
        KeyReference.parse(name)
