"""What issuing a token costs on top of boto3's Sign call alone.

    python -m benchmarks issuing [--quick]

Both ask the same local KMS with the same client and the same kind of message. It runs in a process
of its own and signs with real keys, and its CPU time is not counted. Ours also builds the token and
checks the signature that came back.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
from benchmarks.harness import Timings, Unfit, interleaved
from benchmarks.table import Table, Target
from benchmarks.work import AUDIENCE, ISSUER
from cryptography.hazmat.primitives.serialization import load_der_public_key

from benchmarks import tls_kms
from kmsjwt import Issuer
from kmsjwt.errors import KmsError
from kmsjwt.kms import KmsSigner

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.harness import Slice

    from kmsjwt.issuer import IssuedToken

ROUNDS, QUICK_ROUNDS = 150, 25
CALLS = 20
"""Calls of one slice."""
LIMITS = {"RS256": 0.08, "ES256": 0.12}
SUBJECT, CLIENT_ID = "user-00004711", "orders-web-client"
CLAIMS = {
    "scope": "orders:read orders:write",
    "tenant": "t-0193",
    "roles": ["customer", "beta"],
    "token_use": "access",
}
NOTE = (
    "µs of CPU for one call, medians of {rounds} rounds of slices of {calls} calls in random order;"
    " ours on top is the median of the ratios inside each round, less 1."
)


def tables(quick: bool) -> list[Table]:
    """Return the one table; RS256 and ES256 promise something."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        kms = stack.enter_context(tls_kms.running(folder))
        client = kms.client()
        slices: dict[str, Slice] = {}
        for alg, arn in kms.arns.items():
            issue, sign = proven_calls(client, arn, alg)
            slices[_ours(alg)] = slice_of(issue)
            slices[_theirs(alg)] = slice_of(sign)
        return [_table(interleaved(slices, rounds), rounds)]


def proven_calls(
    client: Any, arn: str, alg: str
) -> tuple[Callable[[], IssuedToken], Callable[[], object]]:
    """Return a call that issues and one that only signs, after both were proven.

    Raises:
        Unfit: what was issued is no good token, or a wrong signature was handed out.
    """
    spy = _Spy(client)
    prove(_issue(spy, arn, alg)().token, client, arn, alg)
    asked = spy.asked
    prove_wary(_issue(Liar(client), arn, alg), alg, KmsError)
    return _issue(client, arn, alg), lambda: client.sign(**asked)


def _issue(client: Any, arn: str, alg: str) -> Callable[[], IssuedToken]:
    issuer = Issuer(ISSUER, KmsSigner(arn, client=client, alg=alg))
    return lambda: issuer.issue(sub=SUBJECT, aud=AUDIENCE, client_id=CLIENT_ID, claims=CLAIMS)


def prove(token: str, client: Any, arn: str, alg: str) -> None:
    """Have PyJWT, where it knows the algorithm, check a token that was issued."""
    if alg in jwt.algorithms.get_default_algorithms():
        key: Any = load_der_public_key(client.get_public_key(KeyId=arn)["PublicKey"])
        jwt.decode(token, key, algorithms=[alg], issuer=ISSUER, audience=AUDIENCE)


def prove_wary(issue: Callable[[], object], alg: str, refusal: type[Exception]) -> None:
    """Make a call that issues by a `Liar` refuse what comes back.

    Raises:
        Unfit: it did not.
    """
    try:
        issue()
    except refusal:
        return
    raise Unfit(f"{alg}: a token with a wrong signature was handed out")


class _Spy:
    """Remembers what Sign is asked, for asking the same without us."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.asked: dict[str, Any] = {}
        self.get_public_key = client.get_public_key

    def sign(self, **asked: Any) -> Any:
        self.asked = asked
        return self._client.sign(**asked)


class Liar:
    """Answers with one bit of the signature changed."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.get_public_key = client.get_public_key

    def sign(self, **asked: Any) -> Any:
        answer = self._client.sign(**asked)
        signature = bytearray(answer["Signature"])
        signature[len(signature) // 2] ^= 1
        return {**answer, "Signature": bytes(signature)}


def slice_of(call: Callable[[], object]) -> Slice:
    """Return a slice of `interleaved`: the call a few times."""

    def run() -> None:
        for _ in range(CALLS):
            call()

    return run, CALLS


def _table(timings: Timings, rounds: int) -> Table:
    over = {alg: timings.ratio(_ours(alg), _theirs(alg)) - 1 for alg in tls_kms.SPECS}
    return Table(
        title="Issuing, on top of boto3's Sign",
        note=NOTE.format(rounds=rounds, calls=CALLS),
        columns=("algorithm", "boto3 Sign alone", "kmsjwt issue", "ours on top"),
        rows=[
            (
                alg,
                f"{timings.median(_theirs(alg)):.0f}",
                f"{timings.median(_ours(alg)):.0f}",
                f"{share:.1%}",
            )
            for alg, share in over.items()
        ],
        targets=[
            Target(f"{alg}: issuing, our CPU on top of boto3's Sign", limit, over[alg])
            for alg, limit in LIMITS.items()
        ],
    )


def _ours(alg: str) -> str:
    return f"{alg} issue"


def _theirs(alg: str) -> str:
    return f"{alg} sign"
