"""Claims of tokens that could exist: what rules ask for, put together as far as it can be.

``plan`` can't be ``gold`` and ``silver`` at once, so no token meets every rule of an API that asks
for both. What such a token were granted would say nothing of any real one.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from kmsjwt.errors import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from kmsjwt.rules.requirements import Requirement
    from kmsjwt.rules.routes import Route
    from kmsjwt.rules.ruleset import Grant, Rules

    Claims = dict[str, Any]
    Entry = tuple[Route, Requirement | None]

_CONTESTED, _TRIED = 8, 4  # claims, and values of each, that the most routes ask for
_LEFT_OUT = 8  # scopes and members, those that the most routes ask for
_ALONE = 16  # things that routes ask for, those that the most of them do


def fullest(
    rules: Rules,
    in_paths: Mapping[str, str],
    size: Callable[[Grant], int],
    among: Iterable[Entry] | None = None,
) -> tuple[Claims, Claims]:
    """Return the claims of a token that meets much, and those of them that had to be chosen.

    Where rules ask for values that exclude each other, the one that is granted more is chosen. It
    is not surely the largest grant of all, yet one that a token with these claims really gets.

    Args:
        rules: what to meet.
        in_paths: the claims that paths name. Where rules ask for other values, one may be chosen.
        size: how large a grant is.
        among: the routes whose needs are to be met, and what they are; all of them if left out.
    """
    entries = rules.ordered if among is None else among
    asked = [(needs, len(route.methods)) for route, needs in entries]
    first = 1 + sum(weight for _, weight in asked)  # what nobody comes past counts for more
    choices = _choices([(rules.require, first), *asked], in_paths)
    claims = {name: values[0] for name, values in choices.items()}
    wanted = _choices([(rules.require, first)], {})  # with another there may be no such token
    claims.update({name: wanted[name][0] for name in in_paths if name in wanted})
    contested = [name for name, values in choices.items() if len(values) > 1][:_CONTESTED]
    most = size(rules.grant(claims)) if contested else 0
    for name in contested:
        for value in choices[name][:_TRIED]:
            tried = {**claims, name: value}
            reached = most if value is claims[name] else size(rules.grant(tried))
            if reached > most:
                claims, most = tried, reached
    return claims, {name: claims[name] for name in contested if claims[name] != in_paths.get(name)}


def with_one_left_out(claims: Claims) -> Iterator[tuple[Claims, str]]:
    """Return claims without one of their scopes, or one member of an array; and without what."""
    members = {name: value for name, value in claims.items() if isinstance(value, list)}
    if isinstance(claims.get("scope"), str):
        members["scope"] = claims["scope"].split(" ")
    asked = [
        (place, name, each) for name, values in members.items() for place, each in enumerate(values)
    ]
    for _, name, left_out in sorted(asked, key=lambda one: one[0])[:_LEFT_OUT]:
        kept = [each for each in members[name] if each != left_out]
        if isinstance(claims[name], str):
            yield {**claims, name: " ".join(kept)}, f"scope({shown(left_out)})"
        else:
            yield {**claims, name: kept}, f"claim({shown(name)}).contains({shown(left_out)})"


def with_one_alone(rules: Rules, in_paths: Mapping[str, str]) -> Iterator[tuple[Claims, str]]:
    """Return the claims of tokens that have one of the things that rules ask for; and which.

    Beside it, each has once what `barest` has, and once nothing, which `require` may be met with.
    """
    asked = [(needs, len(route.methods)) for route, needs in rules.ordered]
    weights: Counter[tuple[str, str, bool, Any]] = Counter()
    for needs, weight in [*asked, (rules.require, sum(weight for _, weight in asked))]:
        for name, relation, value in needs.asked() if needs is not None else ():
            weights[name, relation, isinstance(value, bool), value] += weight
    for before in (barest(rules, in_paths), dict(in_paths)):
        for (name, relation, _, value), _ in weights.most_common(_ALONE):
            yield _with(before, name, relation, value)


def _with(claims: Claims, name: str, relation: str, value: Any) -> tuple[Claims, str]:
    """Return claims with one more thing, and what that is."""
    before = claims.get(name)
    if relation == "scope":
        return {
            **claims,
            name: " ".join([*(before or "").split(), value]),
        }, f"scope({shown(value)})"
    if relation == "contains":
        members = [*before, value] if isinstance(before, list) else [value]
        return {**claims, name: members}, f"claim({shown(name)}).contains({shown(value)})"
    return {**claims, name: value}, f"claim({shown(name)}).equals({shown(value)})"


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


def _by_count(values: list[Any]) -> list[Any]:
    """Return each value once, what is asked for most often first."""
    counted = Counter((isinstance(value, bool), value) for value in values)  # 1 is not true
    return [value for (_, value), _ in counted.most_common()]


_JOINED: dict[str, Callable[[list[Any]], Any]] = {
    "scope": lambda words: " ".join(_by_count(words)),
    "contains": _by_count,
    "equals": lambda alike: alike[0],
}
