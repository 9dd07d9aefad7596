"""Where a ring's keys are published, from what the command line or an environment says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt import aws
from kmsjwt.authority.unpublished import InKms
from kmsjwt.errors import ConfigError
from kmsjwt.kms.ring.names import ring_name

if TYPE_CHECKING:
    from kmsjwt.authority.rotate import Publication

IN_KMS = "kms"
"""The place of a ring that is published nowhere: all who verify read it from KMS."""


def publication(
    name: str,
    *,
    to: str | None,
    issuer: str | None,
    public: bool = False,
    cdn: str | None = None,
    client: Any = None,
    region: str | None = None,
) -> Publication:
    """Return where the keys of a ring are published.

    Args:
        name: the ring.
        to: where documents are written: a folder, ``s3://BUCKET/PREFIX``, or ``kms``; None if
            the jwks function publishes.
        issuer: the ``iss`` of the tokens.
        public: read back from the issuer's URL as well as from the place.
        cdn: the id of the CloudFront distribution before the issuer's URL.
        client: a boto3 KMS client, for ``kms``; one is made if None.
        region: the Region, if no client is given.

    Raises:
        ConfigError: these make no sense together.
    """
    if to == IN_KMS:
        return InKms(ring_name(name), aws.kms_client(region) if client is None else client)
    if not issuer:
        raise ConfigError(
            "no issuer is named, and a key signs only after its JWKS was read back there",
            code="missing_option",
            fix="name --issuer (KMSJWT_ISSUER) and --to (KMSJWT_TO); kms, if all who verify read"
            " the ring from KMS",
        )
    from kmsjwt.publish import Publisher, place

    return Publisher(
        place(to) if to else None,
        issuer=issuer,
        read_from="issuer" if public else None,
        cdn=cdn,
    )
