"""Claims in, `IssuedToken` out. The private key is wherever the signer keeps it."""

from __future__ import annotations

import time
from os import urandom
from typing import TYPE_CHECKING, Any, Protocol

from kmsjwt._encoding import b64url_encode
from kmsjwt._immutable import Immutable, slot_setters
from kmsjwt._payload import payload, too_long
from kmsjwt.compact import assemble, signing_input
from kmsjwt.errors import ClaimsRefused, ConfigError, KmsKeyUnusable, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kmsjwt.algorithms import Algorithm

DEFAULT_LIFETIME = 900
"""Seconds a token lives unless said otherwise: 15 minutes."""
MAX_LIFETIME = 86_400
"""Seconds no token outlives: 24 hours."""
MAX_LENGTH = 8_192
"""Longest token issued, in characters: API Gateway allows 10,240 bytes for all headers."""


class Signature(Immutable):
    """What a signer answers.

    Attributes:
        value: the signature in JOSE form: octets for RSA, r || s for ECDSA.
        request_id: the id of the signing request, for finding it in CloudTrail; may be empty.
    """

    __slots__ = ("request_id", "value")

    value: bytes
    request_id: str

    def __init__(self, value: bytes, request_id: str = "") -> None:
        _set_value(self, value)
        _set_request_id(self, request_id)

    def __repr__(self) -> str:
        return f"Signature({len(self.value)} bytes, request_id={self.request_id!r})"


_set_request_id, _set_value = slot_setters(Signature, "request_id", "value")


class SigningKey(Protocol):
    """One private key, somewhere, bound to one algorithm.

    An attribute ``max_lifetime`` may say how many seconds no token of it may outlive.
    """

    @property
    def kid(self) -> str:
        """What verifiers call it."""

    @property
    def alg(self) -> Algorithm:
        """Its one algorithm."""

    def sign(self, signing_input: bytes) -> Signature:
        """Sign. Raises KmsError where the key's keeper does not.

        After a `KmsKeyUnusable` the signer is asked once more for the key that signs now.
        """


class Signer(Protocol):
    """Names the key that signs now. It is asked once per token."""

    def current(self) -> SigningKey:
        """Return the key for the next token."""


class IssuedToken(Immutable):
    """A signed token and what there is to know about it.

    Attributes:
        token: the compact JWS. Whoever holds it is let in: keep it out of logs.
        jti: its unique id.
        kid: the key that signed it.
        alg: the JOSE algorithm.
        expires_in: its lifetime in seconds.
        expires_at: its ``exp``, seconds since 1970.
        kms_request_id: the id of the signing request, for finding it in CloudTrail.
    """

    __slots__ = ("alg", "expires_at", "expires_in", "jti", "kid", "kms_request_id", "token")

    token: str
    jti: str
    kid: str
    alg: str
    expires_in: int
    expires_at: int
    kms_request_id: str

    def __init__(
        self,
        *,
        token: str,
        jti: str,
        kid: str,
        alg: str,
        expires_in: int,
        expires_at: int,
        kms_request_id: str,
    ) -> None:
        _set_alg(self, alg)
        _set_expires_at(self, expires_at)
        _set_expires_in(self, expires_in)
        _set_jti(self, jti)
        _set_kid(self, kid)
        _set_kms_request_id(self, kms_request_id)
        _set_token(self, token)

    def __repr__(self) -> str:
        return f"IssuedToken(jti={self.jti!r}, kid={self.kid!r}, expires_in={self.expires_in})"


(
    _set_alg,
    _set_expires_at,
    _set_expires_in,
    _set_jti,
    _set_kid,
    _set_kms_request_id,
    _set_token,
) = slot_setters(
    IssuedToken, "alg", "expires_at", "expires_in", "jti", "kid", "kms_request_id", "token"
)


def random_jti() -> str:
    """Return 128 random bits in base64url, enough to never meet twice."""
    return b64url_encode(urandom(16))


class Issuer:
    """Issues tokens in the name of one ``iss``. Safe to share between threads."""

    __slots__ = (
        "_clock",
        "_issuer",
        "_lifetime",
        "_max_length",
        "_max_lifetime",
        "_new_jti",
        "_signer",
    )

    def __init__(
        self,
        issuer: str,
        signer: Signer,
        *,
        lifetime: int = DEFAULT_LIFETIME,
        max_lifetime: int = MAX_LIFETIME,
        max_length: int = MAX_LENGTH,
        clock: Callable[[], float] = time.time,
        new_jti: Callable[[], str] = random_jti,
    ) -> None:
        """Set up an issuer.

        Args:
            issuer: the ``iss`` of every token, as verifiers will compare it, to the character.
            signer: what signs, such as `kmsjwt.kms.KmsSigner`.
            lifetime: seconds a token lives when `issue` is not told otherwise.
            max_lifetime: seconds no token outlives, at most 86,400.
            max_length: longest token to issue, in characters.
            clock: seconds since 1970.
            new_jti: makes a unique id for each token.

        Raises:
            ConfigError: naming every fault at once.
        """
        faults: list[str] = []
        if not (issuer and isinstance(issuer, str)):
            faults.append(f"issuer is {shown(issuer)}, expected a non-empty string")
        if not hasattr(signer, "current"):
            faults.append(f"signer is {shown(signer)}, expected a signer such as KmsSigner")
        if not _is_seconds(max_lifetime) or max_lifetime > MAX_LIFETIME:
            faults.append(f"max_lifetime is {shown(max_lifetime)}, expected 1 to {MAX_LIFETIME} s")
        elif not _is_seconds(lifetime) or lifetime > max_lifetime:
            faults.append(f"lifetime is {shown(lifetime)}, expected 1 to {max_lifetime} s")
        if type(max_length) is not int or max_length < 1:
            faults.append(f"max_length is {shown(max_length)}, expected characters above 0")
        if not callable(clock):
            faults.append(f"clock is {shown(clock)}, expected a function such as time.time")
        if not callable(new_jti):
            faults.append(f"new_jti is {shown(new_jti)}, expected a function")
        if faults:
            raise ConfigError("; ".join(faults), code="issuer")
        self._issuer = issuer
        self._signer = signer
        self._lifetime = lifetime
        self._max_lifetime = max_lifetime
        self._max_length = max_length
        self._clock = clock
        self._new_jti = new_jti

    def issue(
        self,
        *,
        sub: str,
        aud: str | Sequence[str],
        lifetime: int | None = None,
        claims: Mapping[str, Any] | None = None,
        client_id: str | None = None,
    ) -> IssuedToken:
        """Sign a token for ``sub``, to be used at ``aud``.

        Args:
            sub: whom the token speaks for.
            aud: the service, or services, that are to accept it.
            lifetime: seconds until it expires; the issuer's own default if not given.
            claims: further claims. Names this method sets itself are refused.
            client_id: the OAuth client; makes the token an ``at+jwt`` (RFC 9068).

        Returns:
            The token with its ``jti``, ``kid`` and KMS request id.

        Raises:
            ClaimsRefused: the claims may not be signed, or not for so long, and nothing was.
            KmsError: KMS did not sign.
        """
        seconds = self._granted(lifetime)
        issued_at = int(self._clock())
        jti = self._new_jti()
        own: dict[str, Any] = {
            "iss": self._issuer,
            "sub": sub,
            "aud": aud,
            "exp": issued_at + seconds,
            "iat": issued_at,
            "jti": jti,
        }
        typ = "JWT"
        if client_id is not None:
            own["client_id"] = client_id
            typ = "at+jwt"
        body = payload(own, claims, most=self._max_length)
        key, signed, signature = self._signed(typ, body, seconds, lifetime)
        return IssuedToken(
            token=assemble(signed, signature.value),
            jti=jti,
            kid=key.kid,
            alg=key.alg.name,
            expires_in=seconds,
            expires_at=issued_at + seconds,
            kms_request_id=signature.request_id,
        )

    async def issue_async(
        self,
        *,
        sub: str,
        aud: str | Sequence[str],
        lifetime: int | None = None,
        claims: Mapping[str, Any] | None = None,
        client_id: str | None = None,
    ) -> IssuedToken:
        """Do what `issue` does in a worker thread, so that the event loop goes on."""
        from asyncio import to_thread

        return await to_thread(
            self.issue, sub=sub, aud=aud, lifetime=lifetime, claims=claims, client_id=client_id
        )

    def _signed(
        self, typ: str, body: bytes, seconds: int, lifetime: int | None
    ) -> tuple[SigningKey, bytes, Signature]:
        key = self._signer.current()
        try:
            return key, *self._signed_with(key, typ, body, seconds, lifetime)
        except KmsKeyUnusable:
            # Out of use since it was looked up, in an emergency perhaps: another may sign now.
            other = self._signer.current()
            if other.kid == key.kid:
                raise
            return other, *self._signed_with(other, typ, body, seconds, lifetime)

    def _signed_with(
        self, key: SigningKey, typ: str, body: bytes, seconds: int, lifetime: int | None
    ) -> tuple[bytes, Signature]:
        longest: int | None = getattr(key, "max_lifetime", None)
        if longest is not None and seconds > longest:
            raise _outlives(seconds, longest, is_default=lifetime is None)
        signed = signing_input(key.alg.name, key.kid, typ, body)
        self._refuse_oversize(signed, key.alg)
        return signed, key.sign(signed)

    def _granted(self, lifetime: int | None) -> int:
        if lifetime is None:
            return self._lifetime
        if not _is_seconds(lifetime) or lifetime > self._max_lifetime:
            raise ClaimsRefused(
                f"lifetime is {shown(lifetime)}, expected 1 to {self._max_lifetime} s",
                code="lifetime",
            )
        return lifetime

    def _refuse_oversize(self, signed: bytes, alg: Algorithm) -> None:
        # Base64url makes four characters of three bytes; RSA's 512 bytes are the bound.
        length = len(signed) + 1 + ((alg.signature_length or 512) * 4 + 2) // 3
        if length > self._max_length:
            raise too_long(length, self._max_length)


def _outlives(seconds: int, longest: int, *, is_default: bool) -> ClaimsRefused:
    if is_default:
        return ClaimsRefused(
            f"the default lifetime is {seconds} s, expected at most {longest} s, the key's maximum",
            code="default_lifetime",
            fix=f"set the issuer's lifetime (KMSJWT_LIFETIME) to {longest} s at most",
        )
    return ClaimsRefused(
        f"lifetime is {seconds} s, expected at most {longest} s, the key's maximum",
        code="lifetime",
        fix="ask for a shorter one; a longer maximum comes with the ring's next key",
    )


def _is_seconds(value: object) -> bool:
    return type(value) is int and value > 0
