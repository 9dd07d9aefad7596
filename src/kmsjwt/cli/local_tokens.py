"""Tokens in any state, of the key that signs here: good ones, and those that are wrong in one way.

The states are those of `kmsjwt.testing.Tokens`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.errors import ConfigError, shown
from kmsjwt.testing import Tokens
from kmsjwt.testing.signing import KeyPair

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kmsjwt.issuer import SigningKey

_MEMBERS = frozenset({"state", "sub", "claims"})
STATES = ("good", *Tokens.BAD)


class _Key(KeyPair):
    """A key of somebody else's keeping in place of a pair made just now."""

    def __init__(self, key: SigningKey) -> None:
        self.alg, self.kid, self.jwk = key.alg.name, key.kid, {}
        self._sign = lambda signed: key.sign(signed).value


class _TokensOf(Tokens):
    """Tokens that another key signs."""

    def __init__(self, key: SigningKey, **settings: Any) -> None:
        super().__init__(**settings)
        self._key = _Key(key)


def token_in_state(asked: Mapping[str, Any], key: SigningKey, **settings: Any) -> str:
    """Return the token that is asked for as ``{"state", "sub", "claims"}``.

    Args:
        asked: the wish; ``sub`` and ``claims`` may be left out.
        key: signs it, but where the state is that of an unknown key.
        **settings: issuer, audience and lifetime, as of `kmsjwt.testing.Tokens`.

    Raises:
        ConfigError: there is no such state, or something else is asked for.
    """
    claims = asked.get("claims", {})
    if asked["state"] not in STATES or not isinstance(claims, dict) or asked.keys() - _MEMBERS:
        raise ConfigError(
            f"state is {shown(asked['state'])}, expected {', '.join(STATES)}, and sub and claims"
            " alone beside it",
            code="state",
        )
    named = {name: asked[name] for name in ("sub",) if name in asked}
    return _TokensOf(key, **settings).in_state(asked["state"], **{**claims, **named})
