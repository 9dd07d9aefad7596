"""The ARN of a request to API Gateway, taken apart; the resource of a whole stage, put together.

``arn:<partition>:execute-api:<region>:<account>:<api id>/<stage>/<method>/<path>``. The path is
the client's own text: it may hold ``:``, ``*``, ``?`` and ``${``, so none of it is ever copied
into a policy.
"""

from __future__ import annotations

from functools import lru_cache

from kmsjwt._immutable import Immutable

WHOLE_STAGE_UNNAMED = "*"
"""The stage in AWS's sample TOKEN event. No deployed stage has this name."""

# Each part alone may hold nothing that IAM reads as more than itself. API Gateway names stages
# [A-Za-z0-9_-], and $default on HTTP APIs; a lone $ is literal, only ${ begins a variable.
# Sets instead of a pattern: compiling one takes a cold start longer than all else here.
_WORD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")
_NAME = _WORD | {"_"}
_LONGEST_API = 192
_LONGEST_WORD, _LONGEST_ID, _LONGEST_STAGE = 32, 64, 128


class Api(Immutable):
    """One API, or one stage of it.

    Attributes:
        api_id: the API's id.
        stage: the stage's name, ``$default``, or ``*`` in AWS's sample event; empty if it has none.
        resource: the policy resource of every method and path; empty if no policy is made for it.
    """

    __slots__ = ("api_id", "resource", "stage")

    api_id: str
    stage: str
    resource: str

    def __init__(self, api_id: str, stage: str = "", resource: str = "") -> None:
        self._fill(api_id=api_id, stage=stage, resource=resource)

    def below(self, route: str) -> str:
        """Return the resource of one route, such as ``GET/orders/*``."""
        return self.resource[:-1] + route

    @classmethod
    def of_arn(cls, arn: str) -> Api | None:
        """Return the stage an execute-api ARN names; None if no policy can be made for it."""
        api, *rest = arn.split("/", 2)
        return _stage(api, rest[0]) if rest and len(api) < _LONGEST_API else None


def route_of_arn(arn: str) -> tuple[str, str]:
    """Return the method, or the route key of a WebSocket, and the path from its ``/`` on.

    Both as they stand in the ARN; empty where there is none.
    """
    _, _, rest = arn.partition("/")
    _, _, route = rest.partition("/")
    method, slash, path = route.partition("/")
    return method, slash + path


@lru_cache(maxsize=64)  # a function serves few stages, and the gateway names them, not a client
def _stage(api: str, name: str) -> Api | None:
    arn, *words = api.split(":")
    if arn != "arn" or len(words) != 5 or words[1] != "execute-api":
        return None
    partition, _, region, account, api_id = words
    if not (
        _is_made_of(_WORD, partition, _LONGEST_WORD)
        and _is_made_of(_WORD, region, _LONGEST_WORD)
        and _is_made_of(_NAME, account, _LONGEST_WORD)
        and _is_made_of(_NAME, api_id, _LONGEST_ID)
        and (name in ("$default", WHOLE_STAGE_UNNAMED) or _is_made_of(_NAME, name, _LONGEST_STAGE))
    ):
        return None
    return Api(api_id, name, f"{api}/{name}/*")


def _is_made_of(characters: frozenset[str], text: str, longest: int) -> bool:
    return 0 < len(text) <= longest and characters.issuperset(text)
