"""S3 in memory, as far as publishing needs it, and as strict as its model: to try what fails.

The errors have botocore's shape. Of conditional writes it knows what the S3 user guide says:
412 for a condition that does not hold, 409 while another write is under way, 404 for an If-Match
on nothing. `tests/ministack/test_ministack_publish.py` compares it with another stand-in.

    s3 = MemoryS3("bucket")
    s3.fault("put_object", "after")     # the next PutObject takes effect and gets no answer
    publisher = Publisher(S3("bucket", client=s3), issuer=…)

It is one client and one store; `s3.client()` is another client of the same store.
"""

from __future__ import annotations

import hashlib
import io
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError, ConnectTimeoutError, ParamValidationError
from botocore.session import get_session
from botocore.validate import ParamValidator

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["before", "after", "deny", "conflict", "throttle", "stale"]
Operation = Literal["get_object", "put_object", "head_object"]

_ACTIONS = {"get_object": "GetObject", "put_object": "PutObject", "head_object": "HeadObject"}
_VALIDATOR = ParamValidator()


@dataclass(frozen=True, slots=True, kw_only=True)
class Object:
    body: bytes
    etag: str
    content_type: str
    cache_control: str | None


@dataclass(slots=True)
class Fault:
    """What is to go wrong with calls of one operation.

    Attributes:
        kind: ``before`` and ``after``: no answer, the call not carried out or carried out;
            ``deny``: 403; ``throttle``: 503 SlowDown; ``conflict``: 409 for a conditional write;
            ``stale``: the object's former state is read.
        skip: calls that go well before.
        times: calls that go wrong; None for all of them.
    """

    operation: str
    kind: Kind
    skip: int = 0
    times: int | None = 1


@dataclass(slots=True)
class _Store:
    bucket: str
    lists: bool
    history: dict[str, list[Object]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)


class MemoryS3:
    """A bucket, and a client to it.

    Attributes:
        calls: how often each operation was called, the failed ones included.
        log: every call: operation and key.
        faults: what is to go wrong.
        before: called with operation and key before each call; a test's own hook.
    """

    def __init__(self, bucket: str = "bucket", *, lists: bool = True) -> None:
        """Make an empty bucket; without the right to list it, what is missing is denied."""
        self._store = _Store(bucket, lists)
        self._begin()

    def _begin(self) -> None:
        self.calls = dict.fromkeys(_ACTIONS, 0)
        self.log: list[tuple[str, str]] = []
        self.faults: list[Fault] = []
        self.before: Callable[[str, str], None] | None = None

    def client(self) -> MemoryS3:
        """Return another client of the same bucket, with faults and counters of its own."""
        other = MemoryS3.__new__(MemoryS3)
        other._store = self._store
        other._begin()
        return other

    @property
    def call_count(self) -> int:
        return sum(self.calls.values())

    def fault(
        self, operation: Operation, kind: Kind, *, skip: int = 0, times: int | None = 1
    ) -> Fault:
        """Make calls of an operation go wrong, after ``skip`` that go well."""
        fault = Fault(operation, kind, skip, times)
        self.faults.append(fault)
        return fault

    def object(self, key: str) -> Object | None:
        """Return what is there, without a call."""
        states = self._store.history.get(key)
        return states[-1] if states else None

    def states(self, key: str) -> list[Object]:
        """Return all that was ever there, oldest first."""
        return list(self._store.history.get(key, ()))

    def put(self, key: str, body: bytes, content_type: str = "binary/octet-stream") -> None:
        """Put something there without a call, a condition or a fault."""
        self._keep(key, body, content_type, None)

    def get_object(self, **parameters: Any) -> dict[str, Any]:
        def get(stale: bool) -> dict[str, Any]:
            found = self._found(parameters, "GetObject", stale=stale)
            return {**_described(found), "Body": _Body(found.body)}

        return self._call("get_object", parameters, get)

    def head_object(self, **parameters: Any) -> dict[str, Any]:
        def head(stale: bool) -> dict[str, Any]:
            # An answer to HEAD has no body, so its errors have no code but the status.
            return _described(self._found(parameters, "HeadObject", stale=stale))

        return self._call("head_object", parameters, head)

    def put_object(self, **parameters: Any) -> dict[str, Any]:
        def put(stale: bool) -> dict[str, Any]:
            self._require_bucket(parameters, "PutObject")
            there = self.object(parameters["Key"])
            if parameters.get("IfNoneMatch") == "*" and there is not None:
                raise error("PreconditionFailed", 412, "PutObject")
            wanted = parameters.get("IfMatch")
            if wanted is not None and there is None:
                raise error("NoSuchKey", 404, "PutObject")
            if wanted is not None and there is not None and wanted != there.etag:
                raise error("PreconditionFailed", 412, "PutObject")
            body = parameters.get("Body", b"")
            made = self._keep(
                parameters["Key"],
                body if isinstance(body, bytes) else body.read(),
                parameters.get("ContentType", "binary/octet-stream"),
                parameters.get("CacheControl"),
            )
            return {"ETag": made.etag}

        return self._call("put_object", parameters, put)

    def _call(
        self, operation: str, parameters: dict[str, Any], act: Callable[[bool], dict[str, Any]]
    ) -> dict[str, Any]:
        _validate(_ACTIONS[operation], parameters)
        self.calls[operation] += 1
        self.log.append((operation, parameters["Key"]))
        if self.before is not None:
            self.before(operation, parameters["Key"])
        kind = self._due(operation)
        action = _ACTIONS[operation]
        if kind == "deny":
            raise error("403" if operation == "head_object" else "AccessDenied", 403, action)
        if kind == "throttle":
            raise error("SlowDown", 503, action)
        if kind == "conflict" and operation == "put_object":
            raise error("ConditionalRequestConflict", 409, action)
        if kind == "before":
            raise ConnectTimeoutError(endpoint_url="https://bucket.s3.amazonaws.com/")
        with self._store.lock:
            answer = act(kind == "stale")
        if kind == "after":
            raise ConnectTimeoutError(endpoint_url="https://bucket.s3.amazonaws.com/")
        return {**answer, "ResponseMetadata": {"HTTPStatusCode": 200, "RequestId": "REQ1"}}

    def _due(self, operation: str) -> Kind | None:
        for fault in self.faults:
            if fault.operation != operation or fault.times == 0:
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            if fault.times is not None:
                fault.times -= 1
            return fault.kind
        return None

    def _require_bucket(self, parameters: dict[str, Any], action: str) -> None:
        if parameters["Bucket"] != self._store.bucket:
            raise error("NoSuchBucket", 404, action)

    def _found(self, parameters: dict[str, Any], action: str, *, stale: bool) -> Object:
        self._require_bucket(parameters, action)
        states = self._store.history.get(parameters["Key"], [])
        if stale:
            states = states[:-1]
        if states:
            return states[-1]
        is_head = action == "HeadObject"
        if not self._store.lists:
            raise error("403" if is_head else "AccessDenied", 403, action)
        raise error("404" if is_head else "NoSuchKey", 404, action)

    def _keep(self, key: str, body: bytes, content_type: str, cache_control: str | None) -> Object:
        etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        made = Object(body=body, etag=etag, content_type=content_type, cache_control=cache_control)
        with self._store.lock:
            self._store.history.setdefault(key, []).append(made)
        return made


class _Body(io.BytesIO):
    """What botocore gives for a body: to be read once, and closed."""


def error(code: str, status: int, action: str) -> ClientError:
    """Return what botocore raises."""
    return ClientError(
        {
            "Error": {"Code": code, "Message": f"{code} by the test"},
            "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "REQ1"},
        },
        action,
    )


def _described(found: Object) -> dict[str, Any]:
    told: dict[str, Any] = {
        "ETag": found.etag,
        "ContentLength": len(found.body),
        "ContentType": found.content_type,
    }
    return told if found.cache_control is None else {**told, "CacheControl": found.cache_control}


def _validate(action: str, parameters: dict[str, Any]) -> None:
    """Refuse what botocore would not send, by its own model."""
    global _model  # noqa: PLW0603  a model of a megabyte, read once
    _model = _model or get_session().get_service_model("s3")
    report = _VALIDATOR.validate(parameters, _model.operation_model(action).input_shape)
    if report.has_errors():
        raise ParamValidationError(report=report.generate_report())


_model: Any = None
