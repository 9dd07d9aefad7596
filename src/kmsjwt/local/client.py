"""``LocalKms``: a KMS client in process, used exactly as one of boto3's."""

from __future__ import annotations

import copy
import os
import re
import time
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from kmsjwt.errors import ConfigError
from kmsjwt.local.account import Account, NoStore, Store
from kmsjwt.local.arns import partition_of
from kmsjwt.local.attach import attach
from kmsjwt.local.errors import MODELLED, ConnectionClosedError, Exceptions, LocalKmsError
from kmsjwt.local.faults import Dropped, Faults
from kmsjwt.local.guard import refuse_in_lambda
from kmsjwt.local.methods import Methods
from kmsjwt.local.paginator import Paginator, can_paginate
from kmsjwt.local.propagation import Propagation
from kmsjwt.local.service import Answer, Service
from kmsjwt.local.shapes import OPERATIONS
from kmsjwt.local.store import FolderStore
from kmsjwt.local.strict import Strict, Whims

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kmsjwt.local.permissions import Permissions

__all__ = ["NOTICE", "LocalKms"]

NOTICE = (
    "kmsjwt local KMS: for development only. Its keys are plain bytes in this process, anyone who "
    "reaches it may use them, and key policies are not enforced."
)
"""One line to print wherever the local KMS is started by a person."""

Client = TypeVar("Client")
_REGION = re.compile(r"([a-z]+-){2,3}\d+")
_ACCOUNT = re.compile(r"\d{12}")
_TEXT_FOR_BLOB = ("Message", "Signature", "Mac", "Plaintext")


class LocalKms(Methods):
    """AWS KMS in this process: real keys, AWS's rules, limits, answers and errors. No network.

    Every method is named as boto3's and takes and returns what boto3's does; errors have the
    shape of botocore's ``ClientError``. Key policies are stored and never enforced. It is
    thread-safe, and refuses to start inside AWS Lambda.

    Args:
        region: the Region it answers for; ``in_region`` gives the others of the account.
        account_id: twelve digits.
        folder: where keys outlive the process, readable by this user alone; None keeps them in
            memory. One process at a time.
        clock: seconds since the epoch. Key states, deletion and ``propagation`` follow it.
        strict: behave badly on purpose, within what AWS allows (``Strict`` says how badly).
        propagation: seconds until changes of aliases, tags, keys and permissions are seen.
        sleep: what a latency fault waits with.
        environ: where the signs of Lambda are looked for; the process's own by default.

    Raises:
        ConfigError: inside Lambda; a Region or account that can't be; a folder that can't be
            used.
    """

    def __init__(
        self,
        *,
        region: str = "eu-central-1",
        account_id: str = "111122223333",
        folder: str | os.PathLike[str] | None = None,
        clock: Callable[[], float] = time.time,
        strict: bool | Strict = False,
        propagation: Propagation | None = None,
        sleep: Callable[[float], None] = time.sleep,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        refuse_in_lambda(os.environ if environ is None else environ)
        if not _ACCOUNT.fullmatch(account_id):
            raise ConfigError(f"account_id is {account_id!r}, expected twelve digits")
        opened = None if folder is None else FolderStore(Path(folder), account_id)
        store: Store = opened or NoStore()
        account = Account(account_id, store=store, clock=clock)
        if opened is not None:
            opened.restore(account)
        badly = Strict() if strict is True else strict or None
        self._service = Service(
            account,
            propagation=propagation or Propagation(),
            whims=Whims(badly),
            sleep=sleep,
        )
        self.exceptions = Exceptions()
        self._look(region, reader="")

    def _look(self, region: str, *, reader: str) -> None:
        if not _REGION.fullmatch(region):
            raise ConfigError(f"region is {region!r}, expected one like 'eu-central-1'")
        self._reader = reader
        self.meta = SimpleNamespace(
            region_name=region,
            partition=partition_of(region),
            endpoint_url=f"https://kms.{region}.amazonaws.com",
        )

    def __repr__(self) -> str:
        who = f" reader={self._reader!r}" if self._reader else ""
        return f"<LocalKms {self.account_id} {self.meta.region_name}{who}>"

    @property
    def account_id(self) -> str:
        """The account's twelve digits."""
        return self._service.account.account_id

    @property
    def service(self) -> Service:
        """KMS itself, for those who reach it another way, as HTTP does."""
        return self._service

    @property
    def faults(self) -> Faults:
        """What goes wrong on demand, for all views of the account."""
        return self._service.faults

    @property
    def permissions(self) -> Permissions:
        """What is denied on demand, for all views of the account."""
        return self._service.permissions

    def in_region(self, region: str) -> LocalKms:
        """Return the same account in another Region, for the same reader."""
        view = copy.copy(self)
        view._look(region, reader=self._reader)  # noqa: SLF001 - of its own class
        return view

    def reader(self, name: str) -> LocalKms:
        """Return the same account and Region through another client's eyes.

        ``propagation``, the strict mode, faults and permissions tell readers apart by name. Over
        HTTP a reader's name is its access key id.
        """
        view = copy.copy(self)
        view._look(self.meta.region_name, reader=name)  # noqa: SLF001 - of its own class
        self._service.readers.add(name)
        return view

    def attach(self, client: Client) -> Client:
        """Answer a genuine boto3 KMS client's requests in process, and return that client.

        No server is asked and no credentials are needed; parameters are still checked and
        errors still made by botocore. The client's own Region decides; the reader is this
        view's.
        """
        return attach(client, self._service, reader=self._reader)

    def can_paginate(self, operation_name: str) -> bool:
        """Tell whether ``get_paginator`` knows ``"list_keys"`` and the like."""
        return can_paginate(operation_name)

    def get_paginator(self, operation_name: str) -> Paginator:
        """Return a paginator, as boto3 does: ``for page in paginator.paginate(Limit=10)``."""
        return Paginator(self, operation_name)

    def close(self) -> None:
        """Let another process have the folder; nothing more can be written to it from here."""
        self._service.account.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        unknown = request.keys() - OPERATIONS[operation].keys()
        if unknown:
            raise TypeError(
                f"{operation} takes no {', '.join(sorted(unknown))}; it takes "
                f"{', '.join(OPERATIONS[operation])}"
            )
        for name in _TEXT_FOR_BLOB:  # botocore takes text and byte arrays for a blob too
            value = request.get(name)
            if isinstance(value, (str, bytearray, memoryview)):
                request[name] = value.encode() if isinstance(value, str) else bytes(value)
        region = self.meta.region_name
        try:
            answer = self._service.answer(operation, request, region=region, reader=self._reader)
        except Dropped:
            raise ConnectionClosedError(self.meta.endpoint_url) from None
        if answer.refusal is not None:
            raise _error(answer, operation)
        return {**(answer.result or {}), "ResponseMetadata": _response_metadata(answer, 200)}


def _response_metadata(answer: Answer, status: int) -> dict[str, Any]:
    return {
        "RequestId": answer.request_id,
        "HTTPStatusCode": status,
        "HTTPHeaders": {
            "x-amzn-requestid": answer.request_id,
            "date": formatdate(answer.date, usegmt=True),
            "content-type": "application/x-amz-json-1.1",
        },
        "RetryAttempts": 0,
    }


def _error(answer: Answer, operation: str) -> LocalKmsError:
    refusal = answer.refusal
    if refusal is None:
        raise ValueError("the answer is no refusal")
    response: dict[str, Any] = {
        "Error": {"Message": refusal.message or "", "Code": refusal.code},
        "ResponseMetadata": _response_metadata(answer, refusal.status),
    }
    if refusal.code in MODELLED and refusal.message is not None:
        response["message"] = refusal.message
    return LocalKmsError.of(refusal.code)(response, operation)
