"""What S3 and CloudFront refuse, told as our errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt import aws
from kmsjwt.errors import PlaceDenied, PlaceNotFound, PlaceUnavailable, PublishError

if TYPE_CHECKING:
    from collections.abc import Callable

_BAD_CREDENTIALS = aws.BAD_CREDENTIALS | {"InvalidAccessKeyId", "SignatureDoesNotMatch"}
_DENIED = frozenset({"AccessDenied", "AllAccessDisabled", "AccountProblem", "403"})
_NOT_FOUND = frozenset({"NoSuchBucket", "NoSuchDistribution"})
_PASSING = frozenset(
    {
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "RequestTimeout",
        "RequestLimitExceeded",
        "TooManyInvalidationsInProgress",
        "OperationAborted",
        "IncompleteReadError",  # botocore's own: the connection broke within the body
    }
)


def call(method: Callable[..., Any], action: str, where: str, **parameters: Any) -> Any:
    """Call one operation and tell its failure as ours.

    Args:
        method: the client's method.
        action: the operation's name in IAM, such as ``s3:PutObject``.
        where: the document, for messages.
        **parameters: the operation's own.

    Raises:
        PublishError: it was refused, or failed, or could not be reached.
    """
    try:
        return method(**parameters)
    except Exception as error:
        told = explain(error, action, where)
        if told is None:
            raise
        raise told from error


def explain(error: Exception, action: str, where: str) -> PublishError | None:
    """Return our error for what boto3 raised, or None if it is neither AWS's nor the network's."""
    code = aws.error_code(error)
    response = getattr(error, "response", None)
    answer = response if isinstance(response, dict) else {}
    metadata = answer.get("ResponseMetadata", {})
    told: dict[str, Any] = {
        "where": where,
        "aws_code": code,
        "request_id": str(metadata.get("RequestId", "")),
    }
    because = f": {code} {aws.aws_message(response)}".rstrip()
    if code in _BAD_CREDENTIALS:
        return PlaceDenied(
            f"{action} on {where} was not sent or not accepted: {aws.credentials_fault(code)}",
            code="no_credentials",
            fix=aws.GET_CREDENTIALS,
            **told,
        )
    if code in _DENIED:
        return PlaceDenied(f"{action} on {where} is denied{because}", fix=_allow(action), **told)
    if code in _NOT_FOUND:
        return PlaceNotFound(
            f"{action} on {where} failed{because}",
            fix="check its name, the account and the Region",
            **told,
        )
    status = metadata.get("HTTPStatusCode", 0)
    if code in _PASSING or (isinstance(status, int) and status >= 500):
        return PlaceUnavailable(
            f"{action} on {where} failed for the moment{because}", fix="try again", **told
        )
    if answer:
        return PublishError(
            f"{action} on {where} failed{because}",
            fix="change what AWS names: the same request fails again",
            **told,
        )
    return _unanswered(error, f"{action} on {where}", told)


def _unanswered(error: Exception, what: str, told: dict[str, Any]) -> PublishError | None:
    if aws.is_connection_trouble(error):
        return PlaceUnavailable(
            f"{what} got no answer: {told['aws_code']}",
            fix="try again; if it was a write, it may have been made, and a second does no harm",
            **told,
        )
    if "BotoCoreError" not in {kind.__name__ for kind in type(error).__mro__}:
        return None
    # By its name alone: what botocore could not send may stand in its text.
    return PublishError(
        f"{what} was not sent: boto3 raised {told['aws_code']}",
        fix="check AWS_PROFILE, ~/.aws/config and the client's settings",
        **told,
    )


def _allow(action: str) -> str:
    fix = f"allow {action} on it, in the role's policy or the bucket's"
    if action == "s3:GetObject":
        fix += "; without s3:ListBucket on the bucket a missing document is denied too"
    return fix
