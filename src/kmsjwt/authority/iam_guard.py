"""Who may not: the Deny that keeps everybody else from a ring, and the keys' own policy.

Whoever may give a key an alias under the ring's name, or tag it as the ring's, decides which keys
the ring trusts. A statement that allows cannot keep others from that; one that denies can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.algorithms import algorithm
from kmsjwt.authority.iam import DEFAULT_ALGS
from kmsjwt.authority.iam_names import read_principals
from kmsjwt.errors import ConfigError
from kmsjwt.kms.ring import tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kmsjwt.authority.iam import Statement
    from kmsjwt.authority.iam_names import Condition, Place, Ring

_ALIAS_CHANGES = ("kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias")
_TAG_CHANGES = ("kms:TagResource", "kms:UntagResource")
# Spelt out, not kms:*: what uses the key (Sign, CreateGrant) is not among them.
_ADMINISTRATION = (
    "kms:CancelKeyDeletion",
    *_ALIAS_CHANGES,
    "kms:DisableKey",
    "kms:EnableKey",
    "kms:GetKeyLastUsage",
    "kms:GetKeyPolicy",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:PutKeyPolicy",
    "kms:ReplicateKey",
    "kms:RevokeGrant",
    "kms:ScheduleKeyDeletion",
    *_TAG_CHANGES,
    "kms:UpdateKeyDescription",
    "kms:UpdatePrimaryRegion",
)
_PUBLIC = ("kms:DescribeKey", "kms:GetPublicKey", "kms:ListResourceTags", "kms:Verify")


def guard(ring: Ring, *, may_change: Iterable[str]) -> list[Statement]:
    """Return the Deny for everybody else, as a service control policy or an identity policy.

    Args:
        ring: the ring.
        may_change: the ARNs of the roles that may change it: the rotate function's, that of who
            retires keys, a way in for emergencies. ``*`` within a name is allowed.

    Raises:
        ConfigError: no role, or what is none.
    """
    others = _others(may_change)
    to_ring: Condition = {"StringEquals": {f"aws:RequestTag/{tags.RING}": ring.name}}
    of_ring: Condition = {
        **ring.by_tag,
        "ForAnyValue:StringLike": {"aws:TagKeys": ["kmsjwt:*"]},
    }
    return [
        _deny("KeepAliases", _ALIAS_CHANGES, [ring.pointer, ring.generations], others),
        _deny("KeepTags", _TAG_CHANGES, ring.resources, {**of_ring, **others}),
        _deny("KeepOut", ("kms:CreateKey", "kms:TagResource"), ["*"], {**to_ring, **others}),
    ]


def key_policy(
    place: Place,
    *,
    algs: Iterable[str] = DEFAULT_ALGS,
    may_sign: Sequence[str] = (),
    may_change: Sequence[str] = (),
) -> list[Statement]:
    """Return the policy of the keys themselves: administration apart from use.

    Args:
        place: the account that owns them.
        algs: the JOSE algorithms they may sign with.
        may_sign: the ARNs of the roles that may sign, and read the public key for it, of another
            account too. If there are any, no IAM policy can let another sign; otherwise IAM
            policies decide.
        may_change: the ARNs of the roles that alone may change its aliases and tags, as in
            `guard`; everybody whom IAM policies let, if there are none.

    Raises:
        ConfigError: a role that is none, or an algorithm that is not ours.
    """
    account = [f"arn:{place.partition}:iam::{place.account}:root"]
    signers = read_principals(may_sign, "may_sign")
    names = list(dict.fromkeys(algorithm(alg).kms_name for alg in algs))
    if not names:
        raise ConfigError("no algorithm is named, expected such as RS256", code="iam_keys")
    statements = [
        _for(account, "Administer", _ADMINISTRATION),
        _for(account, "ReadAndCheck", _PUBLIC),
        _for(signers or account, "Sign", ("kms:Sign",), {"kms:SigningAlgorithm": names}),
    ]
    if signers:  # those of another account are let in by no other statement
        statements.append(_for(signers, "ReadToSign", ("kms:GetPublicKey",)))
    if may_change:
        denied = _deny("KeepKey", (*_ALIAS_CHANGES, *_TAG_CHANGES), ["*"], _others(may_change))
        statements.append({**denied, "Principal": {"AWS": "*"}})
    return statements


def _others(may_change: Iterable[str]) -> Condition:
    # In a session of a role, aws:PrincipalArn is the role's. Where it is missing, a negated
    # operator holds, and the Deny counts.
    allowed = read_principals(may_change, "may_change", is_pattern=True)
    if not allowed:
        raise ConfigError(
            "no role is named that may change the ring, and the Deny would hold for everybody",
            code="iam_principal",
            fix="name the rotate function's role and a way in for emergencies with --may-change",
        )
    return {"ArnNotLike": {"aws:PrincipalArn": allowed}}


def _deny(
    sid: str, actions: Sequence[str], resources: Sequence[str], condition: Condition
) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Action": list(actions),
        "Resource": list(resources),
        "Condition": condition,
    }


def _for(
    principals: list[str],
    sid: str,
    actions: Sequence[str],
    equals: dict[str, Any] | None = None,
) -> Statement:
    """Return a key policy's statement, in which ``Resource`` ``*`` is the key that has it."""
    statement: Statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": principals},
        "Action": list(actions),
        "Resource": ["*"],
    }
    return {**statement, "Condition": {"StringEquals": equals}} if equals else statement
