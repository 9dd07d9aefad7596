"""The rotate function: ``kmsjwt.handlers.rotate.handler``, run on a schedule.

Each run takes whatever step is due, so run it often: hourly is cheap. The event may ask for
more: ``{"start": true}`` begins with a new key, and makes the ring where there is none;
``{"compromised": "KID"}`` takes a key out of service at once, and with ``"keep_enabled": true``
leaves it enabled. Any other event, such as the schedule's own, asks for nothing. Let nobody invoke
it who may not do that.

It answers CloudFormation too, as what is behind a custom resource: a stack then begins the ring
that its other resources need, and owns no key.
"""

from __future__ import annotations

import os
import time
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from kmsjwt._log import log_line, message_of
from kmsjwt.authority.publishers import IN_KMS, publisher_for
from kmsjwt.authority.report import as_json
from kmsjwt.authority.rotate import Rotator
from kmsjwt.errors import CannotKnow, ConfigError, KmsAccessDenied, KmsJwtError, shown
from kmsjwt.handlers._cloudformation import is_request
from kmsjwt.handlers._environment import Environment
from kmsjwt.handlers._rotate_settings import RotateSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kmsjwt._log import Log
    from kmsjwt.authority.outcome import Report
    from kmsjwt.authority.publishers import Publisher
    from kmsjwt.handlers._ring_resource import RingResource
    from kmsjwt.rotation import Ring, Step

    handler: RotateFunction

__all__ = ["RotateFunction", "build"]

_MEMBERS = ("start", "compromised", "keep_enabled")
_GRACE = 86_400
"""Seconds for which a rotation that is due may wait for a run that works."""


def build(
    *,
    client: Any = None,
    publisher: Publisher | None = None,
    environ: Mapping[str, str] | None = None,
    log: Log = log_line,
    clock: Callable[[], float] = time.time,
    pause: Callable[[float], None] = time.sleep,
) -> RotateFunction:
    """Return the function that the environment asks for.

    Args:
        client: a boto3 KMS client whose retries had better be off; suitable ones are made if
            none is given.
        publisher: where keys are published, if the environment is not to say.
        environ: read instead of the process's environment.
        log: takes one line at start and one per step.
        clock: seconds since 1970.
        pause: waits so many seconds, for something new to be seen.

    Returns:
        A Lambda handler: ``handler(event, context)``.

    Raises:
        ConfigError: one message that names every fault of the environment.
    """
    env = Environment(os.environ if environ is None else environ)
    settings = RotateSettings(env)

    rotator = cast(
        "Rotator", env.attempt(lambda: _rotator(settings, client, publisher, log, clock, pause))
    )
    env.refuse_faults()
    log("INFO", "start", function="rotate", ring=settings.ring, to=settings.to or "jwks function")

    def resource() -> RingResource:
        from kmsjwt.handlers._ring_resource import RingResource  # once in a stack's life

        issuer = None if settings.to == IN_KMS else settings.issuer
        adopting = partial(_adopt, settings, client)
        return RingResource(
            rotator, issuer=issuer, adopt=adopting, log=log, clock=clock, pause=pause
        )

    return RotateFunction(
        rotator, period=settings.changes.get("period"), log=log, resource=resource
    )


class RotateFunction:
    """Rotates one ring; call it as the Lambda handler."""

    __slots__ = ("_log", "_period", "_resource", "_rotator")

    def __init__(
        self,
        rotator: Rotator,
        *,
        period: int | None = None,
        log: Log = log_line,
        resource: Callable[[], RingResource] | None = None,
    ) -> None:
        """Rotate the ring of ``rotator``.

        Args:
            rotator: rotates it.
            period: seconds for which a key signs; what its own settings say if None.
            log: takes one line for each run.
            resource: makes what answers CloudFormation; None if nothing does.
        """
        self._rotator = rotator
        self._period = period
        self._log = log
        self._resource = resource

    def __call__(self, event: object, context: object = None) -> dict[str, Any]:
        """Take every step that is due.

        Args:
            event: may hold ``start``, or ``compromised`` and ``keep_enabled``, or be a custom
                resource's.
            context: Lambda's context, which knows how much time is left.

        Returns:
            What was done, what is due and what comes later, as plain values; of a custom
            resource, what CloudFormation was told.

        Raises:
            KmsJwtError: a step failed, and others were taken; or all that is due was done, and
                the ring does not go on by itself. The next run goes on where it can.
        """
        if self._resource is not None and is_request(event):
            return self._resource()(cast("dict[str, Any]", event), context)
        try:
            report = self._run(event if isinstance(event, dict) else {})
        except KmsJwtError as error:
            self._log(
                "ERROR",
                "rotate",
                ring=self._rotator.name,
                reason=error.code,
                message=message_of(error),
            )
            raise
        answer = as_json(report)
        self._tell_if_overdue(report.ring)
        self._log(
            "INFO",
            "rotate",
            ring=report.ring.name,
            signing=report.ring.signing,
            steps=len(report.done),
            next=answer["later"][0]["what"] if answer["later"] else None,
            next_at=answer["later"][0]["at"] if answer["later"] else None,
        )
        self._refuse_standstill(report)
        return answer

    def _refuse_standstill(self, report: Report) -> None:
        """Fail, for an alarm to see, if nothing will go on unless a person does something."""
        if not report.attention:
            return
        error = CannotKnow(
            f"ring {report.ring.name} does not go on: {'; '.join(report.attention)}",
            code="rotation_stuck",
            fix=f"see kmsjwt key list {report.ring.name}, kmsjwt doctor",
        )
        self._log(
            "ERROR",
            "rotate",
            ring=report.ring.name,
            reason=error.code,
            message=message_of(error),
        )
        raise error

    def _tell_if_overdue(self, ring: Ring) -> None:
        """Log that the key which signs is past its time, for an alarm to see.

        Its successor is due after the period, and then waits until no consumer can lack it.
        """
        signing = ring.generation(ring.signing)
        if signing is None or signing.settings is None or ring.signing_since is None:
            return
        settings = signing.settings
        period = settings.period if self._period is None else self._period
        late = ring.now - ring.signing_since - period - settings.publish_wait - _GRACE
        if late > 0:
            self._log("WARN", "rotation_overdue", ring=ring.name, late_seconds=int(late + _GRACE))

    def _run(self, event: dict[str, Any]) -> Report:
        start, compromised, keep_enabled = _asked(event)
        if compromised is not None:
            return self._rotator.withdraw(compromised, keep_enabled=keep_enabled)
        return self._rotator.run(start=start)


def _asked(event: dict[str, Any]) -> tuple[bool, str | None, bool]:
    """Return what an event asks for. One that asks for anything has nothing that is not known."""
    plain = {name.replace("_", "") for name in _MEMBERS}
    if not any(str(name).replace("-", "").replace("_", "").lower() in plain for name in event):
        return False, None, False
    for name in event:
        if name not in _MEMBERS:
            raise _wrong(shown(name))
    start, compromised = event.get("start", False), event.get("compromised")
    keep = event.get("keep_enabled", False)
    if not (type(start) is type(keep) is bool and isinstance(compromised, str | None)):
        told = f"keep_enabled {shown(keep)}"
        raise _wrong(f"start {shown(start)}, compromised {shown(compromised)} and {told}")
    if keep and compromised is None:
        raise _wrong("keep_enabled True and no compromised")
    if start and compromised is not None:
        raise _wrong(f"start True and compromised {shown(compromised)}")
    return start, compromised, keep


def _wrong(what: str) -> ConfigError:
    return ConfigError(
        f"the event has {what}, expected start alone, or compromised, a kid, with keep_enabled",
        code="rotate_event",
        fix='send {"start": true} or {"compromised": "KID", "keep_enabled": true}',
    )


def _adopt(settings: RotateSettings, client: Any, key: str) -> None:
    from kmsjwt.authority.adopt import adopt, has_gone_on

    place = {"client": client, "region": settings.region}
    try:
        adopt(settings.ring, key, **place, changes=settings.changes)
    except (ConfigError, KmsAccessDenied) as error:
        # A key that is gone: the template may name it for as long as the stack lives.
        may_be_gone = error.code == "adopt_key" or isinstance(error, KmsAccessDenied)
        if not (may_be_gone and has_gone_on(settings.ring, **place)):
            raise


def _rotator(
    settings: RotateSettings,
    client: Any,
    publisher: Publisher | None,
    log: Log,
    clock: Callable[[], float],
    pause: Callable[[float], None],
) -> Rotator:
    def tell(step: Step, told: str) -> None:
        number = step.number or None
        log("INFO", "step", step=step.action, generation=number, why=step.why, told=told)

    return Rotator(
        settings.ring,
        publisher
        or publisher_for(
            settings.ring,
            to=settings.to,
            issuer=settings.issuer,
            public=settings.public,
            cdn=settings.cdn,
            client=client,
            region=settings.region,
        ),
        client=client,
        region=settings.region,
        spec=settings.spec,
        changes=settings.changes,
        policy=settings.policy,
        clock=clock,
        pause=pause,
        tell=tell,
    )


def __getattr__(name: str) -> Any:
    # Lambda looks `handler` up while it starts, so a wrong environment fails there; who imports
    # this module for `build` needs no environment.
    if name == "handler":
        globals()[name] = build()
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
