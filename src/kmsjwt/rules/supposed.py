"""Claims of tokens that could exist: what rules ask for, put together as far as it can be.

``plan`` can't be ``gold`` and ``silver`` at once, so no token meets every rule of an API that asks
for both. What such a token were granted would say nothing of any real one.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from kmsjwt.rules.requirements import Requirement
    from kmsjwt.rules.ruleset import Grant, Rules

    Claims = dict[str, Any]

_CONTESTED, _TRIED = 8, 4  # claims, and values of each, that the most routes ask for


def fullest(
    rules: Rules, in_paths: Mapping[str, str], size: Callable[[Grant], int]
) -> tuple[Claims, Claims]:
    """Return the claims of a token that meets much, and those of them that had to be chosen.

    Where rules ask for values that exclude each other, the one that is granted more is chosen. It
    is not surely the largest grant of all, yet one that a token with these claims really gets.

    Args:
        rules: what to meet.
        in_paths: the claims that paths name. Where rules ask for other values, one may be chosen.
        size: how large a grant is.
    """
    asked = [(needs, len(route.methods)) for route, needs in rules.ordered]
    first = 1 + sum(weight for _, weight in asked)  # what nobody comes past counts for more
    choices = _choices([(rules.require, first), *asked], in_paths)
    claims = {name: values[0] for name, values in choices.items()}
    contested = [name for name, values in choices.items() if len(values) > 1][:_CONTESTED]
    for name in contested:
        tried = [{**claims, name: value} for value in choices[name][:_TRIED]]
        claims = max(tried, key=lambda each: size(rules.grant(each)))
    return claims, {name: claims[name] for name in contested if claims[name] != in_paths.get(name)}


def barest(rules: Rules, in_paths: Mapping[str, str]) -> Claims:
    """Return the claims of a token that has nothing else than what ``require`` asks for."""
    choices = _choices([(rules.require, 1)], in_paths)
    scopes = " ".join(rules.decide_token({}).scopes)  # of any_of, those of one
    return {**{name: values[-1] for name, values in choices.items()}, "scope": scopes}


def _choices(
    asked: Iterable[tuple[Requirement | None, int]], in_paths: Mapping[str, str]
) -> dict[str, list[Any]]:
    """Return each claim with the values that exclude each other, the most asked for first."""
    weights: Counter[tuple[object, ...]] = Counter()
    values: dict[tuple[object, ...], list[Any]] = {}
    for needs, weight in asked:
        for name, relation, value in needs.asked() if needs is not None else ():
            alone = (isinstance(value, bool), value) if relation == "equals" else ()
            weights[name, relation, *alone] += weight
            values.setdefault((name, relation, *alone), []).append(value)
    choices: dict[str, list[Any]] = {name: [value] for name, value in in_paths.items()}
    for key, _ in weights.most_common():
        choices.setdefault(str(key[0]), []).append(_JOINED[str(key[1])](values[key]))
    return choices


_JOINED: dict[str, Callable[[list[Any]], Any]] = {
    "scope": " ".join,
    "contains": list,
    "equals": lambda alike: alike[0],
}
