"""CreateAlias, UpdateAlias, DeleteAlias, ListAliases."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kmsjwt.local.errors import Refusal
from kmsjwt.local.operations._metadata import moment
from kmsjwt.local.operations._paging import page
from kmsjwt.local.operations._states import must_not_be_leaving
from kmsjwt.local.state import Alias, Key

if TYPE_CHECKING:
    from kmsjwt.local.call import Call

__all__ = ["create_alias", "delete_alias", "list_aliases", "update_alias"]

_MOST_PER_KEY = 50  # KMS guide, resource quotas
_HELP = "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
# The shape's pattern lets a colon through; KMS then refuses it in words of its own.
_NAME = re.compile(r"alias/[a-zA-Z0-9/_-]+")
_MANAGED = ("alias/aws/acm", "alias/aws/lambda", "alias/aws/s3")


def create_alias(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Name a key. Whether the name is free is asked of the truth, not of the reader's view."""
    name = _checked_name(request["AliasName"])
    with call.account.lock:
        key = _target(call, request)
        if call.region.alias(name) is not None:
            raise Refusal(
                "AlreadyExistsException",
                f"An alias with the name {call.arn(name)} already exists",
            )
        _refuse_too_many(call, key)
        alias = Alias(name=name, key_id=key.key_id, created=call.now, updated=call.now)
        call.region.put_alias(call.now, name, alias)
    return {}


def update_alias(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Point an alias at another key of the same type and usage."""
    name = _checked_name(request["AliasName"])
    with call.account.lock:
        alias = _existing(call, name)
        key = _target(call, request)
        current = call.region.key(alias.key_id)
        if current is not None:
            _refuse_other_type(current, key)
        if alias.key_id != key.key_id:
            _refuse_too_many(call, key)
        moved = Alias(name=name, key_id=key.key_id, created=alias.created, updated=call.now)
        call.region.put_alias(call.now, name, moved)
    return {}


def delete_alias(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Take the name away; the key stays."""
    name = _checked_name(request["AliasName"])
    with call.account.lock:
        _existing(call, name)
        call.region.put_alias(call.now, name, None)
    return {}


def list_aliases(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """List all aliases of the Region, or one key's, as this reader sees them."""
    with call.account.lock:
        key = call.key_by_id(request["KeyId"]) if "KeyId" in request else None
        seen = call.view.all_aliases()
    entries = {
        alias.name: _entry(call, alias)
        for alias in seen
        if key is None or alias.key_id == key.key_id
    }
    if key is None and call.shuffle_seed is not None:
        # AWS lists its own aliases too, some of them with no key behind.
        for name in _MANAGED:
            entries[name] = {"AliasName": name, "AliasArn": call.arn(name)}
    return page(call, request, entries, field="Aliases", default=50)


def _entry(call: Call, alias: Alias) -> dict[str, Any]:
    return {
        "AliasName": alias.name,
        "AliasArn": call.arn(alias.name),
        "TargetKeyId": alias.key_id,
        "CreationDate": moment(alias.created),
        "LastUpdatedDate": moment(alias.updated),
    }


def _checked_name(name: str) -> str:
    if not name.startswith("alias/"):
        raise Refusal(
            "ValidationException", f'Alias must start with the prefix "alias/". Please see {_HELP}'
        )
    if name.startswith("alias/aws/"):
        raise Refusal("NotAuthorizedException")
    if not _NAME.fullmatch(name):
        raise Refusal("ValidationException", f"{name} contains invalid characters for an alias")
    return name


def _target(call: Call, request: dict[str, Any]) -> Key:
    target = request["TargetKeyId"]
    if target.startswith("alias/") or ":alias/" in target:
        raise Refusal("ValidationException", "Aliases must refer to keys. Not aliases")
    key = call.key_to_change(target)
    must_not_be_leaving(call, key)
    return key


def _existing(call: Call, name: str) -> Alias:
    alias = call.region.alias(name)
    if alias is None:
        raise Refusal("NotFoundException", f"Alias {call.arn(name)} is not found.")
    return alias


def _refuse_other_type(current: Key, new: Key) -> None:
    if (current.spec.kind, current.usage) != (new.spec.kind, new.usage):
        raise Refusal(
            "ValidationException",
            f"The alias points to a key of type {current.spec.kind} and usage {current.usage}; "
            f"{new.arn} is of type {new.spec.kind} and usage {new.usage}. Both must be the same.",
        )


def _refuse_too_many(call: Call, key: Key) -> None:
    count = sum(alias.key_id == key.key_id for alias in call.region.all_aliases())
    if count >= _MOST_PER_KEY:
        raise Refusal(
            "LimitExceededException", f"{key.arn} has {count} aliases already, the quota."
        )
