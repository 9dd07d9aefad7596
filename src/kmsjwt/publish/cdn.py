"""A content delivery network in front of what is published."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from kmsjwt import aws
from kmsjwt.errors import ConfigError, shown
from kmsjwt.publish.aws_errors import call

if TYPE_CHECKING:
    from collections.abc import Sequence


class Cdn(Protocol):
    """What a publisher asks of a CDN: to forget."""

    def invalidate(self, paths: Sequence[str]) -> None:
        """Have the CDN fetch these paths anew, each with its leading slash.

        Raises:
            PublishError: it was not done.
        """


class CloudFront:
    """A CloudFront distribution."""

    __slots__ = ("_client", "_distribution")

    def __init__(self, distribution: str, *, client: Any = None) -> None:
        """Name the distribution by its id.

        Raises:
            ConfigError: it is no id.
        """
        if not re.fullmatch(r"[A-Z0-9]{6,32}", distribution):
            raise ConfigError(
                f"the CloudFront distribution is {shown(distribution)}, expected its id",
                code="cdn",
                fix="such as E2QWRUHAPOMQZL; not its domain name, not its ARN",
            )
        self._distribution = distribution
        self._client = client

    def invalidate(self, paths: Sequence[str]) -> None:
        """Create an invalidation of these paths.

        Raises:
            PublishError: CloudFront refused, or could not be reached.
        """
        if self._client is None:
            self._client = aws.cloudfront_client()
        call(
            self._client.create_invalidation,
            "cloudfront:CreateInvalidation",
            f"distribution {self._distribution}",
            DistributionId=self._distribution,
            InvalidationBatch={
                "Paths": {"Quantity": len(paths), "Items": list(paths)},
                # Drawn once a call, so that a request which botocore repeats counts once.
                "CallerReference": f"kmsjwt-{uuid4()}",
            },
        )

    def __repr__(self) -> str:
        return f"CloudFront({self._distribution!r})"
