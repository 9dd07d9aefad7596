"""Rules a person can read: which routes a token may use, by its claims.

>>> from kmsjwt.rules import Rule, Rules, any_of, claim, scope
>>> rules = Rules(
...     Rule("GET /orders/*", scope("orders:read")),
...     Rule("/users/{sub}/*"),
...     Rule("DELETE /orders/*", any_of(scope("orders:admin"), claim("roles").contains("admin"))),
... )
>>> claims = {"sub": "ala", "scope": "orders:read"}
>>> rules.decide(claims, "GET", "/orders/42").allowed
True
>>> rules.decide(claims, "GET", "/users/bob/orders").reason
'no_rule'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.rules.checking import Rule
from kmsjwt.rules.requirements import Requirement, all_of, any_of, claim, scope
from kmsjwt.rules.ruleset import Grant, Rules, Ruling

if TYPE_CHECKING:
    from kmsjwt.rules.file import parse_rules, read_rules

__all__ = [
    "Grant",
    "Requirement",
    "Rule",
    "Rules",
    "Ruling",
    "all_of",
    "any_of",
    "claim",
    "parse_rules",
    "read_rules",
    "scope",
]


def __getattr__(name: str) -> Any:
    if name in ("parse_rules", "read_rules"):  # rules in Python need no TOML reader
        from kmsjwt.rules import file

        return getattr(file, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
