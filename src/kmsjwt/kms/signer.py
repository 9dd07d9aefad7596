"""Signing with a key that stays in KMS.

IAM: ``kms:Sign`` and ``kms:GetPublicKey`` on the key's ARN, in separate statements if either
has conditions: ``kms:SigningAlgorithm`` and ``kms:MessageType`` never match GetPublicKey.
``kms:ListResourceTags`` for a ring, and to obey the ring where its pointer is named.
"""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING

from kmsjwt import aws
from kmsjwt._immutable import Immutable
from kmsjwt.algorithms import Algorithm, algorithm, ecdsa_der_to_jose
from kmsjwt.errors import (
    BadSignature,
    ConfigError,
    KmsError,
    KmsKeyUnusable,
    all_of,
    shown,
)
from kmsjwt.issuer import Signature
from kmsjwt.key_names import RING_PREFIX, KeyReference, is_ring, ring_name
from kmsjwt.kms.arguments import require_clock, require_seconds
from kmsjwt.kms.client import KmsClient, with_client
from kmsjwt.kms.message import message, message_type_for, require_message_type
from kmsjwt.kms.public import Kid, KmsPublicKey, fetch, require_kid, wrong_answer
from kmsjwt.kms.resolution import Resolution, behind, other_kid, signs_otherwise, withdrawn
from kmsjwt.kms.ring.names import pointer_alias

if TYPE_CHECKING:
    from collections.abc import Callable

    from kmsjwt.keys import PublicKey
    from kmsjwt.kms.ring.following import Followed

REFRESH = 300
"""Seconds until an alias is looked up again."""
MAX_STALE = 3_600
"""Seconds an alias's last known key is used while KMS cannot be asked."""
_RETRY = 10
_SPREAD = 300  # how long KMS may take to show everybody a moved alias (KMS guide, aliases)
_OUT_OF_USE = frozenset(("DisabledException", "KMSInvalidStateException"))


class KmsSigner:
    """Names the KMS key that signs now, and follows its alias when that moves.

    An alias is resolved to a key once per refresh time. Signing is by that key's ARN, so a
    token never carries one key's ``kid`` and another's signature. When KMS answers that the key
    is disabled or about to be deleted, the alias is looked up again with the next token.

    ``ring:auth`` follows ``alias/auth`` and obeys the ring: the key's tags say the algorithm, the
    longest lifetime of a token, and for how long at most one look-up may be used, whether KMS
    can be asked or not. A key that is retired or compromised does not sign. Nor does a lower
    generation than the newest that was seen here: KMS shows a moved alias late, so a look-up
    that shows an older one says nothing, and the newer key signs on: each such look-up counts as
    a good one in the first five minutes, and later as one that failed.

    ``alias/auth`` does the same where its key is tagged as a generation of ring ``auth``, from the
    next look-up on where that becomes so later. Before its tags were read it does not sign, for
    the ring's maximum is not known. The alias's ARN may be another account's, where KMS lets
    nobody read them: there the pointer alone is followed. Keep lifetimes within the ring's maximum
    there, and ``refresh`` and ``max_stale`` within its signer refresh.
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
            key: key id, key ARN, ``alias/NAME``, alias ARN or ``ring:NAME``. An ARN's own Region
                wins.
            client: any boto3 KMS client; one with short timeouts is made if None.
            region: the Region, where neither the ARN nor a client says it.
            alg: the JOSE algorithm; by default the key spec's (RS256 for RSA). A ring says its
                own.
            kid: what tokens call the key: its RFC 7638 thumbprint, or its KMS key id. A ring's
                keys are published by their thumbprints, and sign under no other name.
            message_type: KMS ``MessageType``; RAW where a key policy demands it, which limits
                header and claims to 4,096 bytes.
            refresh: seconds until an alias is looked up again. A ring may shorten it.
            max_stale: seconds the last known key is used while it cannot be looked up. A ring
                may shorten it.
            clock: seconds since 1970.

        Raises:
            ConfigError: naming everything that is wrong at once: settings that make no sense,
                boto3 that is missing, a Region that is not known.
        """
        (reference, its_client), *_ = all_of(
            lambda: with_client(_reference(key), client, region),
            lambda: _require_signable(alg, message_type),
            lambda: require_kid(kid),
            lambda: _require_ring_s_own(key, alg, kid),
            lambda: require_seconds(refresh=refresh, max_stale=max_stale),
            lambda: require_clock(clock),
            code="kms_settings",
        )
        self._key: KeyReference = reference
        self._is_ring = is_ring(key)
        self._ring = _pointed(reference)
        # Under key ids no ring publishes its keys: then there is none to obey.
        self._must_read = reference.region is None and kid == "thumbprint"
        self._alg = alg
        self._wanted_type = message_type
        self._client: KmsClient = its_client
        self._kid = kid
        self._refresh = refresh
        self._max_stale = max_stale
        self._clock = clock
        self._lock = Lock()
        self._known: Resolution | None = None
        self._named: tuple[float, KmsPublicKey] | None = None  # when, and whose tags are unread
        self._newest: Followed | None = None
        self._followed: dict[str, Followed] = {}  # by ARN; what a denied call cannot tell anew

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

    def _is_fresh(self, known: Resolution, now: float) -> bool:
        # A clock that went backwards makes an answer old, never young for ever.
        return not self._key.is_alias or known.asked <= now < known.look_again

    def _looked_up(self) -> Resolution:
        # The time is read anew: waiting for another thread may have taken long.
        known, now = self._known, self._clock()
        if known is not None and self._is_fresh(known, now):
            return known  # another thread was first
        try:
            self._known = self._asked(known, now)
        except KmsKeyUnusable as error:
            # An answer: its former key is not what the alias stands for any more. But it may
            # be the answer of somebody who still sees the alias at an older key.
            self._known = None
            of_kms = error.aws_code and known is not None and known.generation is not None
            if known is None or not of_kms or not self._is_alive(known):
                raise
            self._known = self._kept(known, now, error, is_behind=True)
        except KmsError as error:
            self._known = self._kept(known, now, error)
        return self._known

    def _asked(self, known: Resolution | None, now: float) -> Resolution:
        if self._named is None or not 0 <= now - self._named[0] < _RETRY:
            self._named = now, fetch(self._client, self._key, self._alg, self._kid)
        now, found = self._named
        generation = self._generation(found.arn)
        self._named = None
        if generation is not None:
            if self._newest is not None and generation.number < self._newest.number:
                error = behind(self._key, generation, self._newest)
                return self._kept(known, now, error, is_behind=True)
            self._newest = generation
            if generation.withdrawn:
                raise withdrawn(self._key, found.arn, generation)
            if self._kid != "thumbprint":
                raise other_kid(self._key, self._kid)
        is_known = known is not None and known.key.arn == found.arn
        since = min(known.since, now) if known is not None and is_known else now
        if known is None or not is_known or signs_otherwise(known.generation, generation):
            key = self._signing_key(found, generation)
        else:
            key = known.key
        again = now + min(self._refresh, self._bound(generation))
        return Resolution(key, generation, since, now, now, again)

    def _generation(self, arn: str) -> Followed | None:
        if self._ring is None:
            return None
        from kmsjwt.kms.ring.following import follow

        before = self._followed.get(arn)
        found = follow(
            self._client,
            self._ring,
            arn,
            required=self._is_ring,
            readable=self._must_read and before is None,
        )
        if found is None:
            return before
        self._followed[arn] = found
        return found

    def _kept(
        self, known: Resolution | None, now: float, error: KmsError, *, is_behind: bool = False
    ) -> Resolution:
        """Return what was known for a while yet, or raise the error."""
        if known is None:
            raise error
        # An answer from the future has no age that could be told: its time starts anew.
        looked_up = min(known.looked_up, now)
        if is_behind and 0 <= now - known.since < _SPREAD:
            looked_up = now
        bound = self._bound(known.generation)
        if now - looked_up >= bound:
            raise error
        again = min(now + _RETRY, looked_up + bound)
        return Resolution(known.key, known.generation, known.since, looked_up, now, again)

    def _bound(self, generation: Followed | None) -> float:
        """Return for how long one look-up may be used."""
        if generation is None or generation.settings is None:
            return self._max_stale
        return min(self._max_stale, generation.settings.signer_refresh)

    def _is_alive(self, known: Resolution) -> bool:
        try:
            fetch(self._client, KeyReference.parse(known.key.arn), known.key.alg.name, self._kid)
        except KmsError:
            return False
        return True

    def _signing_key(self, found: KmsPublicKey, generation: Followed | None) -> KmsSigningKey:
        settings = None if generation is None else generation.settings
        if settings is not None and settings.alg != self._alg:
            arn = KeyReference.parse(found.arn)
            found = fetch(self._client, arn, settings.alg, self._kid)
            self._require_its_alg(found)
        return KmsSigningKey(
            found,
            self._client,
            message_type_for(found.public.alg, self._wanted_type),
            max_lifetime=None if settings is None else settings.max_lifetime,
            out_of_use=self._forget if self._key.is_alias else None,
        )

    def _require_its_alg(self, found: KmsPublicKey) -> None:
        its = found.public.alg.name
        if self._alg not in (None, its):
            raise KmsKeyUnusable(
                f"alg is {self._alg}, and the keys of ring {self._ring} are published for {its}",
                action="GetPublicKey",
                key=self._key.text,
                code="ring_alg",
                fix="leave alg out: the ring says it",
            )

    def _forget(self, arn: str) -> None:
        with self._lock:
            if self._known is not None and self._known.key.arn == arn:
                self._known = None

    def __repr__(self) -> str:
        named = f"{RING_PREFIX}{self._ring}" if self._is_ring else self._key.text
        return f"KmsSigner({named!r})"


class KmsSigningKey(Immutable):
    """One KMS key, by ARN, with one algorithm and one ``kid``.

    Attributes:
        arn: the key's ARN.
        max_lifetime: seconds that no token of it may outlive; None if nobody said.
    """

    __slots__ = ("_client", "_kind", "_out_of_use", "_public", "arn", "max_lifetime")

    arn: str
    max_lifetime: int | None
    _client: KmsClient
    _kind: str
    _out_of_use: Callable[[str], None] | None
    _public: PublicKey

    def __init__(
        self,
        found: KmsPublicKey,
        client: KmsClient,
        kind: str,
        *,
        max_lifetime: int | None = None,
        out_of_use: Callable[[str], None] | None = None,
    ) -> None:
        self._fill(
            arn=found.arn,
            max_lifetime=max_lifetime,
            _public=found.public,
            _client=client,
            _kind=kind,
            _out_of_use=out_of_use,
        )

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
        try:
            answer = aws.call(
                self._client.sign,
                "Sign",
                self.arn,
                KeyId=self.arn,
                Message=message(self._kind, self._public, signing_input),
                MessageType=self._kind,
                SigningAlgorithm=self.alg.kms_name,
            )
        except KmsKeyUnusable as error:
            if self._out_of_use is not None and error.aws_code in _OUT_OF_USE:
                self._out_of_use(self.arn)
            raise
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


def _reference(key: str) -> KeyReference:
    return KeyReference.parse(pointer_alias(ring_name(key)) if is_ring(key) else key)


def _pointed(reference: KeyReference) -> str | None:
    """Return the ring whose pointer an alias would be."""
    name = reference.text.partition("alias/")[2]
    return name if reference.is_alias and "/" not in name else None


def _require_ring_s_own(key: str, alg: str | None, kid: str) -> None:
    if is_ring(key) and (alg is not None or kid != "thumbprint"):
        raise ConfigError(
            f"{key} takes neither alg nor kid: its keys say the one, and are published by their"
            " thumbprints",
            code="ring_decides",
            fix="leave both out",
        )
