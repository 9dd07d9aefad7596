"""What IAM statements name: keys, rings, published documents and principals, by ARN.

Account and Region may be placeholders of a template, such as ``${AWS::AccountId}``. Nothing that
a policy would read as a wildcard or as a variable of its own (``${aws:username}``) gets through.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kmsjwt._immutable import Immutable
from kmsjwt.errors import ConfigError, shown
from kmsjwt.key_names import KeyReference, is_ring, ring_name
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.names import pointer_alias
from kmsjwt.publish.documents import Documents

if TYPE_CHECKING:
    from collections.abc import Iterable

    Condition = dict[str, dict[str, str | list[str]]]

# AWS's own pseudo parameters, a template's parameters and attributes, and what CDK writes for
# them. A policy variable begins with a lower-case "aws:", "kms:" and so on.
_PLACEHOLDER = r"\$\{(?:AWS::[A-Za-z]+|Token\[[A-Za-z0-9._]+\]|[A-Za-z][A-Za-z0-9.]*)\}"
_REGION = f"[a-z]{{2,3}}(?:-[a-z]+)+-[0-9]{{1,2}}|{_PLACEHOLDER}"
_ACCOUNT = f"[0-9]{{12}}|{_PLACEHOLDER}"
_BUCKET = f"[a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9]|{_PLACEHOLDER}"
_S3_KEY = r"[A-Za-z0-9_./-]*"  # of what S3 allows, the part that means itself in a policy
_DISTRIBUTION = f"[A-Z0-9]{{8,32}}|{_PLACEHOLDER}"
_PRINCIPAL = r"arn:(?:aws[a-z-]*|\$\{AWS::Partition\}):iam::(?:%s):(?:role|user)/(.+)" % _ACCOUNT  # noqa: UP031  braces
_PRINCIPAL_NAME = r"[A-Za-z0-9_+=,.@/*-]+"
_NO_PATH = "https://issuer.invalid"
_PARTITIONS = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("eusc-", "aws-eusc"))


class Place(Immutable):
    """An account in a Region.

    Attributes:
        region: the Region, or a placeholder.
        account: twelve digits, or a placeholder.
        partition: ``aws``, or another partition's name or placeholder.
    """

    __slots__ = ("account", "partition", "region")

    region: str
    account: str
    partition: str

    def __init__(self, region: str, account: str, partition: str | None = None) -> None:
        """Name the place.

        Args:
            region: such as ``eu-central-1`` or ``${AWS::Region}``.
            account: twelve digits or ``${AWS::AccountId}``.
            partition: the Region's own if None.

        Raises:
            ConfigError: one of them is neither.
        """
        faults = [
            f"{name} is {shown(value)}, expected {example} or a placeholder such as {placeholder}"
            for name, value, form, example, placeholder in (
                ("region", region, _REGION, "such as eu-central-1", "${AWS::Region}"),
                ("account", account, _ACCOUNT, "twelve digits", "${AWS::AccountId}"),
            )
            if not re.fullmatch(form, value)
        ]
        if faults:
            raise ConfigError("; ".join(faults), code="iam_place")
        self._fill(region=region, account=account, partition=partition or partition_of(region))

    def arn(self, resource: str) -> str:
        """Return the ARN of a KMS resource here."""
        return f"arn:{self.partition}:kms:{self.region}:{self.account}:{resource}"

    def __repr__(self) -> str:
        return f"Place({self.region!r}, {self.account!r}, {self.partition!r})"


class Ring(Immutable):
    """The keys of a ring, which come and go while its policies stay.

    Attributes:
        name: the ring's name.
        place: where it is.
    """

    __slots__ = ("name", "place")

    name: str
    place: Place

    def __init__(self, name: str, place: Place) -> None:
        """Name the ring, with or without ``alias/`` or ``ring:``.

        Raises:
            ConfigError: no ring can have that name.
        """
        self._fill(name=ring_name(name), place=place)

    @property
    def partition(self) -> str:
        """The partition it is in."""
        return self.place.partition

    @property
    def resources(self) -> list[str]:
        """Every key of the place: a condition says which."""
        return [self.place.arn("key/*")]

    @property
    def by_alias(self) -> Condition:
        """Keys that have a generation's alias.

        Never by the pointer: after it moved, both keys could be refused for minutes.
        """
        return {
            "ForAnyValue:StringLike": {"kms:ResourceAliases": [f"{pointer_alias(self.name)}/*"]}
        }

    @property
    def by_tag(self) -> Condition:
        """Keys tagged as this ring's, which they are before they have an alias."""
        return {"StringEquals": {f"aws:ResourceTag/{tags.RING}": self.name}}

    @property
    def pointer(self) -> str:
        """The ARN of the alias that signers follow."""
        return self.place.arn(pointer_alias(self.name))

    @property
    def generations(self) -> str:
        """The ARNs of the aliases that name its keys for good, as a pattern."""
        return self.place.arn(f"{pointer_alias(self.name)}/*")

    def __repr__(self) -> str:
        return f"Ring({self.name!r}, {self.place!r})"


class FixedKeys(Immutable):
    """Keys named one by one.

    Attributes:
        resources: their ARNs.
        partition: the partition they are in.
    """

    __slots__ = ("partition", "resources")

    resources: list[str]
    partition: str

    def __init__(self, resources: list[str], partition: str) -> None:
        self._fill(resources=resources, partition=partition)

    @property
    def by_alias(self) -> Condition:
        """No condition: the ARNs say it all."""
        return {}

    def __repr__(self) -> str:
        return f"FixedKeys({self.resources!r})"


Keys = Ring | FixedKeys


def read_keys(
    names: Iterable[str], *, region: str | None = None, account: str | None = None
) -> list[Keys]:
    """Return what key names stand for in policies: rings one by one, fixed keys together.

    Args:
        names: of each key its ARN or id; of a ring ``ring:auth``, ``alias/auth``, or the ARN of
            that alias.
        region: the Region of what is named by no ARN.
        account: its account.

    Raises:
        ConfigError: a name is none of these, or account or Region is missing.
    """
    rings: dict[str, Keys] = {}
    arns: dict[str, str] = {}
    for name in names:
        if is_ring(name) or name.startswith("alias/"):
            ring = Ring(name, _place(region, account))
            rings[ring.pointer] = ring
            continue
        reference = KeyReference.parse(name)
        if reference.is_alias:
            ring = _ring_of_arn(name)
            rings[ring.pointer] = ring
        elif reference.region is not None:
            arns[name] = name.split(":", 2)[1]
        else:
            place = _place(region, account)
            arns[place.arn(f"key/{name}")] = place.partition
    fixed: list[Keys] = [FixedKeys(list(arns), next(iter(arns.values())))] if arns else []
    return [*rings.values(), *fixed]


def read_documents(
    where: str, *, issuer: str | None = None, partition: str = "aws"
) -> tuple[str, list[str]]:
    """Return the ARN of the bucket that is published to, and those of the documents in it.

    Args:
        where: ``s3://bucket/prefix``, which is what the issuer's host serves as ``/``.
        issuer: the issuer's URL, if it has a path.
        partition: the bucket's.

    Raises:
        ConfigError: it is no such place, or holds what means something else in a policy.
    """
    match = re.fullmatch(r"s3://([^/]+)(?:/(.*))?", where)
    name, prefix = (match[1], (match[2] or "").strip("/")) if match else ("", "")
    if not re.fullmatch(_BUCKET, name) or not re.fullmatch(_S3_KEY, prefix):
        raise ConfigError(
            f"the place is {shown(where)}, expected s3://bucket or s3://bucket/prefix"
            " of letters, digits, '-', '_', '.' and '/'",
            code="iam_publish",
        )
    bucket = f"arn:{partition}:s3:::{name}"
    below = f"{bucket}/{prefix}/" if prefix else f"{bucket}/"
    return bucket, [below + path for path in Documents(issuer or _NO_PATH).all]


def read_distribution(name: str, place: Place) -> str:
    """Return the ARN of a CloudFront distribution, given by its id.

    Raises:
        ConfigError: it is no such id.
    """
    if not re.fullmatch(_DISTRIBUTION, name):
        raise ConfigError(
            f"distribution is {shown(name)}, expected an id such as E2QWRUHAPOMQZL",
            code="iam_distribution",
        )
    return f"arn:{place.partition}:cloudfront::{place.account}:distribution/{name}"


def read_principals(arns: Iterable[str], setting: str, *, is_pattern: bool = False) -> list[str]:
    """Return the ARNs of roles and users.

    Args:
        arns: of roles or users, or placeholders of them.
        setting: what to call them in a message.
        is_pattern: whether the name may hold ``*``, as those of permission sets do.

    Raises:
        ConfigError: one is none, or is nothing but a wildcard.
    """
    found = list(dict.fromkeys(arns))
    for arn in found:
        if not _is_principal(arn, is_pattern=is_pattern):
            raise ConfigError(
                f"{setting} is {shown(arn)}, expected the ARN of an IAM role or user",
                code="iam_principal",
                fix="name the role, not its session: arn:aws:iam::111122223333:role/NAME",
            )
    return found


def partition_of(region: str) -> str:
    """Return the partition of a Region; for a placeholder, AWS's own placeholder of it."""
    if region.startswith("$"):
        return "${AWS::Partition}"
    return next((name for start, name in _PARTITIONS if region.startswith(start)), "aws")


def _is_principal(arn: str, *, is_pattern: bool) -> bool:
    if re.fullmatch(_PLACEHOLDER, arn):
        return True
    match = re.fullmatch(_PRINCIPAL, arn)
    name = match[1] if match else ""
    if not re.fullmatch(f"(?:{_PRINCIPAL_NAME}|{_PLACEHOLDER})", name):
        return False
    return name.strip("*/") != "" if is_pattern else "*" not in name


def _ring_of_arn(arn: str) -> Ring:
    _, partition, _, region, account, alias = arn.split(":", 5)
    return Ring(alias, Place(region, account, partition))


def _place(region: str | None, account: str | None) -> Place:
    missing = [name for name, value in (("Region", region), ("account", account)) if not value]
    if missing:
        raise ConfigError(
            f"missing: {' and '.join(missing)} of the keys, which statements name by ARN",
            code="iam_place",
            fix="give --region and --account, in a template '${AWS::Region}' and"
            " '${AWS::AccountId}'",
        )
    return Place(str(region), str(account))
