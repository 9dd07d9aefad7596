"""What is known of a deployment before anybody is asked: plain values, wherever they come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Function = Literal["issue", "authorizer", "jwks", "rotate"]
FUNCTIONS: tuple[Function, ...] = ("issue", "authorizer", "jwks", "rotate")
Action = Literal["sign", "verify", "read", "rotate", "compare"]
"""What the function does with a key: have KMS sign, have KMS verify, read its public key, give it
successors; or nothing: ``compare`` is the key that signs elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A key or ring, and what the function does with it.

    Attributes:
        name: id, ARN, alias, alias ARN or ``ring:NAME``.
        action: what is done with it.
    """

    name: str
    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A setting that counts.

    Attributes:
        variable: the variable that decided.
        value: its value, fit to be shown.
        by: ``environment`` or ``option``.
    """

    variable: str
    value: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One function as it is deployed. Times are in seconds.

    Attributes:
        function: which of the four.
        chosen_by: why it is taken for that one.
        told: the settings that count.
        faults: what is wrong with the settings; with any the function does not start.
        ignored: what names a JWKS that is not read, though it is set.
        decided_by: the variable that names the keys instead.
        uses: the keys that it works with.
        issuer: the ``iss``, if it is one in particular.
        jwks: the file or URL that consumers read; None for the one that the issuer names.
        to: where the rotate function writes: a folder, an ``s3://`` place or ``kms``.
        public: whether it reads back from the issuer's URL as well.
        cdn: the CloudFront distribution before that.
        alg: the algorithm that was chosen for keys which have several.
        kid: ``thumbprint`` or ``key-id``.
        message_type: the KMS ``MessageType`` it signs with, if not the algorithm's own.
        region: the Region of keys that do not say theirs.
        lifetime: that of a token whose asker names none; None if unknown.
        max_lifetime: the longest, if one was told.
        cache_ttl: how long the gateway keeps an authorizer's answer, if it was told.
        spec: the KMS key spec of the ring's next key, if one was told.
        ring_settings: the settings of the ring's next key that were told; see
            `kmsjwt.rotation.RingSettings`.
        max_age: of the JWKS that the function publishes, if it does.
    """

    function: Function
    chosen_by: str = "--function"
    told: tuple[Told, ...] = ()
    faults: tuple[str, ...] = ()
    ignored: str | None = None
    decided_by: str | None = None
    uses: tuple[Use, ...] = ()
    issuer: str | None = None
    jwks: str | None = None
    to: str | None = None
    public: bool = False
    cdn: str | None = None
    alg: str | None = None
    kid: Literal["thumbprint", "key-id"] = "thumbprint"
    message_type: str | None = None
    region: str | None = None
    lifetime: int | None = None
    max_lifetime: int | None = None
    cache_ttl: int | None = None
    spec: str | None = None
    ring_settings: Mapping[str, Any] = field(default_factory=dict)
    max_age: int | None = None
