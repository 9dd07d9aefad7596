"""Calls that fail: each one of a rotator's passes a gate, which knows what is to go wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.publish.s3 import MemoryS3
    from tests.rotation.front import Front

    from kmsjwt.local import LocalKms

WRITES = frozenset(
    {
        "create_key",
        "create_alias",
        "update_alias",
        "tag_resource",
        "disable_key",
        "schedule_key_deletion",
        "put_object",
        "create_invalidation",
    }
)
ELSEWHERE = frozenset({"get_object", "put_object", "fetch", "create_invalidation"})
"""What is not asked of KMS."""
AFTER = frozenset({"drop_after", "error_after", "kill_after"})
_OF_S3 = {
    "drop": "before",
    "error_before": "before",
    "drop_after": "after",
    "error_after": "after",
    "throttle": "throttle",
    "access_denied": "deny",
}


class Killed(BaseException):
    """The process is gone: nothing catches this, and nothing is tidied up."""


class Gate:
    """Counts one actor's calls, and lets those fail that a case names.

    Attributes:
        faults: by the number of the call, what is to go wrong with it.
        branch: asked at each other call what is to go wrong, if anything.
        denied: which of the calls ``ELSEWHERE`` are denied.
        calls: those that were made.
        hits: how many of them failed on purpose.
        before_call: a test's own hook.
    """

    def __init__(
        self,
        kms: LocalKms,
        s3: MemoryS3,
        front: Front,
        actor: str,
        tell: Callable[[str], None],
    ) -> None:
        self._kms = kms
        self.s3 = s3
        self._front = front
        self._actor = actor
        self._tell = tell
        self.faults: dict[int, str] = {}
        self.branch: Callable[[int, str], str | None] | None = None
        self.denied: set[str] = set()
        self.calls: list[str] = []
        self.hits = 0
        self.before_call: Callable[[str], None] = lambda _operation: None

    def pass_(self, operation: str, method: Callable[..., Any], **parameters: Any) -> Any:
        """Make one call, unless it is one that fails."""
        self.before_call(operation)
        number = len(self.calls)
        kind = self.faults.pop(number, None)
        self.calls.append(operation)
        if kind is None and self.branch is not None:
            kind = self.branch(number, operation)
        if kind is not None:
            self.hits += 1
        if kind == "kill_before":
            raise Killed
        result = self._made(operation, kind, method, parameters)
        if operation in WRITES:
            self._tell(operation)
        if kind == "kill_after":
            raise Killed
        return result

    def _made(
        self, operation: str, kind: str | None, method: Callable[..., Any], parameters: Any
    ) -> Any:
        if operation in self.denied:
            kind = "access_denied"
        if kind is None or kind.startswith("kill"):
            return method(**parameters)
        if operation in ELSEWHERE:
            return self._stored(operation, kind, method, parameters)
        name = "".join(word.capitalize() for word in operation.split("_"))
        with self._kms.faults.add(name, kind=kind, reader=self._actor):  # type: ignore[arg-type]  # one of its own names
            try:
                return method(**parameters)
            finally:
                if kind in AFTER and operation in WRITES:
                    self._tell(operation)

    def _stored(
        self, operation: str, kind: str, method: Callable[..., Any], parameters: Any
    ) -> Any:
        if operation.endswith("_object"):
            self.s3.fault(operation, _OF_S3[kind])  # type: ignore[arg-type]  # one of its own names
        else:
            self._front.faults.append(_OF_S3[kind])
        try:
            return method(**parameters)
        finally:
            self.s3.faults.clear()
            self._front.faults.clear()
            if kind in AFTER and operation in WRITES:
                self._tell(operation)


class Watched:
    """A client whose every call passes a gate."""

    def __init__(self, client: Any, gate: Gate) -> None:
        self._client = client
        self._gate = gate

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        return lambda **parameters: self._gate.pass_(name, method, **parameters)
