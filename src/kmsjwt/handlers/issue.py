"""The issue function: ``kmsjwt.handlers.issue.handler``.

With a say of your own::

    from kmsjwt.handlers import issue

    def authenticate(event):
        user = users.of(event["headers"].get("x-api-key"))
        return issue.Principal(user.id, {"tenant": user.tenant}) if user else None

    handler = issue.build(authenticate=authenticate)
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from kmsjwt._log import log_line, loggable, message_of
from kmsjwt.errors import (
    ClaimsRefused,
    ConfigError,
    Forbidden,
    KmsError,
    KmsJwtError,
    TokenError,
    shown,
)
from kmsjwt.handlers import _callers
from kmsjwt.handlers._callers import RECIPE_SUBJECT, Ask, Principal, Unauthenticated
from kmsjwt.handlers._environment import Environment
from kmsjwt.handlers._http import BadRequest, refusal, response
from kmsjwt.handlers._issue_settings import CUSTOM, DIRECT, IssueSettings
from kmsjwt.issuer import IssuedToken, Issuer
from kmsjwt.kms import KmsSigner

if TYPE_CHECKING:
    from collections.abc import Callable

    from kmsjwt._log import Log
    from kmsjwt.handlers._callers import Authenticate
    from kmsjwt.kms.public import Kid

    Claims = Callable[[Principal], Mapping[str, Any]]
    Answer = dict[str, Any]

    handler: IssueFunction

__all__ = ["Forbidden", "IssueFunction", "Principal", "build"]


def build(
    *,
    authenticate: Authenticate | None = None,
    claims: Claims | None = None,
    client: Any = None,
    environ: Mapping[str, str] | None = None,
    log: Log = log_line,
    clock: Callable[[], float] = time.time,
) -> IssueFunction:
    """Return the function that the environment asks for.

    Args:
        authenticate: tells who sent an HTTP request: given the event, it returns a `Principal`
            (or a plain pair of ``sub`` and claims), or None for nobody (401). It may also raise
            a TokenError (401) or `Forbidden` (403), so a verifier can be called in it.
        claims: given the `Principal`, returns claims to add to its token. They win over claims
            of the same name.
        client: a boto3 KMS client; one is made if none is given.
        environ: read instead of the process's environment.
        log: takes one line at start and one per request.
        clock: seconds since 1970.

    Returns:
        A Lambda handler: ``handler(event, context)``.

    Raises:
        ConfigError: one message that names every fault of the environment.
    """
    env = Environment(os.environ if environ is None else environ)
    settings = IssueSettings(env, authenticates=authenticate is not None)
    key = settings.key
    signer = (
        env.attempt(lambda: _signer(settings, client, clock), about=key.variable)
        if key.name
        else None
    )
    env.refuse_faults()
    function = IssueFunction(
        settings,
        issuer=_issuer(settings, cast("KmsSigner", signer), clock),
        authenticate=authenticate,
        claims=claims,
        log=log,
    )
    log(
        "WARN" if settings.open else "INFO",
        "start",
        function="issue",
        key=key.name,
        key_from=key.variable,
        ignored=key.ignored,
        issuer=settings.issuer,
        kid=settings.kid,
        callers="anyone (KMSJWT_RECIPE_OPEN)" if settings.open else settings.callers,
        profile="recipe" if settings.recipe else None,
    )
    return function


class IssueFunction:
    """Gives tokens to those who may have them; call it as the Lambda handler."""

    __slots__ = ("_answer", "_claims", "_issuer", "_log", "_raises", "_read", "_settings")

    def __init__(
        self,
        settings: IssueSettings,
        *,
        issuer: Issuer,
        authenticate: Authenticate | None,
        claims: Claims | None,
        log: Log,
    ) -> None:
        self._settings = settings
        self._issuer = issuer
        self._claims = claims
        self._log = log
        self._raises = settings.callers == DIRECT and not settings.open
        self._read = _reader(settings, authenticate)
        self._answer = _answerer(settings)

    def __call__(self, event: object, context: object = None) -> Answer:
        """Answer one request.

        Args:
            event: ``{"sub", "aud", "lifetime", "claims"}`` of a direct caller, or the request
                as the gateway sends it.
            context: Lambda's context; its request id goes into the log.

        Returns:
            ``{"access_token", "token_type", "expires_in"}``, over HTTP inside a response.

        Raises:
            ClaimsRefused: a direct caller asked for what may not be.
            KmsError: KMS did not sign for a direct caller.
        """
        try:
            ask = self._read(event)
            issued = self._issue(ask)
        except KmsJwtError as error:
            self._record_refusal(error, context)
            if self._raises and not isinstance(error, Unauthenticated):
                raise
            return refusal(error)
        except Exception as error:
            # From code of the user's, and it may hold anything: its type alone is named.
            self._log(
                "ERROR",
                "issue",
                decision="error",
                reason="unexpected_error",
                message=f"{type(error).__name__} was raised",
                request_id=_request_id(context),
            )
            raise
        self._record(ask, issued, context)
        return self._answer(issued)

    def _issue(self, ask: Ask) -> IssuedToken:
        principal = ask.principal
        added = self._claims(principal) if self._claims is not None else {}
        if not isinstance(added, Mapping):
            raise ConfigError(
                f"claims() returned {shown(added)}, expected a mapping of claims",
                fix='return {"tenant": "t1"}, or {} for none',
            )
        aud = self._audience(ask.aud)
        try:
            return self._issuer.issue(
                sub=principal.sub,
                aud=aud,
                lifetime=ask.lifetime,
                claims={**principal.claims, **added},
            )
        except KmsJwtError as error:
            if error.code == "lifetime":  # the one thing in it that every asker chose
                raise BadRequest(error.message, code=error.code) from None
            raise

    def _audience(self, wanted: Any) -> Any:
        settings = self._settings
        if wanted is None:
            return self._default_audience()
        named = wanted if isinstance(wanted, (list, tuple)) else [wanted]
        if settings.allowed and not all(each in settings.allowed for each in named):
            raise BadRequest("aud is none of the audiences that may be asked for", code="aud")
        return wanted

    def _default_audience(self) -> Any:
        audience = self._settings.audience
        if len(audience) == 1:
            return audience[0]
        if self._settings.recipe:
            return list(audience)
        raise BadRequest("aud is missing, expected the audience of the token", code="aud")

    def _record(self, ask: Ask, issued: IssuedToken, context: object) -> None:
        self._log(
            "INFO",
            "issue",
            decision="issued",
            jti=issued.jti,
            kid=issued.kid,
            kms_request_id=issued.kms_request_id,
            sub=loggable(ask.principal.sub),
            expires_in=issued.expires_in,
            request_id=_request_id(context),
        )

    def _record_refusal(self, error: KmsJwtError, context: object) -> None:
        askers_fault = (ClaimsRefused if self._raises else BadRequest, TokenError)
        self._log(
            "WARN" if isinstance(error, askers_fault) else "ERROR",
            "issue",
            decision="refused",
            reason=error.code,
            # authenticate() may have put anything into it: a token, half a surrogate pair.
            message=message_of(error),
            kms_request_id=error.request_id if isinstance(error, KmsError) else None,
            retryable=error.retryable,
            request_id=_request_id(context),
        )


def _signer(settings: IssueSettings, client: Any, clock: Callable[[], float]) -> KmsSigner:
    return KmsSigner(
        settings.key.name,
        client=client,
        region=settings.region,
        alg=settings.alg,
        kid=cast("Kid", settings.kid),
        # As the article signs, so that its key policies hold on, and so that a token is never
        # longer than its authorizer can have KMS verify.
        message_type="RAW" if settings.recipe else None,
        clock=clock,
    )


def _issuer(settings: IssueSettings, signer: KmsSigner, clock: Callable[[], float]) -> Issuer:
    return Issuer(
        settings.issuer,
        signer,
        lifetime=settings.lifetime,
        max_lifetime=settings.max_lifetime,
        clock=clock,
    )


def _reader(settings: IssueSettings, authenticate: Authenticate | None) -> Callable[[object], Ask]:
    if settings.open:
        return lambda _event: Ask(Principal(RECIPE_SUBJECT))
    if settings.callers == CUSTOM and authenticate is not None:
        return partial(_callers.custom, authenticate=authenticate)
    if settings.callers == DIRECT:
        return partial(_callers.direct, default_sub=RECIPE_SUBJECT if settings.recipe else None)
    return _callers.iam


def _answerer(settings: IssueSettings) -> Callable[[IssuedToken], Answer]:
    if settings.recipe:
        return _recipe_answer
    return _direct_answer if settings.callers == DIRECT else _http_answer


def _direct_answer(issued: IssuedToken) -> Answer:
    return {
        "access_token": issued.token,
        "token_type": "Bearer",
        "expires_in": issued.expires_in,
    }


def _http_answer(issued: IssuedToken) -> Answer:
    return response(200, _direct_answer(issued))


def _recipe_answer(issued: IssuedToken) -> Answer:
    # The three members of the article's answer and no more; the body is a JSON string.
    return {"isBase64Encoded": False, "statusCode": 200, "body": f'"{issued.token}"'}


def _request_id(context: object) -> str | None:
    request_id = getattr(context, "aws_request_id", None)
    return request_id if isinstance(request_id, str) else None


def __getattr__(name: str) -> Any:
    # Lambda looks `handler` up while it starts, so a wrong environment fails there; who imports
    # this module for `build` needs no environment.
    if name == "handler":
        globals()[name] = build()
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
