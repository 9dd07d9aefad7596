"""Who may do what: everything is allowed, except what a test denies.

Key policies and IAM are not enforced. These rules exist to play a missing permission, one that
arrives late, and one that depends on a key's aliases (``kms:ResourceAliases``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from kmsjwt.local.faults import access_denied
from kmsjwt.local.propagation import Delay, History

if TYPE_CHECKING:
    from kmsjwt.local.account import Account
    from kmsjwt.local.call import Call
    from kmsjwt.local.errors import Refusal

__all__ = ["Permissions", "Rule"]


@dataclass(slots=True, kw_only=True, eq=False)
class Rule:
    """One denial, until it is lifted. Both take the ``permission`` delay to be seen."""

    operation: str | None
    key: str | None
    reader: str | None
    unless_alias: str | None
    _account: Account = field(repr=False)
    _denied: History[bool] = field(repr=False, default_factory=History)

    def lift(self) -> None:
        """Allow it again."""
        self.put(denied=False)

    def put(self, *, denied: bool) -> None:
        """Deny or allow, from now on."""
        with self._account.lock:
            self._denied.put(self._account.clock(), self._account.next_serial(), denied)

    def denies(self, call: Call, names: set[str], delay: Delay) -> bool:
        """Tell whether the rule refuses this request, as far as its reader's rules have spread."""
        return (
            self.operation in (None, call.operation)
            and self.reader in (None, call.reader)
            and (self.key is None or self.key in names)
            and bool(self._denied.seen(call.now, "permission", delay))
            and not self._is_excepted(call, names)
        )

    def _is_excepted(self, call: Call, names: set[str]) -> bool:
        pattern = self.unless_alias
        return pattern is not None and any(
            fnmatchcase(alias.name, pattern)
            for alias in call.view.all_aliases("permission")
            if alias.key_id in names
        )


class Permissions:
    """The denials of one account; there are none unless somebody adds one."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._rules: list[Rule] = []

    def __bool__(self) -> bool:
        return bool(self._rules)

    def deny(
        self,
        operation: str | None = None,
        *,
        key: str | None = None,
        reader: str | None = None,
        unless_alias: str | None = None,
    ) -> Rule:
        """Deny an operation; the returned rule can be lifted.

        Args:
            operation: ``"Sign"``; None for all.
            key: only on this key: id, ARN, alias or alias ARN.
            reader: only to this reader; None for everybody.
            unless_alias: allow it on keys that have an alias matching this pattern
                (``"alias/auth/*"``), as the condition key ``kms:ResourceAliases`` does. Aliases
                count here once the ``permission`` delay has passed.
        """
        rule = Rule(
            operation=operation,
            key=key,
            reader=reader,
            unless_alias=unless_alias,
            _account=self._account,
        )
        rule.put(denied=True)
        self._rules.append(rule)
        return rule

    def check(self, call: Call, names: set[str], delay: Delay) -> None:
        """Refuse a request that a rule denies.

        Raises:
            Refusal: AccessDeniedException.
        """
        for rule in self._rules:
            if rule.denies(call, names, delay):
                raise self.refusal(call, names)

    @staticmethod
    def refusal(call: Call, names: set[str], message: str | None = None) -> Refusal:
        """Return AccessDeniedException, naming the resource as AWS does: by ARN."""
        arns = sorted(name for name in names if name.startswith("arn:"))
        keys = [arn for arn in arns if ":key/" in arn]
        return access_denied(call, (keys or arns or ["*"])[0], message)
