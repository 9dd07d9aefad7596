"""Identity sources: what of a request must be there, and keys the gateway's cache."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kmsjwt.testing.answers import NotSimulated

if TYPE_CHECKING:
    from collections.abc import Mapping

_SOURCE = re.compile(
    r"(?:(?:method|route)\.request|\$request)\.(header|querystring)\.(.+)|\$?context\.(routeKey)"
)


class IdentitySource:
    """One source, as API Gateway spells it, such as ``method.request.header.Authorization``.

    Attributes:
        text: that spelling.
    """

    def __init__(self, expression: str) -> None:
        """Read the expression.

        Raises:
            NotSimulated: it names something other than a header, a query parameter or
                ``$context.routeKey``.
        """
        self.text = expression
        found = _SOURCE.fullmatch(expression)
        if found is None:
            raise NotSimulated(f"identity source {expression!r} is not simulated")
        self._where, self._name = (found[1], found[2]) if found[1] else ("context", found[3])

    @property
    def is_header(self) -> bool:
        """Whether it is a header."""
        return self._where == "header"

    def value(
        self, headers: Mapping[str, list[str]], query: Mapping[str, list[str]], route_key: str
    ) -> str:
        """Return the source's value in a request, empty if it is missing.

        That repeated headers are joined by commas is not verified against AWS.
        """
        if self._where == "context":
            return route_key
        if self._where == "querystring":
            return ",".join(query.get(self._name, []))
        wanted = self._name.lower()
        return ",".join(
            value for name, values in headers.items() if name.lower() == wanted for value in values
        )
