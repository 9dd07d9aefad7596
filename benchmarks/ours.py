"""Our own verifier beside itself: a token seen before, a whole authorizer call, many keys."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import redirect_stdout
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from benchmarks.contenders import BARE, bare
from benchmarks.gateway_event import http_api_event
from benchmarks.harness import (
    Contender,
    Slice,
    Timings,
    contest,
    interleaved,
    one_by_one,
    prove,
)
from benchmarks.table import Table, Target
from benchmarks.work import AUDIENCE, ISSUER, Key, Work, new_key, signed_parts, token, work
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from kmsjwt import Verifier
from kmsjwt.gateway import Authorizer
from kmsjwt.jwks import JwksUrl, StaticKeys

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FRESH = "verify, one key in the set"
FRESH_STR = "verify, each token a new str"
SEEN = "verify, each token a new str, seen before (cache)"
FRESH_THOUSAND = "verify, one key in the set, 1,000 tokens"
QUIET = "authorizer, HTTP API 2.0, log off"
LOGGED = "authorizer, HTTP API 2.0, log on"
MANY_KEYS = "verify, 1,000 keys in the set, tokens of one"
SPREAD = "verify, 1,000 keys in the set, a token of each"
URL = "verify, JwksUrl with a fresh set"

BARE_SPREAD = "bare cryptography verify, 1,000 keys, a token of each"

BASES = {SEEN: FRESH_STR, SPREAD: FRESH_THOUSAND, BARE_SPREAD: BARE}
"""What a row is compared with, if not with FRESH."""
LIMITS = {SEEN: 0.08, QUIET: 1.25, MANY_KEYS: 1.05, SPREAD: 1.05}

_KEYS = 1000
_MODULI = 4

NOTE = (
    "µs of CPU for one RS256 token, all in one interleaved run. The authorizer gets a parsed "
    "event and answers with a policy; its log line goes to the null device. The 1,000 keys are "
    f"{_MODULI} key pairs under 1,000 names, each read on its own."
)


def tables(quick: bool) -> list[Table]:
    """Return one table with its targets."""
    nowhere = Path(os.devnull)
    with (
        tempfile.TemporaryDirectory() as folder,
        nowhere.open("w", encoding="utf-8") as log,
        redirect_stdout(log),  # where the authorizer's log lines go
    ):
        slices = _slices(work("RS256"), Path(folder))
        timings = interleaved(slices, rounds=30 if quick else 300)
    return [_table(timings)]


def _slices(given: Work, folder: Path) -> dict[str, Slice]:
    verifiers = _verifiers(given, folder)
    for contender in verifiers:
        prove(contender, given.tokens, given.forgeries)
        prove(contender, given.tokens, given.forgeries)  # and when all were seen before
    return {
        **{each.name: contest(each, given.tokens) for each in verifiers},
        **_authorizers(given),
        **_spread(),
        BARE: contest(bare(given)[0], given.tokens),
    }


def _table(timings: Timings) -> Table:
    rows = [_row(name, timings) for name in sorted(timings.by_name, key=timings.median)]
    return Table(
        title="RS256, kmsjwt beside itself",
        note=NOTE,
        columns=("what", "µs", "ratio", "to"),
        rows=rows,
        targets=[_target(name, timings) for name in LIMITS],
    )


def _row(name: str, timings: Timings) -> tuple[str, ...]:
    base = BASES.get(name, FRESH)
    return name, f"{timings.median(name):.2f}", f"{timings.ratio(name, base):.3f}", base


def _target(name: str, timings: Timings) -> Target:
    base = BASES.get(name, FRESH)
    return Target(figure=f"{name} / {base}", limit=LIMITS[name], measured=timings.ratio(name, base))


def _verifiers(given: Work, folder: Path) -> list[Contender]:
    static = StaticKeys(given.jwks())
    seed = folder / "jwks.json"
    seed.write_text(json.dumps(given.jwks()))
    followed = JwksUrl("https://tokens.example.com/jwks.json", seed=seed, max_age=12 * 3600)
    among_many = StaticKeys({"keys": [given.key.jwk(), *(key.jwk() for key in _many_keys()[1:])]})
    return [
        _plain(FRESH, _verifier(static)),
        _plain(URL, _verifier(followed)),
        _plain(MANY_KEYS, _verifier(among_many)),
        _from_bytes(FRESH_STR, _verifier(static)),
        _from_bytes(SEEN, _verifier(static, cache_size=1024)),
    ]


def _verifier(keys: Any, **settings: Any) -> Callable[[str], object]:
    return Verifier(keys, issuer=ISSUER, audience=AUDIENCE, **settings).verify


def _plain(name: str, verify: Callable[[str], object]) -> Contender:
    return Contender(name, one_by_one(verify))


def _from_bytes(name: str, verify: Callable[[str], object]) -> Contender:
    # A request brings a new str, whose hash nobody has computed yet.
    return Contender(name, one_by_one(lambda sent: verify(sent.decode())), str.encode)


def _authorizers(given: Work) -> dict[str, Slice]:
    verifier = Verifier(StaticKeys(given.jwks()), issuer=ISSUER, audience=AUDIENCE)
    context = SimpleNamespace(aws_request_id="4b2f1c1e-0000-4000-8000-000000000000")
    authorizers = {
        QUIET: Authorizer(verifier, log=None),
        LOGGED: Authorizer(verifier),
    }
    return {name: _authorizer(name, each, context, given) for name, each in authorizers.items()}


def _authorizer(name: str, authorizer: Authorizer, context: object, given: Work) -> Slice:
    def ask(event: object) -> object:
        return authorizer(event, context)

    def demand(event: object) -> None:
        answer = authorizer(event, context)
        if answer["policyDocument"]["Statement"][0]["Effect"] != "Allow":
            raise PermissionError("denied")

    demanding = Contender(name, one_by_one(demand), http_api_event)
    prove(demanding, given.tokens, given.forgeries)
    asking = Contender(name, one_by_one(ask), http_api_event)
    return contest(asking, given.tokens)


@cache
def _many_keys() -> list[Key]:
    pairs = [new_key("RS256") for _ in range(_MODULI)]
    return [replace(pairs[at % _MODULI], kid=f"key-{at:04}") for at in range(_KEYS)]


def _spread() -> dict[str, Slice]:
    keys = _many_keys()
    tokens = [token(key) for key in keys]
    verify = _verifier(StaticKeys({"keys": [key.jwk() for key in keys]}))
    verify_one = _verifier(StaticKeys({"keys": [keys[0].jwk()]}))
    by_token = {each: key.public.verify for each, key in zip(tokens, keys, strict=True)}
    bare_spread = Contender(BARE_SPREAD, _bare, lambda each: (by_token[each], *signed_parts(each)))
    return {
        SPREAD: contest(_plain(SPREAD, verify), tokens),
        FRESH_THOUSAND: contest(_plain(FRESH_THOUSAND, verify_one), [token(keys[0]) for _ in keys]),
        BARE_SPREAD: contest(bare_spread, tokens),
    }


def _bare(prepared: Sequence[tuple[Callable[..., None], bytes, bytes]]) -> None:
    padding, hash_ = PKCS1v15(), SHA256()
    for verify, signature, data in prepared:
        verify(signature, data, padding, hash_)
