"""Where the time of one token goes: the verifier's own steps, added one after the other.

    python -m benchmarks steps [--quick]

A step alone, in a loop, looks cheaper than it is: between two tokens the signature check has
used the processor's caches for itself. So each row here does all that the rows above it do, the
signature check included, and the step is what it adds.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from benchmarks.contenders import bare
from benchmarks.harness import contest, interleaved, one_by_one
from benchmarks.table import Table, step_rows
from benchmarks.work import AUDIENCE, ISSUER, Work, signed_parts, work

from kmsjwt import Verifier
from kmsjwt.compact import decoded, read_payload, segments
from kmsjwt.expectations import Expectations
from kmsjwt.jwks import StaticKeys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.harness import Slice

    from kmsjwt import PublicKey

ALGORITHMS = ("RS256", "ES256")
ROUNDS, QUICK_ROUNDS = 300, 30

_LONGEST = 16_384
_SIGNATURE = "the signature, `cryptography` alone"
_LENGTH = "its length"
_WIDTH = "its length, and DER of r and s"
_WHOLE = "all of `Verifier.verify`: header memory, key look-up, the answer"
_NOTE = (
    "µs of CPU for one token; each row does what those above it do as well, and the step is the "
    "median of its differences to the row above."
)


def tables(quick: bool) -> list[Table]:
    """Return a table for each algorithm, from the signature alone to the whole."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    return [_table(work(alg), rounds) for alg in ALGORITHMS]


def _table(given: Work, rounds: int) -> Table:
    slices = _slices(given)
    timings = interleaved(slices, rounds)
    return Table(
        title=f"Where the time goes, {given.alg}",
        note=_NOTE,
        columns=("with", "µs", "step", "/ signature"),
        rows=step_rows(
            {name: timings.median(name) for name in slices},
            timings.step,
            lambda name: f"{timings.ratio(name, _SIGNATURE):.2f}",
        ),
    )


def _slices(given: Work) -> dict[str, Slice]:
    source = StaticKeys(given.jwks())
    (key,) = source.key_set()
    whole = Verifier(source, issuer=ISSUER, audience=AUDIENCE).verify
    return {
        _SIGNATURE: contest(bare(given)[0], given.tokens),
        **{name: _slice(step, given) for name, step in _steps(key, given).items()},
        _WHOLE: _slice(whole, given),
    }


def _slice(step: Callable[[str], object], given: Work) -> Slice:
    run = one_by_one(step)
    return lambda: run(given.tokens), len(given.tokens)


def _steps(key: PublicKey, given: Work) -> Mapping[str, Callable[[str], object]]:
    """Return what lies between the bare signature and the whole, each with all before it."""
    ready = {token: signed_parts(token) for token in given.tokens}
    expected = Expectations(issuer=ISSUER, audience=AUDIENCE)

    def verified(token: str) -> None:
        key.verify(*ready[token])

    def cut(token: str) -> None:
        signed, _, _, _ = segments(token, _LONGEST)
        key.verify(ready[token][0], signed)

    def plain(token: str) -> bytes:
        signed, _, payload, signature = segments(token, _LONGEST)
        payload, signature = decoded(payload, signature)
        key.verify(signature, signed)
        return payload

    def read(token: str) -> Any:
        return read_payload(plain(token))

    def checked(token: str) -> None:
        expected.check_claims(read(token), {}, time.time())

    return {
        _WIDTH if given.alg.startswith("ES") else _LENGTH: verified,
        "cutting the token at its dots": cut,
        "base64url of payload and signature": plain,
        "JSON: no duplicates, nothing mutable": read,
        "the claims": checked,
    }
