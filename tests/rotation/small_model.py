"""Every interleaving of two rotators on a ring of three generations, in steps of five minutes.

What may happen is in `tests.rotation.small_world`, what must not here.
``python -m tests.rotation.small_model`` goes through all of it and tells how many states there
are; with ``--withdrawals --most 1500000``, through so many of those that follow when the key that
signs is withdrawn, the nearest first.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import deque
from typing import Any, NamedTuple

from tests.rotation.small_world import (
    LONG_AGO,
    MOST,
    Key,
    Kms,
    Rules,
    State,
    due,
    successors,
)


class Broken(AssertionError):
    """An invariant does not hold; the text is the way there."""


class Told(NamedTuple):
    """How much was explored: all of it, or all that so many transitions may lead to.

    Attributes:
        deep: how many, if not all.
    """

    states: int
    transitions: int
    moves: int
    plans: int
    deep: int | None = None


def explore(rules: Rules, most: int = 5_000_000, *, bounded: bool = False) -> Told:
    """Visit every state that can be reached, and check what each transition does.

    Args:
        rules: what is explored.
        most: how many states.
        bounded: stop there, instead of failing: nearer states were visited first.

    Raises:
        Broken: an invariant does not hold.
    """
    first = Kms((Key(published=LONG_AGO),), 1, LONG_AGO)
    start = State(first, first, (rules.cache, None, None), (None,) * MOST, (None,) * rules.actors)
    came: dict[State, tuple[State, str] | None] = {start: None}
    waiting = deque([start])
    ahead, deep = 1, 0  # states that are as far away as the present one
    transitions = moves = 0
    due.cache_clear()
    while waiting:
        if not ahead:
            ahead, deep = len(waiting), deep + 1
        ahead -= 1
        state = waiting.popleft()
        for what, following in successors(state, rules):
            transitions += 1
            moves += following.true.signing != state.true.signing
            wrong = _wrong(state, following, rules)
            if wrong:
                raise Broken(f"{wrong}\n" + "\n".join(_way(came, state, what)))
            if following not in came:
                came[following] = (state, what)
                waiting.append(following)
        if len(came) > most and bounded:
            return Told(len(came), transitions, moves, due.cache_info().currsize, deep)
        if len(came) > most:
            raise OverflowError(f"more than {most} states")
    return Told(len(came), transitions, moves, due.cache_info().currsize)


def _way(came: dict[State, Any], state: State, what: str) -> list[str]:
    told = [what]
    before = came[state]
    while before is not None:
        told.append(before[1])
        before = came[before[0]]
    return told[::-1]


def _wrong(before: State, after: State, rules: Rules) -> str | None:
    """Return which invariant a transition breaks."""
    keys, signing = after.true.keys, after.true.signing
    withdrawn = {number for number, key in enumerate(keys, 1) if key.withdrawn}
    if signing != before.true.signing:
        if signing < before.true.signing and not withdrawn:
            return f"the pointer went back to {signing}"
        since = after.jwks[signing - 1]
        if since is None and signing not in withdrawn:
            return f"{signing} signs and is not published"
        if not withdrawn and (since or 0) < rules.cache:
            return f"{signing} signs, and a consumer may lack it"
    for number, left in enumerate(after.left, 1):
        lives = number == signing or (left is not None)
        if lives and after.jwks[number - 1] is None and number not in withdrawn:
            return f"{number} is not published, and a token of it may be alive"
    if all(since is None for since in after.jwks):
        return "the JWKS is empty"
    return None


def main() -> int:
    """Explore, and tell how much there was."""
    parser = argparse.ArgumentParser(description="Explore every interleaving of two rotators.")
    parser.add_argument("--cache", type=int, default=0, help="units of 300 s (default: 0)")
    parser.add_argument("--withdrawals", action="store_true")
    parser.add_argument("--actors", type=int, default=2)
    parser.add_argument("--at-once", action="store_true", help="KMS and JWKS are read as one")
    parser.add_argument("--most", type=int, help="states; nearer ones first (default: all)")
    chosen = parser.parse_args()
    begun = time.monotonic()
    rules = Rules(
        cache=chosen.cache,
        withdrawals=chosen.withdrawals,
        actors=chosen.actors,
        at_once=chosen.at_once,
    )
    told = explore(rules, most=chosen.most or 20_000_000, bounded=chosen.most is not None)
    print(f"{told}, {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
