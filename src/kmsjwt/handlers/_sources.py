"""The key source that a function's settings ask for; only what is asked for is imported."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol, cast

from kmsjwt.errors import CannotKnow, UnknownKey
from kmsjwt.keys import KeySet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kmsjwt._log import Log
    from kmsjwt.handlers._key_settings import KeySettings
    from kmsjwt.kms import KmsKeys
    from kmsjwt.kms.public import Kid
    from kmsjwt.kms.ring.keys import RingKeys
    from kmsjwt.verifier import KeySource, VerifyingKey

    Clock = Callable[[], float]


class PublishableKeys(Protocol):
    """A key source that can tell all its keys."""

    def key_set(self) -> KeySet:
        """Return all keys. Raises CannotKnow if they could not be had."""


class AnyKeys:
    """Several key sources asked in turn."""

    __slots__ = ("_keys", "_rings", "_sources")

    def __init__(
        self, sources: Iterable[KeySource], *, keys: int, rings: Iterable[RingKeys] = ()
    ) -> None:
        """Take the sources of so many keys, and of rings: a key may have two, by two names."""
        self._sources = tuple(sources)
        self._rings = tuple(rings)
        self._keys = keys

    @property
    def key_count(self) -> int:
        """How many keys are configured, or known of a ring."""
        return self._keys + sum(ring.key_count for ring in self._rings)

    @property
    def asks_each_time(self) -> bool:
        """Whether one of the sources does."""
        return any(getattr(source, "asks_each_time", False) for source in self._sources)

    def key(self, kid: str | None) -> VerifyingKey:
        """Return the key of that ``kid``; see `kmsjwt.verifier.KeySource`."""
        several = self._keys + len(self._rings)
        if kid is None and several > 1:  # each source would take its own key for the one meant
            raise UnknownKey(
                f"the token names no kid, and {several} keys are configured", code="kid_missing"
            )
        trouble: CannotKnow | None = None
        for source in self._sources:
            try:
                return source.key(kid)
            except UnknownKey as error:
                unknown = error
            except CannotKnow as error:
                trouble = error
        raise trouble or unknown


class AllKeys:
    """The keys of several sources, published as one set."""

    __slots__ = ("_sources",)

    def __init__(self, sources: Iterable[PublishableKeys]) -> None:
        self._sources = tuple(sources)

    def key_set(self) -> KeySet:
        """Return all keys. Raises CannotKnow if those of any source could not be had."""
        # A key may be named by itself and be of a ring as well.
        return KeySet(dict.fromkeys(key for source in self._sources for key in source.key_set()))


def verifying_keys(
    settings: KeySettings, client: Any, clock: Clock, log: Log, *, seed: str = ""
) -> KeySource:
    """Return the source of the keys that strict tokens are verified with.

    A JWKS at a URL begins with the ``seed`` if there is such a file, and without one as ever: a
    bundle that was made without it must not stop the function.
    """
    if settings.jwks is not None:
        return _jwks(settings, clock, log, **_seeded(seed))
    if settings.verify == "kms":
        return _asking_kms(settings, settings.keys, settings.kids, client)
    # Rings last: they are read again for a `kid` that none of the other keys has.
    named, rings = _named(settings, client, clock), _rings(settings, client, clock)
    return _one((*named, *rings), keys=len(settings.keys), rings=rings)


def recipe_keys(settings: KeySettings, key: str, client: Any, clock: Clock, log: Log) -> KeySource:
    """Return the source of the article's one key, by the key id as its ``kid``."""
    if settings.jwks is not None:
        return _jwks(settings, clock, log)
    if settings.verify == "kms":
        return _asking_kms(settings, (key,), ("key-id",), client)
    return _public(settings, (key,), "key-id", client, clock)


def published_keys(
    settings: KeySettings, client: Any, clock: Clock, log: Log, *, max_age: int
) -> PublishableKeys:
    """Return the source of the keys to publish, read anew after ``max_age`` seconds."""
    if settings.jwks is not None:
        return cast("PublishableKeys", _jwks(settings, clock, log, max_age=max_age))
    named = _named(settings, client, clock, max_age=max_age)
    return AllKeys((*named, *_rings(settings, client, clock, max_age=max_age)))


def _jwks(settings: KeySettings, clock: Clock, log: Log, **more: Any) -> KeySource:
    where, alg = str(settings.jwks), settings.alg
    if settings.is_followed:
        from kmsjwt.jwks import JwksUrl

        return JwksUrl(where, alg=alg, clock=clock, log=log, **more)
    from kmsjwt.jwks import JwksFile

    return JwksFile(where, alg=alg)


def _seeded(seed: str) -> dict[str, Any]:
    if not seed or not os.path.isfile(seed):  # noqa: PTH113  pathlib would be one more import
        return {}
    from kmsjwt.jwks.seed import MAX_AGE

    return {"seed": seed, "seed_max_age": MAX_AGE}


def _named(settings: KeySettings, client: Any, clock: Clock, **age: Any) -> list[KmsKeys]:
    if not settings.keys:
        return []
    return [_public(settings, settings.keys, kid, client, clock, **age) for kid in settings.kids]


def _rings(settings: KeySettings, client: Any, clock: Clock, **age: Any) -> list[RingKeys]:
    if not settings.rings:
        return []
    from kmsjwt.kms import KmsKeys

    region = settings.region
    return [
        KmsKeys.ring(ring, client=client, region=region, clock=clock, **age)
        for ring in settings.rings
    ]


def _public(
    settings: KeySettings, keys: tuple[str, ...], kid: str, client: Any, clock: Clock, **age: Any
) -> KmsKeys:
    from kmsjwt.kms import KmsKeys

    return KmsKeys(
        *keys,
        client=client,
        region=settings.region,
        alg=settings.alg,
        kid=cast("Kid", kid),
        clock=clock,
        **age,
    )


def _asking_kms(
    settings: KeySettings, keys: tuple[str, ...], kids: tuple[str, ...], client: Any
) -> KeySource:
    from kmsjwt.kms import KmsVerify

    return _one(
        (
            KmsVerify(
                key, client=client, region=settings.region, alg=settings.alg, kid=cast("Kid", kid)
            )
            for kid in kids
            for key in keys
        ),
        keys=len(keys),
    )


def _one(sources: Iterable[KeySource], *, keys: int, rings: Iterable[RingKeys] = ()) -> KeySource:
    several = tuple(sources)
    return several[0] if len(several) == 1 else AnyKeys(several, keys=keys, rings=rings)
