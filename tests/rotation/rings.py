"""Rings as facts, for plans: no KMS, no clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.rotation import Generation, Marks, Plan, Ring, RingSettings, plan

if TYPE_CHECKING:
    from collections.abc import Collection

NOW = 1_800_000_000.0
LONG_AGO = NOW - 400 * 86_400
SETTINGS = RingSettings(
    period=86_400,
    max_lifetime=3_600,
    signer_refresh=1_800,
    document_max_age=600,
    consumer_cache=7_200,
)
PUBLISH_WAIT = 600 + 7_200 + 300
DRAIN = 1_800 + 300 + 3_600 + 300 + 300
REST = 900
"""The waits of ``SETTINGS``, counted by hand."""

_MARKS = set(Marks.__slots__)


def key(number: int, **facts: Any) -> Generation:
    """Return a generation that is published, unless told otherwise."""
    marks = {name: facts.pop(name) for name in _MARKS & facts.keys()}
    known: dict[str, Any] = {
        "number": number,
        "arn": f"arn:{number}",
        "kid": f"k{number}",
        "spec": "RSA_2048",
        "state": "Enabled",
        "born": LONG_AGO,
        "marks": Marks(**{"published": LONG_AGO, **marks}),
        "settings": SETTINGS,
    }
    return Generation(**{**known, **facts})


def drained(number: int, **facts: Any) -> Generation:
    """Return a generation whose successor is known to sign, for long."""
    return key(number, **{"draining": LONG_AGO, **facts})


def ring(*generations: Generation, signing: int | None, **facts: Any) -> Ring:
    """Return a ring whose pointer has stood still for half a day, unless told otherwise."""
    since = None if signing is None else NOW - 43_200
    known = {"name": "auth", "now": NOW, "signing_since": since, **facts}
    return Ring(generations=generations, signing=signing, **known)


def planned(of: Ring, published: Collection[str] | None = None, **asked: Any) -> Plan:
    """Return the plan; by default the JWKS has the keys of all generations that are not retired."""
    if published is None:
        published = {
            str(each.kid) for each in of.generations if each.marks.retired is None and each.kid
        }
    return plan(of, published, **asked)


def due(of: Ring, published: Collection[str] | None = None, **asked: Any) -> list[tuple[str, int]]:
    """Return the steps that are due, as pairs of action and generation."""
    return [(step.action, step.number) for step in planned(of, published, **asked).due]


def actions(of: Ring, published: Collection[str] | None = None, **asked: Any) -> set[str]:
    """Return which kinds of step are due."""
    return {action for action, _ in due(of, published, **asked)}
