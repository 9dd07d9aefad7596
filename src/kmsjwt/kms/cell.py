"""What is known of one KMS key that is named to verify with."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from kmsjwt.errors import KmsError, KmsKeyUnusable, KmsUnavailable
from kmsjwt.kms.public import Kid, fetch

if TYPE_CHECKING:
    from kmsjwt.key_names import KeyReference
    from kmsjwt.keys import PublicKey
    from kmsjwt.kms.client import KmsClient

_RETRY = 30
_RETRY_UNKNOWN = 1  # while nothing is known of a key, its tokens are answered with 500


class Cell:
    """What is known of one configured key: its public half, or why there is none."""

    def __init__(
        self, reference: KeyReference, client: KmsClient, alg: str | None, kid: Kid
    ) -> None:
        self.reference = reference
        self.public: PublicKey | None = None
        self.error: KmsError | None = None
        self.withdrawn = False
        self._client = client
        self._alg = alg
        self._kid = kid
        self._confirmed = 0.0
        self._asked = 0.0
        self._ask_again = 0.0

    def is_fresh(self, now: float) -> bool:
        """Tell whether KMS need not be asked yet."""
        # A clock that went backwards makes an answer old, never young for ever.
        return self._asked <= now < self._ask_again

    def refresh(
        self, now: float, max_age: float, max_stale: float, silent: dict[int, KmsError]
    ) -> None:
        """Ask KMS, unless its Region was silent a moment ago: waiting once is long enough."""
        self._asked = now
        try:
            if id(self._client) in silent:
                raise copy(silent[id(self._client)])
            found = fetch(self._client, self.reference, self._alg, self._kid)
        except KmsError as error:
            if isinstance(error, KmsUnavailable) and not error.request_id:
                silent[id(self._client)] = error
            self._failed(error, now, max_stale)
            return
        self.error = None
        self.withdrawn = False
        self._confirmed = now
        self._ask_again = now + max_age
        if self.public != found.public:
            self.public = found.public

    def _failed(self, error: KmsError, now: float, max_stale: float) -> None:
        self.error = error
        # Only KMS withdraws a key. One that never fitted is a fault of the deployment's.
        self.withdrawn = isinstance(error, KmsKeyUnusable) and error.aws_code != ""
        # An answer from the future has no age that could be told: its time starts anew.
        self._confirmed = min(self._confirmed, now)
        if self.withdrawn or now - self._confirmed >= max_stale:
            self.public = None
        if self.public is not None:
            self._ask_again = min(now + _RETRY, self._confirmed + max_stale)
        else:
            self._ask_again = now + (_RETRY if self.withdrawn else _RETRY_UNKNOWN)
