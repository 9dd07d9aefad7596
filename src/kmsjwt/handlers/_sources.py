"""The key source that a function's settings ask for; only what is asked for is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

from kmsjwt.errors import CannotKnow, UnknownKey
from kmsjwt.keys import KeySet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kmsjwt._log import Log
    from kmsjwt.handlers._key_settings import KeySettings
    from kmsjwt.kms import KmsKeys
    from kmsjwt.kms.public import Kid
    from kmsjwt.verifier import KeySource, VerifyingKey

    Clock = Callable[[], float]


class PublishableKeys(Protocol):
    """A key source that can tell all its keys."""

    def key_set(self) -> KeySet:
        """Return all keys. Raises CannotKnow if they could not be had."""


class AnyKeys:
    """Several key sources asked in turn."""

    __slots__ = ("_keys", "_sources")

    def __init__(self, sources: Iterable[KeySource], *, keys: int) -> None:
        """Take the sources of so many keys: one key may have two sources, by two names."""
        self._sources = tuple(sources)
        self._keys = keys

    @property
    def key_count(self) -> int:
        """How many keys are configured."""
        return self._keys

    @property
    def asks_each_time(self) -> bool:
        """Whether one of the sources does."""
        return any(getattr(source, "asks_each_time", False) for source in self._sources)

    def key(self, kid: str | None) -> VerifyingKey:
        """Return the key of that ``kid``; see `kmsjwt.verifier.KeySource`."""
        if kid is None and self._keys > 1:  # each source would take its own key for the one meant
            raise UnknownKey(
                f"the token names no kid, and {self._keys} keys are configured", code="kid_missing"
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
        return KeySet(key for source in self._sources for key in source.key_set())


def verifying_keys(settings: KeySettings, client: Any, clock: Clock, log: Log) -> KeySource:
    """Return the source of the keys that strict tokens are verified with."""
    if settings.jwks is not None:
        return _jwks(settings, clock, log)
    if settings.verify == "kms":
        return _asking_kms(settings, settings.keys, settings.kids, client)
    return _one(
        (_public(settings, settings.keys, kid, client, clock) for kid in settings.kids),
        keys=len(settings.keys),
    )


def recipe_keys(settings: KeySettings, key: str, client: Any, clock: Clock, log: Log) -> KeySource:
    """Return the source of the article's one key, by the key id as its ``kid``."""
    if settings.jwks is not None:
        return _jwks(settings, clock, log)
    if settings.verify == "kms":
        return _asking_kms(settings, (key,), ("key-id",), client)
    return _public(settings, (key,), "key-id", client, clock)


def published_keys(settings: KeySettings, client: Any, clock: Clock, log: Log) -> PublishableKeys:
    """Return the source of the keys to publish."""
    if settings.jwks is not None:
        return cast("PublishableKeys", _jwks(settings, clock, log))
    return AllKeys(_public(settings, settings.keys, kid, client, clock) for kid in settings.kids)


def _jwks(settings: KeySettings, clock: Clock, log: Log) -> KeySource:
    where, alg = str(settings.jwks), settings.alg
    if where.lower().startswith(("https://", "http://")):
        from kmsjwt.jwks import JwksUrl

        return JwksUrl(where, alg=alg, clock=clock, log=log)
    from kmsjwt.jwks import JwksFile

    return JwksFile(where, alg=alg)


def _public(
    settings: KeySettings, keys: tuple[str, ...], kid: str, client: Any, clock: Clock
) -> KmsKeys:
    from kmsjwt.kms import KmsKeys

    return KmsKeys(
        *keys,
        client=client,
        region=settings.region,
        alg=settings.alg,
        kid=cast("Kid", kid),
        clock=clock,
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


def _one(sources: Iterable[KeySource], *, keys: int) -> KeySource:
    several = tuple(sources)
    return several[0] if len(several) == 1 else AnyKeys(several, keys=keys)
