"""Whom the rendered policies let in, and whom they keep out."""

from __future__ import annotations

import pytest
from tests.authority.evaluator import Request, allowed
from tests.authority.policies import (
    ACCOUNT,
    FIRST,
    HERE,
    IDENTITY,
    KEY,
    KEY_ID,
    MINE,
    OTHER,
    PLACE,
    POINTER,
    REGION,
    RING,
    STRANGE,
    TAGGED,
    UNTAGGED,
    making,
    of,
)

from kmsjwt.authority import iam, iam_guard
from kmsjwt.authority.iam_names import Place, Ring, read_keys
from kmsjwt.errors import ConfigError
from kmsjwt.kms.ring import tags

SIGNING = {
    "the ring's key": (KEY, MINE, True),
    "before the pointer moves": (KEY, of(["alias/auth/3"]), True),
    "a generation of many digits": (KEY, of(["alias/auth/1000000"]), True),
    "the pointer alone": (KEY, of(["alias/auth"]), False),
    "no alias": (KEY, of([]), False),
    "tagged, without an alias": (KEY, of([], ring="auth"), False),
    "a ring whose name begins so": (KEY, of(["alias/authz/1"]), False),
    "that ring's pointer": (KEY, of(["alias/authz"]), False),
    "another ring": (KEY, of(["alias/other/1"]), False),
    "a ring whose name ends so": (KEY, of(["alias/x-auth/1"]), False),
    "in capitals": (KEY, of(["alias/AUTH/1"]), False),
    "another Region": (KEY.replace(REGION, "us-east-1"), MINE, False),
    "another account": (KEY.replace(ACCOUNT, "444455556666"), MINE, False),
    "an alias is no key": (f"{HERE}:alias/auth", MINE, False),
    "another algorithm": (KEY, MINE | {"kms:SigningAlgorithm": "RSASSA_PSS_SHA_256"}, False),
    "another message type": (KEY, MINE | {"kms:MessageType": "RAW"}, False),
}


@pytest.mark.parametrize(("key", "context", "may"), SIGNING.values(), ids=SIGNING)
def test_which_keys_a_rings_issuer_signs_with(key, context, may):
    assert allowed(iam.issue([RING]), Request("kms:Sign", key, context)) is may


@pytest.mark.parametrize("action", ["kms:GetPublicKey", "kms:ListResourceTags"])
def test_reading_does_not_hang_on_the_conditions_of_signing(action):
    """KMS tells IAM no algorithm with these requests."""
    context = {"kms:ResourceAliases": ["alias/auth/1"]}

    assert allowed(iam.issue([RING]), Request(action, KEY, context))
    assert not allowed(iam.issue([RING]), Request(action, KEY, {"kms:ResourceAliases": []}))


def test_two_algorithms_of_different_message_types_do_not_mix():
    statements = iam.issue([RING], algs=["RS256", "Ed25519"])
    ed = of(["alias/auth/1"]) | {"kms:SigningAlgorithm": "ED25519_SHA_512"}

    assert allowed(statements, Request("kms:Sign", KEY, MINE))
    assert allowed(statements, Request("kms:Sign", KEY, ed | {"kms:MessageType": "RAW"}))
    assert not allowed(statements, Request("kms:Sign", KEY, ed))
    assert not allowed(statements, Request("kms:Sign", KEY, MINE | {"kms:MessageType": "RAW"}))


@pytest.mark.parametrize(
    "names", [[KEY], [KEY_ID], [KEY, KEY_ID]], ids=["by ARN", "by id", "by both"]
)
def test_a_single_key_is_its_arn_and_no_other(names):
    statements = iam.issue(read_keys(names, region=REGION, account=ACCOUNT))

    assert all(statement["Resource"] == [KEY] for statement in statements)
    assert allowed(statements, Request("kms:Sign", KEY, of([])))
    assert not allowed(statements, Request("kms:Sign", OTHER, MINE))


@pytest.mark.parametrize("name", ["ring:auth", "alias/auth", f"{HERE}:alias/auth"])
def test_three_ways_to_name_a_ring(name):
    place = {} if ":kms:" in name else {"region": REGION, "account": ACCOUNT}

    assert iam.issue(read_keys([name], **place)) == iam.issue([RING])


def test_a_template_fills_in_account_and_region():
    keys = read_keys(["ring:auth"], region="${AWS::Region}", account="${AWS::AccountId}")

    assert iam.jwks(keys)[0]["Resource"] == [
        "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/*"
    ]


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_partitions(region, partition):
    arn = iam.jwks(read_keys(["ring:auth"], region=region, account=ACCOUNT))[0]["Resource"][0]

    assert arn == f"arn:{partition}:kms:{region}:{ACCOUNT}:key/*"


WRONG = {
    "a wildcard account": lambda: Place(REGION, "*"),
    "a wildcard Region": lambda: Place("*", ACCOUNT),
    "half a wildcard": lambda: Place("eu-*-1", ACCOUNT),
    "a policy variable": lambda: Place(REGION, "${aws:PrincipalAccount}"),
    "a variable that is a wildcard": lambda: Place(REGION, "${*}"),
    "no account": lambda: read_keys(["ring:auth"], region=REGION),
    "no Region": lambda: read_keys([KEY_ID], account=ACCOUNT),
    "a generation's alias": lambda: read_keys(["alias/auth/1"], region=REGION, account=ACCOUNT),
    "its ARN": lambda: read_keys([f"{HERE}:alias/auth/1"]),
    "a ring with a wildcard": lambda: Ring("auth*", PLACE),
    "a ring with a slash": lambda: Ring("auth/x", PLACE),
    "a bare name": lambda: read_keys(["auth"], region=REGION, account=ACCOUNT),
    "no key": lambda: iam.issue([]),
    "no algorithm": lambda: iam.issue([RING], algs=[]),
    "an unknown algorithm": lambda: iam.issue([RING], algs=["HS256"]),
    "no spec": lambda: iam.rotate(RING, specs=[]),
    "a bucket with a wildcard": lambda: iam.publish([RING], where="s3://b*cket"),
    "a prefix with a wildcard": lambda: iam.publish([RING], where="s3://bucket/a*"),
    "a prefix with a variable": lambda: iam.publish([RING], where="s3://bucket/${aws:userid}"),
    "a folder": lambda: iam.publish([RING], where="public"),
    "an issuer with a wildcard": lambda: iam.publish(
        [RING], where="s3://bucket", issuer="https://id.example/*"
    ),
    "all distributions": lambda: iam.rotate(RING, distribution="*"),
    "nobody may change": lambda: iam_guard.guard(RING, may_change=[]),
    "everybody may change": lambda: iam_guard.guard(RING, may_change=["*"]),
    "every role may change": lambda: iam_guard.guard(
        RING, may_change=[f"arn:aws:iam::{ACCOUNT}:role/*"]
    ),
    "a session may change": lambda: iam_guard.guard(
        RING, may_change=[f"arn:aws:sts::{ACCOUNT}:assumed-role/rotate/x"]
    ),
    "the account may change": lambda: iam_guard.guard(
        RING, may_change=[f"arn:aws:iam::{ACCOUNT}:root"]
    ),
    "everybody may sign": lambda: iam_guard.key_policy(PLACE, may_sign=["*"]),
    "some role may sign": lambda: iam_guard.key_policy(
        PLACE, may_sign=[f"arn:aws:iam::{ACCOUNT}:role/i*"]
    ),
    "keys from elsewhere": lambda: iam.authorizer(keys_from="dns"),
    "keys from no key": lambda: iam.authorizer(keys_from="kms"),
}


@pytest.mark.parametrize("render", WRONG.values(), ids=WRONG)
def test_what_would_widen_or_mean_nothing_is_refused(render):
    with pytest.raises(ConfigError):
        render()


ROTATING = {
    "make a key of the ring": ("CreateKey", "*", making(), True),
    "make one of another ring": ("CreateKey", "*", making("authz"), False),
    "make one of no ring": (
        "CreateKey",
        "*",
        {"kms:KeySpec": "RSA_2048", "kms:KeyUsage": "SIGN_VERIFY"},
        False,
    ),
    "make one of a dear spec": ("CreateKey", "*", making(**{"kms:KeySpec": "RSA_4096"}), False),
    "make one that encrypts": (
        "CreateKey",
        "*",
        making(**{"kms:KeyUsage": "ENCRYPT_DECRYPT"}),
        False,
    ),
    "make one already published": ("CreateKey", "*", making(also="kmsjwt:published"), False),
    "make one with foreign tags": ("CreateKey", "*", making(also="team"), False),
    "write a fact": ("TagResource", KEY, TAGGED | {"aws:TagKeys": ["kmsjwt:retired"]}, True),
    "write it on another ring's": (
        "TagResource",
        KEY,
        STRANGE | {"aws:TagKeys": ["kmsjwt:retired"]},
        False,
    ),
    "write it on nobody's": (
        "TagResource",
        KEY,
        UNTAGGED | {"aws:TagKeys": ["kmsjwt:retired"]},
        False,
    ),
    "shorten what was promised": (
        "TagResource",
        KEY,
        TAGGED | {"aws:TagKeys": ["kmsjwt:published", "kmsjwt:max-lifetime"]},
        False,
    ),
    "confirm its own bundle": (
        "TagResource",
        KEY,
        TAGGED | {"aws:TagKeys": ["kmsjwt:confirmed"]},
        False,
    ),
    "tag with nothing": ("TagResource", KEY, TAGGED, False),
    "remove a tag": ("UntagResource", KEY, TAGGED | {"aws:TagKeys": ["kmsjwt:retired"]}, False),
    "name a generation": ("CreateAlias", FIRST, {}, True),
    "name the pointer": ("CreateAlias", POINTER, {}, True),
    "name another ring": ("CreateAlias", f"{HERE}:alias/authz/1", {}, False),
    "name its own key": ("CreateAlias", KEY, TAGGED, True),
    "name a stranger's key": ("CreateAlias", KEY, STRANGE, False),
    "move the pointer": ("UpdateAlias", POINTER, {}, True),
    "move a generation": ("UpdateAlias", FIRST, {}, False),
    "move away from its key": ("UpdateAlias", KEY, TAGGED, True),
    "drop an alias": ("DeleteAlias", POINTER, {}, False),
    "read its key": ("GetPublicKey", KEY, TAGGED, True),
    "read another ring's": ("GetPublicKey", KEY, STRANGE, False),
    "sign": ("Sign", KEY, TAGGED | MINE, False),
    "disable": ("DisableKey", KEY, TAGGED, False),
    "delete": ("ScheduleKeyDeletion", KEY, TAGGED, False),
    "change the key policy": ("PutKeyPolicy", KEY, TAGGED, False),
    "grant": ("CreateGrant", KEY, TAGGED, False),
}


@pytest.mark.parametrize(("action", "resource", "context", "may"), ROTATING.values(), ids=ROTATING)
def test_what_a_rotator_may_do(action, resource, context, may):
    request = Request(f"kms:{action}", resource, context)

    assert allowed(IDENTITY["rotate"], request) is may


def test_every_tag_of_ours_has_somebody_who_writes_it():
    written = {*iam.BIRTH_TAGS, *iam.FACT_TAGS, *iam.WITHDRAWAL_TAGS, tags.CONFIRMED}

    assert written == set(tags.ALL_TAGS)


@pytest.mark.parametrize(
    ("where", "issuer", "documents"),
    [
        (
            "s3://my-issuer",
            None,
            [
                ".well-known/jwks.json",
                ".well-known/openid-configuration",
                ".well-known/oauth-authorization-server",
            ],
        ),
        (
            "s3://my-issuer/a/b/",
            "https://id.example/t",
            [
                "a/b/t/.well-known/jwks.json",
                "a/b/t/.well-known/openid-configuration",
                "a/b/.well-known/oauth-authorization-server/t",
            ],
        ),
    ],
    ids=["a host", "a path and a prefix"],
)
def test_three_documents_and_nothing_beside_them(where, issuer, documents):
    statements = iam.publish([RING], where=where, issuer=issuer)
    (publishing,) = (each for each in statements if each["Sid"] == "PublishDocuments")

    assert publishing["Resource"] == [f"arn:aws:s3:::my-issuer/{each}" for each in documents]
    assert not allowed(statements, Request("s3:DeleteObject", publishing["Resource"][0]))
    assert not allowed(statements, Request("s3:PutObject", "arn:aws:s3:::my-issuer/index.html"))


def test_an_authorizer_needs_nothing_by_default():
    assert iam.authorizer() == []
    assert iam.authorizer([RING]) == []
