"""Tokens in any state in one call, signed with a key that was made just now.

No KMS, and nothing of this package's own issuer, keys or tables, so that no mistake there is
repeated here.
"""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from kmsjwt.errors import ConfigError
from kmsjwt.testing.signing import KeyPair, segment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

_HOUR = 3_600  # more than any sensible leeway


class Tokens:
    """An issuer for tests: good tokens, and tokens that each have one thing wrong.

    Every method takes claims by name: they are added to, or stand in place of, ``iss``, ``aud``,
    ``sub``, ``iat``, ``exp`` and ``jti``; None leaves one out.

    Attributes:
        issuer: the ``iss`` of the tokens.
        audience: their ``aud``.
    """

    BAD: ClassVar[tuple[str, ...]] = (
        "expired",
        "not_yet_valid",
        "wrong_audience",
        "wrong_issuer",
        "unknown_key",
        "bad_signature",
        "alg_none",
        "malformed",
    )
    """Every state that must be refused, for ``@pytest.mark.parametrize`` and `in_state`."""

    __slots__ = ("_clock", "_key", "_lifetime", "_stranger", "_typ", "audience", "issuer")

    def __init__(
        self,
        *,
        issuer: str = "https://id.example",
        audience: str | Sequence[str] = "orders",
        alg: str = "ES256",
        typ: str = "JWT",
        lifetime: int = 900,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Make a key.

        Args:
            issuer: the ``iss``.
            audience: the ``aud``, one or several.
            alg: ``ES256``, ``RS256`` (its key takes longer to make) or ``Ed25519``.
            typ: the header's ``typ``.
            lifetime: seconds from ``iat`` to ``exp``.
            clock: seconds since 1970.

        Raises:
            ConfigError: ``alg`` is another.
        """
        self.issuer = issuer
        self.audience = audience if isinstance(audience, str) else list(audience)
        self._key = KeyPair(alg)
        self._stranger: KeyPair | None = None
        self._typ = typ
        self._lifetime = lifetime
        self._clock = clock

    @property
    def alg(self) -> str:
        """The algorithm of the key."""
        return self._key.alg

    @property
    def kid(self) -> str:
        """The name of the key: its RFC 7638 thumbprint."""
        return self._key.kid

    @property
    def jwks(self) -> dict[str, Any]:
        """The public key as a JWKS, for `kmsjwt.jwks.StaticKeys` or any other verifier."""
        return {"keys": [dict(self._key.jwk)]}

    def write_jwks(self, path: str | PathLike[str]) -> Path:
        """Write the JWKS to a file, for ``KMSJWT_JWKS``, and return its path."""
        file = Path(path)
        file.write_text(json.dumps(self.jwks), encoding="utf-8")
        return file

    def in_state(self, state: str, /, **claims: Any) -> str:
        """Return a token in a state named as its method is: ``good`` or one of `BAD`.

        Raises:
            ConfigError: there is no such state.
        """
        if state not in ("good", *self.BAD):
            raise ConfigError(f"state is {state!r}, expected good, {', '.join(self.BAD)}")
        token: str = getattr(self, state)(**claims)
        return token

    def good(self, /, **claims: Any) -> str:
        """Return a token with nothing wrong, unless a claim given here is."""
        return self._signed(self._now(), claims)

    def expired(self, /, **claims: Any) -> str:
        """Return a token that expired an hour ago."""
        return self._signed(self._now() - _HOUR - self._lifetime, claims)

    def not_yet_valid(self, /, **claims: Any) -> str:
        """Return a token whose ``iat`` and ``nbf`` are an hour ahead."""
        begin = self._now() + _HOUR
        return self._signed(begin, {"nbf": begin, **claims})

    def wrong_audience(self, /, **claims: Any) -> str:
        """Return a token for an audience that begins as the right one does."""
        first = self.audience if isinstance(self.audience, str) else "".join(self.audience[:1])
        return self.good(**{"aud": f"{first}-of-another", **claims})

    def wrong_issuer(self, /, **claims: Any) -> str:
        """Return a token of an issuer that begins as the right one does, and rightly signed."""
        return self.good(**{"iss": f"{self.issuer}/another", **claims})

    def unknown_key(self, /, **claims: Any) -> str:
        """Return a token signed by a key that is not in the JWKS, under that key's own ``kid``."""
        if self._stranger is None:
            self._stranger = KeyPair(self.alg)
        return self._signed(self._now(), claims, self._stranger)

    def bad_signature(self, /, **claims: Any) -> str:
        """Return a token whose claims were changed after it was signed."""
        header, _, signature = self.good(jti="as signed").split(".")
        return f"{header}.{segment(self._claims(self._now(), claims))}.{signature}"

    def alg_none(self, /, **claims: Any) -> str:
        """Return an unsecured token (RFC 7515 appendix A.5), with the key's ``kid``."""
        header = {"alg": "none", "kid": self.kid, "typ": self._typ}
        return f"{segment(header)}.{segment(self._claims(self._now(), claims))}."

    def malformed(self, /, **claims: Any) -> str:
        """Return a token without its signature, and without the dot before it."""
        return self.good(**claims).rpartition(".")[0]

    def __repr__(self) -> str:
        return f"Tokens(issuer={self.issuer!r}, audience={self.audience!r}, alg={self.alg!r})"

    def _now(self) -> int:
        return int(self._clock())

    def _claims(self, begin: int, claims: dict[str, Any]) -> dict[str, Any]:
        all_claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": "ala",
            "iat": begin,
            "exp": begin + self._lifetime,
            "jti": str(uuid.uuid4()),
            **claims,
        }
        return {name: value for name, value in all_claims.items() if value is not None}

    def _signed(self, begin: int, claims: dict[str, Any], key: KeyPair | None = None) -> str:
        key = key or self._key
        header = {"alg": key.alg, "kid": key.kid, "typ": self._typ}
        return key.sign(header, self._claims(begin, claims))
