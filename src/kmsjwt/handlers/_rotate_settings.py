"""What the rotate function is told by its environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt._immutable import Immutable
from kmsjwt.algorithms import ALGORITHMS

if TYPE_CHECKING:
    from kmsjwt.handlers._environment import Environment

_TIMES = ("period", "max_lifetime", "signer_refresh", "document_max_age", "consumer_cache")


class RotateSettings(Immutable):
    """The settings of the rotate function.

    Attributes:
        ring: the ring's name; empty if it is missing.
        issuer: the ``iss`` of the tokens.
        to: where documents are written.
        public: whether the issuer's URL is read back too.
        cdn: the CloudFront distribution before it.
        region: the Region.
        spec: the KMS key spec of the next key.
        changes: the settings of the next key that are named.
    """

    __slots__ = ("cdn", "changes", "issuer", "public", "region", "ring", "spec", "to")

    ring: str
    issuer: str | None
    to: str | None
    public: bool
    cdn: str | None
    region: str | None
    spec: str | None
    changes: dict[str, Any]

    def __init__(self, env: Environment) -> None:
        """Read the environment, which remembers every fault."""
        changes: dict[str, Any] = {}
        for name in _TIMES:
            least = 0 if name == "consumer_cache" else 1
            length = env.seconds(f"KMSJWT_{name.upper()}", least=least)
            if length is not None:
                changes[name] = length
        if env.choice("KMSJWT_BUNDLE", "yes", "no") == "yes":
            changes["bundle"] = True
        alg = env.choice("KMSJWT_ALG", *ALGORITHMS)
        if alg is not None:
            changes["alg"] = alg
        self._fill(
            ring=env.required("KMSJWT_RING", "the name of the ring to rotate"),
            issuer=env.text("KMSJWT_ISSUER"),
            to=env.text("KMSJWT_TO"),
            public=env.choice("KMSJWT_PUBLIC", "yes", "no") == "yes",
            cdn=env.text("KMSJWT_CDN"),
            region=env.text("KMSJWT_REGION"),
            spec=env.text("KMSJWT_SPEC"),
            changes=changes,
        )
