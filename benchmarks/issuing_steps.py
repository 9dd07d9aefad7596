"""Where the time of issuing goes, on top of boto3's Sign: steps by hand, and all of ours.

    python -m benchmarks issuing_steps [--quick]

The steps by hand are the least that makes the same token: no claim is looked at, the header is
encoded beforehand, and `cryptography` checks the signature in the form in which KMS answers.
Each row does what the rows above it do as well, since after a network call nothing of ours is
left in the processor's caches.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from json import JSONEncoder
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness import Unfit, interleaved
from benchmarks.issuing import (
    CALLS,
    CLAIMS,
    CLIENT_ID,
    QUICK_ROUNDS,
    ROUNDS,
    SUBJECT,
    Liar,
    prove,
    prove_wary,
    proven_calls,
    slice_of,
)
from benchmarks.table import Table, step_rows
from benchmarks.work import AUDIENCE, ISSUER, TYP
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from benchmarks import tls_kms
from kmsjwt.kms import KmsKeys

if TYPE_CHECKING:
    from collections.abc import Callable

ALGORITHMS = {"RS256": "RSASSA_PKCS1_V1_5_SHA_256", "ES256": "ECDSA_SHA_256"}
"""What KMS calls each."""
LIFETIME = 900

_SIGN = "boto3's Sign alone"
_BY_HAND = "claims and header to a token, by hand; nothing checked"
_CHECKED = "the signature that came back, checked by `cryptography` alone"
_WHOLE = "all of `Issuer.issue`: the claims checked, KMS's answer, the token described"
NOTE = (
    "µs of CPU for one call, medians of {rounds} rounds of slices of {calls} calls in random order;"
    " each row does what those above it do as well, and the step is the median of its differences"
    " to the row above. On top is the median of the ratios inside each round, less 1."
)

_to_json = JSONEncoder(separators=(",", ":")).encode


def tables(quick: bool) -> list[Table]:
    """Return a table for each algorithm, from boto3's Sign to the whole."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        kms = stack.enter_context(tls_kms.running(folder))
        client = kms.client()
        return [_table(alg, _steps(client, kms.arns[alg], alg), rounds) for alg in ALGORITHMS]


def _table(alg: str, steps: dict[str, Callable[[], object]], rounds: int) -> Table:
    timings = interleaved({name: slice_of(step) for name, step in steps.items()}, rounds)
    return Table(
        title=f"Where the time of issuing goes, {alg}",
        note=NOTE.format(rounds=rounds, calls=CALLS),
        columns=("with", "µs", "step", "on top of Sign"),
        rows=step_rows(
            {name: timings.median(name) for name in steps},
            timings.step,
            lambda name: f"{timings.ratio(name, _SIGN) - 1:z.1%}",
        ),
    )


def _steps(client: Any, arn: str, alg: str) -> dict[str, Callable[[], object]]:
    """Return the call of each row, after all of them were proven."""
    issue, sign = proven_calls(client, arn, alg)
    by_hand = _by_hand(client, arn, alg)
    for made in (by_hand.unchecked, by_hand.checked):
        token = made()
        prove(token, client, arn, alg)
        if len(token) != len(issue().token):
            raise Unfit(f"{alg}: the token by hand is not as long as ours, so it says less or more")
    prove_wary(_by_hand(Liar(client), arn, alg).checked, alg, InvalidSignature)
    return {_SIGN: sign, _BY_HAND: by_hand.unchecked, _CHECKED: by_hand.checked, _WHOLE: issue}


@dataclass(frozen=True, slots=True, kw_only=True)
class _ByHand:
    """Makes tokens as shortly as it can be written.

    Attributes:
        client: What signs.
        arn: The key.
        kms_name: KMS's name of the algorithm.
        header: The header's segment.
        form: Makes the signature in JOSE form of KMS's.
        verify: Checks KMS's form.
    """

    client: Any
    arn: str
    kms_name: str
    header: str
    form: Callable[[bytes], bytes]
    verify: Callable[[bytes, bytes], None]

    def unchecked(self) -> str:
        signed = self._signing_input()
        return self._token(signed, self._signature(signed))

    def checked(self) -> str:
        signed = self._signing_input()
        signature = self._signature(signed)
        self.verify(signature, signed)
        return self._token(signed, signature)

    def _signing_input(self) -> bytes:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": SUBJECT,
            "aud": AUDIENCE,
            "exp": now + LIFETIME,
            "iat": now,
            "jti": _segment(os.urandom(16)),
            "client_id": CLIENT_ID,
            **CLAIMS,
        }
        return f"{self.header}.{_segment(_to_json(claims).encode())}".encode()

    def _signature(self, signed: bytes) -> bytes:
        answer = self.client.sign(
            KeyId=self.arn,
            Message=sha256(signed).digest(),
            MessageType="DIGEST",
            SigningAlgorithm=self.kms_name,
        )
        signature: bytes = answer["Signature"]
        return signature

    def _token(self, signed: bytes, signature: bytes) -> str:
        return f"{signed.decode()}.{_segment(self.form(signature))}"


def _by_hand(client: Any, arn: str, alg: str) -> _ByHand:
    key: Any = load_der_public_key(client.get_public_key(KeyId=arn)["PublicKey"])
    kid = KmsKeys(arn, client=client).key(None).kid
    header = {"alg": alg, "kid": kid, "typ": TYP}
    parameters = (ECDSA(SHA256()),) if alg == "ES256" else (PKCS1v15(), SHA256())
    return _ByHand(
        client=client,
        arn=arn,
        kms_name=ALGORITHMS[alg],
        header=_segment(_to_json(header).encode()),
        form=_r_and_s if alg == "ES256" else bytes,
        verify=lambda signature, signed: key.verify(signature, signed, *parameters),
    )


def _r_and_s(der: bytes) -> bytes:
    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _segment(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
