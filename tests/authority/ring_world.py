"""A KMS with one ring, who rotates it, and places where its keys are published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.jwks.servers import Clock

from kmsjwt.authority.in_kms import InKms
from kmsjwt.authority.rotate import Rotator
from kmsjwt.errors import CannotKnow
from kmsjwt.kms import create_ring, read_ring
from kmsjwt.local import LocalKms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kmsjwt.keys import PublicKey

HOUR, DAY = 3_600, 86_400
SPEC = "ECC_NIST_P256"
TIMES = {"max_lifetime": 900, "consumer_cache": 0}
KID = "k" * 43
OURS = {"ring": "auth", "generation": "2"}


class World:
    """A KMS with the ring ``auth``, and who rotates it."""

    def __init__(self, **more: Any) -> None:
        self.clock = Clock()
        self.kms = LocalKms(clock=self.clock)
        self.own = Clock()  # the rotator's, of which only differences count
        create_ring("auth", client=self.kms, **{"spec": SPEC, "settings": TIMES, **more})

    def rotator(self, publisher: Any = None, name: str = "auth") -> Rotator:
        return Rotator(
            name,
            publisher or InKms(name, self.kms),
            client=self.kms,
            clock=self.own,
            pause=lambda _seconds: None,
        )

    def rotated(self) -> World:
        """Have the second key sign, and the first retire."""
        for start in (False, True, False, False, False):
            self.rotator().run(start=start)
            self.pass_(DAY)
        assert self.ring().signing == 2
        assert "kmsjwt:retired" in self.tags("alias/auth/1")
        return self

    def pass_(self, seconds: float) -> None:
        self.clock.now += seconds
        self.own.now += seconds

    def ring(self) -> Any:
        return read_ring(self.kms, "auth", down_to=1).ring

    def arn(self, alias: str) -> str:
        return str(self.kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"])

    def state(self, alias: str) -> str:
        return str(self.kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyState"])

    def tags(self, key: str) -> dict[str, str]:
        arn = key if key.startswith("arn:") else self.arn(key)
        listed = self.kms.list_resource_tags(KeyId=arn)["Tags"]
        return {each["TagKey"]: each["TagValue"] for each in listed}

    def tag(self, key: str, **named: str) -> None:
        arn = key if key.startswith("arn:") else self.arn(key)
        tags = [{"TagKey": f"kmsjwt:{name}", "TagValue": value} for name, value in named.items()]
        self.kms.tag_resource(KeyId=arn, Tags=tags)

    def key(self, spec: str = SPEC, tags: dict[str, str] | None = None, **more: Any) -> str:
        """Make a key by hand and return its ARN."""
        made = self.kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY", **more)
        arn = str(made["KeyMetadata"]["Arn"])
        if tags:
            self.tag(arn, **tags)
        return arn

    def key_count(self) -> int:
        return len(self.kms.list_keys(Limit=100)["Keys"])

    def aliases_of(self, arn: str) -> list[str]:
        return [each["AliasName"] for each in self.kms.list_aliases(KeyId=arn)["Aliases"]]


def draining(world: World) -> str:
    """Have the second key sign, and return the ARN of the first, which drains."""
    world.rotator().run()
    world.rotator().run(start=True)
    world.pass_(1_800)
    assert world.rotator().run().ring.signing == 2
    return world.arn("alias/auth/1")


def its_settings(world: World) -> dict[str, str]:
    """Return the settings of the ring's first key, as tags without their prefix."""
    settings = ("period", "max-lifetime", "signer-refresh", "document-max-age", "consumer-cache")
    tags = world.tags("alias/auth/1")
    return {name: tags[f"kmsjwt:{name}"] for name in settings}


def another(world: World) -> str:
    """Make another ring and return the kid of its key."""
    create_ring("other", client=world.kms, spec=SPEC, settings=TIMES)
    world.rotator(InKms("other", world.kms), name="other").run()
    return str(read_ring(world.kms, "other").ring.generations[0].kid)


class Requests:
    """A client that keeps each request for a key."""

    def __init__(self, kms: LocalKms) -> None:
        self._kms = kms
        self.meta = kms.meta
        self.asked: list[dict[str, Any]] = []

    def create_key(self, **parameters: Any) -> Any:
        self.asked.append(parameters)
        return self._kms.create_key(**parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kms, name)


class Meddling(InKms):
    """Reads back, and while it does so for the first time, somebody sets this machine's clock."""

    def __init__(self, world: World, seconds: float) -> None:
        super().__init__("auth", world.kms)
        self._world = world
        self._seconds = seconds

    def kids(self, expected: Iterable[PublicKey] | None = None) -> frozenset[str]:
        self._world.own.now += self._seconds
        self._seconds = 0
        return super().kids(expected)


class Lingering(InKms):
    """A place where keys are still found by these kids."""

    def __init__(self, world: World, *kids: str) -> None:
        super().__init__("auth", world.kms)
        self._lingering = set(kids)

    def publish(self, live: Any, retired: Any, **more: Any) -> None:
        super().publish(live, retired, **more)
        self._lingering -= set(retired)

    def lingering(self) -> frozenset[str]:
        return frozenset(self._lingering)


class Caching(Lingering):
    """Counts how often caches were to forget, and may fail to publish."""

    def __init__(self, world: World, *kids: str) -> None:
        super().__init__(world, *kids)
        self.fails = False
        self.told: list[str] = []

    def publish(self, live: Any, retired: Any, **more: Any) -> None:
        if self.fails:
            raise CannotKnow("the place does not answer")
        super().publish(live, retired, **more)
        self.told.append("publish")

    def invalidate(self) -> None:
        self.told.append("invalidate")
