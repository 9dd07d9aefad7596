"""Rules against their model, on random worlds: ``python -m tests.rules.campaign --help``.

A case is one request, decided by the product afresh, by its policy and by the model. Rules that
are refused are counted apart: they are no cases.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from random import Random
from typing import TYPE_CHECKING, Any

from tests.rules import model
from tests.rules.worlds import rules_of, some_claims, some_requests, some_world

from kmsjwt.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kmsjwt.rules import Rules

CLAIMS_PER_WORLD = 5
REQUESTS_PER_CLAIMS = 8


class Difference(AssertionError):
    """The product and its model do not agree; the text is all there is to reproduce it."""


def cases(random: Random, told: Counter[str]) -> Iterator[tuple[model.World, Rules, Any, Any]]:
    """Yield worlds with claims and requests without end, and count what was refused."""
    while True:
        world = some_world(random)
        try:
            rules = rules_of(world)
        except ConfigError:
            told["refused"] += 1
            continue
        told["worlds"] += 1
        for _ in range(CLAIMS_PER_WORLD):
            claims = some_claims(random, world)
            yield world, rules, claims, some_requests(random, world, claims, REQUESTS_PER_CLAIMS)


def run(seed: int, wanted: int) -> Counter[str]:
    """Judge so many cases.

    Raises:
        Difference: at the first that differs, made small.
    """
    told: Counter[str] = Counter()
    for world, rules, claims, requests in cases(Random(seed), told):
        differing = compare(world, rules, claims, requests, told)
        if differing:
            raise Difference(f"seed {seed}: {smallest(world, claims, differing[0])}")
        if told["cases"] >= wanted:
            break
    return told


def compare(
    world: model.World, rules: Rules, claims: Any, requests: Any, told: Counter[str]
) -> list[tuple[str, str]]:
    """Return the requests on which afresh, policy and model do not agree."""
    grant = rules.grant(claims)
    for pattern in (*grant.allow, *grant.deny):
        if "*" in pattern.removesuffix("/*").removesuffix("*") or "?" in pattern or "${" in pattern:
            return list(requests)
    differing = []
    for method, path in requests:
        expected = model.decide(world, claims, method, path)
        afresh = rules.decide(claims, method, path).allowed
        by_policy = model.iam_allows(grant.allow, grant.deny, method + path)
        if not expected == afresh == by_policy:
            differing.append((method, path))
        told["cases"] += 1
        told["allowed"] += expected
    told["with_deny"] += len(requests) if grant.deny else 0
    return differing


def smallest(world: model.World, claims: dict[str, Any], request: tuple[str, str]) -> str:
    """Drop rules and claims as long as the difference stays, and tell what is left."""
    shrinking = True
    while shrinking:
        shrinking = False
        for number in range(len(world.rules)):
            fewer = world._replace(rules=world.rules[:number] + world.rules[number + 1 :])
            if _differs(fewer, claims, request):
                world, shrinking = fewer, True
                break
        for name in list(claims):
            less = {other: value for other, value in claims.items() if other != name}
            if _differs(world, less, request):
                claims, shrinking = less, True
    rules = rules_of(world)
    return (
        f"{world}\nclaims {claims!r}\nrequest {request!r}\n{rules.grant(claims)!r}\n"
        f"afresh {rules.decide(claims, *request)!r}, "
        f"expected {'allowed' if model.decide(world, claims, *request) else 'refused'}"
    )


def _differs(world: model.World, claims: dict[str, Any], request: tuple[str, str]) -> bool:
    try:
        return bool(compare(world, rules_of(world), claims, [request], Counter()))
    except ConfigError:
        return False


def main() -> int:
    """Run from the command line; the exit status is 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.perf_counter()
    share = -(-options.cases // options.processes)
    seeds = range(options.seed, options.seed + options.processes)
    try:
        with ProcessPoolExecutor(options.processes) as pool:
            told = sum(pool.map(run, seeds, [share] * options.processes), Counter())
    except Difference as error:
        print(f"differs at {error}")
        return 1
    took = time.perf_counter() - began
    numbers = ", ".join(f"{told[name]:,} {name}" for name in sorted(told))
    print(f"{numbers}; none differs; {told['cases'] / took:,.0f} cases a second, {took:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
