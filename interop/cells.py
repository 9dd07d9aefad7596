"""One library, one algorithm: does it read our token, do we read its token?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT

from interop import tokens
from kmsjwt import TokenError

if TYPE_CHECKING:
    from interop.adapters import Adapter
    from interop.tokens import OurTokens, Sample, TheirKey, TheirKeys

_BRIEF = 100


class Outcome(StrEnum):
    """How one direction ended."""

    GOOD = "good"  # it worked, and every forgery was refused
    UNSUPPORTED = "not supported"  # the library says so, of our tokens and of others'
    ODD = "odd"  # the library's token is refused by us, and by jwcrypto too
    WRONG = "wrong"  # somebody has a fault, perhaps we


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one direction.

    Attributes:
        outcome: how it ended.
        why: if not well, what the library said, or what went wrong.
    """

    outcome: Outcome
    why: str = ""

    @property
    def good(self) -> bool:
        """Whether it worked."""
        return self.outcome is Outcome.GOOD


GOOD = Verdict(Outcome.GOOD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Both directions of one library and one algorithm."""

    library: str
    alg: str
    reads_ours: Verdict
    read_by_us: Verdict


class Bench:
    """Our tokens and their keys, laid out for judging."""

    def __init__(self, ours: OurTokens, theirs: TheirKeys) -> None:
        self._ours = ours
        self._theirs = theirs

    def cell(self, adapter: Adapter, library: str, alg: str) -> Cell:
        """Try both directions."""
        return Cell(
            library=library,
            alg=alg,
            reads_ours=self.reads_ours(adapter, library, alg),
            read_by_us=self.read_by_us(adapter, library, alg),
        )

    def reads_ours(self, adapter: Adapter, library: str, alg: str) -> Verdict:
        """Let the library read our token, and refuse what was forged of it.

        A refusal counts as lack of support only if the library refuses a token of jwcrypto's too.
        """
        sample = self._ours.sample(alg)
        answer = _verify(adapter, library, alg, sample, sample.token)
        if answer["ok"]:
            return _judged_reading(adapter, library, alg, sample, answer["claims"])
        control = self._theirs.key(alg).control
        if _verify(adapter, library, alg, control, control.token)["ok"]:
            return Verdict(Outcome.WRONG, f"refuses ours, reads another's: {_brief(answer)}")
        return Verdict(Outcome.UNSUPPORTED, _brief(answer))

    def read_by_us(self, adapter: Adapter, library: str, alg: str) -> Verdict:
        """Read the library's token, and refuse what was forged of it."""
        key = self._theirs.key(alg)
        claims = tokens.their_claims()
        answer = adapter.ask(
            op="sign",
            library=library,
            alg=alg,
            claims=claims,
            kid=key.kid,
            jwk=key.private_jwk,
            pem=key.private_pem,
        )
        if not answer["ok"]:
            return Verdict(Outcome.UNSUPPORTED, _brief(answer))
        return _judged_token(answer["token"], key, claims)


def _judged_reading(
    adapter: Adapter, library: str, alg: str, sample: Sample, claims: dict[str, Any]
) -> Verdict:
    if claims != sample.claims:
        return Verdict(Outcome.WRONG, f"reads other claims: {_difference(sample.claims, claims)}")
    if any(_verify(adapter, library, alg, sample, forged)["ok"] for forged in sample.forged):
        return Verdict(Outcome.WRONG, "accepts a forged token")
    return GOOD


def _judged_token(token: str, key: TheirKey, claims: dict[str, Any]) -> Verdict:
    try:
        read = tokens.we_read(token, key)
    except TokenError as error:
        if _jwcrypto_reads(token, key):
            return Verdict(Outcome.WRONG, f"we refuse its token: {error}")
        return Verdict(Outcome.ODD, f"its token is refused by us and by jwcrypto: {error}")
    if read != claims:
        return Verdict(Outcome.WRONG, f"we read other claims: {_difference(claims, read)}")
    if not all(tokens.we_refuse(forged, key) for forged in tokens.forgeries(token)):
        return Verdict(Outcome.WRONG, "we accept a forgery of its token")
    return GOOD


def _verify(adapter: Adapter, library: str, alg: str, sample: Sample, token: str) -> dict[str, Any]:
    return adapter.ask(
        op="verify",
        library=library,
        alg=alg,
        token=token,
        jwk=sample.jwk,
        pem=sample.pem,
        issuer=tokens.ISSUER,
        audience=tokens.AUDIENCE,
    )


def _jwcrypto_reads(token: str, key: TheirKey) -> bool:
    try:
        JWT(jwt=token, key=JWK(**key.public_jwk), algs=[key.alg])
    except Exception:  # noqa: BLE001  any of its many errors is a refusal
        return False
    return True


def _brief(answer: dict[str, Any]) -> str:
    """Return what the library said, without the key that some add, in one line."""
    said = answer["error"].partition("{")[0].replace("\n", " ").rstrip(" :.")
    return said if len(said) <= _BRIEF else f"{said[:_BRIEF].rpartition(' ')[0]} …"


def _difference(wanted: dict[str, Any], found: dict[str, Any]) -> str:
    names = [name for name in {**wanted, **found} if wanted.get(name) != found.get(name)]
    return ", ".join(f"{name} {found.get(name)!r}, not {wanted.get(name)!r}" for name in names)
