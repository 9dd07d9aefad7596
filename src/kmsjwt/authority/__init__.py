"""What an issuer needs beyond signing: keys that come and go, and checks of what is published.

`Rotator` rotates a ring, with what `publisher_for` makes. ``delete`` deletes retired keys,
``iam`` renders statements, ``doctor`` looks at a deployment, ``compat`` at an issuer.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kmsjwt.authority.outcome import Preview, Report
    from kmsjwt.authority.publishers import Publisher, publisher_for
    from kmsjwt.authority.rotate import Rotator
    from kmsjwt.authority.taking import PlanTooOld

__all__ = ["PlanTooOld", "Preview", "Publisher", "Report", "Rotator", "publisher_for"]

_HOMES = {
    "PlanTooOld": "taking",
    "Preview": "outcome",
    "Publisher": "publishers",
    "Report": "outcome",
    "Rotator": "rotate",
    "publisher_for": "publishers",
}

if not TYPE_CHECKING:  # else every misspelt name would be an object

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
