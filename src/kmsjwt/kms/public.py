"""One KMS key's public half, fetched and bound to an algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from kmsjwt import aws
from kmsjwt._immutable import Immutable
from kmsjwt.algorithms import ALGORITHMS, for_key_spec
from kmsjwt.errors import ConfigError, KmsError, KmsKeyUnusable, shown
from kmsjwt.key_names import KeyReference, key_id
from kmsjwt.keys import PublicKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kmsjwt.algorithms import Algorithm
    from kmsjwt.kms.client import KmsClient

_ACTION = "GetPublicKey"
_LISTED = "SigningAlgorithms"

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
        KmsError: KMS did not answer, or not with this key, or the key does not sign ``alg``.
    """
    answer: dict[str, Any] = aws.call(client.get_public_key, _ACTION, key.text, KeyId=key.text)
    arn, usage, der = answer.get("KeyId"), answer.get("KeyUsage"), answer.get("PublicKey")
    if not isinstance(arn, str) or not _is_key(arn, key):
        raise wrong_answer(f"its key is {shown(arn)}, expected {key}", _ACTION, key)
    if usage != "SIGN_VERIFY":
        raise KmsKeyUnusable(
            f"the KMS key {key} has usage {shown(usage)}, expected SIGN_VERIFY",
            action=_ACTION,
            key=key.text,
            fix="a key's usage cannot change: make one with: kmsjwt key create NAME",
        )
    # Older stand-ins answer with the field's former name alone.
    spec = str(answer.get("KeySpec") or answer.get("CustomerMasterKeySpec"))
    name = key_id(arn) if kid == "key-id" else None
    try:
        bound = for_key_spec(spec, alg)
    except ConfigError as error:
        raise KmsKeyUnusable(
            f"the KMS key {key} does not fit: {error.message}",
            action=_ACTION,
            key=key.text,
            code=error.code,
            fix=error.fix,
        ) from None
    _require_listed(answer, spec, bound, key)
    try:
        return KmsPublicKey(arn, PublicKey.from_spki(der, bound.name, kid=name))  # type: ignore[arg-type]  # checked there
    except ConfigError as error:
        raise wrong_answer(error.message, _ACTION, key) from error


def _require_listed(
    answer: Mapping[str, Any], spec: str, bound: Algorithm, key: KeyReference
) -> None:
    """Refuse a key that does not sign what its spec does, as KMS says of each key itself."""
    if _LISTED not in answer:
        return  # stand-ins may leave it out
    listed = answer[_LISTED]
    if not isinstance(listed, list):
        raise wrong_answer(f"its {_LISTED} is {shown(listed)}, expected a list", _ACTION, key)
    if bound.kms_name in listed:
        return
    names = ", ".join(name for name in listed if isinstance(name, str))
    fitting = (each for each in ALGORITHMS.values() if spec in each.key_specs)
    others = " or ".join(each.name for each in fitting if each.kms_name in listed)
    raise KmsKeyUnusable(
        f"the KMS key {key} signs with {shown(names) if names else 'nothing'},"
        f" expected {bound.kms_name} for {bound.name} among them",
        action=_ACTION,
        key=key.text,
        fix=(f"name an alg that it signs, {others}, or " if others else "")
        + "make another key with: kmsjwt key create NAME",
    )


def wrong_answer(
    message: str, action: str, key: KeyReference | str, request_id: str = ""
) -> KmsError:
    """Return the error for an answer that cannot be KMS's about this key."""
    return KmsError(
        f"the answer to kms:{action} on {key} is wrong: {message}",
        action=action,
        key=str(key),
        request_id=request_id,
        code="kms_wrong_answer",
        fix="nothing was trusted; if it happens again, check what stands between here and KMS",
    )


def _is_key(arn: str, wanted: KeyReference) -> bool:
    """Tell whether ``arn`` names a key, and the one wanted where that is known beforehand."""
    try:
        if KeyReference.parse(arn).is_alias:
            return False
    except ConfigError:
        return False
    return wanted.is_alias or key_id(arn) == key_id(wanted.text)
