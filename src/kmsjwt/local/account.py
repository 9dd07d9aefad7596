"""The account: its Regions, and what each reader sees of them."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from kmsjwt.local.propagation import Delay, History, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kmsjwt.local.state import Alias, Key, Tags, Usage

__all__ = ["Account", "NoStore", "Region", "Store", "View"]

T = TypeVar("T")
_DAY = 86_400


class Store(Protocol):
    """Where keys and aliases outlive the process."""

    def save_key(self, key: Key, tags: Tags, usage: Usage | None) -> None:
        """Keep one key, replacing what was kept of it."""

    def delete_key(self, key: Key) -> None:
        """Forget one key."""

    def save_aliases(self, region: str, aliases: list[Alias]) -> None:
        """Keep all aliases of one Region."""

    def close(self) -> None:
        """Let others have it."""


class NoStore:
    """Keys that live as long as the process."""

    def save_key(self, key: Key, tags: Tags, usage: Usage | None) -> None:
        """Do nothing."""

    def delete_key(self, key: Key) -> None:
        """Do nothing."""

    def save_aliases(self, region: str, aliases: list[Alias]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class Region:
    """The truth about one Region. Hold the account's lock while touching it."""

    def __init__(self, name: str, store: Store, serial: Iterator[int]) -> None:
        self.name = name
        self.usages: dict[str, Usage] = {}
        self.leaving: set[str] = set()
        """The ids of keys whose deletion has a date."""
        self._store = store
        self._serial = serial
        self._keys: dict[str, History[Key]] = {}
        self._tags: dict[str, History[Tags]] = {}
        self._aliases: dict[str, History[Alias]] = {}

    def key(self, key_id: str) -> Key | None:
        """Return the key as it truly is."""
        history = self._keys.get(key_id)
        return history.latest if history else None

    def all_keys(self) -> list[Key]:
        """Return every key."""
        return _present(history.latest for history in self._keys.values())

    def tags(self, key_id: str) -> Tags:
        """Return the tags as they truly are."""
        history = self._tags.get(key_id)
        return (history.latest if history else None) or {}

    def alias(self, name: str) -> Alias | None:
        """Return the alias as it truly is."""
        history = self._aliases.get(name)
        return history.latest if history else None

    def all_aliases(self) -> list[Alias]:
        """Return every alias."""
        return _present(history.latest for history in self._aliases.values())

    def put_key(self, now: float, key: Key, tags: Tags | None = None) -> None:
        """Write a key, and its tags if they are new."""
        known = self.tags(key.key_id) if tags is None else tags
        self._store.save_key(key, known, self.usages.get(key.key_id))
        self._keys.setdefault(key.key_id, History()).put(now, next(self._serial), key)
        self._note_leaving(key)
        if tags is not None:
            self._tags.setdefault(key.key_id, History()).put(now, next(self._serial), dict(tags))

    def save_usages(self) -> None:
        """Keep the last uses of keys, which a signature alone doesn't write to a file."""
        for key in self.all_keys():
            if key.key_id in self.usages:
                self._store.save_key(key, self.tags(key.key_id), self.usages[key.key_id])

    def restore_key(self, key: Key, tags: Tags, usage: Usage | None) -> None:
        """Take a key back from the store, for every reader at once."""
        self._keys.setdefault(key.key_id, History()).put(float("-inf"), 0, key)
        self._note_leaving(key)
        self._tags.setdefault(key.key_id, History()).put(float("-inf"), 0, dict(tags))
        if usage is not None:
            self.usages[key.key_id] = usage

    def restore_alias(self, alias: Alias) -> None:
        """Take an alias back from the store, for every reader at once."""
        self._aliases.setdefault(alias.name, History()).put(float("-inf"), 0, alias)

    def put_tags(self, now: float, key: Key, tags: Tags) -> None:
        """Write all tags of a key."""
        self._store.save_key(key, tags, self.usages.get(key.key_id))
        self._tags.setdefault(key.key_id, History()).put(now, next(self._serial), dict(tags))

    def put_alias(self, now: float, name: str, alias: Alias | None) -> None:
        """Write an alias; None deletes it."""
        others = [known for known in self.all_aliases() if known.name != name]
        self._store.save_aliases(self.name, [*others, alias] if alias else others)
        self._aliases.setdefault(name, History()).put(now, next(self._serial), alias)

    def forget_key(self, key: Key) -> None:
        """Delete a key with its tags and aliases, for every reader at once."""
        orphans = [alias.name for alias in self.all_aliases() if alias.key_id == key.key_id]
        for name in orphans:
            del self._aliases[name]
        if orphans:
            self._store.save_aliases(self.name, self.all_aliases())
        self._store.delete_key(key)
        del self._keys[key.key_id]
        self.leaving.discard(key.key_id)
        self._tags.pop(key.key_id, None)
        self.usages.pop(key.key_id, None)

    def _note_leaving(self, key: Key) -> None:
        if key.deletion_date is None:
            self.leaving.discard(key.key_id)
        else:
            self.leaving.add(key.key_id)

    def view(self, now: float, delay: Delay) -> View:
        """Return what a reader with this delay sees now."""
        return View(now, delay, self._keys, self._tags, self._aliases)


class View:
    """What one reader sees of one Region at one moment."""

    __slots__ = ("_aliases", "_delay", "_keys", "_now", "_tags")

    def __init__(
        self,
        now: float,
        delay: Delay,
        keys: dict[str, History[Key]],
        tags: dict[str, History[Tags]],
        aliases: dict[str, History[Alias]],
    ) -> None:
        self._now = now
        self._delay = delay
        self._keys = keys
        self._tags = tags
        self._aliases = aliases

    def _seen(self, history: History[T] | None, kind: Kind) -> T | None:
        return None if history is None else history.seen(self._now, kind, self._delay)

    def key(self, key_id: str) -> Key | None:
        """Return the key, if this reader sees it yet."""
        return self._seen(self._keys.get(key_id), "key")

    def all_keys(self) -> list[Key]:
        """Return every key that this reader sees."""
        return _present(self._seen(history, "key") for history in self._keys.values())

    def alias(self, name: str) -> Alias | None:
        """Return the alias as this reader sees it."""
        return self._seen(self._aliases.get(name), "alias")

    def all_aliases(self, kind: Kind = "alias") -> list[Alias]:
        """Return every alias; with kind ``"permission"``, as authorization sees them."""
        return _present(self._seen(history, kind) for history in self._aliases.values())

    def tags(self, key_id: str) -> Tags:
        """Return the key's tags as this reader sees them."""
        return self._seen(self._tags.get(key_id), "tag") or {}


class Account:
    """All Regions of one account, and the lock that guards them."""

    def __init__(self, account_id: str, *, store: Store, clock: Callable[[], float]) -> None:
        self.account_id = account_id
        self.lock = threading.RLock()
        self.store = store
        self.clock = clock
        self._serial = itertools.count(1)
        self._regions: dict[str, Region] = {}
        self._closed = False

    def close(self) -> None:
        """Keep the last uses of keys, and let another process have the store."""
        with self.lock:
            if self._closed:
                return
            self._closed = True
            try:
                for region in self._regions.values():
                    region.save_usages()
            finally:
                self.store.close()

    def region(self, name: str) -> Region:
        """Return one Region; every Region exists."""
        with self.lock:
            if name not in self._regions:
                self._regions[name] = Region(name, self.store, self._serial)
            return self._regions[name]

    def next_serial(self) -> int:
        """Number a change."""
        return next(self._serial)

    def related(self, key: Key) -> list[Key]:
        """Return the multi-Region key ``key`` belongs to: itself, its primary, its replicas."""
        if not key.multi_region:
            return [key]
        return _present(region.key(key.key_id) for region in self._regions.values())

    def expire(self, now: float) -> None:
        """Delete the keys whose waiting period is over."""
        for region in self._regions.values():
            for key in [region.key(key_id) for key_id in region.leaving]:
                if key and key.deletion_date is not None and key.deletion_date <= now:
                    region.forget_key(key)
                    self._release_primary(key, key.deletion_date)

    def _release_primary(self, gone: Key, when: float) -> None:
        """Start the waiting period of a primary once its last replica is deleted."""
        rest = self.related(gone) if gone.is_replica else []
        if len(rest) == 1 and rest[0].window_days is not None and rest[0].deletion_date is None:
            primary = rest[0]
            ends = when + (primary.window_days or 0) * _DAY
            self.region(primary.region).put_key(when, replace(primary, deletion_date=ends))


def _present(values: Iterator[T | None]) -> list[T]:
    return [value for value in values if value is not None]
