"""What this room asks of a KMS client: any boto3 KMS client fits as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

from kmsjwt import aws
from kmsjwt.errors import ConfigError

if TYPE_CHECKING:
    from kmsjwt.key_names import KeyReference


class KmsClient(Protocol):
    """The three operations that issuing and verifying need."""

    def get_public_key(self, *, KeyId: str) -> Any:  # noqa: N803  boto3's spelling
        """Return the public key with its ARN, spec and algorithms."""

    def sign(self, **parameters: Any) -> Any:
        """Sign a message or its digest."""

    def verify(self, **parameters: Any) -> Any:
        """Verify, or raise KMSInvalidSignatureException."""


def client_for(key: KeyReference, client: KmsClient | None, region: str | None) -> KmsClient:
    """Return ``client``, or a new one in the Region that the key's ARN names.

    Raises:
        ConfigError: the client given is in another Region than the key, or none can be made.
    """
    if client is None:
        return cast("KmsClient", aws.kms_client(key.region or region))
    its_region = getattr(getattr(client, "meta", None), "region_name", None)
    if key.region is not None and its_region not in (None, key.region):
        raise ConfigError(
            f"the KMS client is in {its_region}, the key {key} is in {key.region}",
            code="client_region",
            fix=f"pass boto3.client('kms', region_name='{key.region}'), or no client",
        )
    return client


def with_client(
    key: KeyReference, client: KmsClient | None, region: str | None
) -> tuple[KeyReference, KmsClient]:
    """Return the key beside its `client_for`, whose errors it raises."""
    return key, client_for(key, client, region)
