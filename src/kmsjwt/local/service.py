"""One request from beginning to end: checked, refused or done, with faults where asked for."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kmsjwt.local.call import Call
from kmsjwt.local.errors import Refusal
from kmsjwt.local.faults import Dropped, Fault, Faults, throttled
from kmsjwt.local.operations import HANDLERS
from kmsjwt.local.permissions import Permissions
from kmsjwt.local.validation import checked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kmsjwt.local.account import Account
    from kmsjwt.local.propagation import Delay, Kind, Propagation
    from kmsjwt.local.strict import Whims

__all__ = ["Answer", "Service"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What comes back: a result, or a refusal.

    Attributes:
        result: the members of the answer, blobs as bytes and times as datetimes.
        date: when it was answered, in seconds since the epoch.
    """

    request_id: str
    date: float
    result: dict[str, Any] | None = None
    refusal: Refusal | None = None


class Service:
    """KMS itself, whoever asks and however they reach it."""

    def __init__(
        self,
        account: Account,
        *,
        propagation: Propagation,
        whims: Whims,
        sleep: Callable[[float], None],
    ) -> None:
        self.account = account
        self.readers: set[str] = set()
        """The names that somebody gave to a reader; over HTTP other names mean the plain one."""
        self.faults = Faults()
        self.permissions = Permissions(account)
        self._propagation = propagation
        self._whims = whims
        self._sleep = sleep

    def answer(
        self, operation: str, request: Mapping[str, Any], *, region: str, reader: str = ""
    ) -> Answer:
        """Carry out one request.

        Args:
            operation: the API's name, ``"Sign"``.
            request: its members by their API names, blobs as bytes.
            region: the Region that is asked.
            reader: who asks, where that makes a difference.

        Raises:
            Dropped: a fault wants the connection closed without an answer.
        """
        request_id = str(uuid.uuid4())
        now = self.account.clock()
        try:
            result = self._carry_out(operation, request, region, reader, request_id, now)
        except Refusal as refusal:
            return Answer(request_id=request_id, date=now, refusal=refusal)
        except OSError as error:
            failed = Refusal("KMSInternalException", f"The key folder failed: {error.strerror}")
            return Answer(request_id=request_id, date=now, refusal=failed)
        return Answer(request_id=request_id, date=now, result=result)

    def refuse(self, refusal: Refusal) -> Answer:
        """Answer a request that could not even be read."""
        now = self.account.clock()
        return Answer(request_id=str(uuid.uuid4()), date=now, refusal=refusal)

    def _carry_out(
        self,
        operation: str,
        request: Mapping[str, Any],
        region: str,
        reader: str,
        request_id: str,
        now: float,
    ) -> dict[str, Any]:
        if operation not in HANDLERS:
            named = operation if re.fullmatch(r"[A-Za-z]{1,64}", operation) else "such operation"
            raise Refusal("UnknownOperationException", f"The local KMS has no {named}.")
        delay = self._delay(reader)
        call = self._call(operation, region, reader, request_id, now, delay)
        if self._whims.throttles():
            raise throttled()
        given = checked(operation, request)
        faults = self._meet_faults(call, given, delay)
        result = HANDLERS[operation](call, given)
        for fault in faults:
            if fault.kind == "error_after":
                raise Refusal(fault.code, fault.message)
            if fault.kind == "drop_after":
                raise Dropped
        return result

    def _call(
        self,
        operation: str,
        region: str,
        reader: str,
        request_id: str,
        now: float,
        delay: Delay,
    ) -> Call:
        with self.account.lock:
            self.account.expire(now)
            place = self.account.region(region)
            return Call(
                account=self.account,
                region=place,
                operation=operation,
                reader=reader,
                request_id=request_id,
                now=now,
                view=place.view(now, delay),
                ready_delay=self._whims.creating,
                shuffle_seed=self._whims.shuffle_seed,
            )

    def _meet_faults(self, call: Call, request: dict[str, Any], delay: Delay) -> list[Fault]:
        if not self.faults and not self.permissions:
            return []
        with self.account.lock:
            names = call.names_of(request)
            faults = self.faults.take(call, names)
        for fault in faults:
            self._meet(fault, call, names)
        with self.account.lock:
            self.permissions.check(call, names, delay)
        return faults

    def _meet(self, fault: Fault, call: Call, names: set[str]) -> None:
        match fault.kind:
            case "latency":
                self._sleep(fault.seconds)
            case "drop":
                raise Dropped
            case "throttle":
                raise throttled(fault.message)
            case "access_denied":
                raise self.permissions.refusal(call, names, fault.message)
            case "error_before":
                raise Refusal(fault.code, fault.message)
            case _:  # error_after, drop_after: their turn comes when the operation is done
                pass

    def _delay(self, reader: str) -> Delay:
        def delay(kind: Kind, serial: int) -> float:
            return max(
                self._propagation.delay(reader, kind), self._whims.delay(reader, kind, serial)
            )

        return delay
