"""Faults on demand: what goes wrong, in which operation, for which key, how many times.

::

    kms.faults.add("Sign", kind="throttle", times=2)
    kms.faults.add("CreateKey", kind="drop_after")           # it took effect, the answer is lost
    with kms.faults.add("Sign", kind="access_denied", key=arn, times=None):
        ...
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self, get_args

from kmsjwt.errors import ConfigError
from kmsjwt.local.errors import Refusal
from kmsjwt.local.shapes import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from kmsjwt.local.call import Call

__all__ = ["Dropped", "Fault", "FaultKind", "Faults", "access_denied", "throttled"]

FaultKind = Literal[
    "error_before",
    "error_after",
    "throttle",
    "access_denied",
    "latency",
    "drop",
    "drop_after",
]


class Dropped(Exception):
    """The connection is to be closed without an answer."""


@dataclass(slots=True, kw_only=True, eq=False)
class Fault:
    """One fault. Use it as a context manager to remove it at the end of a block.

    Attributes:
        hits: how many requests it has met so far.
    """

    kind: FaultKind
    operation: str | None
    key: str | None
    reader: str | None
    region: str | None
    code: str
    message: str | None
    times: int | None
    seconds: float
    hits: int = 0
    _remove: Callable[[Fault], None] = field(repr=False)

    def remove(self) -> None:
        """Let nothing more go wrong by this fault."""
        self._remove(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()

    def meets(self, call: Call, names: set[str]) -> bool:
        """Tell whether this request is one that it is meant for."""
        wanted = ((self.operation, call.operation), (self.reader, call.reader))
        return (
            all(mine in (None, its) for mine, its in wanted)
            and self.region in (None, call.region.name)
            and (self.key is None or self.key in names)
        )


class Faults:
    """The faults of one account. Thread-safe; empty unless somebody adds one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(
        self,
        operation: str | None = None,
        *,
        kind: FaultKind,
        key: str | None = None,
        reader: str | None = None,
        region: str | None = None,
        code: str = "KMSInternalException",
        message: str | None = None,
        times: int | None = 1,
        seconds: float = 0.0,
    ) -> Fault:
        """Let something go wrong.

        Args:
            operation: ``"Sign"``; None for any.
            kind: ``"error_before"`` and ``"error_after"`` answer ``code``, the latter once the
                operation has taken effect; ``"throttle"`` and ``"access_denied"`` answer as AWS
                does; ``"latency"`` waits ``seconds`` first; ``"drop"`` closes the connection
                before the operation, ``"drop_after"`` after it took effect.
            key: only requests for this key: its id, ARN, alias or alias ARN.
            reader: only this reader's requests.
            region: only requests in this Region.
            code: what ``error_before`` and ``error_after`` answer.
            message: the text of the answer.
            times: after so many requests the fault is over; None means that it stays.
            seconds: how long ``"latency"`` takes.

        Raises:
            ConfigError: no such kind or operation.
        """
        if kind not in get_args(FaultKind):
            raise ConfigError(
                f"kind is {kind!r}, expected one of {', '.join(get_args(FaultKind))}",
                code="local_fault",
            )
        if operation is not None and operation not in OPERATIONS:
            raise ConfigError(
                f"operation is {operation!r}, expected one of the API's, as 'Sign'",
                code="local_fault",
            )
        fault = Fault(
            kind=kind,
            operation=operation,
            key=key,
            reader=reader,
            region=region,
            code=code,
            message=message,
            times=times,
            seconds=seconds,
            _remove=self._remove,
        )
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Remove every fault."""
        with self._lock:
            self._faults.clear()

    def __bool__(self) -> bool:
        return bool(self._faults)

    def __iter__(self) -> Iterator[Fault]:
        return iter(list(self._faults))

    def take(self, call: Call, names: set[str]) -> list[Fault]:
        """Return the faults that this request meets, and count them."""
        with self._lock:
            met = [fault for fault in self._faults if fault.meets(call, names)]
            for fault in met:
                fault.hits += 1
            self._faults = [
                fault for fault in self._faults if fault.times is None or fault.hits < fault.times
            ]
        return met

    def _remove(self, fault: Fault) -> None:
        with self._lock:
            self._faults = [other for other in self._faults if other is not fault]


def throttled(message: str | None = None) -> Refusal:
    """Return AWS's answer to too many requests."""
    return Refusal(
        "ThrottlingException",
        message
        or "You have exceeded the rate at which you may call KMS. Reduce the frequency of your "
        "calls.",
    )


def access_denied(call: Call, resource: str, message: str | None = None) -> Refusal:
    """Return AWS's answer to somebody whom no policy allows the operation."""
    return Refusal(
        "AccessDeniedException",
        message
        or f"User: {call.principal} is not authorized to perform: kms:{call.operation} on "
        f"resource: {resource} because no identity-based policy allows the "
        f"kms:{call.operation} action",
    )
