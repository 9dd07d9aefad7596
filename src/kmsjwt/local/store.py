"""Keys in a folder: one file a key, one for each Region's aliases, for this user's eyes only.

::

    folder/.lock
    folder/eu-central-1/1234abcd-12ab-34cd-56ef-1234567890ab.json
    folder/eu-central-1/aliases.json

A file is written beside its place, flushed to the disk and renamed, so that a crash leaves the old
one or the new one. What readers don't see yet (``propagation``) is not kept: after a restart
everybody sees everything.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from kmsjwt.errors import ConfigError
from kmsjwt.local import crypto
from kmsjwt.local.specs import KEY_SPECS
from kmsjwt.local.state import Alias, Key, Tags, Usage

if TYPE_CHECKING:
    from collections.abc import Callable

    from kmsjwt.local.account import Account

__all__ = ["FolderStore"]

T = TypeVar("T")
_FORMAT = 1
_ALIASES = "aliases.json"
_PLAIN = (
    "key_id",
    "region",
    "account_id",
    "usage",
    "created",
    "description",
    "policy",
    "enabled",
    "ready_at",
    "window_days",
    "deletion_date",
    "multi_region",
    "primary_region",
)


class FolderStore:
    """A folder that this process alone uses until it is closed.

    Raises:
        ConfigError: the folder can't be made or another process has it.
    """

    def __init__(self, folder: Path, account_id: str) -> None:
        self._folder = folder
        self._account_id = account_id
        try:
            # A folder that was there keeps its mode; what is inside is for this user alone.
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigError(
                f"the key folder {folder} can't be used: {error.strerror}",
                code="key_folder_unusable",
                fix="name a folder that you own",
            ) from error
        self._release = weakref.finalize(self, os.close, lock)
        if not _is_ours(lock):
            self._release()
            raise ConfigError(
                f"the key folder {folder} is in use by another local KMS",
                code="key_folder_in_use",
                fix="stop that one, talk to it by its endpoint URL, or name another folder",
            )

    def close(self) -> None:
        """Let another process have the folder."""
        self._release()

    def save_key(self, key: Key, tags: Tags, usage: Usage | None) -> None:
        """Write one key's file."""
        content = {
            "format": _FORMAT,
            **{name: getattr(key, name) for name in _PLAIN},
            "spec": key.spec.name,
            "material": key.material.dump(),
            "tags": dict(tags),
            "last_usage": None if usage is None else _fields(usage),
        }
        self._write(self._path(key), content)

    def delete_key(self, key: Key) -> None:
        """Remove one key's file."""
        self._path(key).unlink(missing_ok=True)

    def save_aliases(self, region: str, aliases: list[Alias]) -> None:
        """Write one Region's aliases."""
        content = {"format": _FORMAT, "aliases": [_fields(alias) for alias in aliases]}
        self._write(self._folder / region / _ALIASES, content)

    def restore(self, account: Account) -> None:
        """Read everything into the account.

        Raises:
            ConfigError: a file is corrupt, or another account's; it says which and why.
        """
        try:
            for path in sorted(self._folder.glob("*/*.json")):
                self._restore_file(path, account)
        except ConfigError:
            self.close()
            raise

    def _restore_file(self, path: Path, account: Account) -> None:
        if path.name == _ALIASES:
            for alias in _read(path, _aliases):
                account.region(path.parent.name).restore_alias(alias)
        else:
            key, tags, usage = _read(path, _key)
            if (key.account_id, key.region) != (self._account_id, path.parent.name):
                raise _corrupt(path, f"the key is of account {key.account_id}, Region {key.region}")
            if path.stem != key.key_id:
                raise _corrupt(path, f"it holds another key, {key.key_id}")
            account.region(key.region).restore_key(key, tags, usage)

    def _path(self, key: Key) -> Path:
        return self._folder / key.region / f"{key.key_id}.json"

    def _write(self, path: Path, content: dict[str, Any]) -> None:
        if not self._release.alive:
            raise OSError(errno.EBADF, "it was closed, and another process may have it")
        path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")  # 0600
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise


def _is_ours(lock: int) -> bool:
    """Take the lock, which the system lets go of when the process ends."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _read(path: Path, build: Callable[[dict[str, Any]], T]) -> T:
    try:
        content = json.loads(path.read_bytes())
        version = content["format"]
        if version == _FORMAT:
            return build(content)
    except KeyError as error:
        raise _corrupt(path, f"{error.args[0]} is missing or unknown") from error
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        # Not the error's own text: it may quote the key.
        raise _corrupt(path, f"it can't be read ({type(error).__name__})") from error
    raise _corrupt(path, f"format is {version!r}, expected {_FORMAT}")


def _key(content: dict[str, Any]) -> tuple[Key, Tags, Usage | None]:
    spec = KEY_SPECS[content["spec"]]
    key = Key(
        **{name: content[name] for name in _PLAIN},
        spec=spec,
        material=crypto.load(spec, content["material"]),
    )
    usage = content["last_usage"]
    return key, dict(content["tags"]), None if usage is None else Usage(**usage)


def _aliases(content: dict[str, Any]) -> list[Alias]:
    return [Alias(**fields) for fields in content["aliases"]]


def _fields(value: Alias | Usage) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def _corrupt(path: Path, fact: str) -> ConfigError:
    what, lost = "key file", "that key"
    if path.name == _ALIASES:
        what, lost = "alias list", "the Region's aliases"
    return ConfigError(
        f"the {what} {path} is of no use: {fact}",
        code="key_file_corrupt",
        fix=f"restore it from a copy, or remove it and lose {lost}",
    )
