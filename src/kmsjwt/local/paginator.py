"""A paginator like boto3's, for the listings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kmsjwt.local.methods import Methods

__all__ = ["Paginator", "can_paginate"]

_LISTINGS: Final = ("list_aliases", "list_key_policies", "list_keys", "list_resource_tags")


def can_paginate(operation_name: str) -> bool:
    """Tell whether an operation answers in pages."""
    return operation_name in _LISTINGS


class Paginator:
    """Follows the markers of one listing.

    Raises:
        ValueError: the operation has no pages.
    """

    def __init__(self, kms: Methods, operation_name: str) -> None:
        if not can_paginate(operation_name):
            raise ValueError(
                f"{operation_name} has no pages, expected one of {', '.join(_LISTINGS)}"
            )
        self._list = getattr(kms, operation_name)

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        """Yield each page. ``PaginationConfig={"PageSize": n}`` stands for ``Limit=n``."""
        config = request.pop("PaginationConfig", {})
        if "PageSize" in config:
            request["Limit"] = config["PageSize"]
        while True:
            page = self._list(**request)
            yield page
            if not page["Truncated"]:
                return
            request["Marker"] = page["NextMarker"]
