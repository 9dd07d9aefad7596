"""The errors KMS answers with, shaped as botocore's so that code reading by shape works."""

from __future__ import annotations

from typing import Any

__all__ = ["MODELLED", "ConnectionClosedError", "Exceptions", "LocalKmsError", "Refusal"]

MODELLED = frozenset(
    {
        "AlreadyExistsException",
        "DependencyTimeoutException",
        "DisabledException",
        "DryRunOperationException",
        "InvalidAliasNameException",
        "InvalidArnException",
        "InvalidGrantTokenException",
        "InvalidKeyUsageException",
        "InvalidMarkerException",
        "KMSInternalException",
        "KMSInvalidMacException",
        "KMSInvalidSignatureException",
        "KMSInvalidStateException",
        "KeyUnavailableException",
        "LimitExceededException",
        "MalformedPolicyDocumentException",
        "NotFoundException",
        "TagException",
        "UnsupportedOperationException",
    }
)
"""Codes that KMS's service model declares; botocore has an exception class for each of these only.

ValidationException, AccessDeniedException and ThrottlingException are answered, yet undeclared.
"""

_STATUS = {
    "KMSInternalException": 500,
    "KeyUnavailableException": 500,
    "DependencyTimeoutException": 503,
    "InternalFailure": 500,
    "ServiceUnavailableException": 503,
}


class Refusal(Exception):
    """KMS says no: a code and a message, before anyone knows which client asked.

    Attributes:
        code: ``"NotFoundException"``.
        message: None where AWS sends no message at all (as with KMSInvalidSignatureException).
    """

    def __init__(self, code: str, message: str | None = None) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    @property
    def status(self) -> int:
        """The HTTP status: 400, or 5xx for the faults that are KMS's own.

        All the recorded refusals are 400; the 5xx are documented, not verified against AWS.
        """
        return _STATUS.get(self.code, 400)


class LocalKmsError(Exception):
    """An error answer, with the attributes and the text of botocore's ``ClientError``.

    Attributes:
        response: ``{"Error": {"Code", "Message"}, "ResponseMetadata": {...}}``, and ``message``
            beside them where botocore would put it.
        operation_name: ``"Sign"``.
    """

    def __init__(self, response: dict[str, Any], operation_name: str) -> None:
        error = response["Error"]
        super().__init__(
            f"An error occurred ({error['Code']}) when calling the {operation_name} operation: "
            f"{error['Message']}"
        )
        self.response = response
        self.operation_name = operation_name

    @staticmethod
    def of(code: str) -> type[LocalKmsError]:
        """Return the class for ``code``, always the same one; the base class if undeclared."""
        return _CLASSES.get(code, LocalKmsError)


_CLASSES: dict[str, type[LocalKmsError]] = {
    code: type(code, (LocalKmsError,), {"__module__": __name__, "__doc__": f"KMS's {code}."})
    for code in sorted(MODELLED)
}


class Exceptions:
    """What ``client.exceptions`` is to boto3: ``except kms.exceptions.NotFoundException``."""

    ClientError = LocalKmsError

    def __getattr__(self, code: str) -> type[LocalKmsError]:
        try:
            return _CLASSES[code]
        except KeyError:
            raise AttributeError(
                f"KMS declares no {code}; catch exceptions.ClientError and read "
                "error.response['Error']['Code']"
            ) from None

    def __dir__(self) -> list[str]:
        return ["ClientError", *_CLASSES]


class ConnectionClosedError(ConnectionError):
    """No answer came. Named as botocore's own, and a built-in ConnectionError as well."""

    def __init__(self, endpoint_url: str) -> None:
        super().__init__(
            "Connection was closed before we received a valid response from endpoint URL: "
            f'"{endpoint_url}".'
        )
