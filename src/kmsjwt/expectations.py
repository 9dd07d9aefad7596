"""What a verifier demands of a token, and the checks of its third stage.

RFC 7519 section 4.1 and RFC 8725 sections 3.8 to 3.12.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from kmsjwt._immutable import Immutable
from kmsjwt.claims import REGISTERED, audiences, type_fault
from kmsjwt.errors import (
    ConfigError,
    Expired,
    InvalidClaim,
    LifetimeTooLong,
    MissingClaim,
    NotYetValid,
    WrongAudience,
    WrongIssuer,
    WrongType,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import TypeGuard


class Anything:
    """The type of `ANY`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ANY"


ANY: Final = Anything()
"""Said aloud where a check is to be left out. None and empty text never switch one off."""

# RFC 7515 section 4.1. What a header says by these names it says of itself, not of the claims.
_OF_HEADERS = frozenset(
    ("alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit")
)

DEFAULT_TYP = ("JWT", "at+jwt")
DEFAULT_LEEWAY = 30
DEFAULT_MAX_LIFETIME = 86_400


class Expectations(Immutable):
    """The demands on header and claims, checked for sense when they are made."""

    __slots__ = ("_audience", "_issuer", "_leeway", "_max_lifetime", "_typ")

    _audience: frozenset[str] | None
    _issuer: str | Anything
    _leeway: float
    _max_lifetime: float | Anything
    _typ: frozenset[str] | Anything

    def __init__(
        self,
        *,
        issuer: str | Anything,
        audience: str | Collection[str] | Anything,
        typ: str | Collection[str] | Anything = DEFAULT_TYP,
        leeway: float = DEFAULT_LEEWAY,
        max_lifetime: float | Anything = DEFAULT_MAX_LIFETIME,
    ) -> None:
        """State the demands.

        Args:
            issuer: the one ``iss``, to the character.
            audience: one or several of which ``aud`` must name at least one.
            typ: acceptable header ``typ``, in any case, with or without ``application/``.
            leeway: seconds of clock difference to forgive, 0 to 300.
            max_lifetime: longest ``exp - iat`` in seconds (``exp - now`` where there is no iat).

        Raises:
            ConfigError: naming every fault at once.
        """
        faults = _faults(issuer, audience, typ, leeway, max_lifetime)
        if faults:
            raise ConfigError("; ".join(faults), code="expectations")
        types = _texts(typ)
        self._fill(
            _issuer=issuer,
            _audience=None if isinstance(audience, Anything) else _texts(audience),
            _typ=types if isinstance(types, Anything) else frozenset(map(_bare_type, types or ())),
            _leeway=leeway,
            _max_lifetime=max_lifetime,
        )

    @property
    def issuer(self) -> str | Anything:
        """The expected ``iss``."""
        return self._issuer

    def check_type(self, header: Mapping[str, Any]) -> None:
        """Check ``typ``.

        Raises:
            WrongType: it is missing, or none that is accepted.
        """
        if isinstance(self._typ, Anything):
            return
        typ = header.get("typ")
        # Media types are ASCII; beyond it, other letters are lower-cased into these.
        if type(typ) is not str or not typ.isascii() or _bare_type(typ) not in self._typ:
            accepted = " or ".join(sorted(self._typ))
            raise WrongType(f"typ is {shown(typ)}, expected {accepted}", claim="typ")

    def check_claims(
        self, claims: Mapping[str, Any], header: Mapping[str, Any], now: float
    ) -> None:
        """Check the claims of a token whose signature is good.

        Raises:
            ClaimError: the first demand that is not met.
        """
        fault = type_fault(claims)
        if fault is not None:
            raise InvalidClaim(fault[1], claim=fault[0])
        if not _OF_HEADERS.issuperset(header):
            _check_replicated(header, claims)
        if claims.get("iss") != self._issuer:
            self._check_issuer(claims)
        audience = self._audience
        if audience is not None and claims.get("aud") not in audience:
            _check_audiences(claims, audience)
        self.check_time(claims, now)

    def _check_issuer(self, claims: Mapping[str, Any]) -> None:
        if isinstance(self._issuer, Anything):
            return
        if "iss" not in claims:
            raise _missing("iss")
        iss = claims["iss"]
        raise WrongIssuer(f"iss is {shown(iss)}, expected {self._issuer!r}", claim="iss")

    def check_time(self, claims: Mapping[str, Any], now: float) -> None:
        """Check the claims that time can turn against a token: ``exp``, ``nbf`` and ``iat``.

        Raises:
            ClaimError: it has expired, is not valid yet, or lives too long.
        """
        exp = claims.get("exp")
        if exp is None:
            raise _missing("exp")
        if not now < exp + self._leeway:  # nor if the clock is no number
            raise Expired(f"exp passed {_seconds(now - exp)} ago", claim="exp")
        latest = now + self._leeway
        for name in ("nbf", "iat"):
            start = claims.get(name, now)
            if not start <= latest:
                raise NotYetValid(
                    f"{name} lies {_seconds(start - now)} ahead",
                    claim=name,
                    fix="check the clocks of issuer and verifier",
                )
        if isinstance(self._max_lifetime, Anything):
            return
        lifetime = exp - claims.get("iat", now)
        if lifetime > self._max_lifetime:
            raise LifetimeTooLong(
                f"the token lives {_seconds(lifetime)}, at most {self._max_lifetime:g} s allowed",
                claim="exp",
                fix="exp and iat are in seconds, not milliseconds" if lifetime > 1e11 else None,
            )

    def good_times(self, claims: Mapping[str, Any]) -> tuple[float, float]:
        """Return times between which `check_time` lets claims pass that it let pass once.

        Seconds since 1970, the first included. Outside of them it must be asked.
        """
        exp = claims["exp"]
        begin = max(claims.get("nbf", 0), claims.get("iat", 0)) - self._leeway
        if not isinstance(self._max_lifetime, Anything):
            begin = max(begin, exp - self._max_lifetime)
        return begin, exp + self._leeway


def _faults(
    issuer: object, audience: object, typ: object, leeway: object, max_lifetime: object
) -> list[str]:
    faults: list[str] = []
    if not isinstance(issuer, Anything) and not (issuer and isinstance(issuer, str)):
        faults.append(_expected("issuer", issuer, "a non-empty string or ANY"))
    if _texts(audience) is None:
        faults.append(_expected("audience", audience, "a string, several, or ANY"))
    if _texts(typ) is None:
        faults.append(_expected("typ", typ, "a string, several, or ANY"))
    if not _is_number(leeway) or not 0 <= leeway <= 300:
        faults.append(_expected("leeway", leeway, "0 to 300 seconds"))
    if not isinstance(max_lifetime, Anything) and not (
        _is_number(max_lifetime) and max_lifetime > 0
    ):
        faults.append(_expected("max_lifetime", max_lifetime, "seconds above 0, or ANY"))
    return faults


def _missing(name: str) -> MissingClaim:
    return MissingClaim(
        f"{name} is missing, expected in every token",
        claim=name,
        fix=None if name == "exp" else "have the issuer set it, or say ANY to leave it out",
    )


def _check_audiences(claims: Mapping[str, Any], expected: frozenset[str]) -> None:
    if "aud" not in claims:
        raise _missing("aud")
    named = audiences(claims)
    if expected.isdisjoint(named):
        actual = ", ".join(map(shown, named[:3]))
        wanted = " or ".join(map(repr, sorted(expected)))
        raise WrongAudience(f"aud is {actual}, expected {wanted}", claim="aud")


def _check_replicated(header: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    # RFC 7519 section 5.3: claims repeated in the header must agree.
    for name, repeated in header.items():
        if name in _OF_HEADERS or (name not in claims and name not in REGISTERED):
            continue
        if name not in claims or not _same(repeated, claims[name]):
            raise InvalidClaim(f"{shown(name)} in the header differs from the claim", claim=name)


def _same(one: object, other: object) -> bool:
    if type(one) is bool or type(other) is bool:  # in Python True is 1
        return one is other
    return one == other


def _bare_type(typ: str) -> str:
    # RFC 7515 section 4.1.9: compared without case, and "application/" may be left out.
    return typ.lower().removeprefix("application/")


def _texts(value: object) -> frozenset[str] | Anything | None:
    if isinstance(value, Anything):
        return value
    if isinstance(value, str):
        return frozenset((value,)) if value else None
    if not isinstance(value, (list, tuple, set, frozenset)) or not value:
        return None
    if not all(isinstance(each, str) and each for each in value):
        return None
    return frozenset(value)


def _is_number(value: object) -> TypeGuard[float]:
    if isinstance(value, float):
        return isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _expected(name: str, value: object, expected: str) -> str:
    return f"{name} is {shown(value)}, expected {expected}"


def _seconds(amount: float) -> str:
    return f"{amount:.0f} s"
