"""The ARN of a request to API Gateway, taken apart; the resource of a whole stage, put together.

``arn:<partition>:execute-api:<region>:<account>:<api id>/<stage>/<method>/<path>``. The path is
the client's own text: it may hold ``:``, ``*``, ``?`` and ``${``, so none of it is ever copied
into a policy.
"""

from __future__ import annotations

import re

from kmsjwt._immutable import Immutable

WHOLE_STAGE_UNNAMED = "*"
"""The stage in AWS's sample TOKEN event. No deployed stage has this name."""

# Each part alone may hold nothing that IAM reads as more than itself. API Gateway names stages
# [A-Za-z0-9_-], and $default on HTTP APIs; a lone $ is literal, only ${ begins a variable.
_ARN = re.compile(
    r"arn:(?P<partition>[A-Za-z0-9-]{1,32}):execute-api:(?P<region>[A-Za-z0-9-]{1,32})"
    r":(?P<account>[A-Za-z0-9_-]{1,32}):(?P<api_id>[A-Za-z0-9_-]{1,64})"
    r"/(?P<stage>[A-Za-z0-9_-]{1,128}|\$default|\*)(?P<route>/.*)?",
    re.ASCII | re.DOTALL,
)


class InvokeArn(Immutable):
    """The parts of an execute-api ARN.

    Attributes:
        partition: ``aws``, ``aws-cn``, ``aws-us-gov`` or another.
        region: the Region.
        account: the account id.
        api_id: the API's id.
        stage: the stage's name, ``$default``, or ``*`` in AWS's sample event.
        method: the HTTP method, or the route key of a WebSocket.
        path: the rest, from its ``/`` on, as it stands; empty when there is none.
    """

    __slots__ = ("account", "api_id", "method", "partition", "path", "region", "stage")

    partition: str
    region: str
    account: str
    api_id: str
    stage: str
    method: str
    path: str

    def __init__(
        self,
        *,
        partition: str,
        region: str,
        account: str,
        api_id: str,
        stage: str,
        method: str = "",
        path: str = "",
    ) -> None:
        self._fill(
            partition=partition,
            region=region,
            account=account,
            api_id=api_id,
            stage=stage,
            method=method,
            path=path,
        )

    @classmethod
    def parse(cls, text: object) -> InvokeArn | None:
        """Take an ARN apart; None if it is none that a policy can name the API and stage of."""
        found = _ARN.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            return None
        parts = found.groupdict(default="")
        method, slash, path = parts.pop("route")[1:].partition("/")
        return cls(**parts, method=method, path=slash + path)

    @property
    def stage_resource(self) -> str:
        """The policy resource of every method and path of this API and stage."""
        return (
            f"arn:{self.partition}:execute-api:{self.region}:{self.account}"
            f":{self.api_id}/{self.stage}/*"
        )
