"""What goes through the simulated gateway: the request asked, told to the backend, answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Values = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphqlRequest:
    """What a client asks of an AppSync API.

    Attributes:
        query: the GraphQL document.
        operation: the name of the operation to run, None if it is the only one.
        variables: the operation's variables.
    """

    query: str
    operation: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)


class Asked:
    """A client's request with all its values listed."""

    def __init__(
        self,
        method: str,
        path: str,
        headers: Values,
        query: Values,
        graphql: GraphqlRequest | None = None,
    ) -> None:
        """List the values."""
        self.graphql = graphql
        self.method = method
        self.path = path
        self.headers = {k: [v] if isinstance(v, str) else list(v) for k, v in headers.items()}
        self.query = {k: [v] if isinstance(v, str) else list(v) for k, v in query.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendRequest:
    """What the function behind the gateway is told.

    Attributes:
        method: HTTP method.
        path: the path, without the stage and the query.
        headers: header values by name.
        query: query values by name.
        authorizer: the context; on REST and WebSocket APIs as text, with ``principalId``.
        graphql: what is asked of an AppSync API, None of the others.
    """

    method: str
    path: str
    headers: Mapping[str, list[str]]
    query: Mapping[str, list[str]]
    authorizer: Mapping[str, Any]
    graphql: GraphqlRequest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayResponse:
    """What the client sees, and how it came about.

    Attributes:
        status: HTTP status; 101 for a WebSocket that was let in.
        body: the body as a JSON value.
        headers: the headers that AWS adds and that tell one failure from another.
        reason: ``allowed``, ``missing_identity``, ``identity_mismatch``, ``unauthorized``,
            ``explicit_deny``, ``implicit_deny``, ``not_authorized``, ``authorizer_error``,
            ``malformed_answer``, ``arn_too_long`` or ``no_route``.
        detail: for people: what was wrong, where that is known here. No client sees it.
        cached: whether a cached answer was used.
        invoked: whether the authorizer was called.
        age: seconds since the authorizer gave the cached answer; None if it was asked now. What
            happened to the token in those seconds is not in the answer.
        context: what the backend was told.
        denied_fields: the fields that AppSync would answer with null; no GraphQL is run here.
    """

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    reason: str
    detail: str | None = None
    cached: bool = False
    invoked: bool = False
    age: float | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    denied_fields: tuple[str, ...] = ()
