"""Least privilege: the IAM statements that each part of an authority needs, and no more.

Each role is a pure function that returns statements, plain dicts as JSON has them, for an identity
policy. A ring's keys are recognised by their aliases (``kms:ResourceAliases``) by those who use
them and by their tags (``aws:ResourceTag``) by those who make them. Which conditions KMS knows for
which action: AWS's service authorization reference; none of it was verified against AWS.
``docs/reference/iam.md`` explains each statement by its ``Sid``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.algorithms import Algorithm, algorithm
from kmsjwt.authority.iam_names import FixedKeys, Keys, Ring, read_distribution, read_documents
from kmsjwt.errors import ConfigError, shown
from kmsjwt.kms.message import message_type_for
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.create import DEFAULT_SPEC

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kmsjwt.authority.iam_names import Condition

    Statement = dict[str, Any]
    Policy = dict[str, Any]

DEFAULT_ALGS = ("RS256",)
"""What keys sign with unless it is said."""

BIRTH_TAGS = (tags.RING, tags.GENERATION, *tags.TIMES, tags.BUNDLE, tags.ALG, tags.GONE)
"""Tags that a generation has from CreateKey on."""
FACT_TAGS = (
    *(tags.KID, tags.PUBLISHED, tags.DRAINING, tags.RETIRED, tags.NEXT, tags.GONE),
    tags.UNPUBLISHED,
)
"""Tags that the rotate function writes later. The others never change, or only by a person."""
WITHDRAWAL_TAGS = (
    tags.KID,
    tags.COMPROMISED,
    tags.KEEP_ENABLED,
    tags.RETIRED,
    tags.DISABLED,
    tags.GONE,
)
"""Tags that a person writes who takes a key out of service."""
_OF_MESSAGE_TYPE = {"DIGEST": "Digests", "RAW": "Messages", "EXTERNAL_MU": "Mu"}
_FOLLOW_RING = ("kms:GetPublicKey", "kms:ListResourceTags")
_READ_RING = ("kms:DescribeKey", "kms:GetPublicKey", "kms:ListResourceTags")


def policy(statements: Iterable[Statement]) -> Policy:
    """Return the policy document of statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(
    sid: str, actions: Sequence[str], resources: Sequence[str], condition: Condition | None = None
) -> Statement:
    """Return one statement that allows."""
    statement: Statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": list(resources),
    }
    return {**statement, "Condition": condition} if condition else statement


def issue(
    keys: Sequence[Keys], *, algs: Iterable[str] = DEFAULT_ALGS, message_type: str | None = None
) -> list[Statement]:
    """Return what a token function needs: to sign, and to read what it signs with.

    Args:
        keys: the ring or keys; see `kmsjwt.authority.iam_names.read_keys`.
        algs: the JOSE algorithms it signs with; also the next one's, before a ring changes it.
        message_type: RAW, where the signer is told so; each algorithm's own if None.

    Raises:
        ConfigError: no key, or an algorithm that is not ours.
    """
    signing = _use("Sign", keys, algs, message_type)
    return [*signing, *_reading(keys, of_ring=("FollowRing", _FOLLOW_RING))]


def verify_with_kms(keys: Sequence[Keys], *, algs: Iterable[str] = DEFAULT_ALGS) -> list[Statement]:
    """Return what a verifier needs that asks KMS about every token.

    Raises:
        ConfigError: no key, or an algorithm that is not ours.
    """
    return [*_use("Verify", keys, algs, None), *_reading(keys)]


def authorizer(keys: Sequence[Keys] = (), *, keys_from: str = "jwks") -> list[Statement]:
    """Return what an authorizer needs: nothing, if it reads the published JWKS over https.

    Args:
        keys: the ring or keys, where it reads them from KMS.
        keys_from: ``jwks`` or ``kms``.

    Raises:
        ConfigError: neither, or no key to read.
    """
    if keys_from not in ("jwks", "kms"):
        raise ConfigError(
            f"keys_from is {shown(keys_from)}, expected 'jwks' or 'kms'", code="iam_keys"
        )
    return _reading(keys) if keys_from == "kms" else []


def jwks(keys: Sequence[Keys]) -> list[Statement]:
    """Return what the jwks function needs: to read the public keys that it publishes.

    Raises:
        ConfigError: no key.
    """
    return _reading(keys)


def publish(keys: Sequence[Keys], *, where: str, issuer: str | None = None) -> list[Statement]:
    """Return what publishing to S3 needs: to read the keys, to read and write three objects.

    Args:
        keys: the ring or keys.
        where: ``s3://bucket/prefix``.
        issuer: the issuer's URL, whose path is part of the documents'.

    Raises:
        ConfigError: no key, or no such place.
    """
    reading = _reading(keys)
    return [*reading, *_publishing(where, issuer, keys[0].partition)]


def rotate(
    ring: Ring,
    *,
    specs: Sequence[str] = (DEFAULT_SPEC,),
    where: str | None = None,
    issuer: str | None = None,
    distribution: str | None = None,
) -> list[Statement]:
    """Return what the rotate function needs: to make, name, tag and publish generations.

    It can neither sign nor disable nor delete; that is `retire`.

    Args:
        ring: the ring.
        specs: the KMS key specs of the generations it may make.
        where: ``s3://bucket/prefix``, if it publishes to S3.
        issuer: the issuer's URL, whose path is part of the documents'.
        distribution: the id of the CloudFront distribution that caches the documents.

    Raises:
        ConfigError: a name that is none.
    """
    place = ring.place
    statements = [*_making(ring, specs), *_naming(ring), _read_by_tag(ring), _listing()]
    if where is not None:
        statements += _publishing(where, issuer, place.partition)
    if distribution is not None:
        cdn = read_distribution(distribution, place)
        statements.append(allow("InvalidateCache", ["cloudfront:CreateInvalidation"], [cdn]))
    return statements


def confirm(ring: Ring) -> list[Statement]:
    """Return what a pipeline needs that says when every bundled JWKS has the next key."""
    confirmed = _with_tags(ring.by_tag, (tags.CONFIRMED,))
    return [
        _read_by_tag(ring),
        _listing(),
        allow("Confirm", ["kms:TagResource"], ring.resources, confirmed),
    ]


def retire(ring: Ring) -> list[Statement]:
    """Return what ends a key's life needs: to disable it, and to delete it once it is retired.

    Kept apart from `rotate`, which runs on a schedule: this is for a person, who in an emergency
    needs both.
    """
    keys, by_tag = ring.resources, ring.by_tag
    retired: Condition = {**by_tag, "Null": {f"aws:ResourceTag/{tags.RETIRED}": "false"}}
    return [
        _read_by_tag(ring),
        _listing("kms:ListKeys"),
        allow("SeeLastUse", ["kms:GetKeyLastUsage"], keys, by_tag),
        allow("DisableKeys", ["kms:DisableKey"], keys, by_tag),
        allow("MarkWithdrawn", ["kms:TagResource"], keys, _with_tags(by_tag, WITHDRAWAL_TAGS)),
        allow("DeleteRetiredKeys", ["kms:ScheduleKeyDeletion"], keys, retired),
    ]


def doctor(keys: Sequence[Keys]) -> list[Statement]:
    """Return what a look at everything needs, beside the rights of the function it looks for.

    Raises:
        ConfigError: no key.
    """
    reading = _reading(keys, fixed=("kms:DescribeKey", "kms:GetPublicKey"))
    return [*reading, _listing()] if any(isinstance(each, Ring) for each in keys) else reading


def _use(
    action: str, keys: Sequence[Keys], algs: Iterable[str], message_type: str | None
) -> list[Statement]:
    """Return Sign or Verify, one statement for each message type and group of keys.

    Apart from GetPublicKey, which never matches a condition on these two.
    """
    by_type: dict[str, dict[str, None]] = {}
    for alg in _algorithms(algs):
        names = by_type.setdefault(message_type_for(alg, message_type), {})
        names[alg.kms_name] = None
    return [
        allow(
            _numbered(f"{action}{_OF_MESSAGE_TYPE[kind]}", index),
            [f"kms:{action}"],
            each.resources,
            {
                "StringEquals": {"kms:MessageType": kind, "kms:SigningAlgorithm": list(names)},
                **each.by_alias,
            },
        )
        for index, each in enumerate(_some(keys))
        for kind, names in by_type.items()
    ]


def _reading(
    keys: Sequence[Keys],
    *,
    fixed: tuple[str, ...] = ("kms:GetPublicKey",),
    of_ring: tuple[str, tuple[str, ...]] = ("ReadRing", _READ_RING),
) -> list[Statement]:
    """Return the reading of public keys. A ring is found by probing and read from tags as well."""
    sid, actions = of_ring
    return [
        allow(_numbered("ReadKeys", index), fixed, each.resources)
        if isinstance(each, FixedKeys)
        else allow(_numbered(sid, index), actions, each.resources, each.by_alias)
        for index, each in enumerate(_some(keys))
    ]


def _making(ring: Ring, specs: Sequence[str]) -> list[Statement]:
    if not specs:
        raise ConfigError("no key spec is named, expected such as RSA_2048", code="iam_keys")
    of_ring = {f"aws:RequestTag/{tags.RING}": ring.name}
    kind: Condition = {
        "StringEquals": {**of_ring, "kms:KeySpec": list(specs), "kms:KeyUsage": "SIGN_VERIFY"}
    }
    return [
        # CreateKey knows no resource yet, so its Resource is *.
        allow("MakeGenerations", ["kms:CreateKey"], ["*"], _with_tags(kind, BIRTH_TAGS)),
        allow(
            "TagNewGenerations",
            ["kms:TagResource"],
            ring.resources,
            _with_tags({"StringEquals": {**of_ring}}, BIRTH_TAGS),
        ),
        allow(
            "WriteFacts", ["kms:TagResource"], ring.resources, _with_tags(ring.by_tag, FACT_TAGS)
        ),
    ]


def _naming(ring: Ring) -> list[Statement]:
    """Return the alias rights: KMS wants them on the alias and on the keys, each by its own."""
    return [
        allow("NameGenerations", ["kms:CreateAlias"], [ring.pointer, ring.generations]),
        allow("MovePointer", ["kms:UpdateAlias"], [ring.pointer]),
        allow("AliasRingKeys", ["kms:CreateAlias", "kms:UpdateAlias"], ring.resources, ring.by_tag),
    ]


def _read_by_tag(ring: Ring) -> Statement:
    return allow("ReadOwnKeys", _READ_RING, ring.resources, ring.by_tag)


def _listing(*more: str) -> Statement:
    # Neither knows a resource or a condition.
    return allow("List", ["kms:ListAliases", *more], ["*"])


def _publishing(where: str, issuer: str | None, partition: str) -> list[Statement]:
    bucket, documents = read_documents(where, issuer=issuer, partition=partition)
    return [
        allow("PublishDocuments", ["s3:GetObject", "s3:PutObject"], documents),
        # GetObject tells "not there" from "not allowed" to who may list alone (S3 API reference).
        allow("TellMissing", ["s3:ListBucket"], [bucket]),
    ]


def _with_tags(condition: Condition, names: Sequence[str]) -> Condition:
    """Return the condition, with the tags that a request may set.

    ``ForAllValues`` holds of no tags at all too, so that case is ruled out beside it.
    """
    return {
        **condition,
        "ForAllValues:StringEquals": {"aws:TagKeys": list(names)},
        "Null": {"aws:TagKeys": "false"},
    }


def _some(keys: Sequence[Keys]) -> Sequence[Keys]:
    if not keys:
        raise ConfigError(
            "no key is named, expected ring:NAME or key ARNs",
            code="iam_keys",
            fix="name it: --key ring:auth",
        )
    return keys


def _algorithms(algs: Iterable[str]) -> list[Algorithm]:
    found = [algorithm(alg) for alg in algs]
    if not found:
        raise ConfigError("no algorithm is named, expected such as RS256", code="iam_keys")
    return found


def _numbered(sid: str, index: int) -> str:
    return f"{sid}{index + 1}" if index else sid
