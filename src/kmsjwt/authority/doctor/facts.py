"""What is so: every fact that the checks look at, as plain values. A failure is a fact too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kmsjwt.algorithms import Algorithm
    from kmsjwt.authority.doctor.deployment import Deployment, Use
    from kmsjwt.errors import KmsError, KmsJwtError
    from kmsjwt.kms.public import KmsPublicKey
    from kmsjwt.kms.ring.asking import Metadata
    from kmsjwt.kms.ring.reading import RingReading


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, and where.

    Attributes:
        arn: as STS says it; None if it did not.
        code: AWS's error code, if STS refused or did not answer.
        local: whether KMS is one on this machine, which knows no callers.
        region: the Region that is asked.
        trouble: why no client could be made, or why KMS takes no such caller.
    """

    arn: str | None = None
    code: str = ""
    local: bool = False
    region: str | None = None
    trouble: KmsJwtError | None = None

    @property
    def role(self) -> str | None:
        """The name of the role or user."""
        if self.arn is None:
            return None
        parts = self.arn.rpartition(":")[2].split("/")
        return parts[1] if parts[0] == "assumed-role" else parts[-1]

    @property
    def name(self) -> str:
        """The caller without the name of the session, which may be a person's."""
        what = "" if self.arn is None else self.arn.rpartition(":")[2]
        return f"assumed-role/{self.role}" if what.startswith("assumed-role/") else what

    @property
    def account(self) -> str | None:
        """The account, twelve digits."""
        return None if self.arn is None else self.arn.split(":")[4]


@dataclass(frozen=True, slots=True, kw_only=True)
class RingFacts:
    """A ring as it could be read.

    Attributes:
        name: the ring.
        reading: what was read of it.
        trouble: why it could not be read.
        no_moment: why it is not known since when its key signs.
    """

    name: str
    reading: RingReading | None = None
    trouble: KmsJwtError | None = None
    no_moment: KmsJwtError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """A key as it could be asked. Of a ring it is the one that signs.

    Attributes:
        use: what the function does with it.
        metadata: KMS's own; None if it was not given.
        undescribed: why it was not.
        public: the public key, bound to its algorithm.
        unread: why there is none.
        alg: the algorithm that it is used with.
        tags: its tags.
        untagged: why they could not be read.
        kind: the KMS ``MessageType`` that was tried.
        was_tried: whether Sign or Verify was tried.
        refused: why that would be refused.
        ring: the ring whose key it is, if it is one's.
        stopped: why KMS was not asked all of it: there is no client, or KMS cannot be reached,
            or takes no such caller.
    """

    use: Use
    metadata: Metadata | None = None
    undescribed: KmsJwtError | None = None
    public: KmsPublicKey | None = None
    unread: KmsJwtError | None = None
    alg: Algorithm | None = None
    tags: Mapping[str, str] | None = None
    untagged: KmsError | None = None
    kind: str = ""
    was_tried: bool = False
    refused: KmsError | None = None
    ring: RingFacts | None = None
    stopped: KmsJwtError | None = None

    @property
    def arn(self) -> str | None:
        """Its ARN, however it is known."""
        if self.metadata is not None:
            return str(self.metadata["Arn"])
        return None if self.public is None else self.public.arn

    @property
    def name(self) -> str:
        """What to call it."""
        return self.use.name


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFacts:
    """What consumers can read.

    Attributes:
        where: the JWKS, for messages.
        kids: each ``kid`` that a verifier would find; None if it could not be read.
        trouble: why not.
        not_read: why nobody looked.
        max_age: seconds that its Cache-Control lets it be kept; None if it does not say.
        named_issuer: what the discovery document says; None if there is none.
        no_discovery: why there is none, where somebody looked.
        discovery_not_read: why nobody looked.
        is_file: whether it is a file that travels with the function.
    """

    where: str = ""
    kids: frozenset[str] | None = None
    trouble: KmsJwtError | None = None
    not_read: str = ""
    max_age: int | None = None
    named_issuer: str | None = None
    no_discovery: str = ""
    discovery_not_read: str = ""
    is_file: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All of them.

    Attributes:
        deployment: what was to be looked at.
        caller: who asked.
        keys: the keys, in the order of the deployment's uses.
        published: what consumers can read.
        ahead: seconds that the clock here is ahead of KMS's; None if KMS told no time.
    """

    deployment: Deployment
    caller: Caller
    keys: tuple[KeyFacts, ...]
    published: PublishedFacts
    ahead: float | None

    @property
    def followed(self) -> list[tuple[KeyFacts, RingFacts]]:
        """The rings, each once, with the first key that led there."""
        found: dict[int, tuple[KeyFacts, RingFacts]] = {}
        for each in self.keys:
            if each.ring is not None:
                found.setdefault(id(each.ring), (each, each.ring))
        return list(found.values())

    @property
    def rings(self) -> list[RingFacts]:
        """The rings, each once."""
        return [ring for _, ring in self.followed]
