"""One KMS key's public half, fetched and bound to an algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from kmsjwt import aws
from kmsjwt._immutable import Immutable
from kmsjwt.algorithms import for_key_spec
from kmsjwt.errors import ConfigError, KmsKeyUnusable, shown
from kmsjwt.keys import PublicKey
from kmsjwt.kms.reference import key_id

if TYPE_CHECKING:
    from kmsjwt.kms.client import KmsClient
    from kmsjwt.kms.reference import KeyReference

Kid = Literal["thumbprint", "key-id"]


class KmsPublicKey(Immutable):
    """A key as KMS describes it in one GetPublicKey call.

    Attributes:
        arn: the key's own ARN, never an alias's.
        public: the public key, bound to its one algorithm.
    """

    __slots__ = ("arn", "public")

    arn: str
    public: PublicKey

    def __init__(self, arn: str, public: PublicKey) -> None:
        self._fill(arn=arn, public=public)

    def __repr__(self) -> str:
        return f"KmsPublicKey({self.arn!r}, {self.public!r})"


def require_kid(kid: object) -> None:
    """Refuse anything but the two ways to name a key in tokens.

    Raises:
        ConfigError: neither "thumbprint" nor "key-id".
    """
    if kid not in ("thumbprint", "key-id"):
        raise ConfigError(f"kid is {shown(kid)}, expected 'thumbprint' or 'key-id'", code="kid")


def fetch(client: KmsClient, key: KeyReference, alg: str | None, kid: Kid) -> KmsPublicKey:
    """Ask KMS for the public key and bind it to ``alg``, or to the default of its spec.

    Raises:
        KmsError: KMS did not answer, or the key does not sign.
        ConfigError: the key's spec cannot sign ``alg``.
    """
    answer: dict[str, Any] = aws.call(
        client.get_public_key, "GetPublicKey", key.text, KeyId=key.text
    )
    arn, usage = str(answer["KeyId"]), answer.get("KeyUsage")
    if usage != "SIGN_VERIFY":
        raise KmsKeyUnusable(
            f"the KMS key {key} has usage {shown(usage)}, expected SIGN_VERIFY",
            action="GetPublicKey",
            key=key.text,
            fix="a key's usage cannot change: make one with: kmsjwt key create NAME",
        )
    # Older stand-ins answer with the field's former name alone.
    spec = str(answer.get("KeySpec") or answer.get("CustomerMasterKeySpec"))
    name = key_id(arn) if kid == "key-id" else None
    return KmsPublicKey(
        arn, PublicKey.from_spki(answer["PublicKey"], for_key_spec(spec, alg).name, kid=name)
    )
