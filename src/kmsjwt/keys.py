"""Public keys, each bound to one algorithm; JWK both ways; sets of keys.

RFC 7517 (JWK), RFC 7518 section 6 (RSA, EC), RFC 8037 (OKP), RFC 9964 (AKP), RFC 7638
(thumbprint).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature

from kmsjwt import _jwk, _spki
from kmsjwt._encoding import b64url_encode, to_json
from kmsjwt._immutable import Immutable
from kmsjwt._jwk import Refused
from kmsjwt._verify import require_bytes, signature_length, verify_call, wrong_length
from kmsjwt.algorithms import Algorithm, algorithm
from kmsjwt.errors import BadSignature, ConfigError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from kmsjwt._jwk import CryptoKey


MAX_KEYS = 1_000
"""Most members of a JWKS that are read: each costs time, whether it is a key or not."""


class PublicKey(Immutable):
    """A public key that verifies exactly one algorithm, and the ``kid`` it goes by.

    Attributes:
        kid: the name tokens use for it; the RFC 7638 thumbprint unless given.
        alg: its one algorithm.
        signature_length: bytes of its signatures in JOSE form.
    """

    __slots__ = ("_members", "_parameters", "_verify", "alg", "kid", "signature_length")

    kid: str
    alg: Algorithm
    signature_length: int
    _members: Mapping[str, str]
    _parameters: tuple[object, ...]
    _verify: Callable[..., None]

    def __init__(self, key: CryptoKey, alg: str, *, kid: str | None = None) -> None:
        """Bind a ``cryptography`` public key to the JOSE algorithm named ``alg``.

        Raises:
            ConfigError: the key is too weak, or its type cannot verify ``alg``.
        """
        bound = algorithm(alg)
        try:
            members = _jwk.members(key, bound)
        except Refused as refusal:
            raise _refused(refusal) from None
        if kid is not None and (type(kid) is not str or not kid):
            raise ConfigError(f"kid is {shown(kid)}, expected a non-empty string", code="jwk_kid")
        verify, parameters = verify_call(key, bound)
        self._fill(
            kid=kid or _thumbprint(members, bound),
            alg=bound,
            signature_length=signature_length(key, bound),
            _members=MappingProxyType(members),
            _parameters=parameters,
            _verify=verify,
        )

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any], *, alg: str | None = None) -> PublicKey:
        """Read one JWK that is to be used for verifying.

        Args:
            jwk: the JWK's members.
            alg: the algorithm, where the JWK has none itself. An RSA key without either is
                taken for RS256, an Ed25519 key for ``Ed25519``.

        Raises:
            ConfigError: a private or secret key, a weak or malformed one, not for verifying, or
                of a type that signs no JWT here. Its code starts with ``jwk``.
        """
        try:
            key, name, kid = _jwk.read(jwk, alg)
        except Refused as refusal:
            raise _refused(refusal) from refusal.__cause__
        return cls(key, name, kid=kid)

    @classmethod
    def from_spki(cls, der: bytes, alg: str, *, kid: str | None = None) -> PublicKey:
        """Read a DER SubjectPublicKeyInfo (RFC 5280), as KMS GetPublicKey answers.

        Raises:
            ConfigError: not such a key, or one that cannot verify ``alg``.
        """
        bound = algorithm(alg)
        try:
            key = _spki.read(bytes(memoryview(der)), bound) or _load_der(der)
        except (ValueError, TypeError, BufferError) as error:
            raise ConfigError(
                "the public key is no DER SubjectPublicKeyInfo of a supported key", code="spki"
            ) from error
        return cls(key, bound.name, kid=kid)

    @property
    def thumbprint(self) -> str:
        """The RFC 7638 thumbprint: SHA-256 of the key's required members, in base64url."""
        return _thumbprint(self._members, self.alg)

    def to_jwk(self) -> dict[str, str]:
        """Return the public JWK with ``kid``, ``alg`` and ``use``."""
        return {**self._members, "kid": self.kid, "alg": self.alg.name, "use": "sig"}

    def verify(self, signature: bytes, signing_input: bytes) -> None:
        """Check a signature in JOSE form.

        Raises:
            BadSignature: it is not this key's signature of ``signing_input``.
        """
        try:
            # Checked here because OpenSSL accepts a PSS signature whose leading zero octet was
            # stripped (RFC 8017 section 8.1.2 does not), and DER would take any width.
            if len(signature) != self.signature_length:
                raise wrong_length(signature, self.signature_length, self.alg)
            self._verify(signature, signing_input, *self._parameters)
        except InvalidSignature:
            raise BadSignature(f"the {self.alg.name} signature does not verify") from None
        except (TypeError, ValueError, BufferError):
            # Only now: with every token, it would be asked for nothing.
            require_bytes(signature, signing_input)
            raise

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PublicKey):
            return NotImplemented
        return self.to_jwk() == other.to_jwk()

    def __hash__(self) -> int:
        return hash((self.kid, self.alg.name))

    def __repr__(self) -> str:
        return f"PublicKey(kid={self.kid!r}, alg={self.alg.name!r})"


class KeySet(Immutable):
    """Public keys by ``kid``.

    Attributes:
        skipped: why each unusable member of a JWKS was left out (RFC 7517 section 5).
    """

    __slots__ = ("_by_kid", "skipped")

    _by_kid: Mapping[str, PublicKey]
    skipped: tuple[str, ...]

    def __init__(self, keys: Iterable[PublicKey], *, skipped: Iterable[str] = ()) -> None:
        """Collect keys.

        Raises:
            ConfigError: no key at all, or two that share a ``kid``.
        """
        by_kid: dict[str, PublicKey] = {}
        reasons = tuple(skipped)
        for key in keys:
            if not isinstance(key, PublicKey):
                raise ConfigError(
                    f"a key of the set is {shown(key)}, expected a PublicKey",
                    code="keys",
                    fix='give JWKs as one mapping: {"keys": [...]}',
                )
            if key.kid in by_kid:
                raise ConfigError(
                    f"two keys share the kid {shown(key.kid)}, expected one of each",
                    code="jwks_duplicate_kid",
                )
            by_kid[key.kid] = key
        if not by_kid:
            why = f" ({_summary(reasons) if reasons else 'it is empty'})"
            raise ConfigError(f"the key set has no usable key{why}", code="jwks_no_usable_key")
        self._fill(_by_kid=by_kid, skipped=reasons)

    @classmethod
    def from_jwks(cls, jwks: Mapping[str, Any], *, alg: str | None = None) -> KeySet:
        """Read a JWKS: ``{"keys": [jwk, …]}``. A key that cannot be used is skipped.

        Args:
            jwks: the document.
            alg: see `PublicKey.from_jwk`.

        Raises:
            ConfigError: no key set; private or secret members in any key; two usable keys with
                one ``kid``; or no usable key. Its code starts with ``jwks``.
        """
        try:
            members = _jwk.looked_at(jwks, "JWKS")
        except Refused as refusal:
            raise ConfigError(str(refusal), code="jwks_malformed") from refusal.__cause__
        entries = _jwk.items_of(members.get("keys"))
        if entries is None:
            raise _no_key_set(members)
        if len(entries) > MAX_KEYS:
            raise ConfigError(
                f"the JWKS has {len(entries)} keys, at most {MAX_KEYS} are read",
                code="jwks_too_many_keys",
            )
        _refuse_private(entries)
        keys: list[PublicKey] = []
        skipped: list[str] = []
        for position, entry in enumerate(entries):
            try:
                keys.append(PublicKey.from_jwk(entry, alg=alg))
            except ConfigError as error:
                skipped.append(f"key {position}: {error.message}")
        return cls(keys, skipped=skipped)

    def find(self, kid: str | None) -> PublicKey | None:
        """Return the key of that ``kid``; without one, the only key if there is only one."""
        if kid is not None:
            return self._by_kid.get(kid)
        if len(self._by_kid) == 1:
            return next(iter(self._by_kid.values()))
        return None

    def __iter__(self) -> Iterator[PublicKey]:
        return iter(self._by_kid.values())

    def __len__(self) -> int:
        return len(self._by_kid)

    def __repr__(self) -> str:
        return f"KeySet({list(self._by_kid)})"


def _load_der(der: bytes) -> CryptoKey:
    # Imported here: no key that KMS makes for RSA, ECDSA or Ed25519 needs it, and it is large.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        return load_der_public_key(der)  # type: ignore[return-value]  # the constructor refuses
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from error


def _no_key_set(document: Mapping[str, Any]) -> ConfigError:
    if "kty" in document:
        return ConfigError(
            "this is one JWK, expected a JWKS",
            code="jwks_malformed",
            fix='wrap it: {"keys": [...]}',
        )
    return ConfigError(
        f"the JWKS has keys {shown(document.get('keys'))}, expected a list", code="jwks_malformed"
    )


def _thumbprint(members: Mapping[str, str], alg: Algorithm) -> str:
    # RFC 7638 section 3.2: only the required members, in lexical order, without white space.
    # For AKP, RFC 9964 section 6 counts `alg` among them.
    from hashlib import sha256  # not paid for by a JWK that has a kid

    required = dict(members, alg=alg.name) if alg.kty == "AKP" else members
    return b64url_encode(sha256(to_json(dict(sorted(required.items())))).digest())


def _summary(reasons: tuple[str, ...]) -> str:
    more = f"; and so on, {len(reasons)} in all" if len(reasons) > 3 else ""
    return "; ".join(reasons[:3]) + more


def _refused(refusal: Refused) -> ConfigError:
    return ConfigError(str(refusal), code=refusal.code)


def _refuse_private(entries: Iterable[object]) -> None:
    for position, entry in enumerate(entries):
        exposed = _jwk.private_members(entry)
        if exposed:
            raise ConfigError(
                f"key {position} of the JWKS holds the private members {', '.join(exposed)}",
                code="jwks_private",
                fix="publish public keys only, and replace this key: it is compromised",
            )
