"""What publishes a ring's keys, from what the command line or an environment says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from kmsjwt import aws
from kmsjwt.authority.in_kms import InKms
from kmsjwt.errors import ConfigError
from kmsjwt.key_names import ring_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from kmsjwt.keys import PublicKey

IN_KMS = "kms"
"""The place of a ring that is published nowhere: all who verify read it from KMS."""


class Publisher(Protocol):
    """Where the ring's keys are published; see `kmsjwt.publish.Publisher`."""

    def publish(
        self,
        live: Iterable[PublicKey],
        retired: Collection[str],
        *,
        max_age: int | None = None,
        allow: Callable[[], None] | None = None,
        anew: Callable[[], tuple[Iterable[PublicKey], Collection[str]]] | None = None,
    ) -> object:
        """Bring the documents up to date: with the live keys, without the retired ones.

        ``max_age`` is for how many seconds anybody may keep them; None for the default.
        ``allow`` is called before each write, and raises if it comes too late. ``anew`` returns
        live and retired keys as they are by then; it is called before a key is added.
        """

    def kids(self, expected: Iterable[PublicKey] = ()) -> frozenset[str]:
        """Return each ``kid`` that is found in every place where consumers read.

        One under which there is another key than the one expected is not found.
        """

    def lingering(self) -> frozenset[str]:
        """Return each ``kid`` that is found in one of these places at least."""

    def invalidate(self) -> None:
        """Have caches that are ours, such as a CDN, forget what they hold."""


def publisher_for(
    name: str,
    *,
    to: str | None,
    issuer: str | None,
    public: bool = False,
    cdn: str | None = None,
    client: Any = None,
    region: str | None = None,
) -> Publisher:
    """Return what publishes the keys of a ring, and reads them back.

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
    if cdn and to and not public:
        raise ConfigError(
            f"a CDN is named, {cdn}, and nothing is read through it",
            code="missing_option",
            fix="add --public (KMSJWT_PUBLIC=yes), or leave the CDN out until the issuer is public",
        )
    from kmsjwt import publish

    return publish.Publisher(
        publish.place(to, region=region) if to else None,
        issuer=issuer,
        read_from="issuer" if public else None,
        cdn=cdn,
    )
