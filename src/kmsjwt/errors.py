"""The whole error tree.

::

    KmsJwtError                       code: str · retryable: bool · fix: str | None
    ├── ConfigError (also ValueError)    wired wrongly, raised while objects are built
    ├── ClaimsRefused                    the issuer will not sign these claims            400
    ├── TokenError                       the token is to blame; never retryable
    │   ├── MalformedToken                  stage 1, structure                            401
    │   ├── UntrustedToken                  stage 2, key and signature                    401
    │   │   ├── UnknownKey
    │   │   ├── AlgorithmNotAllowed
    │   │   └── BadSignature
    │   ├── ClaimError                      stage 3, claims                               401
    │   │   ├── MissingClaim · InvalidClaim
    │   │   ├── WrongIssuer · WrongAudience · WrongType
    │   │   └── Expired · NotYetValid · LifetimeTooLong
    │   └── Forbidden                       a good token that may not do this             403
    └── CannotKnow                       ours or AWS's fault; never a denial              500
        ├── KeySourceError                  the verifying keys could not be read
        │   ├── JwksUnavailable                retryable
        │   └── JwksInvalid
        ├── PublishError                    what is published could not be read or written
        │   ├── PlaceUnavailable · PublishConflict  retryable
        │   ├── PlaceDenied · PlaceNotFound
        │   └── DocumentUnusable
        └── KmsError                        KMS did not do it
            ├── KmsUnavailable · KmsThrottled  retryable
            ├── KmsAccessDenied
            ├── KmsKeyNotFound
            └── KmsKeyUnusable

Rooms above add leaves for what only they meet: ``gateway`` has Unauthorized (a TokenError) and
UnknownEvent, ``handlers`` has Unauthenticated (a TokenError) and BadRequest (a ClaimsRefused).
The local KMS raises what botocore would, and nothing of this tree.

Every error carries a stable ``code`` for logs, metrics and tests, and says whether asking again
may help. Messages have one grammar, ``aud is 'billing', expected 'orders'``, and ``fix`` holds
the next step. No message holds a token, a signature or a secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SHOWN = 96  # a key ARN fits


def shown(value: object) -> str:
    """Return ``value`` fit for a message: plain ASCII, escaped, at most 96 characters."""
    # Of no subclass: its own code would run.
    if value is not None and type(value) not in (str, bytes, int, float, bool):
        return f"of type {_type_name(value)}"
    try:
        text = ascii(value[:_SHOWN] if isinstance(value, (str, bytes)) else value)
    except ValueError:  # Python writes out no integer of more than 4,300 digits
        return "an integer of thousands of digits"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def shown_type(value: object) -> str:
    """Return the type of ``value`` for a message about a token, never the value."""
    return "None" if value is None else f"of type {_type_name(value)}"


def _type_name(value: object) -> str:
    # Asked of `type` itself: a metaclass may say anything when asked for a name, or raise.
    name = type.__dict__["__name__"].__get__(type(value))
    return ascii(name[:_SHOWN])[1:-1][:_SHOWN]


class KmsJwtError(Exception):
    """The base of every error this package raises on purpose.

    Attributes:
        message: what is, and what was expected.
        fix: what to do next, where there is one thing to do.
        code: stable, lower-case name of the fault, for logs, metrics and tests.
        retryable: whether the same call may succeed later.
    """

    code = "error"
    retryable = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        fix: str | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        if code is not None:
            self.code = code
        if retryable is not None:
            self.retryable = retryable

    def __str__(self) -> str:
        return f"{self.message}; {self.fix}" if self.fix else self.message


class ConfigError(KmsJwtError, ValueError):
    """Something is wired wrongly. Raised while objects are built, before any token is seen."""

    code = "config"

    def __init__(self, message: str, *, faults: Iterable[str] = (), **told: Any) -> None:
        super().__init__(message, **told)
        self._faults = tuple(faults)

    @property
    def faults(self) -> tuple[str, ...]:
        """Each fault by itself, with what to do; one that is alone is the whole error."""
        return self._faults or (str(self),)


def all_of(*checks: Callable[[], Any], code: str) -> tuple[Any, ...]:
    """Return what each check returns, or raise all their faults as one.

    Args:
        *checks: each raises ConfigError if something is wrong.
        code: the code of several faults together; a single one keeps its own.

    Raises:
        ConfigError: naming every fault, each once.
    """
    results: list[Any] = []
    found: dict[str, ConfigError] = {}
    for check in checks:
        try:
            results.append(check())
        except ConfigError as fault:
            found.setdefault(str(fault), fault)
    if len(found) == 1:
        raise next(iter(found.values()))
    if found:
        faults = [each for fault in found.values() for each in fault.faults]
        raise ConfigError("; ".join(found), code=code, faults=faults)
    return tuple(results)


class ClaimsRefused(KmsJwtError):
    """The issuer will not sign these claims: a wrong type, a name it sets itself, too large."""

    code = "claims_refused"


class TokenError(KmsJwtError):
    """The token is to blame. Asking again with the same token cannot help."""

    code = "token"


class MalformedToken(TokenError):
    """Not a compact JWS of strict base64url and strict JSON (RFC 7515 section 7.1)."""

    code = "malformed"


class UntrustedToken(TokenError):
    """The token was not signed by a key that this verifier trusts."""

    code = "untrusted"


class UnknownKey(UntrustedToken):
    """No trusted key has this ``kid``, and the key set is fresh."""

    code = "unknown_key"


class AlgorithmNotAllowed(UntrustedToken):
    """``alg`` differs from the one algorithm of the key, or is none the verifier allows."""

    code = "algorithm_not_allowed"


class BadSignature(UntrustedToken):
    """The signature does not verify, or has the wrong length for the key."""

    code = "bad_signature"


class ClaimError(TokenError):
    """A trusted token whose claims are not what this verifier demands.

    Attributes:
        claim: the name of the claim or header member.
    """

    code = "claim"

    def __init__(
        self, message: str, *, claim: str = "", code: str | None = None, fix: str | None = None
    ) -> None:
        super().__init__(message, code=code, fix=fix)
        self.claim = claim


class MissingClaim(ClaimError):
    """A claim that must be there is not."""

    code = "missing_claim"


class InvalidClaim(ClaimError):
    """A registered claim has the wrong type or an impossible value (RFC 7519 section 4.1)."""

    code = "invalid_claim"


class WrongIssuer(ClaimError):
    """``iss`` is not the expected issuer, to the character."""

    code = "wrong_issuer"


class WrongAudience(ClaimError):
    """``aud`` names none of the expected audiences."""

    code = "wrong_audience"


class WrongType(ClaimError):
    """``typ`` is not one this verifier accepts (RFC 8725 section 3.11)."""

    code = "wrong_type"


class Expired(ClaimError):
    """``exp`` and the leeway have passed."""

    code = "expired"


class NotYetValid(ClaimError):
    """``nbf`` or ``iat`` lies in the future, beyond the leeway."""

    code = "not_yet_valid"


class LifetimeTooLong(ClaimError):
    """The token lives longer than this verifier's ``max_lifetime``."""

    code = "lifetime_too_long"


class Forbidden(TokenError):
    """The token is good and its bearer may not do this: 403, where the others are 401.

    Attributes:
        verified: the `kmsjwt.VerifiedToken`, which the verifier adds on the way; None before.
    """

    code = "forbidden"
    verified: Any = None


class CannotKnow(KmsJwtError):
    """The question could not be answered. This is never a denial: gateways answer 500."""

    code = "cannot_know"


class KeySourceError(CannotKnow):
    """The verifying keys could not be had."""

    code = "key_source"


class JwksUnavailable(KeySourceError):
    """The key set could not be fetched, and no good copy is young enough to use."""

    code = "jwks_unavailable"
    retryable = True


class JwksInvalid(KeySourceError):
    """What was fetched is not a key set that may be used (RFC 7517 section 5)."""

    code = "jwks_invalid"


class PublishError(CannotKnow):
    """What is published could not be read or brought up to date.

    Attributes:
        where: the document, such as ``s3://bucket/.well-known/jwks.json``.
        aws_code: AWS's own error code, where there was an answer.
        request_id: the request id of that answer.
    """

    code = "publish"

    def __init__(
        self, message: str, *, where: str, aws_code: str = "", request_id: str = "", **told: Any
    ) -> None:
        super().__init__(message, **told)
        self.where = where
        self.aws_code = aws_code
        self.request_id = request_id


class PlaceUnavailable(PublishError):
    """The place could not be reached, or failed in a way that passes."""

    code = "place_unavailable"
    retryable = True


class PublishConflict(PublishError):
    """Others wrote the same document, again and again, between our reading and our writing."""

    code = "publish_conflict"
    retryable = True


class PlaceDenied(PublishError):
    """IAM, the bucket's policy or the file system refuses."""

    code = "place_denied"


class PlaceNotFound(PublishError):
    """No such bucket, folder or distribution."""

    code = "place_not_found"


class DocumentUnusable(PublishError):
    """What is published now is nothing to build on; writing over it could drop a key."""

    code = "document_unusable"


class KmsError(CannotKnow):
    """KMS did not do what was asked.

    Attributes:
        action: the KMS operation, such as ``Sign``.
        key: the key as it was named by the caller.
        aws_code: AWS's own error code, where there was an answer.
        request_id: the request id that CloudTrail knows, where there was an answer.
    """

    code = "kms"

    def __init__(
        self,
        message: str,
        *,
        action: str = "",
        key: str = "",
        aws_code: str = "",
        request_id: str = "",
        **told: Any,
    ) -> None:
        super().__init__(message, **told)
        self.action = action
        self.key = key
        self.aws_code = aws_code
        self.request_id = request_id


class KmsUnavailable(KmsError):
    """KMS could not be reached, or failed in a way that passes."""

    code = "kms_unavailable"
    retryable = True


class KmsThrottled(KmsError):
    """The account's request quota for this kind of key is used up for the moment."""

    code = "kms_throttled"
    retryable = True


class KmsAccessDenied(KmsError):
    """IAM or the key policy refuses the call."""

    code = "kms_access_denied"


class KmsKeyNotFound(KmsError):
    """No such key or alias in this account and Region, or none that may be seen."""

    code = "kms_key_not_found"


class KmsKeyUnusable(KmsError):
    """The key is there and cannot do this: disabled, pending deletion, wrong usage or spec."""

    code = "kms_key_unusable"
