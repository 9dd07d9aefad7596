"""TagResource, UntagResource, ListResourceTags, and the rules for tags."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kmsjwt.local.errors import Refusal
from kmsjwt.local.operations._paging import page
from kmsjwt.local.operations._states import must_not_be_leaving

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kmsjwt.local.call import Call

__all__ = ["list_resource_tags", "read_tags", "tag_resource", "untag_resource"]

_MOST = 50
# Letters, digits, spaces and these (AWS General Reference, tag naming limits).
_ALLOWED = re.compile(r"[\w\s.:/=+\-@]*")


def read_tags(given: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the tags of a request as a mapping.

    Raises:
        Refusal: TagException, in AWS's words where those were recorded.
    """
    tags: dict[str, str] = {}
    for tag in given:
        key, value = tag["TagKey"], tag["TagValue"]
        if key.lower().startswith("aws:"):
            raise Refusal("TagException", "Tags beginning with aws: are reserved")
        if key in tags:
            raise Refusal("TagException", "Duplicate tag keys")
        if not (_ALLOWED.fullmatch(key) and _ALLOWED.fullmatch(value)):
            raise Refusal(
                "TagException", "Tag keys and values hold a character not allowed in tags"
            )
        tags[key] = value
    _refuse_too_many(tags)
    return tags


def tag_resource(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Add tags, or give those that exist another value."""
    added = read_tags(request["Tags"])
    with call.account.lock:
        key = call.key_to_change(request["KeyId"])
        must_not_be_leaving(call, key)
        tags = {**call.region.tags(key.key_id), **added}
        _refuse_too_many(tags)
        call.region.put_tags(call.now, key, tags)
    return {}


def untag_resource(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Remove tags; a tag that isn't there is no error."""
    with call.account.lock:
        key = call.key_to_change(request["KeyId"])
        must_not_be_leaving(call, key)
        gone = set(request["TagKeys"])
        if any(name.lower().startswith("aws:") for name in gone):
            raise Refusal("TagException", "Tags beginning with aws: are reserved")
        kept = {
            name: value for name, value in call.region.tags(key.key_id).items() if name not in gone
        }
        call.region.put_tags(call.now, key, kept)
    return {}


def list_resource_tags(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """List the key's tags as this reader sees them."""
    with call.account.lock:
        key = call.key_by_id(request["KeyId"])
        tags = call.view.tags(key.key_id)
    entries = {name: {"TagKey": name, "TagValue": value} for name, value in tags.items()}
    return page(call, request, entries, field="Tags", default=50)


def _refuse_too_many(tags: Mapping[str, str]) -> None:
    if len(tags) > _MOST:
        raise Refusal("TagException", "Too many tags")
