"""How long the worst input takes: hostile tokens, awkward objects, hostile keys and key sets.

    python -m benchmarks.hostile [--quick]

Each case runs several times and its shortest time counts, since a busy machine only ever makes
one longer. The tokens are the tests' own attack tables.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.table import Table
from tests.core import helpers, jwks_cases
from tests.core.attacks import built
from tests.core.helpers import b64, dumps

from kmsjwt import PublicKey, TokenError
from kmsjwt.compact import MAX_LENGTH
from kmsjwt.errors import ConfigError
from kmsjwt.jwks import JwksFile, StaticKeys
from kmsjwt.jwks.static import MAX_BYTES
from kmsjwt.keys import KeySet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Case = tuple[str, Callable[[], object]]

ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "ES512", "ES256K", "Ed25519", "ML-DSA-44")
A_MEGABYTE = 1_000_000


def tables(quick: bool) -> list[Table]:
    """Measure the slowest of everything hostile, in milliseconds."""
    repeats = 3 if quick else 20
    return [
        _tokens(ALGORITHMS[:3] if quick else ALGORITHMS, repeats),
        _slowest("Awkward input, ES256", _awkward(), repeats, "The verifier refuses each."),
        _slowest(
            "Costly documents signed by nobody, ES256",
            _documents(),
            repeats,
            "Headers of nearly the longest token that is read, by anyone who cares to send them.",
        ),
        _slowest(
            "Keys and key sets",
            _keys(),
            repeats,
            "What whoever controls a JWKS can make its reader do, once per fetch. "
            f"A set has at most {MAX_BYTES:,} bytes.",
        ),
        _slowest(
            "A token under an odd key",
            _under_odd_keys(),
            repeats,
            "Verification with the largest key that is accepted, and in the largest set.",
        ),
    ]


def shortest(case: Callable[[], object], repeats: int) -> float:
    """Return the shortest run in milliseconds; a refusal is what is expected of most.

    What takes long is run less often: half a second, or thrice, is enough.
    """
    times: list[int] = []
    while len(times) < repeats and (len(times) < 3 or sum(times) < 500_000_000):
        begun = time.perf_counter_ns()
        with contextlib.suppress(TokenError, ConfigError):
            case()
        times.append(time.perf_counter_ns() - begun)
    return min(times) / 1e6


def _tokens(algorithms: Iterable[str], repeats: int) -> Table:
    return Table(
        title="Hostile tokens",
        note="Milliseconds to accept a genuine one, and to refuse the others.",
        columns=("algorithm", "tokens", "genuine", "median", "slowest", "which"),
        rows=[_of_algorithm(alg, repeats) for alg in algorithms],
    )


def _of_algorithm(alg: str, repeats: int) -> tuple[str, ...]:
    verify = helpers.verifier(alg).verify
    genuine = shortest(partial(verify, helpers.forge(alg).good), repeats)
    times = {attack.name: shortest(partial(verify, token), repeats) for attack, token in built(alg)}
    slowest = max(times, key=times.__getitem__)
    median = statistics.median(times.values())
    return (alg, str(len(times)), _ms(genuine), _ms(median), _ms(times[slowest]), slowest)


def _slowest(title: str, cases: Iterable[Case], repeats: int, note: str) -> Table:
    measured = sorted(((shortest(case, repeats), name) for name, case in cases), reverse=True)
    return Table(
        title=title,
        note=f"{note} Milliseconds, slowest first.",
        columns=("input", "ms"),
        rows=[(name, _ms(milliseconds)) for milliseconds, name in measured],
    )


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.3f}"


def _awkward() -> Iterable[Case]:
    verify = helpers.verifier("ES256").verify
    good = helpers.forge("ES256").good
    inputs: dict[str, object] = {
        "5 MB of letters": "a" * 5 * A_MEGABYTE,
        "5 MB of dots": "." * 5 * A_MEGABYTE,
        "5 MB of white space": " " * 5 * A_MEGABYTE,
        "1 MB of half surrogate pairs": "\ud800" * A_MEGABYTE,
        "1 MB of bytes": b"a" * A_MEGABYTE,
        "a genuine token and 5 MB": good + "A" * 5 * A_MEGABYTE,
        "an integer of 5,000 digits": 10**5000,
        "a list 100,000 deep": _nested(100_000),
        "the longest text that is read, no dot": "a" * MAX_LENGTH,
        "the longest text that is read, all dots": "." * MAX_LENGTH,
        "the longest text that is read, not ASCII": "\u0142" * MAX_LENGTH,
        "two dots and the longest header": "a" * (MAX_LENGTH - 4) + ".a.a",
        "two dots and the longest signature": "a.a." + "a" * (MAX_LENGTH - 4),
        "None": None,
    }
    for name, value in inputs.items():
        yield name, partial(verify, value)


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


_DOCUMENTS: dict[str, Callable[[], str]] = {
    "12,000 brackets": lambda: "[" * 12_000,
    "2,400 objects, nested": lambda: '{"a":' * 2_400,
    "3,900 pairs of brackets": lambda: '{"a":[' + "[]," * 3_900 + "0]}",
    "brackets within text": lambda: '{"a":"' + "[{" * 5_900 + '"}',
    "one integer of 12,000 digits": lambda: '{"a":' + "9" * 12_000 + "}",
    "two integers of 4,000 digits": lambda: '{"a":[' + ",".join(["9" * 4000] * 2) + "]}",
    "one float of 12,000 digits": lambda: '{"a":0.' + "9" * 12_000 + "}",
    "1,900 floats": lambda: '{"a":[' + ",".join(["1e308"] * 1_900) + "]}",
    "1,900 escapes": lambda: '{"a":"' + "\\u0041" * 1_900 + '"}',
    "1,900 half surrogate pairs": lambda: '{"a":"' + "\\ud800" * 1_900 + '"}',
    "2,900 arrays and one escape": lambda: '{"b":"\\u0041","a":[' + "[0]," * 2_900 + "0]}",
    "200 arrays, each 30 deep, and one escape": lambda: (
        '{"b":"\\u0041","a":[' + ("[" * 30 + "]" * 30 + ",") * 198 + "0]}"
    ),
    "5,900 backslashes": lambda: '{"a":"' + "\\\\" * 5_900 + '"}',
    "1,300 members": lambda: "{" + ",".join(f'"{at}":0' for at in range(1_300)) + "}",
    "one member 2,000 times": lambda: "{" + ",".join(['"a":0'] * 2_000) + "}",
    "an alg of 12,000 letters": lambda: '{"alg":"' + "A" * 12_000 + '"}',
    "a kid of 12,000 letters": lambda: '{"alg":"ES256","kid":"' + "A" * 12_000 + '"}',
}


def _documents() -> Iterable[Case]:
    verify = helpers.verifier("ES256").verify
    for name, document in _DOCUMENTS.items():
        token = f"{b64(document().encode())}.e30.{'A' * 86}"
        if len(token) > MAX_LENGTH:
            raise AssertionError(name)
        yield name, partial(verify, token)


def _keys() -> Iterable[Case]:
    for name, (_, jwk) in jwks_cases.hostile().items():
        if name in ("rsa-16384", "rsa-roca", "ec-off-curve", "okp-order-8", "ec-in-sec1"):
            yield f"hostile key: {name}", partial(PublicKey.from_jwk, jwk)
    yield "one RSA key of 8,192 bits", lambda: PublicKey.from_jwk(_rsa_jwk(8192))
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, document) in enumerate(_sets().items()):
            path = Path(folder) / f"{number}.json"
            path.write_bytes(document)
            yield f"{name} ({len(document) // 1000} kB)", partial(JwksFile, path)


def _sets() -> dict[str, bytes]:
    ed25519, ec = jwks_cases.jwk("Ed25519"), jwks_cases.jwk("ES256")
    small, off = jwks_cases.hostile()["okp-order-8"][1], jwks_cases.hostile()["ec-off-curve"][1]
    return {
        "1,000 Ed25519 keys": _filled([{**ed25519, "kid": f"k{n}"} for n in range(1000)]),
        "600 P-256 keys": _filled([{**ec, "kid": f"k{n}"} for n in range(600)]),
        "400 RSA keys of 2,048 bits": _filled([_rsa_jwk(2048, f"k{n}") for n in range(400)]),
        "100 RSA keys of 8,192 bits": _filled([_rsa_jwk(8192, f"k{n}") for n in range(100)]),
        "1,000 points of small order": _filled([{**small, "kid": f"k{n}"} for n in range(1000)]),
        "600 points off the curve": _filled([{**off, "kid": f"k{n}"} for n in range(600)]),
        "empty objects": b'{"keys":[' + b",".join([b"{}"] * 45_000) + b"]}",
        "numbers": b'{"keys":[' + b",".join([b"0"] * 70_000) + b"]}",
        "brackets": b'{"keys":' + b"[" * 140_000,
        "closed brackets": b'{"keys":[' + b",".join([b"[]"] * 49_000) + b"]}",
        "one integer": b'{"keys":' + b"9" * 140_000 + b"}",
        "one long text": dumps({"keys": ["a" * 140_000]}),
        "escapes": b'{"keys":["' + b"\\u0041" * 23_000 + b'"]}',
        "spaces": b" " * 140_000,
    }


def _filled(keys: list[dict[str, Any]]) -> bytes:
    """Return a set of as many of the keys as fit."""
    while len(document := dumps({"keys": keys})) > MAX_BYTES:
        keys = keys[: len(keys) * 19 // 20]
    return document


def _rsa_jwk(bits: int, kid: str = "odd") -> dict[str, Any]:
    """Return an RSA key of nobody: its modulus is any odd number of that size."""
    digits = "".join(hashlib.sha512(f"{kid}{n}".encode()).hexdigest() for n in range(bits // 512))
    modulus = int(digits, 16) >> 1 | 1 << (bits - 1) | 1
    return {"kty": "RSA", "n": b64(modulus.to_bytes(bits // 8, "big")), "e": "AQAB", "kid": kid}


def _under_odd_keys() -> Iterable[Case]:
    forge = helpers.forge("RS256")
    odd = PublicKey.from_jwk(_rsa_jwk(8192))
    verifier = helpers.verifier(keys=StaticKeys([odd]))
    signed = f"{b64(dumps(forge.header(kid='odd')))}.{b64(dumps(forge.claims()))}"
    forged = f"{signed}.{b64(bytes(1023) + bytes([1]))}"
    yield "a forged token, RSA key of 8,192 bits", lambda: verifier.verify(forged)
    wide = f"{signed}.{b64(bytes([0x7F]) * 1024)}"
    yield "another signature, the same key", lambda: verifier.verify(wide)
    many = [{**jwks_cases.jwk("Ed25519"), "kid": f"k{n}"} for n in range(999)]
    keys = KeySet.from_jwks({"keys": [*many, jwks_cases.jwk("ES256")]})
    crowded = helpers.verifier("ES256", keys=StaticKeys(keys))
    good = helpers.forge("ES256").good
    yield "a genuine token, one key of 1,000", lambda: crowded.verify(good)
    stranger = helpers.forge("ES256").token(helpers.forge("ES256").header(kid="nobody"))
    yield "an unknown key, 1,000 at hand", lambda: crowded.verify(stranger)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer algorithms and repeats")
    parser.add_argument("--json", action="store_true", help="the tables as JSON")
    options = parser.parse_args()
    measured = tables(options.quick)
    if options.json:
        print(json.dumps([{"title": table.title, "rows": table.rows} for table in measured]))
    else:
        print("\n\n".join(table.text() for table in measured))


if __name__ == "__main__":
    main()
