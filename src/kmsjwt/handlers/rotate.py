"""The rotate function: ``kmsjwt.handlers.rotate.handler``, run on a schedule.

Each run takes whatever step is due, so run it often: hourly is cheap. The event may ask for
more: ``{"start": true}`` begins with a new key, and makes the ring where there is none;
``{"compromised": "KID"}`` takes a key out of service at once. Any other event, such as the
schedule's own, asks for nothing. Let nobody invoke it who may not do that.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, cast

from kmsjwt._log import log_line, message_of
from kmsjwt.authority.publication import publication
from kmsjwt.authority.report import as_json
from kmsjwt.authority.rotate import Rotator
from kmsjwt.errors import ConfigError, KmsJwtError, shown
from kmsjwt.handlers._environment import Environment
from kmsjwt.handlers._rotate_settings import RotateSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kmsjwt._log import Log
    from kmsjwt.authority.rotate import Publication, Report
    from kmsjwt.rotation import Step

    handler: RotateFunction

__all__ = ["RotateFunction", "build"]


def build(
    *,
    client: Any = None,
    publisher: Publication | None = None,
    environ: Mapping[str, str] | None = None,
    log: Log = log_line,
    clock: Callable[[], float] = time.time,
) -> RotateFunction:
    """Return the function that the environment asks for.

    Args:
        client: a boto3 KMS client whose retries had better be off; suitable ones are made if
            none is given.
        publisher: where keys are published, if the environment is not to say.
        environ: read instead of the process's environment.
        log: takes one line at start and one per step.
        clock: seconds since 1970.

    Returns:
        A Lambda handler: ``handler(event, context)``.

    Raises:
        ConfigError: one message that names every fault of the environment.
    """
    env = Environment(os.environ if environ is None else environ)
    settings = RotateSettings(env)

    rotator = env.attempt(lambda: _rotator(settings, client, publisher, log, clock))
    env.refuse_faults()
    log("INFO", "start", function="rotate", ring=settings.ring, to=settings.to or "jwks function")
    return RotateFunction(cast("Rotator", rotator), log=log)


class RotateFunction:
    """Rotates one ring; call it as the Lambda handler."""

    __slots__ = ("_log", "_rotator")

    def __init__(self, rotator: Rotator, *, log: Log = log_line) -> None:
        """Rotate the ring of ``rotator``."""
        self._rotator = rotator
        self._log = log

    def __call__(self, event: object, context: object = None) -> dict[str, Any]:
        """Take every step that is due.

        Args:
            event: may hold ``start`` or ``compromised``.
            context: Lambda's context, unused.

        Returns:
            What was done, what is due and what comes later, as plain values.

        Raises:
            KmsJwtError: a step failed; those before it are done. The next run goes on.
        """
        del context
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
        self._log(
            "INFO",
            "rotate",
            ring=report.ring.name,
            signing=report.ring.signing,
            steps=len(report.done),
            next=answer["later"][0]["what"] if answer["later"] else None,
            next_at=answer["later"][0]["at"] if answer["later"] else None,
        )
        return answer

    def _run(self, event: dict[str, Any]) -> Report:
        start, compromised = event.get("start", False), event.get("compromised")
        if type(start) is not bool or not (compromised is None or isinstance(compromised, str)):
            raise ConfigError(
                f"the event has start {shown(start)} and compromised {shown(compromised)},"
                " expected true or false and a kid",
                code="rotate_event",
            )
        if compromised is not None:
            return self._rotator.withdraw(compromised)
        return self._rotator.run(start=start)


def _rotator(
    settings: RotateSettings,
    client: Any,
    publisher: Publication | None,
    log: Log,
    clock: Callable[[], float],
) -> Rotator:
    def tell(step: Step, told: str) -> None:
        number = step.number or None
        log("INFO", "step", step=step.action, generation=number, why=step.why, told=told)

    return Rotator(
        settings.ring,
        publisher
        or publication(
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
        clock=clock,
        tell=tell,
    )


def __getattr__(name: str) -> Any:
    # Lambda looks `handler` up while it starts, so a wrong environment fails there; who imports
    # this module for `build` needs no environment.
    if name == "handler":
        globals()[name] = build()
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
