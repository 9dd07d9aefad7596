"""Token in, `VerifiedToken` out, in three stages: structure, signature, claims.

The algorithm belongs to the key: the header must merely agree with it (RFC 8725 section 3.1).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from kmsjwt._encoding import plain
from kmsjwt._immutable import Immutable, slot_setters
from kmsjwt._memory import AcceptedHeaders, VerifiedTokens
from kmsjwt.algorithms import ALGORITHMS, Algorithm
from kmsjwt.compact import MAX_LENGTH, Header, decoded, read_payload, segments
from kmsjwt.errors import (
    AlgorithmNotAllowed,
    ConfigError,
    Forbidden,
    TokenError,
    WrongIssuer,
    shown,
)
from kmsjwt.expectations import (
    ANY,
    DEFAULT_LEEWAY,
    DEFAULT_MAX_LIFETIME,
    DEFAULT_TYP,
    Anything,
    Expectations,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    Check = Callable[[Mapping[str, Any], Mapping[str, Any]], object]
    _Tokens = VerifiedTokens["VerifyingKey", "VerifiedToken"]
    _Remembered = tuple[str | None, "VerifyingKey", tuple[float, float], "VerifiedToken"]


MAX_CACHE_SIZE = 1_000_000
"""Most verified tokens that a verifier remembers."""


class VerifyingKey(Protocol):
    """A key that checks signatures of one algorithm."""

    @property
    def kid(self) -> str:
        """The name tokens use for it."""

    @property
    def alg(self) -> Algorithm:
        """Its one algorithm."""

    def verify(self, signature: bytes, signing_input: bytes) -> None:
        """Raise BadSignature, or CannotKnow if the question could not be answered."""


class KeySource(Protocol):
    """Where a verifier finds the key of a token.

    A key that did not change must stay the identical object, and one that did, be it in its
    algorithm alone, must be another: what a verifier remembers is tied to it. Two attributes may
    say more: ``key_count``, how many keys there are now, so that a verifier remembers enough
    headers; and ``asks_each_time = True`` for keys that must be asked about every token, of which
    a verifier may remember none.
    """

    def key(self, kid: str | None) -> VerifyingKey:
        """Return the key of that ``kid`` (the only key, for a token without one).

        Raises:
            UnknownKey: the key set is fresh and has no such key.
            CannotKnow: the keys could not be had: a KeySourceError or a KmsError.
        """


class VerifiedToken(Immutable):
    """A token that passed every check of one verifier.

    Attributes:
        header: the JOSE header, read-only.
        claims: the claims, read-only all the way down: arrays are tuples.
        kid: the name of the key that signed it.
        alg: the JOSE algorithm of that key.
    """

    __slots__ = ("alg", "claims", "header", "kid")

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    kid: str
    alg: str

    def __init__(
        self, *, header: Mapping[str, Any], claims: Mapping[str, Any], kid: str, alg: str
    ) -> None:
        _set_alg(self, alg)
        _set_claims(self, claims)
        _set_header(self, header)
        _set_kid(self, kid)

    def to_dict(self) -> dict[str, Any]:
        """Return a plain, mutable copy: ``{"header": {…}, "claims": {…}}``, fit for JSON."""
        return {"header": plain(self.header), "claims": plain(self.claims)}

    def __repr__(self) -> str:
        return f"VerifiedToken(kid={shown(self.kid)}, jti={shown(self.claims.get('jti'))})"


(_set_alg, _set_claims, _set_header, _set_kid) = slot_setters(
    VerifiedToken, "alg", "claims", "header", "kid"
)


class Verifier:
    """Checks tokens of one issuer. Safe to share between threads."""

    __slots__ = (
        "_algorithms",
        "_check",
        "_clock",
        "_expectations",
        "_headers",
        "_keys",
        "_max_length",
        "_tokens",
    )

    def __init__(
        self,
        keys: KeySource,
        *,
        issuer: str | Anything,
        audience: str | Collection[str] | Anything,
        typ: str | Collection[str] | Anything = DEFAULT_TYP,
        algorithms: Collection[str] | Anything = ANY,
        leeway: float = DEFAULT_LEEWAY,
        max_lifetime: float | Anything = DEFAULT_MAX_LIFETIME,
        max_length: int = MAX_LENGTH,
        check: Check | None = None,
        cache_size: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Set up a verifier; `ANY` is said aloud where a check is to be left out.

        Args:
            keys: where the keys are, such as `kmsjwt.jwks.JwksUrl` or `kmsjwt.kms.KmsKeys`.
            issuer: the one acceptable ``iss``, to the character.
            audience: one or several; ``aud`` must name at least one of them.
            typ: acceptable ``typ``: by default JWT and at+jwt, in any case.
            algorithms: JOSE names to allow; ANY allows what the keys are bound to.
            leeway: seconds of clock difference to forgive, 0 to 300.
            max_lifetime: longest life of a token in seconds.
            max_length: longest token that is looked at, in characters.
            check: your own say, called last as ``check(header, claims)``; it refuses by raising
                `Forbidden` or by returning False.
            cache_size: how many verified tokens to remember, so that one seen again costs no
                signature; 0 for none, at most 1,000,000, of which each holds its claims. Time,
                its key and your ``check`` are asked all the same.
            clock: seconds since 1970.

        Raises:
            ConfigError: naming every setting that makes no sense.
        """
        faults = _wiring_faults(keys, max_length, check, clock)
        faults += _cache_faults(cache_size, keys)
        try:
            self._expectations = Expectations(
                issuer=issuer, audience=audience, typ=typ, leeway=leeway, max_lifetime=max_lifetime
            )
        except ConfigError as error:
            faults.append(error.message)
        faults += _algorithm_faults(algorithms)
        if faults:
            raise ConfigError("; ".join(faults), code="verifier")
        self._keys = keys
        self._algorithms = algorithms if isinstance(algorithms, Anything) else frozenset(algorithms)
        self._max_length = max_length
        self._check = check
        self._clock = clock
        self._headers: AcceptedHeaders[VerifyingKey] = AcceptedHeaders()
        self._tokens: _Tokens | None = VerifiedTokens(cache_size) if cache_size else None

    @property
    def issuer(self) -> str | Anything:
        """The expected ``iss``."""
        return self._expectations.issuer

    @property
    def max_length(self) -> int:
        """Longest token that is looked at, in characters."""
        return self._max_length

    def verify(self, token: object) -> VerifiedToken:
        """Check a compact token.

        Args:
            token: the token alone, without ``Bearer``. Anything but a str is refused alike.

        Returns:
            The verified token; there is no other answer.

        Raises:
            TokenError: the token is to blame. `Forbidden` is for a good token that may not.
            CannotKnow: the keys could not be had. This is not a denial.
            ConfigError: your ``check`` returned something else than None, True or False.
                Whatever else it raises comes through as it is.
        """
        tokens, digest = self._tokens, b""
        if tokens is not None:
            digest = tokens.digest(token, self._max_length)
            remembered = tokens.get(digest)
            if remembered is not None and self._still_holds(tokens, digest, remembered):
                return remembered[-1]

        # Structure. A header that was accepted before need not be read again.
        signed, header_segment, payload, signature = segments(token, self._max_length)
        accepted = self._headers.get(header_segment)
        header = Header.read(header_segment) if accepted is None else accepted[0]
        payload, signature = decoded(payload, signature)

        # Signature. Nothing the payload says is looked at before it.
        key = self._keys.key(header.kid)
        is_new = accepted is None or accepted[1] is not key
        if is_new:
            self._require_algorithm(key, header.alg)
        key.verify(signature, signed)

        # Claims.
        claims = read_payload(payload)
        if is_new:
            self._expectations.check_type(header.members)
            self._headers.remember(header_segment, header, key, _key_count(self._keys))
        self._expectations.check_claims(claims, header.members, self._clock())
        verified = VerifiedToken(
            header=header.members, claims=claims, kid=key.kid, alg=key.alg.name
        )
        if self._check is not None:
            ask(self._check, verified)
        if tokens is not None:
            good_times = self._expectations.good_times(claims)
            tokens.remember(digest, header.kid, key, good_times, verified)
        return verified

    def _still_holds(self, tokens: _Tokens, digest: bytes, remembered: _Remembered) -> bool:
        """Ask again what may have changed since a token was verified."""
        kid, key, (begin, end), verified = remembered
        try:
            # Asking for the key also lets the source age: one that was withdrawn is not there.
            if self._keys.key(kid) is not key:
                tokens.forget(digest)
                return False
            if not begin <= (now := self._clock()) < end:
                self._expectations.check_time(verified.claims, now)
        except TokenError:
            tokens.forget(digest)
            raise
        if self._check is not None:
            ask(self._check, verified)
        return True

    def _require_algorithm(self, key: VerifyingKey, alg: str) -> None:
        bound = key.alg.name
        if alg != bound:
            raise AlgorithmNotAllowed(f"alg is {shown(alg)}, expected {bound} of the key")
        if not isinstance(self._algorithms, Anything) and bound not in self._algorithms:
            allowed = ", ".join(sorted(self._algorithms))
            raise AlgorithmNotAllowed(f"alg is {bound}, expected {allowed}")


class AnyOf:
    """Several verifiers, each for an issuer of its own.

    The unverified ``iss`` only chooses among the configured issuers; the chosen verifier then
    checks everything, ``iss`` included.
    """

    __slots__ = ("_by_issuer", "_max_length")

    def __init__(self, *verifiers: Verifier) -> None:
        """Join verifiers; each keeps its own settings.

        Raises:
            ConfigError: none given, two for one issuer, or one that accepts ANY issuer.
        """
        by_issuer: dict[str, Verifier] = {}
        for verifier in verifiers:
            if not isinstance(verifier, Verifier):
                raise ConfigError(
                    f"a verifier is {shown(verifier)}, expected a Verifier", code="any_of"
                )
            issuer = verifier.issuer
            if isinstance(issuer, Anything) or issuer in by_issuer:
                raise ConfigError(
                    f"issuer {issuer!r} cannot be told apart, expected each verifier's own",
                    code="any_of",
                )
            by_issuer[issuer] = verifier
        if not by_issuer:
            raise ConfigError("AnyOf has no verifier, expected at least one", code="any_of")
        self._by_issuer = by_issuer
        self._max_length = max(verifier.max_length for verifier in verifiers)

    def verify(self, token: object) -> VerifiedToken:
        """Check a token with the verifier of its issuer. Raises as `Verifier.verify` does."""
        _, _, payload, signature = segments(token, self._max_length)
        payload, _ = decoded(payload, signature)
        iss = read_payload(payload).get("iss")
        chosen = self._by_issuer.get(iss) if isinstance(iss, str) else None
        if chosen is None:
            expected = " or ".join(map(repr, self._by_issuer))
            # Not what it is: nobody has vouched for it.
            raise WrongIssuer(f"the token's iss is none of these, expected {expected}", claim="iss")
        return chosen.verify(token)


def _key_count(keys: KeySource) -> int:
    count = getattr(keys, "key_count", 0)
    return count if type(count) is int else 0  # somebody's own source may mean another thing


def _wiring_faults(keys: object, max_length: object, check: object, clock: object) -> list[str]:
    faults: list[str] = []
    if not hasattr(keys, "key"):
        faults.append(f"keys is {shown(keys)}, expected a key source such as StaticKeys or KmsKeys")
    if type(max_length) is not int or max_length < 1:
        faults.append(f"max_length is {shown(max_length)}, expected characters above 0")
    if check is not None and not callable(check):
        faults.append(f"check is {shown(check)}, expected a function of header and claims")
    if not callable(clock):
        faults.append(f"clock is {shown(clock)}, expected a function such as time.time")
    return faults


def _cache_faults(cache_size: object, keys: object) -> list[str]:
    if type(cache_size) is not int or not 0 <= cache_size <= MAX_CACHE_SIZE:
        expected = f"a whole number of tokens up to {MAX_CACHE_SIZE:,}, 0 to remember none"
        return [f"cache_size is {shown(cache_size)}, expected {expected}"]
    if cache_size and getattr(keys, "asks_each_time", False):
        expected = f"0 with {type(keys).__name__}, which asks about every token"
        return [f"cache_size is {cache_size}, expected {expected}: leave it out, or take KmsKeys"]
    return []


def _algorithm_faults(algorithms: object) -> list[str]:
    if isinstance(algorithms, Anything):
        return []
    if not isinstance(algorithms, (list, tuple, set, frozenset)) or not algorithms:
        return [f"algorithms is {shown(algorithms)}, expected a list of names or ANY"]
    known = ", ".join(ALGORITHMS)
    return [
        f"algorithms is a list with {shown(name)}, expected names of {known}"
        for name in algorithms
        if not isinstance(name, str) or name not in ALGORITHMS
    ]


def ask(check: Check, verified: VerifiedToken) -> None:
    """Put a token to a user's own check.

    Raises:
        Forbidden: the check raised it or returned False; it has the token. What else the check
            raises comes through as it is.
        ConfigError: it returned something else than None, True or False.
    """
    try:
        answer = check(verified.header, verified.claims)
    except Forbidden as refusal:
        refusal.verified = verified
        raise
    if answer is None or answer is True:
        return
    if answer is False:
        denial = Forbidden("check() returned False")
        denial.verified = verified
        raise denial
    raise ConfigError(
        f"check() returned {shown(answer)}, expected None, True or False",
        code="check_answer",
        fix="raise Forbidden to refuse a token, return nothing to let it pass",
    )
