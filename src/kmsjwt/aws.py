"""The one door to boto3: clients that answer in time, and AWS's errors told as ours.

boto3 is imported here alone, inside functions: verifying needs none of it. Errors are read by
their shape, so a stand-in for KMS needs no botocore either.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from kmsjwt.errors import (
    ConfigError,
    KmsAccessDenied,
    KmsError,
    KmsKeyNotFound,
    KmsKeyUnusable,
    KmsThrottled,
    KmsUnavailable,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# boto3 waits 60 s by default, and Lambda authorizers are cut off after 10. Two attempts of
# 1 s to connect and 2 s to answer, and a pause between them, end before that.
CONNECT_TIMEOUT = 1.0
READ_TIMEOUT = 2.0
ATTEMPTS = 2
DOCUMENT_TIMEOUT = 5.0  # no request waits for a document to be published

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_SERVICES = {"kms": "KMS", "s3": "S3", "cloudfront": "CloudFront", "sts": "STS"}

# Regions of AWS's commercial partition: kms.<region>.amazonaws.com. Those of the others, such as
# us-gov-west-1 and cn-north-1, look different.
_COMMERCIAL_REGION = r"(af|ap|ca|eu|il|me|mx|sa|us)-[a-z]+-[0-9]{1,2}"
_OTHER_ENDPOINTS = ("use_fips_endpoint", "use_dualstack_endpoint")
# In the form of botocore's own endpoints file.
_ENDPOINTS = {
    "version": 3,
    "partitions": [
        {
            "partition": "aws",
            "dnsSuffix": "amazonaws.com",
            "regionRegex": f"^{_COMMERCIAL_REGION}$",
            "regions": {},
            "services": {},
            "defaults": {
                "hostname": "{service}.{region}.{dnsSuffix}",
                "protocols": ["https"],
                "signatureVersions": ["v4"],
            },
        }
    ],
}

_NEW_KEY = "make one with: kmsjwt key create NAME"
_DIAGNOSES: dict[str, tuple[type[KmsError], str, str]] = {
    "NotFoundException": (
        KmsKeyNotFound,
        "is not there",
        f"check the name, the account and the Region, or {_NEW_KEY}",
    ),
    "DisabledException": (
        KmsKeyUnusable,
        "is disabled",
        "enable it with: aws kms enable-key --key-id KEY",
    ),
    "KMSInvalidStateException": (
        KmsKeyUnusable,
        "is in a state that allows no use, such as pending deletion",
        "see aws kms describe-key; aws kms cancel-key-deletion rescues it",
    ),
    "InvalidKeyUsageException": (
        KmsKeyUnusable,
        "has the wrong usage or spec for this",
        "use a key of usage SIGN_VERIFY, and an algorithm of its spec",
    ),
    "UnsupportedOperationException": (
        KmsKeyUnusable,
        "is of a kind that cannot do this",
        "use an asymmetric key of usage SIGN_VERIFY",
    ),
    "InvalidArnException": (
        KmsKeyNotFound,
        "is named by an ARN that KMS does not accept",
        "check the ARN, and that the client is in its Region",
    ),
    # Not throttling: it is about how many keys, aliases or tags there may be.
    "LimitExceededException": (
        KmsError,
        "would exceed a resource quota",
        "remove keys, aliases or tags that are not used, or ask AWS for a higher quota",
    ),
    "KeyUnavailableException": (KmsUnavailable, "is unavailable for the moment", "try again"),
    "DependencyTimeoutException": (KmsUnavailable, "could not be used: KMS timed out", "try again"),
    **dict.fromkeys(
        ("KMSInternalException", "InternalFailure"),
        (KmsUnavailable, "could not be used: KMS failed inside", "try again"),
    ),
    **dict.fromkeys(
        ("ServiceUnavailable", "ServiceUnavailableException"),
        (KmsUnavailable, "could not be used: KMS is unavailable", "try again"),
    ),
}
_CONDITIONS = {
    **dict.fromkeys(
        ("Sign", "Verify"),
        "kms:RequestAlias (the key is used by its ARN), kms:ResourceAliases,"
        " kms:SigningAlgorithm, kms:MessageType",
    ),
    "GetPublicKey": "kms:ResourceAliases, kms:RequestAlias, and kms:SigningAlgorithm or"
    " kms:MessageType, which GetPublicKey never matches",
    "DescribeKey": "kms:ResourceAliases, kms:RequestAlias",
}
_THROTTLING = frozenset({"ThrottlingException", "Throttling", "RequestLimitExceeded"})
BAD_CREDENTIALS = frozenset(
    # Split, since a list of these would take a line for each.
    "ExpiredTokenException ExpiredToken UnrecognizedClientException InvalidClientTokenId"  # noqa: SIM905  a list of words reads better
    " InvalidSignatureException IncompleteSignature MissingAuthenticationToken NoCredentialsError"
    " PartialCredentialsError CredentialRetrievalError TokenRetrievalError"
    " UnauthorizedSSOTokenError SSOTokenLoadError".split()
)
GET_CREDENTIALS = (
    "sign in (aws configure, aws sso login) or set AWS_PROFILE; "
    "without an account: kmsjwt local run -- COMMAND"
)


def kms_client(
    region: str | None = None, *, attempts: int = ATTEMPTS, read_timeout: float = READ_TIMEOUT
) -> Any:
    """Return a boto3 KMS client whose timeouts fit a Lambda authorizer.

    Args:
        region: the Region; the environment's when None.
        attempts: how often a request is sent before giving up; 1 for what must not be repeated.
        read_timeout: seconds to wait for an answer.

    Raises:
        ConfigError: boto3 is not installed, or no Region is known.
    """
    return _client("kms", region, attempts, read_timeout)


def s3_client(region: str | None = None) -> Any:
    """Return a boto3 S3 client for small documents.

    Args:
        region: the bucket's Region; the environment's when None.

    Raises:
        ConfigError: boto3 is not installed, or its settings make no sense.
    """
    return _client("s3", region, ATTEMPTS, DOCUMENT_TIMEOUT)


def cloudfront_client() -> Any:
    """Return a boto3 CloudFront client, which has one endpoint for all Regions.

    Raises:
        ConfigError: as `s3_client`.
    """
    return _client("cloudfront", None, ATTEMPTS, DOCUMENT_TIMEOUT)


def sts_client(region: str | None = None) -> Any:
    """Return a boto3 STS client, which tells who is calling.

    Args:
        region: the Region; the environment's when None.

    Raises:
        ConfigError: as `kms_client`.
    """
    return _client("sts", region, ATTEMPTS, READ_TIMEOUT)


def _client(service: str, region: str | None, attempts: int, read_timeout: float) -> Any:
    try:
        # What boto3 would make a client with. Importing boto3 itself as well takes a cold start
        # a tenth longer, and adds nothing to a client.
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
        from botocore.session import Session
    except ImportError as error:
        raise ConfigError(
            f"boto3 is not installed, and {_SERVICES[service]} is reached through it",
            code="no_boto3",
            fix="pip install 'kmsjwt[aws]'",
        ) from error
    settings = Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    try:
        session = Session()
        # boto3 alone among AWS's SDKs does not read AWS_REGION.
        chosen = region or session.get_config_variable("region") or os.environ.get("AWS_REGION")
        if service == "kms" and _is_plain(session, chosen):
            session.set_config_variable("region", chosen)  # for STS, should it be asked
            session = _of_few_files(session)
        return session.create_client(service, region_name=chosen, config=settings)
    except (BotoCoreError, ValueError) as error:
        raise _no_client(_SERVICES[service], error) from error


def _is_plain(session: Any, region: object) -> bool:
    named = isinstance(region, str) and re.fullmatch(_COMMERCIAL_REGION, region) is not None
    return named and not any(map(session.get_config_variable, _OTHER_ENDPOINTS))


def _of_few_files(session: Any) -> Any:
    """Return a session that makes KMS clients, and nothing else, without reading so much.

    Spared are the names of all services and the endpoints of all of them, a megabyte of JSON.
    Credentials come from the session given: it can ask STS and IAM Identity Center for them.
    """
    from botocore.loaders import Loader
    from botocore.session import Session

    class KmsLoader(Loader):  # type: ignore[misc]  # botocore has no types
        def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002  botocore's
            return ["kms"]

        def load_data_with_path(self, name: str) -> tuple[Any, str]:
            found = (_ENDPOINTS, "") if name == "endpoints" else super().load_data_with_path(name)
            return cast("tuple[Any, str]", found)

    paths = (session.get_config_variable("data_path") or "").split(os.pathsep)
    named = [os.path.expanduser(os.path.expandvars(path)) for path in paths if path]  # noqa: PTH111  as botocore
    loader = KmsLoader(extra_search_paths=named)
    of_few_files = Session()
    of_few_files.register_component("data_loader", loader)
    of_few_files.register_component(
        "credential_provider", session.get_component("credential_provider")
    )
    return of_few_files


def call(method: Callable[..., Any], action: str, key: str, **parameters: Any) -> Any:
    """Call one KMS operation and tell its failure as ours.

    Args:
        method: the client's method.
        action: the operation's name in IAM, such as ``Sign``.
        key: the key as its user named it, for messages.
        **parameters: the operation's own.

    Raises:
        KmsError: KMS refused, failed or could not be reached.
    """
    try:
        return method(**parameters)
    except Exception as error:
        told = explain(error, action, key)
        if told is None:
            raise
        raise told from error


def error_code(error: BaseException) -> str:
    """Return AWS's error code, or the exception's class name where AWS did not answer."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return str(response.get("Error", {}).get("Code", ""))
    return type(error).__name__


def explain(error: Exception, action: str, key: str) -> KmsError | None:
    """Return our error for what boto3 raised, or None if it is neither AWS's nor the network's."""
    code = error_code(error)
    details: dict[str, Any] = {"action": action, "key": key, "aws_code": code}
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        details["request_id"] = str(response.get("ResponseMetadata", {}).get("RequestId", ""))
    elif not is_connection_trouble(error) and code not in BAD_CREDENTIALS:
        return _not_sent(error, action, key, details)
    if code in BAD_CREDENTIALS:
        return KmsAccessDenied(
            f"kms:{action} on {key} was not sent or not accepted: {credentials_fault(code)}",
            code="no_credentials",
            fix=GET_CREDENTIALS,
            **details,
        )
    if code in {"AccessDeniedException", "AccessDenied"}:
        return _denied(action, key, aws_message(response), details)
    if code in _THROTTLING:
        return KmsThrottled(
            f"kms:{action} on {key} was throttled: the account's request quota is used up",
            fix="try again with back-off; verify locally, and ask AWS for a higher quota",
            **details,
        )
    if code in _DIAGNOSES:
        kind, state, fix = _DIAGNOSES[code]
        return kind(f"the KMS key {key} {state} (kms:{action})", fix=fix, **details)
    if response is None:
        return KmsUnavailable(
            f"KMS could not be reached for kms:{action} on {key}: {code}",
            fix="check the network path, the Region and any VPC endpoint; try again",
            **details,
        )
    return _other(action, key, response, details)


def _not_sent(error: Exception, action: str, key: str, details: dict[str, Any]) -> KmsError | None:
    if "BotoCoreError" not in _kinds(error):
        return None
    # By its name alone: what botocore could not send may stand in its text.
    return KmsError(
        f"kms:{action} on {key} was not sent: boto3 raised {type(error).__name__}",
        fix="check AWS_PROFILE, ~/.aws/config and the client's settings",
        **details,
    )


def _denied(action: str, key: str, told: str, details: dict[str, Any]) -> KmsAccessDenied:
    fix = f"allow kms:{action} on the key's ARN, in the role's policy or the key's"
    if action in _CONDITIONS:
        fix += f"; conditions that refuse: {_CONDITIONS[action]}"
    because = f" ({told})" if told else ""
    return KmsAccessDenied(f"kms:{action} on {key} is denied{because}", fix=fix, **details)


def _other(action: str, key: str, response: dict[str, Any], details: dict[str, Any]) -> KmsError:
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    kind = KmsUnavailable if isinstance(status, int) and status >= 500 else KmsError
    told = aws_message(response)
    return kind(
        f"kms:{action} on {key} failed: {details['aws_code']} {told}".rstrip(),
        fix="change what KMS names: the same request fails again"
        if kind is KmsError
        else "try again",
        **details,
    )


def aws_message(response: object) -> str:
    """Return AWS's own words on one line, if there was an answer."""
    if not isinstance(response, dict):
        return ""
    return " ".join(str(response.get("Error", {}).get("Message", "")).split())[:400]


def credentials_fault(code: str) -> str:
    """Return what is wrong with the credentials, by AWS's error code."""
    if code in {"ExpiredTokenException", "ExpiredToken"}:
        return "the AWS credentials have expired"
    if code in {"NoCredentialsError", "PartialCredentialsError"}:
        return "no AWS credentials were found"
    return f"the AWS credentials are not valid ({code})"


def answered_at(answer: object) -> float | None:
    """Return when AWS answered, seconds since 1970 by its ``Date`` header; None if it has none."""
    from email.utils import parsedate_to_datetime

    told = answer.get("ResponseMetadata", {}) if isinstance(answer, dict) else {}
    try:
        return parsedate_to_datetime(told["HTTPHeaders"]["date"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return None


def is_local(client: Any) -> bool:
    """Tell whether a client asks a stand-in on this machine, where listing costs nothing."""
    return urlsplit(str(client.meta.endpoint_url)).hostname in _LOOPBACK


def is_connection_trouble(error: Exception) -> bool:
    """Tell whether no answer came: nobody knows whether the request was carried out."""
    if isinstance(error, (ConnectionError, TimeoutError)):
        return True
    return not _kinds(error).isdisjoint({"HTTPClientError", "ConnectionError"})


def _kinds(error: Exception) -> frozenset[str]:
    return frozenset(kind.__name__ for kind in type(error).__mro__)


def _no_client(service: str, error: Exception) -> ConfigError:
    if type(error).__name__ == "NoRegionError":
        return ConfigError(
            "no AWS Region is set, and the key is not named by an ARN",
            code="no_region",
            fix="set AWS_REGION, or name the key by its ARN",
        )
    return ConfigError(
        f"no {service} client could be made: {error}",
        code="aws_config",
        fix="check AWS_PROFILE, AWS_REGION and ~/.aws/config",
    )
