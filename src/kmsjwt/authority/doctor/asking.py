"""Asking AWS on a doctor's terms: each failure is a fact, and nothing is signed or changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt import aws
from kmsjwt.errors import KmsError, KmsUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from kmsjwt.algorithms import Algorithm

_SHORTEST_DATE = 1.0  # a Date header tells whole seconds
_DRY_RUN = b"kmsjwt doctor: nothing is signed"
_DIGESTS = {"sha256": 32, "sha384": 48, "sha512": 64}
_MU = 64  # bytes; FIPS 204
_GOOD = "DryRunOperationException"
_NOT_CHECKED = "KMSInvalidSignatureException"
_A_SIGNATURE = 256  # bytes


class Asking:
    """One KMS client, what the clocks said, and whether it is of any use to go on.

    Attributes:
        client: the client.
        ahead: seconds that the clock here is ahead of KMS's, as far as is certain; None before
            the first answer.
        stopped: why nobody is asked any more: KMS cannot be reached, or takes no such caller.
    """

    def __init__(self, client: Any, clock: Callable[[], float]) -> None:
        self.client = client
        self.ahead: float | None = None
        self.stopped: KmsError | None = None
        self._clock = clock

    def ask(self, method: str, action: str, key: str, **parameters: Any) -> dict[str, Any]:
        """Call one operation.

        Raises:
            KmsError: it failed, or an earlier one did in a way that this one would too.
        """
        if self.stopped is not None:
            raise self.stopped
        before = self._clock()
        try:
            answer: dict[str, Any] = aws.call(
                getattr(self.client, method), action, key, **parameters
            )
        except KmsError as error:
            self._compare(getattr(error.__cause__, "response", None), before)
            if self._ends_it(error):
                self.stopped = error
            raise
        self._compare(answer, before)
        return answer

    def may_sign(self, arn: str, alg: Algorithm, kind: str) -> KmsError | None:
        """Return why a Sign would be refused, or None. It is a dry run."""
        return self._dry_run("sign", "Sign", arn, alg, kind)

    def may_verify(self, arn: str, alg: Algorithm, kind: str) -> KmsError | None:
        """Return why a Verify would be refused, or None. It is a dry run."""
        return self._dry_run("verify", "Verify", arn, alg, kind, Signature=bytes(_A_SIGNATURE))

    def _dry_run(
        self, method: str, action: str, arn: str, alg: Algorithm, kind: str, **more: Any
    ) -> KmsError | None:
        try:
            self.ask(
                method,
                action,
                arn,
                KeyId=arn,
                Message=_message(alg, kind),
                MessageType=kind,
                SigningAlgorithm=alg.kms_name,
                DryRun=True,
                **more,
            )
        except KmsError as error:
            # Whether a dry run looks at the signature was not verified against AWS; if it does,
            # IAM and the key had nothing against it before.
            return None if error.aws_code in (_GOOD, _NOT_CHECKED) else error
        return None

    def _compare(self, answer: object, before: float) -> None:
        told = None if self.ahead is not None else aws.answered_at(answer)
        if told is None:
            return
        after = self._clock()
        if before > told + _SHORTEST_DATE:
            self.ahead = before - told - _SHORTEST_DATE
        else:
            self.ahead = min(0.0, after - told)

    @staticmethod
    def _ends_it(error: KmsError) -> bool:
        is_silent = isinstance(error, KmsUnavailable) and not error.request_id
        return is_silent or error.code == "no_credentials"


class AskedClient:
    """A KMS client each of whose operations is asked on a doctor's terms."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self.meta = asking.client.meta

    def __getattr__(self, name: str) -> Callable[..., Any]:
        action = "".join(word.capitalize() for word in name.split("_"))

        def ask(**parameters: Any) -> dict[str, Any]:
            return self._asking.ask(name, action, parameters.get("KeyId", "*"), **parameters)

        return ask


def _message(alg: Algorithm, kind: str) -> bytes:
    """Return what no token could begin with, of the length that KMS expects."""
    if kind == "DIGEST":
        return bytes(_DIGESTS[str(alg.hash)])
    return bytes(_MU) if kind == "EXTERNAL_MU" else _DRY_RUN
