"""A ring as a custom resource of CloudFormation, which owns none of it.

Create and Update answer once a consumer that looks at the issuer's URL finds the key that signs;
API Gateway's own authorizers are such consumers, and look when they are made. Delete does nothing:
live tokens need the keys, and a stack that is made anew goes on with them.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kmsjwt._log import message_of
from kmsjwt.errors import (
    CannotKnow,
    ConfigError,
    KmsAccessDenied,
    KmsError,
    KmsJwtError,
    KmsKeyNotFound,
    PlaceDenied,
    PublishError,
    UnknownKey,
    shown,
)
from kmsjwt.handlers._cloudformation import Request
from kmsjwt.jwks.urls import jwks_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from kmsjwt._log import Log
    from kmsjwt.authority.rotate import Report, Rotator
    from kmsjwt.handlers._cloudformation import Send

_RESERVE = 45
"""Seconds that are left for the answer and whatever call is under way."""
_DEFAULT_TIME = 60
_PAUSE = 10
_SPREAD = 300
"""Seconds within which IAM and KMS show everywhere what a new stack's role may do."""


class RingResource:
    """Answers a custom resource's requests about one ring."""

    def __init__(
        self,
        rotator: Rotator,
        *,
        issuer: str | None,
        adopt: Callable[[str], None],
        log: Log,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
        send: Send | None = None,
    ) -> None:
        """Answer for the ring of ``rotator``.

        Args:
            rotator: makes and rotates it.
            issuer: where it is read back; None if it is published nowhere.
            adopt: makes an existing key, named by its ARN, its first generation.
            log: takes one line for each request.
            clock: seconds since 1970.
            pause: waits so many seconds.
            send: sends the answer; over https if None.
        """
        self._rotator = rotator
        self._issuer = issuer
        self._adopt = adopt
        self._log = log
        self._clock = clock
        self._pause = pause
        self._send = send

    def __call__(self, event: dict[str, Any], context: object = None) -> dict[str, Any]:
        """Do what CloudFormation asks and tell it.

        Args:
            event: the request.
            context: Lambda's context, which knows how much time is left.

        Returns:
            What was told.

        Raises:
            ConfigError: it is no request that could be answered.
            NotAnswered: CloudFormation could not be told.
        """
        request = Request(event)
        until = self._clock() + _time_left(context) - _RESERVE
        failure, data = None, {}
        try:
            if request.kind != "Delete":
                data = self._settled(request, until)
        except KmsJwtError as error:
            failure = message_of(error)
            self._log("ERROR", "ring_resource", reason=error.code, message=failure)
        except Exception as error:  # noqa: BLE001  whatever it is, CloudFormation waits
            failure = f"{type(error).__name__}: see the rotate function's log"
            self._log("ERROR", "ring_resource", reason=type(error).__name__, message=str(error))
        name = f"kmsjwt-ring-{self._rotator.name}"
        request.answer(name, failure=failure, data=data, send=self._send, pause=self._pause)
        if failure is None:
            self._log("INFO", "ring_resource", request=request.kind, ring=self._rotator.name)
        return {"PhysicalResourceId": name, "Data": data, "failed": failure is not None}

    def _settled(self, request: Request, until: float) -> dict[str, str]:
        """Return what is so once it is; KMS, CloudFront and DNS show what was done late."""
        existing = _existing(request)
        began = self._clock()
        while True:
            try:
                return self._done(existing)
            except (CannotKnow, UnknownKey) as error:
                now = self._clock()
                seconds = _until_again(error, now - began)
                if seconds is None or now + _PAUSE > until:
                    raise
                self._log("WARN", "ring_resource", reason=error.code, message=message_of(error))
            self._pause(min(seconds, until - now))

    def _done(self, existing: str) -> dict[str, str]:
        if existing:
            self._adopt(existing)
        report = self._run(begins=not existing)
        generation = report.ring.generation(report.ring.signing)
        if generation is None or generation.kid is None:
            raise CannotKnow(
                f"ring {self._rotator.name} has no key yet that may sign",
                code="ring_not_ready",
                fix="see what it waits for: kmsjwt key rotate NAME --dry-run",
            )
        if self._issuer is None:
            return {"Kid": generation.kid}
        _read_back(self._issuer, generation.kid)
        return {
            "Kid": generation.kid,
            "Issuer": self._issuer,
            "JwksUri": jwks_url(self._issuer),
        }

    def _run(self, *, begins: bool) -> Report:
        """Begin the ring if there is none; else take what is due, as any other run does.

        A request may come twice, and a stack may find the ring that a former one left: neither
        is a reason for another key. Nor is that the alias of an adopted one is seen late.
        """
        try:
            return self._rotator.run()
        except KmsKeyNotFound as error:
            # KMS's own word is on something else than the ring's aliases.
            if error.aws_code or not begins:
                raise
            return self._rotator.run(start=True)


def _existing(request: Request) -> str:
    """Return the key to begin with; empty if none is named.

    Raises:
        ConfigError: what is named is no key's name. Another key would be made instead.
    """
    existing = request.properties.get("ExistingKey", "")
    if not isinstance(existing, str):
        raise ConfigError(
            f"ExistingKey is {shown(existing)}, expected a key's ARN",
            code="adopt_key",
            fix="name one key, by its ARN",
        )
    return existing


def _until_again(error: KmsJwtError, passed: float) -> float | None:
    """Return for how many seconds to wait before it is tried again; None if it is wrong for good.

    What KMS and the place say of themselves is believed; a trial may leave a key behind, so they
    are asked again only once as much time has passed again. What answers at the issuer's URL may
    be something else until DNS and CloudFront have come round.

    Args:
        error: what went wrong.
        passed: seconds since the first trial.
    """
    longer = max(_PAUSE, passed)
    if isinstance(error, (KmsAccessDenied, PlaceDenied, KmsKeyNotFound)):
        return min(longer, _SPREAD - passed) if passed < _SPREAD else None
    if isinstance(error, (KmsError, PublishError)):
        return longer if error.retryable else None
    return _PAUSE


def _read_back(issuer: str, kid: str) -> None:
    """Look for a key as a consumer does that knows the issuer alone.

    Raises:
        KeySourceError: the issuer's documents are not there, or are not right.
        UnknownKey: it is not among them.
    """
    from kmsjwt.jwks import JwksUrl

    JwksUrl.from_issuer(issuer).key(kid)


def _time_left(context: object) -> float:
    """Return the seconds until Lambda ends this."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return remaining() / 1000 if callable(remaining) else _DEFAULT_TIME
