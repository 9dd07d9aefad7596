"""Signing with a key that stays in KMS.

IAM: ``kms:Sign`` and ``kms:GetPublicKey`` on the key's ARN, in separate statements if either
has conditions: ``kms:SigningAlgorithm`` and ``kms:MessageType`` never match GetPublicKey.
"""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING

from kmsjwt import aws
from kmsjwt._immutable import Immutable
from kmsjwt.algorithms import Algorithm, algorithm, ecdsa_der_to_jose
from kmsjwt.errors import BadSignature, CannotKnow, KmsError, KmsKeyUnusable, all_of, shown
from kmsjwt.issuer import Signature
from kmsjwt.key_names import KeyReference
from kmsjwt.kms.client import KmsClient, with_client
from kmsjwt.kms.message import message, message_type_for, require_message_type
from kmsjwt.kms.public import (
    Kid,
    KmsPublicKey,
    fetch,
    require_clock,
    require_kid,
    require_seconds,
    wrong_answer,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from kmsjwt.keys import PublicKey

REFRESH = 300
"""Seconds until an alias is looked up again."""
MAX_STALE = 3_600
"""Seconds an alias's last known key is used while KMS cannot be asked."""
_RETRY = 10


class KmsSigner:
    """Names the KMS key that signs now, and follows its alias when that moves.

    An alias is resolved to a key once per refresh time. Signing is by that key's ARN, so a
    token never carries one key's ``kid`` and another's signature.
    """

    def __init__(
        self,
        key: str,
        *,
        client: KmsClient | None = None,
        region: str | None = None,
        alg: str | None = None,
        kid: Kid = "thumbprint",
        message_type: str | None = None,
        refresh: float = REFRESH,
        max_stale: float = MAX_STALE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Name the key. KMS is first asked when the first token is issued.

        Args:
            key: key id, key ARN, ``alias/NAME`` or alias ARN. An ARN's own Region wins.
            client: any boto3 KMS client; one with short timeouts is made if None.
            region: the Region, where neither the ARN nor a client says it.
            alg: the JOSE algorithm; by default the key spec's (RS256 for RSA).
            kid: what tokens call the key: its RFC 7638 thumbprint, or its KMS key id.
            message_type: KMS ``MessageType``; RAW where a key policy demands it, which limits
                header and claims to 4,096 bytes.
            refresh: seconds until an alias is looked up again.
            max_stale: seconds the last known key is used while it cannot be looked up.
            clock: seconds since 1970.

        Raises:
            ConfigError: naming everything that is wrong at once: settings that make no sense,
                boto3 that is missing, a Region that is not known.
        """
        (reference, its_client), *_ = all_of(
            lambda: with_client(KeyReference.parse(key), client, region),
            lambda: _require_signable(alg, message_type),
            lambda: require_kid(kid),
            lambda: require_seconds(refresh=refresh, max_stale=max_stale),
            lambda: require_clock(clock),
            code="kms_settings",
        )
        self._key: KeyReference = reference
        self._alg = alg
        self._wanted_type = message_type
        self._client: KmsClient = its_client
        self._kid = kid
        self._refresh = refresh
        self._max_stale = max_stale
        self._clock = clock
        self._lock = Lock()
        self._known: _Resolution | None = None

    def current(self) -> KmsSigningKey:
        """Return the key that signs now, bound to its ARN; see `kmsjwt.issuer.Signer`.

        Raises:
            KmsKeyUnusable: the key, or the one the alias was moved to, does not sign this.
            KmsError: the key cannot be looked up, and no answer is young enough to use.
        """
        known = self._known
        if known is not None and self._is_fresh(known, self._clock()):
            return known.key
        with self._lock:
            return self._looked_up().key

    def _is_fresh(self, known: _Resolution, now: float) -> bool:
        # A clock that went backwards makes an answer old, never young for ever.
        return not self._key.is_alias or known.asked <= now < known.look_again

    def _looked_up(self) -> _Resolution:
        # The time is read anew: waiting for another thread may have taken long.
        known, now = self._known, self._clock()
        if known is not None and self._is_fresh(known, now):
            return known  # another thread was first
        try:
            found = fetch(self._client, self._key, self._alg, self._kid)
        except KmsKeyUnusable:
            raise  # an answer: its former key is not what the alias stands for any more
        except CannotKnow:
            # An answer from the future has no age that could be told: its time starts anew.
            looked_up = now if known is None else min(known.looked_up, now)
            if known is None or now - looked_up >= self._max_stale:
                raise
            again = min(now + _RETRY, looked_up + self._max_stale)
            resolution = _Resolution(known.key, looked_up, now, again)
        else:
            key = self._signing_key(found, known)
            resolution = _Resolution(key, now, now, now + self._refresh)
        self._known = resolution
        return resolution

    def _signing_key(self, found: KmsPublicKey, known: _Resolution | None) -> KmsSigningKey:
        if known is not None and known.key.arn == found.arn:
            return known.key
        kind = message_type_for(found.public.alg, self._wanted_type)
        return KmsSigningKey(found, self._client, kind)

    def __repr__(self) -> str:
        return f"KmsSigner({self._key.text!r})"


class KmsSigningKey(Immutable):
    """One KMS key, by ARN, with one algorithm and one ``kid``.

    Attributes:
        arn: the key's ARN.
    """

    __slots__ = ("_client", "_kind", "_public", "arn")

    arn: str
    _client: KmsClient
    _kind: str
    _public: PublicKey

    def __init__(self, found: KmsPublicKey, client: KmsClient, kind: str) -> None:
        self._fill(arn=found.arn, _public=found.public, _client=client, _kind=kind)

    @property
    def kid(self) -> str:
        """What tokens call the key."""
        return self._public.kid

    @property
    def alg(self) -> Algorithm:
        """Its algorithm."""
        return self._public.alg

    def sign(self, signing_input: bytes) -> Signature:
        """Have KMS sign, and check here what came back before anyone uses it.

        Raises:
            ClaimsRefused: over KMS's limit for a RAW message.
            KmsError: KMS did not sign, signed with another key, or wrongly.
        """
        answer = aws.call(
            self._client.sign,
            "Sign",
            self.arn,
            KeyId=self.arn,
            Message=message(self._kind, self._public, signing_input),
            MessageType=self._kind,
            SigningAlgorithm=self.alg.kms_name,
        )
        request_id = str(answer.get("ResponseMetadata", {}).get("RequestId", ""))
        signed_by, signature = answer.get("KeyId"), answer.get("Signature")
        if signed_by != self.arn:
            raise self._wrong(f"its key is {shown(signed_by)}, expected {self.arn}", request_id)
        if not isinstance(signature, bytes):
            raise self._wrong("it holds no signature", request_id)
        value = self._jose_form(signature, request_id)
        try:
            self._public.verify(value, signing_input)
        except BadSignature as error:
            raise self._wrong(str(error), request_id) from error
        return Signature(value, request_id)

    def _jose_form(self, signature: bytes, request_id: str) -> bytes:
        if self.alg.kty != "EC":
            return signature
        try:
            return ecdsa_der_to_jose(signature, int(self.alg.signature_length or 0))
        except ValueError as error:
            raise self._wrong(f"its signature is no DER ({error})", request_id) from error

    def _wrong(self, message: str, request_id: str) -> KmsError:
        return wrong_answer(message, "Sign", self.arn, request_id)

    def __repr__(self) -> str:
        return f"KmsSigningKey({self.arn!r}, kid={self.kid!r}, alg={self.alg.name!r})"


def _require_signable(alg: str | None, message_type: str | None) -> None:
    all_of(
        lambda: None if alg is None else algorithm(alg),
        lambda: require_message_type(message_type),
        code="kms_settings",
    )
    if alg is not None:
        message_type_for(algorithm(alg), message_type)


class _Resolution(Immutable):
    """Which key an alias stood for, when KMS said so, and when KMS was and is to be asked."""

    __slots__ = ("asked", "key", "look_again", "looked_up")

    key: KmsSigningKey
    looked_up: float
    asked: float
    look_again: float

    def __init__(
        self, key: KmsSigningKey, looked_up: float, asked: float, look_again: float
    ) -> None:
        self._fill(key=key, looked_up=looked_up, asked=asked, look_again=look_again)
