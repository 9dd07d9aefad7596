"""Commands that mend what was found; each can be typed as it stands."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from kmsjwt.key_names import RING_PREFIX, KeyReference, is_alias, is_ring
from kmsjwt.kms.ring.create import DEFAULT_SPEC

if TYPE_CHECKING:
    from kmsjwt.authority.doctor.facts import Facts, KeyFacts

_DEFAULT_ALG = "RS256"
_ROLES = {"sign": "issue", "verify": "verify-with-kms", "rotate": "rotate", "compare": "doctor"}


def iam(facts: Facts, key: KeyFacts) -> str:
    """Return how to give the function the rights it needs on a key."""
    to = f"the role {facts.caller.role}" if facts.caller.role else "the function's role"
    return f"give {to} what this prints: {iam_command(facts, key)}"


def iam_command(facts: Facts, key: KeyFacts, role: str | None = None) -> str:
    """Return the command that prints a role's policy.

    Args:
        facts: what is known.
        key: the key that the role is about.
        role: whose policy, if not that of the function.
    """
    words = ["kmsjwt", "iam", role or _role(facts, key), "--key", _key(key)]
    words += _place(facts, key)
    if words[2] in ("issue", "verify-with-kms") and key.alg and key.alg.name != _DEFAULT_ALG:
        words += ["--alg", key.alg.name]
    if words[2] == "issue" and facts.deployment.message_type:
        words += ["--message-type", facts.deployment.message_type]
    if words[2] == "authorizer":
        words += ["--keys-from", "kms"]
    if words[2] == "rotate":
        words += _rotation(facts, key)
    return shlex.join(words)


def rotate(facts: Facts, ring: str, *more: str) -> str:
    """Return the command that takes a ring's due steps."""
    deployment = facts.deployment
    words = ["kmsjwt", "key", "rotate", ring, *more]
    words += [] if deployment.to is None else ["--to", deployment.to]
    words += ["--issuer", deployment.issuer] if deployment.issuer and not is_in_kms(facts) else []
    return shlex.join(words)


def is_in_kms(facts: Facts) -> bool:
    """Tell whether the ring is published in KMS alone."""
    return facts.deployment.to == "kms"


def _role(facts: Facts, key: KeyFacts) -> str:
    if key.use.action == "read":
        return facts.deployment.function
    return _ROLES[key.use.action]


def _key(key: KeyFacts) -> str:
    """Return a name for which policies fit: a ring's, or a key's own."""
    if is_ring(key.name):
        return key.name
    if key.ring is not None:
        return RING_PREFIX + key.ring.name
    if is_alias(key.name) and key.tags is not None:
        return str(key.arn)
    return key.name


def _place(facts: Facts, key: KeyFacts) -> list[str]:
    name = _key(key)
    if name.startswith("arn:"):
        return []
    arn = key.arn if key.arn and KeyReference.parse(key.arn).region else None
    region = arn.split(":")[3] if arn else facts.caller.region
    account = arn.split(":")[4] if arn else facts.caller.account
    return ["--region", region or "REGION", "--account", account or "ACCOUNT"]


def _rotation(facts: Facts, key: KeyFacts) -> list[str]:
    deployment, words = facts.deployment, []
    spec = key.metadata["KeySpec"] if key.metadata else DEFAULT_SPEC
    if spec != DEFAULT_SPEC:
        words += ["--spec", str(spec)]
    if deployment.to and deployment.to.startswith("s3://"):
        words += ["--to", deployment.to]
        words += ["--issuer", deployment.issuer] if deployment.issuer else []
    if deployment.cdn:
        words += ["--cdn", deployment.cdn]
    return words
