"""What an issuer publishes, read once into facts that can be judged without asking anybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kmsjwt.errors import ConfigError, shown
from kmsjwt.jwks.static import parsed
from kmsjwt.keys import PublicKey
from kmsjwt.publish.readback import usable_keys

if TYPE_CHECKING:
    from kmsjwt.keys import KeySet
    from kmsjwt.publish.readback import Discovery
    from kmsjwt.verifier import VerifiedToken

# What a key without `alg` is taken for. Libraries call Ed25519 by its older name (RFC 8037).
_BY_TYPE = {
    ("RSA", None): "RS256",
    ("EC", "P-256"): "ES256",
    ("EC", "P-384"): "ES384",
    ("EC", "P-521"): "ES512",
    ("EC", "secp256k1"): "ES256K",
    ("OKP", "Ed25519"): "EdDSA",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedKey:
    """One member of the JWKS.

    Attributes:
        position: its place, from 0.
        kid: its ``kid``; None if it has none that is text.
        alg: its algorithm, or what keys of its type are taken for; None if that is unclear.
        trouble: why kmsjwt cannot use it; None if it can.
    """

    position: int
    kid: str | None
    alg: str | None
    trouble: str | None

    @property
    def name(self) -> str:
        """What to call it in a message."""
        return f"key {self.position}" if self.kid is None else f"key {shown(self.kid)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything about an issuer that a consumer may mind.

    Attributes:
        asked: the issuer that consumers are to be configured with; None for a folder.
        discovery: its OpenID configuration, or None.
        no_discovery: why there is none.
        jwks: the bytes of the JWKS; None if there are more than 150,000.
        keys: its members; none if it was too large to read.
        key_set: those that kmsjwt can use; None if there is none.
        max_age: seconds that the JWKS's Cache-Control lets it be kept; None if not said.
    """

    asked: str | None
    discovery: Discovery | None
    no_discovery: str = ""
    jwks: bytes | None
    keys: tuple[PublishedKey, ...] = ()
    key_set: KeySet | None = None
    max_age: int | None = None

    @property
    def issuer(self) -> str | None:
        """The issuer that was asked, or for a folder the one that it names."""
        if self.asked is not None:
            return self.asked
        return self.discovery.issuer if self.discovery else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFacts:
    """A token that was verified with the published keys.

    Attributes:
        text: the token itself; never shown.
        alg: its algorithm.
        has_kid: whether its header has a ``kid``.
        typ: its ``typ``, if it has one.
        claims: its claims.
    """

    text: str = field(repr=False)
    alg: str
    has_kid: bool
    typ: str | None
    claims: Mapping[str, Any] = field(repr=False)

    @classmethod
    def of(cls, text: str, verified: VerifiedToken) -> TokenFacts:
        """Return what matters of a token."""
        typ = verified.header.get("typ")
        return cls(
            text=text,
            alg=verified.alg,
            has_kid="kid" in verified.header,
            typ=typ if isinstance(typ, str) else None,
            claims=verified.claims,
        )


def read_keys(body: bytes, where: str) -> tuple[tuple[PublishedKey, ...], KeySet | None]:
    """Read a JWKS: every member, and those that kmsjwt can use.

    Raises:
        JwksInvalid: as `kmsjwt.publish.readback.usable_keys`.
    """
    key_set = usable_keys(body, where)
    members = enumerate(parsed(body, where)["keys"])
    return tuple(_key(position, jwk) for position, jwk in members), key_set


def _key(position: int, jwk: object) -> PublishedKey:
    if not isinstance(jwk, Mapping):
        return PublishedKey(position=position, kid=None, alg=None, trouble="it is no object")
    kid, alg = jwk.get("kid"), jwk.get("alg")
    trouble = None
    try:
        PublicKey.from_jwk(jwk)
    except ConfigError as error:
        trouble = error.message
    return PublishedKey(
        position=position,
        kid=kid if isinstance(kid, str) and kid else None,
        alg=alg if isinstance(alg, str) else _by_type(jwk),
        trouble=trouble,
    )


def _by_type(jwk: Mapping[str, Any]) -> str | None:
    kty, crv = jwk.get("kty"), jwk.get("crv")
    if not isinstance(kty, str) or not isinstance(crv, (str, type(None))):
        return None
    return _BY_TYPE.get((kty, crv))
