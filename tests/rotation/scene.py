"""A world whose ring has one key, a URL and a CDN that may fail, and calls in which one meddles."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from tests.rotation.world import HOUR, ISSUER, JWKS, TIMES, World

from kmsjwt.authority.rotate import Rotator
from kmsjwt.errors import CannotKnow, JwksUnavailable, PlaceUnavailable
from kmsjwt.kms.ring.reading import read
from kmsjwt.publish import S3, Publisher

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.publish.s3 import MemoryS3


class Cdn:
    """Counts how often it was to forget, and may fail."""

    def __init__(self) -> None:
        self.count = 0
        self.fails = False

    def invalidate(self, paths: Sequence[str]) -> None:
        if self.fails:
            raise PlaceUnavailable("the CDN does not answer", where="cdn")
        self.count += bool(paths)


class Public(Publisher):
    """Publishes to a bucket, and reads back what is in it by a URL that may be down."""

    __slots__ = ("cdn", "down", "s3")

    def __init__(self, s3: MemoryS3) -> None:
        super().__init__(S3("bucket", client=s3), issuer=ISSUER, pause=lambda _seconds: None)
        self.s3 = s3
        self.down = False
        self.cdn = Cdn()

    def _seen(self, expected: Any = ()) -> list[frozenset[str]]:
        if self.down:
            raise JwksUnavailable("the URL does not answer", code="jwks_connection")
        return super()._seen(expected)

    def invalidate(self) -> None:
        self.cdn.invalidate([JWKS])


class Meddled:
    """A KMS client in whose calls somebody meddles."""

    def __init__(self, client: Any, meddle: Callable[[str, dict[str, Any]], None]) -> None:
        self._client = client
        self._meddle = meddle
        self.meta, self.exceptions = client.meta, client.exceptions

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def call(**parameters: Any) -> Any:
            self._meddle(name, parameters)
            return method(**parameters)

        return call


class Scene:
    """A world whose ring has one key, and what is done to it."""

    def __init__(
        self, *, readers: dict[str, Any] | None = None, world: World | None = None
    ) -> None:
        self.world = world or World(readers=readers)
        self.publisher = Public(self.world.s3)
        if world is None:
            self.rotator().run(start=True)
            self.world.now += HOUR

    def rotator(
        self, client: Any = None, publisher: Any = None, *, ring: str = "auth", changes: Any = TIMES
    ) -> Rotator:
        world = self.world
        return Rotator(
            ring,
            publisher or self.publisher,
            client=client or world.kms,
            spec="ECC_NIST_P256",
            changes=changes,
            clock=lambda: world.now,
            pause=world.slept,
        )

    def rotated(self) -> Scene:
        """Have the second key sign, and the first drain."""
        self.rotator().run(start=True)
        for _ in range(3):
            self.world.now += HOUR
            self.rotator().run()
        assert self.ring().signing == 2
        return self

    def ring(self) -> Any:
        return read(self.world.truth, "auth", down_to=1).ring

    def kid(self, number: int) -> str:
        return str(self.ring().generation(number).kid)

    def state(self, number: int) -> str:
        return str(self.ring().generation(number).state)

    def arn(self, alias: str) -> str:
        return str(self.world.kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"])

    def edit(self, change: Callable[[list[dict[str, Any]]], None]) -> None:
        """Edit the published JWKS by hand."""
        document = json.loads(self.world.s3.object(JWKS).body)  # type: ignore[union-attr]  # it was published before
        change(document["keys"])
        self.world.s3.put_object(
            Bucket="bucket",
            Key=JWKS,
            Body=json.dumps(document).encode(),
            ContentType="application/json",
            CacheControl="public, max-age=300",
        )


def done(report: Any) -> list[tuple[str, int]]:
    """Return the steps that were taken, as pairs of action and generation."""
    return [(step.action, step.number) for step, _ in report.done]


def denying(*operations: str) -> Callable[[str, dict[str, Any]], None]:
    """Return what denies operations; see `Meddled`."""

    def meddle(name: str, _parameters: dict[str, Any]) -> None:
        if name in operations:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, name)

    return meddle


def denying_tag(tag: str) -> Callable[[str, dict[str, Any]], None]:
    """Return what denies that a tag is written; see `Meddled`."""

    def meddle(name: str, parameters: dict[str, Any]) -> None:
        if name == "tag_resource" and tag in {each["TagKey"] for each in parameters["Tags"]}:
            denying(name)(name, parameters)

    return meddle


def cut_off(scene: Scene, number: int) -> None:
    """Have a key be made, by a run that is cut off before its kid is written or published."""

    class Cut(Public):
        def publish(self, *_args: Any, **_more: Any) -> Any:
            raise JwksUnavailable("cut off")

    client = Meddled(scene.world.kms, denying_tag("kmsjwt:kid"))
    with suppress(CannotKnow):
        scene.rotator(client, Cut(scene.world.s3)).run(start=True)
    assert scene.ring().newest_number == number
