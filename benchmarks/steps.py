"""Where the time of one token goes: the verifier's own steps, added one after the other.

    python -m benchmarks steps [--quick]

A step alone, in a loop, looks cheaper than it is: between two tokens the signature check has
used the processor's caches for itself. So each row here does all that the rows above it do, the
signature check included, and the step is what it adds.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from benchmarks.harness import interleaved
from benchmarks.table import Table
from benchmarks.work import AUDIENCE, ISSUER, signed_parts, work

from kmsjwt import Verifier
from kmsjwt.compact import decoded, read_payload, segments
from kmsjwt.expectations import Expectations
from kmsjwt.jwks import StaticKeys

if TYPE_CHECKING:
    from collections.abc import Callable

    from kmsjwt import PublicKey

_LONGEST = 16_384
_SIGNATURE = "the signature, `cryptography` alone"
_WHOLE = "all of `Verifier.verify`: header memory, key look-up, the answer"
_NOTE = (
    "RS256, µs of CPU for one token; each row does what those above it do as well, and the step is "
    "the difference to the row above."
)


def tables(quick: bool) -> list[Table]:
    """Return one table, from the signature alone to the whole."""
    paths = _paths()
    slices = {name: (run, len(work("RS256").tokens)) for name, run in paths.items()}
    timings = interleaved(slices, rounds=30 if quick else 300)
    rows: list[tuple[str, ...]] = []
    before = 0.0
    for name in paths:
        median = timings.median(name)
        ratio = f"{timings.ratio(name, _SIGNATURE):.2f}"
        rows.append((name, f"{median:.1f}", f"{median - before:.1f}", ratio))
        before = median
    columns = ("with", "µs", "step", "/ signature")
    return [Table(title="Where the time goes", note=_NOTE, columns=columns, rows=rows)]


def _paths() -> dict[str, Callable[[], object]]:
    given = work("RS256")
    source = StaticKeys(given.jwks())
    (key,) = source.key_set()
    whole = Verifier(source, issuer=ISSUER, audience=AUDIENCE).verify
    ready = [signed_parts(token) for token in given.tokens]
    _DECODED.update(zip(given.tokens, (signature for signature, _ in ready), strict=True))
    return {
        _SIGNATURE: lambda: _verify_all(key, ready),
        "cutting the token at its dots": lambda: _each(_cut, given.tokens, key),
        "base64url of payload and signature": lambda: _each(_decoded, given.tokens, key),
        "JSON: no duplicates, nothing mutable": lambda: _each(_json, given.tokens, key),
        "the claims": lambda: _each(_claims, given.tokens, key),
        _WHOLE: lambda: [whole(token) for token in given.tokens],
    }


def _verify_all(key: PublicKey, ready: list[tuple[bytes, bytes]]) -> None:
    for signature, signed in ready:
        key.verify(signature, signed)


def _each(check: Callable[[str, PublicKey], object], tokens: Any, key: PublicKey) -> None:
    for token in tokens:
        check(token, key)


def _cut(token: str, key: PublicKey) -> None:
    signed, _, _, _ = segments(token, _LONGEST)
    key.verify(_DECODED[token], signed)


def _decoded(token: str, key: PublicKey) -> bytes:
    signed, _, payload, signature = segments(token, _LONGEST)
    payload, signature = decoded(payload, signature)
    key.verify(signature, signed)
    return payload


def _json(token: str, key: PublicKey) -> Any:
    return read_payload(_decoded(token, key))


def _claims(token: str, key: PublicKey) -> None:
    _EXPECTED.check_claims(_json(token, key), {}, time.time())


_DECODED: dict[str, bytes] = {}
_EXPECTED = Expectations(issuer=ISSUER, audience=AUDIENCE)
