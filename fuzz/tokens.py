"""Tokens: only TokenError escapes, and the verdict is that of a second, plain verifier.

Many inputs become tokens that a trusted key really signed, so that the stages behind the
signature are reached.
"""

from __future__ import annotations

import json
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fuzz import keys, reference
from fuzz.draw import Draw, any_text
from fuzz.promises import broken, promise
from fuzz.reference import Demands, b64
from kmsjwt import ANY, TokenError, VerifiedToken, Verifier
from kmsjwt.jwks import StaticKeys

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = 1_800_000_000
ISSUER = "https://id.example"
_SIGNERS = ("ES256", "Ed25519")
_TRUSTED = (*_SIGNERS, "RS256")
_TRUSTED_KIDS = tuple((alg.lower(), alg) for alg in _TRUSTED)
_HEADER_KNOWN: tuple[object, ...] = (
    *("alg", "kid", "typ", "crit", "b64", "enc", "zip", "cty", "jku", "iss", "exp", "nbf"),
    *("Ed25519", "ES256", "RS256", "none", "HS256", "EdDSA", "ed25519", "es256", "JWT", "at+jwt"),
    *("application/at+JWT", "jwt", "\u212ams+jwt", ISSUER, "orders", NOW + 600),
    *(0, False, None, ["exp"]),
)
_CLAIMS_KNOWN: tuple[object, ...] = (
    *("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope", "x"),
    *(ISSUER, ISSUER + "/", "orders", ["orders"], ["billing", "orders"], ["orders", 1], [], ""),
    *(NOW, NOW + 30, NOW + 31, NOW - 30, NOW - 29, NOW - 29.5, NOW + 86_400, NOW + 86_401),
    *(0, -1, 1, 2**53 - 1, 2**53, 1.8e12, True, None),
)
_SCRAPS = (".", "", "=", "A", "B", "-", "_", "+", "/", " ", "\n", "eyJ", "Bearer ", "..", "\u0661")


class Clock:
    """Stands at `NOW` until it is moved."""

    def __init__(self) -> None:
        self.now: float = NOW

    def __call__(self) -> float:
        """Return seconds since 1970."""
        return self.now


class Case:
    """One verifier, the same verifier with a cache, and what both demand."""

    def __init__(self, demands: Demands, **settings: Any) -> None:
        self.demands = demands
        self.clock = Clock()
        algs = [alg for alg, _ in demands.keys.values()]
        source = StaticKeys({"keys": [keys.jwk(alg) for alg in algs]})
        self.fresh = Verifier(source, clock=self.clock, **settings)
        self.cached = Verifier(source, clock=self.clock, cache_size=8, **settings)


def trusted(*algs: str) -> dict[str, tuple[str, Any]]:
    """Return the public keys of these algorithms as `Demands` want them."""
    return {alg.lower(): (alg, keys.private_key(alg).public_key()) for alg in algs}


@cache
def cases() -> tuple[Case, ...]:
    """Return verifiers of several keys, of one key with little asked, and of narrow choice."""
    types = frozenset(("jwt", "at+jwt"))
    orders = frozenset(("orders",))
    return (
        Case(
            Demands(trusted(*_TRUSTED), ISSUER, orders, types),
            issuer=ISSUER,
            audience="orders",
        ),
        Case(
            Demands(trusted("Ed25519"), None, None, None, leeway=0, max_lifetime=None),
            issuer=ANY,
            audience=ANY,
            typ=ANY,
            leeway=0,
            max_lifetime=ANY,
        ),
        Case(
            Demands(
                trusted(*_TRUSTED),
                ISSUER,
                orders | {"billing"},
                frozenset(("at+jwt", "kms+jwt")),
                max_lifetime=600.5,
                algorithms=frozenset(("ES256",)),
                max_length=400,
            ),
            issuer=ISSUER,
            audience=["orders", "billing"],
            typ=["application/at+jwt", "KMS+JWT"],
            max_lifetime=600.5,
            algorithms=["ES256"],
            max_length=400,
        ),
    )


def one_input(data: bytes) -> None:
    """Verify the token that the bytes spell or choose, with one of the verifiers."""
    draw = Draw(data)
    mode = draw.below(256)
    case = cases()[mode // 8 % 3]
    check(case, _token(draw, mode % 8), later=draw.below(256) * 5)


def seeds() -> Iterator[bytes]:
    """Return inputs to begin with."""
    for case in range(3):
        for alg in _TRUSTED:
            yield bytes((8 * case,)) + good(alg).encode()
            yield bytes((8 * case + 7, _TRUSTED.index(alg), 0, 60))
            yield bytes((8 * case + 7, _TRUSTED.index(alg), 0, 255))
        for mode in range(2, 7):
            for change in range(6):
                yield bytes((8 * case + mode, change, 0, change, 0, 0, 60))


@cache
def good(alg: str) -> str:
    """Return a token that every verifier here would accept, if it allowed the algorithm."""
    return signed(alg, _dumps(_header(alg)), _dumps(_claims()))


def signed(alg: str, header: bytes, payload: bytes, which: str = "ours") -> str:
    """Return a token with a real signature."""
    signing_input = f"{b64(header)}.{b64(payload)}"
    return f"{signing_input}.{b64(keys.sign(alg, signing_input.encode(), which))}"


def check(case: Case, token: object, *, later: float = 0) -> None:
    """Compare the verdicts, and those of the cache with those without it, now and later."""
    try:
        case.clock.now = NOW
        first = _outcome(case, case.fresh, token)
        is_accepted = first[0] is VerifiedToken
        # Twice: what the cache took in, and what it gives out. Refusals, one time in four.
        for _ in range(2 if is_accepted else later % 4 == 0):
            promise(_outcome(case, case.cached, token) == first, "the cache changes the verdict")
        if is_accepted:
            case.clock.now = NOW + later
            after = _outcome(case, case.fresh, token)
            promise(_outcome(case, case.cached, token) == after, "the cache changes it later")
    finally:
        case.clock.now = NOW


def _outcome(case: Case, verifier: Verifier, token: object) -> tuple[type, object, object]:
    try:
        verified = verifier.verify(token)
    except TokenError as error:
        promise(not _expected(case, token), f"refused a good token: {error}")
        promise(error.code and not error.retryable, "a refusal without a code, or retryable")
        promise(len(str(error)) < 500, "a long message")
        return type(error), error.code, str(error)
    expected = _expected(case, token)
    if expected is None:
        broken(f"accepted {token!r}")
    promise(_read_only(verified.claims) and _read_only(verified.header), "it can be changed")
    told = verified.to_dict()
    promise(_dumps(told["claims"]) == _dumps(expected), "read other claims")
    promise((verified.kid, verified.alg) in _TRUSTED_KIDS, "another key")
    return type(verified), verified.kid, _dumps(told)


def _expected(case: Case, token: object) -> dict[str, Any] | None:
    try:
        return reference.claims(token, case.demands, case.clock.now)
    except reference.No:
        return None


def _token(draw: Draw, mode: int) -> object:
    if mode == 0:
        return draw.rest().decode("latin-1")
    if mode == 1:
        return any_text(draw.rest())
    if mode == 2:
        return _no_text(draw)
    if mode == 7:
        return draw.edited(good(draw.choose(_TRUSTED)), _SCRAPS)
    alg = draw.choose((*_SIGNERS, "ES256", "ES256"))  # the quicker one more often
    header, payload = _dumps(_header(alg)), _dumps(_claims())
    if mode != 6:
        header = draw.json_object(_header(alg), _HEADER_KNOWN)
    if mode != 5:
        payload = draw.json_object(_claims(), _CLAIMS_KNOWN)
    if mode == 3:
        return f"{b64(header)}.{b64(payload)}.{b64(draw.chunk())}"
    token = signed(alg, header, payload, draw.choose(("ours",) * 7 + ("another",)))
    return draw.edited(token, _SCRAPS) if mode == 4 else token


def _no_text(draw: Draw) -> object:
    class Text(str):
        __slots__ = ()

    text = good(draw.choose(_TRUSTED))
    kinds = (None, text.encode(), Text(text), bytearray(text, "ascii"), [text], (text,), {text: 1})
    return draw.choose((*kinds, draw.below(256), 0.5, True, object(), memoryview(text.encode())))


def _header(alg: str) -> dict[str, Any]:
    return {"alg": alg, "kid": alg.lower(), "typ": "at+jwt"}


def _claims() -> dict[str, Any]:
    times = {"iat": NOW, "exp": NOW + 600}
    return {"iss": ISSUER, "sub": "ala", "aud": "orders", **times, "jti": "6f0c2b"}


def _dumps(value: object) -> bytes:
    return json.dumps(value).encode()


def _read_only(value: object) -> bool:
    if isinstance(value, MappingProxyType):
        return all(map(_read_only, value.values()))
    if isinstance(value, tuple):
        return all(map(_read_only, value))
    return value is None or isinstance(value, (str, int, float))
