"""Verifying with KMS keys: by their public halves, or, spelled out, by asking KMS each time.

IAM: ``kms:GetPublicKey`` on the keys' ARNs; `KmsVerify` needs ``kms:Verify`` as well.
"""

from __future__ import annotations

import time
from copy import copy
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

from kmsjwt import aws
from kmsjwt._immutable import Immutable
from kmsjwt._verify import require_bytes, wrong_length
from kmsjwt.algorithms import Algorithm, algorithm, ecdsa_jose_to_der
from kmsjwt.errors import (
    BadSignature,
    ClaimsRefused,
    ConfigError,
    KmsError,
    UnknownKey,
    all_of,
    shown,
)
from kmsjwt.key_names import RING_PREFIX, KeyReference, is_ring
from kmsjwt.keys import KeySet, PublicKey
from kmsjwt.kms.arguments import MAX_STALE, RING_MAX_AGE, require_ages, require_clock
from kmsjwt.kms.cell import Cell
from kmsjwt.kms.client import KmsClient, client_for, with_client
from kmsjwt.kms.message import message
from kmsjwt.kms.public import Kid, KmsPublicKey, fetch, require_kid, wrong_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from kmsjwt.kms.ring.keys import RingKeys

MAX_AGE = 3_600
"""Seconds until public keys are fetched again, so that a disabled key stops being trusted."""


class KmsKeys:
    """The public keys of KMS keys named one by one, fetched once and refreshed.

    A key that KMS reports disabled or pending deletion stops being trusted at the next refresh.
    Any other trouble keeps the keys that are known, up to ``max_stale``.
    """

    def __init__(
        self,
        *keys: str,
        client: KmsClient | None = None,
        region: str | None = None,
        alg: str | None = None,
        kid: Kid = "thumbprint",
        max_age: float = MAX_AGE,
        max_stale: float = MAX_STALE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Name the keys. KMS is first asked when the first token is verified.

        Args:
            *keys: key ids or key ARNs. Never an alias: once it moved, the tokens its former key
                signed would be refused.
            client: any boto3 KMS client; one with short timeouts is made per Region if None.
            region: the Region of keys named by id.
            alg: the JOSE algorithm of the keys; by default each key spec's own.
            kid: what tokens call a key: its RFC 7638 thumbprint, or its KMS key id.
            max_age: seconds until the keys are fetched again.
            max_stale: seconds a key is trusted without KMS confirming it, at least ``max_age``.
            clock: seconds since 1970.

        Raises:
            ConfigError: naming everything that is wrong at once: an alias, no key, settings
                that make no sense, boto3 that is missing, a Region that is not known.
        """
        reached, *_ = all_of(
            lambda: _reached(keys, client, region),
            lambda: None if alg is None else algorithm(alg),
            lambda: require_kid(kid),
            lambda: require_ages(max_age, max_stale),
            lambda: require_clock(clock),
            code="kms_settings",
        )
        self._cells = tuple(Cell(reference, its, alg, kid) for reference, its in reached)
        self._max_age = max_age
        self._max_stale = max_stale
        self._clock = clock
        self._lock = Lock()

    @staticmethod
    def ring(
        name: str,
        *,
        client: Any = None,
        region: str | None = None,
        max_age: float = RING_MAX_AGE,
        max_stale: float = MAX_STALE,
        clock: Callable[[], float] = time.time,
    ) -> RingKeys:
        """Return the keys of a ring: of all its generations that are neither retired nor withdrawn.

        Args:
            name: the ring; ``auth``, ``ring:auth`` and ``alias/auth`` are the same. It is one of
                the client's own account and Region.
            client: any boto3 KMS client; one with short timeouts is made if None.
            region: the Region, if no client is given.
            max_age: seconds until the ring is read again.
            max_stale: seconds a key is trusted without KMS confirming it, at least ``max_age``.
            clock: seconds since 1970.

        Raises:
            ConfigError: naming everything that is wrong at once.
        """
        from kmsjwt.kms.ring.keys import RingKeys  # who has no ring does not load the room

        return RingKeys(
            name, client=client, region=region, max_age=max_age, max_stale=max_stale, clock=clock
        )

    def key(self, kid: str | None) -> PublicKey:
        """Return the key of that ``kid``; see `kmsjwt.verifier.KeySource`.

        Raises:
            UnknownKey: every configured key is known, and it is none of them.
            KmsError: it may be a key that KMS cannot be asked about now.
        """
        self._freshen()
        trusted = [public for cell in self._cells if (public := cell.public) is not None]
        if kid is None and len(self._cells) == 1 and trusted:
            return trusted[0]
        for public in trusted:
            if public.kid == kid:
                return public
        raise self._not_found(kid, trusted)

    @property
    def key_count(self) -> int:
        """How many keys are configured."""
        return len(self._cells)

    def key_set(self) -> KeySet:
        """Return all keys, for publishing. Raises KmsError if one of them is not known."""
        self._freshen()
        # One key may be named twice: by id and ARN, or in several Regions.
        trusted = dict.fromkeys(each.public for each in self._cells if each.public is not None)
        unsure = self._unsure(trusted)
        if unsure is not None:
            raise unsure
        return KeySet(trusted)

    def _freshen(self) -> None:
        now = self._clock()
        if all(cell.is_fresh(now) for cell in self._cells):
            return
        with self._lock:
            # The time is read anew: waiting for another thread may have taken long.
            now = self._clock()
            silent: dict[int, KmsError] = {}
            for cell in self._cells:
                if not cell.is_fresh(now):
                    cell.refresh(now, self._max_age, self._max_stale, silent)

    def _not_found(self, kid: str | None, trusted: list[PublicKey]) -> UnknownKey | KmsError:
        if kid is None and len(self._cells) > 1:
            return UnknownKey(
                f"the token names no kid, and {len(self._cells)} keys are configured",
                code="kid_missing",
            )
        unsure = self._unsure(trusted)
        if unsure is not None:
            return unsure
        return UnknownKey(f"kid is {shown(kid)}, which is none of the {len(trusted)} trusted keys")

    def _unsure(self, trusted: Collection[PublicKey]) -> KmsError | None:
        """Return why a key is not known, if that leaves open which keys there are."""
        for cell in self._cells:
            error = cell.error
            if cell.public is None and error is not None and not (cell.withdrawn and trusted):
                # A copy: one error raised again and again would keep every caller's frames.
                return copy(error)
        return None

    def __repr__(self) -> str:
        return f"KmsKeys({', '.join(repr(cell.reference.text) for cell in self._cells)})"


class KmsVerify:
    """Asks KMS to verify each token: slower by a network call, counted against the key's quota.

    The choice for those who want every verification in CloudTrail. Its public key is fetched
    once, for its ``kid`` and algorithm.
    """

    asks_each_time = True
    """No verifier may remember its answers."""

    def __init__(
        self,
        key: str,
        *,
        client: KmsClient | None = None,
        region: str | None = None,
        alg: str | None = None,
        kid: Kid = "thumbprint",
    ) -> None:
        """Name the key; the arguments are those of `KmsKeys`.

        Raises:
            ConfigError: naming everything that is wrong at once, as `KmsKeys` does.
        """
        (reference, its_client), *_ = all_of(
            lambda: with_client(_fixed(key), client, region),
            lambda: None if alg is None else algorithm(alg),
            lambda: require_kid(kid),
            code="kms_settings",
        )
        self._reference: KeyReference = reference
        self._client: KmsClient = its_client
        self._alg = alg
        self._kid = kid
        self._found: KmsVerifyingKey | None = None

    def key(self, kid: str | None) -> KmsVerifyingKey:
        """Return the key, which asks KMS; see `kmsjwt.verifier.KeySource`.

        Raises:
            UnknownKey: the token names another key.
            KmsError: the key's public half could not be fetched.
        """
        if self._found is None:
            found = fetch(self._client, self._reference, self._alg, self._kid)
            self._found = KmsVerifyingKey(found, self._client)
        if kid is not None and kid != self._found.kid:
            raise UnknownKey(f"kid is {shown(kid)}, which is not the configured key")
        return self._found

    def __repr__(self) -> str:
        return f"KmsVerify({self._reference.text!r})"


class KmsVerifyingKey(Immutable):
    """A key whose signatures KMS checks."""

    __slots__ = ("_client", "_found")

    _found: KmsPublicKey
    _client: KmsClient

    def __init__(self, found: KmsPublicKey, client: KmsClient) -> None:
        self._fill(_found=found, _client=client)

    @property
    def kid(self) -> str:
        """What tokens call the key."""
        return self._found.public.kid

    @property
    def alg(self) -> Algorithm:
        """Its algorithm."""
        return self._found.public.alg

    def verify(self, signature: bytes, signing_input: bytes) -> None:
        """Ask KMS.

        Raises:
            BadSignature: KMS says that it is not this key's signature.
            KmsError: KMS did not say. This is not a denial.
        """
        public = self._found.public
        require_bytes(signature, signing_input)
        if len(signature) != public.signature_length:
            raise wrong_length(signature, public.signature_length, public.alg)
        try:
            body = message(self.alg.message_type, public, signing_input)
        except ClaimsRefused as error:
            raise BadSignature("the token is longer than KMS could have signed") from error
        try:
            answer = aws.call(
                self._client.verify,
                "Verify",
                self._found.arn,
                KeyId=self._found.arn,
                Message=body,
                MessageType=self.alg.message_type,
                Signature=ecdsa_jose_to_der(signature) if self.alg.kty == "EC" else signature,
                SigningAlgorithm=self.alg.kms_name,
            )
        except KmsError as error:
            # The one answer that means "bad token"; every other one means "not known".
            if error.aws_code == "KMSInvalidSignatureException":
                raise BadSignature(f"the {self.alg.name} signature does not verify") from None
            raise
        self._require_valid(answer)

    def _require_valid(self, answer: dict[str, Any]) -> None:
        """Read KMS's answer: AWS raises instead of answering false; not all stand-ins do."""
        if answer.get("SignatureValid") is False:
            raise BadSignature(f"the {self.alg.name} signature does not verify")
        if answer.get("SignatureValid") is not True or answer.get("KeyId") != self._found.arn:
            raise wrong_answer(
                "it does not say whether the signature is this key's",
                "Verify",
                self._found.arn,
                str(answer.get("ResponseMetadata", {}).get("RequestId", "")),
            )

    def __repr__(self) -> str:
        return f"KmsVerifyingKey({self._found.arn!r})"


def _reached(
    keys: tuple[str, ...], client: KmsClient | None, region: str | None
) -> Collection[tuple[KeyReference, KmsClient]]:
    """Return each key once, beside its Region's client."""
    if not keys:
        raise ConfigError("no KMS key is named, expected ids or ARNs", code="keys")
    clients: dict[str | None, KmsClient] = {}

    def reach(key: str) -> tuple[KeyReference, KmsClient]:
        reference = _fixed(key)
        known = clients.get(reference.region, client)
        clients[reference.region] = client_for(reference, known, region)
        return reference, clients[reference.region]

    found = all_of(*(partial(reach, key) for key in keys), code="kms_settings")
    return {reference.text: (reference, its) for reference, its in found}.values()


def _fixed(key: str) -> KeyReference:
    if is_ring(key):
        raise ConfigError(
            f"{shown(key)} is a ring, expected key ids or ARNs",
            code="ring_of_keys",
            fix=f"a ring has several keys in the course of time: "
            f"KmsKeys.ring({key.removeprefix(RING_PREFIX)!r})",
        )
    reference = KeyReference.parse(key)
    if reference.is_alias:
        raise ConfigError(
            f"{reference} is an alias, expected key ids or ARNs to verify with",
            code="alias_to_verify",
            fix="once the alias moves, tokens its former key signed would be refused: name the "
            "keys themselves, or their ring (KmsKeys.ring), or use the published JWKS",
        )
    return reference
