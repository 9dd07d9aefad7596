"""One request on its way: who asks, in which Region, when, and what they see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kmsjwt.local.arns import Arn, is_key_id, partition_of
from kmsjwt.local.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kmsjwt.local.account import Account, Region, View
    from kmsjwt.local.state import Key

__all__ = ["Call"]

_NAMING = ("KeyId", "TargetKeyId", "AliasName")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request.

    Attributes:
        reader: the name of the client's view, empty for the plain one.
        now: seconds since the epoch, the same throughout the request.
        view: what this reader sees of the Region.
        ready_delay: seconds that a fresh replica stays in state Creating.
        shuffle_seed: orders listings and cuts their pages short, in the strict mode only.
    """

    account: Account
    region: Region
    operation: str
    reader: str
    request_id: str
    now: float
    view: View
    ready_delay: float = 0.0
    shuffle_seed: str | None = None

    @property
    def principal(self) -> str:
        """The ARN of the user that AWS would name in an AccessDenied message."""
        user = self.reader or "local"
        return f"arn:{partition_of(self.region.name)}:iam::{self.account.account_id}:user/{user}"

    def key(self, key_id: str) -> Key:
        """Return the key that an id, key ARN, alias or alias ARN names, as this reader sees it.

        Raises:
            Refusal: NotFoundException, or AccessDeniedException for another account's ARN.
        """
        name = self._local_name(key_id)
        if name.startswith("alias/"):
            alias = self.view.alias(name)
            if alias is None:
                raise Refusal("NotFoundException", f"Alias {self.arn(name)} is not found.")
            name = alias.key_id
        return self._by_id(name)

    def key_by_id(self, key_id: str) -> Key:
        """Return the key that an id or key ARN names; KMS takes no alias here.

        Raises:
            Refusal: NotFoundException, for an alias too.
        """
        name = self._local_name(key_id)
        if name.startswith("alias/"):
            raise Refusal("NotFoundException", f"Invalid keyId '{key_id}'")
        return self._by_id(name)

    def key_to_change(self, key_id: str) -> Key:
        """Return the key that an id or key ARN names, as it truly is.

        A reader who doesn't see the key yet can't change it; one who sees an old state of it
        must not write that back.

        Raises:
            Refusal: as ``key_by_id``.
        """
        seen = self.key_by_id(key_id)
        return self.region.key(seen.key_id) or seen

    def names_of(self, request: Mapping[str, Any]) -> set[str]:
        """Return every name by which somebody may mean the key or alias of a request."""
        given = [request[name] for name in _NAMING if isinstance(request.get(name), str)]
        names = set(given)
        for text in given:
            try:
                key = self.key(text)
            except Refusal:
                continue
            names |= {key.key_id, key.arn}
            for alias in self.region.all_aliases():
                if alias.key_id == key.key_id:
                    names |= {alias.name, self.arn(alias.name)}
        return names

    def arn(self, resource: str) -> str:
        """Return the ARN of ``key/…`` or ``alias/…`` in this Region."""
        return str(Arn(self.region.name, self.account.account_id, resource))

    def _by_id(self, key_id: str) -> Key:
        if not is_key_id(key_id):
            raise Refusal("NotFoundException", f"Invalid keyId '{key_id}'")
        key = self.view.key(key_id)
        if key is None:
            raise Refusal("NotFoundException", f"Key '{self.arn('key/' + key_id)}' does not exist")
        return key

    def _local_name(self, key_id: str) -> str:
        """Return a key id or alias name of this Region."""
        if not key_id.startswith("arn:"):
            return key_id
        arn = Arn.parse(key_id)
        if arn is None:
            raise Refusal("NotFoundException", f"Invalid arn {key_id}")
        if arn.region != self.region.name:
            raise Refusal("NotFoundException", f"Invalid arn {arn.region}")
        if arn.account_id != self.account.account_id:
            raise Refusal(
                "AccessDeniedException",
                f"User: {self.principal} is not authorized to perform: kms:{self.operation} on "
                f"resource: {key_id} because the resource does not exist in this Region, no "
                "resource-based policies allow access, or a resource-based policy explicitly "
                "denies access",
            )
        return arn.resource.removeprefix("key/")
