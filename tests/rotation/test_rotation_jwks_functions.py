"""A ring that is published by jwks functions alone, each with a view and a memory of its own.

Nothing is written anywhere: each warm function answers with what it read of the ring lately, and
the rotation reads back through one of them, by a real HTTP request.
"""

from __future__ import annotations

import json
import re
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from tests.jwks.servers import Server, body
from tests.rotation.cases import NATIVE_CACHE, cannot_issue, latest
from tests.rotation.ours import Consumer, Watch, jwks_url, our_issuers
from tests.rotation.timeline import Steps, refusals
from tests.rotation.world import DAY, HOUR, ISSUER, LEEWAY, MINUTE, SPREAD, Actor, World

from kmsjwt.errors import JwksUnavailable
from kmsjwt.handlers import jwks
from kmsjwt.jwks.fetch import Document
from kmsjwt.local import Propagation
from kmsjwt.publish import Publisher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_AGE = 300
"""KMSJWT_DOCUMENT_MAX_AGE: half of it passes in the function, half of it where answers are kept."""
LAGS = (0, 100, 299, 300)
REQUEST = {"rawPath": "/.well-known/jwks.json"}
_OK = 200


class Warm:
    """A jwks function that stays warm, and what it has answered over time."""

    def __init__(self, world: World, reader: str) -> None:
        self.name = f"function of {reader}"
        self.served = Steps()
        self.failed: list[str] = []
        self.max_ages: set[int] = set()
        self._world = world
        self._reader = reader
        self.restart()

    def restart(self) -> None:
        """Begin anew, with nothing in memory."""
        world = self._world
        self._function = jwks.build(
            client=world.kms.reader(self._reader),
            environ={
                "KMSJWT_KEYS": "ring:auth",
                "KMSJWT_DOCUMENT_MAX_AGE": f"{MAX_AGE}s",
                "KMSJWT_ISSUER": ISSUER,
            },
            log=lambda *_args, **_fields: None,
            clock=lambda: world.now,
        )

    def __call__(self) -> Document:
        """Return its answer, as a consumer sees it."""
        answer = self._function(REQUEST)
        if answer["statusCode"] != _OK:
            self.failed.append(f"{self.name} at {self._world.now:.0f}: {answer['body']}")
            raise JwksUnavailable(f"{self.name} answers {answer['statusCode']}")
        told = re.search("max-age=([0-9]+)", answer["headers"]["Cache-Control"])
        assert told is not None
        self.max_ages.add(int(told[1]))
        kids = (jwk["kid"] for jwk in json.loads(answer["body"])["keys"])
        self.served.put(self._world.now, frozenset(kids))
        return Document(answer["body"].encode(), int(told[1]))


class Fleet(World):
    """A world without a store of documents: functions publish what they see."""

    def __init__(self, times: dict[str, Any]) -> None:
        readers = {f"host-{lag}": Propagation(alias=lag, tag=lag) for lag in LAGS}
        super().__init__(readers=readers, times=times)
        self.functions = [Warm(self, f"host-{lag}") for lag in LAGS]
        self.random = Random(7)

    def jwks(self) -> dict[str, dict[str, str]]:
        """Return what a function answers that starts now and sees everything."""
        if self.signing_arn() is None:
            return {}
        told = json.loads(Warm(self, "truth")().body)
        return {jwk["kid"]: jwk for jwk in told["keys"]}

    def any_function(self) -> Document:
        """Return the answer of one function or another."""
        return self.random.choice(self.functions)()

    def begin_at_the_worst_moment(self, actor: Actor, begins: float) -> None:
        """Have the late functions read the ring just before there is a new key, another after."""
        first, *others = self.functions
        for place, each in enumerate(others):
            self.now = begins - 15 * (len(others) - place)
            each.restart()
            each()
        self.now = begins
        assert actor.run() is not None
        self.now += 15
        first.restart()
        first()

    def go_on(self, actor: Actor, watch: Watch, *, until: float, step: float) -> None:
        """Let time pass: functions are asked, tokens issued, and all verifiers look."""
        stops = 0
        while self.now < until:
            stops += 1
            for each in self.functions:
                each()
            if stops % 4 == 0 or step >= SPREAD:
                self.issue()
                watch.look()
            if stops % 3 == 0 or step >= SPREAD:
                actor.run()
            self.now += step


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.shutdown()
    server.server_close()


def answered_by(fetch: Callable[[], Document]) -> Callable[[Any], None]:
    """Have a server answer with a document."""

    def answer(handler: Any) -> None:
        try:
            document = fetch()
        except JwksUnavailable:
            body(b"", status=503)(handler)
        else:
            body(document.body, Cache_Control=f"max-age={document.max_age}")(handler)

    return answer


FIRST, ANY = "the first to know", "one or another"


@pytest.mark.parametrize(
    ("through", "consumer_cache"), [(FIRST, 0), (ANY, 0), (FIRST, NATIVE_CACHE)]
)
def test_no_consumer_lacks_a_key_that_signs(server, through, consumer_cache, capsys):
    times = {"consumer_cache": consumer_cache, "document_max_age": MAX_AGE}
    world = Fleet(times)
    server.answer = answered_by(world.functions[0] if through == FIRST else world.any_function)
    publisher = Publisher(None, issuer=ISSUER, read_from=server.url)
    actor = Actor(world, "rotator", changes=times, publication=publisher)
    watch = begun(world, actor)
    begins = world.pointer.times[0] + DAY
    world.go_on(actor, watch, until=begins - 10 * MINUTE, step=SPREAD)
    world.begin_at_the_worst_moment(actor, begins)
    step = 15 if consumer_cache == 0 else 75
    until = begins + MAX_AGE + consumer_cache + SPREAD + 15 * MINUTE
    world.go_on(actor, watch, until=until, step=step)
    world.go_on(actor, watch, until=until + 3 * HOUR, step=SPREAD)
    assert len(world.pointer.times) == 2
    assert not world.wrong
    assert not [each for function in world.functions for each in function.failed]
    found, verdicts = judged(world, consumer_cache)
    with capsys.disabled():
        print(
            f"\njwks functions, {through}, caches of {consumer_cache}: {len(world.tokens)} tokens,"
            f" {verdicts + watch.verdicts} verdicts, {watch.verified} signatures verified,"
            f" {len(found)} refused, {len(watch.refused)} by our verifiers"
        )
    assert not found, found[0]
    assert not watch.refused, watch.refused[0]
    assert not watch.unknown, watch.unknown[0]
    assert not watch.disagreed, watch.disagreed[0]
    assert not cannot_issue(world)
    assert {len(kids) for each in world.functions for kids in each.served.values} == {1, 2}
    assert {age for each in world.functions for age in each.max_ages} == {MAX_AGE // 2}


def begun(world: Fleet, actor: Actor) -> Watch:
    """Make a ring whose first key signs, and have everybody live with it."""
    for _ in range(8):  # before a function sees the ring, nothing can be read back through it
        actor.run(start=not world.keys_in_kms())
        world.now += SPREAD
    world.now = world.pointer.times[0] + DAY - HOUR
    world.add_signers()
    world.signers += our_issuers(world)
    consumers = [Consumer(world, each.name, jwks_url(world, each)) for each in world.functions]
    consumers.append(Consumer(world, "one or another", jwks_url(world, world.any_function)))
    for each in world.functions:
        each.failed.clear()
    return Watch(world, consumers)


def judged(world: Fleet, consumer_cache: int) -> tuple[list[object], int]:
    """Judge all tokens by what anybody may hold who keeps answers and never asks again."""
    kept = MAX_AGE / 2
    caches = {"kept as told": kept, "fresh": 0.0}
    if consumer_cache:
        caches["native"] = kept + NATIVE_CACHE
    found: list[object] = []
    verdicts = 0
    since = world.pointer.times[0] + HOUR  # before that, functions answer nothing for a while
    tokens = [token for token in [*world.tokens, *latest(world)] if token.issued >= since]
    for each in world.functions:
        refused, count = refusals(each.served, tokens, caches=caches, leeway=LEEWAY)
        found += refused
        verdicts += count
    return found, verdicts
