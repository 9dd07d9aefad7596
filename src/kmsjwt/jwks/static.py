"""Keys that are simply there: given in code, or read once from a file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from kmsjwt._encoding import Undecodable, read_json_object
from kmsjwt.errors import ConfigError, UnknownKey, shown
from kmsjwt.keys import KeySet, PublicKey

if TYPE_CHECKING:
    from os import PathLike

MAX_BYTES = 150_000
"""Largest JWKS that is read: the limit of API Gateway's own JWT authorizer."""


class StaticKeys:
    """A key source that never changes."""

    __slots__ = ("_keys",)

    def __init__(
        self, keys: KeySet | Mapping[str, Any] | Iterable[PublicKey], *, alg: str | None = None
    ) -> None:
        """Hold keys.

        Args:
            keys: a `KeySet`, a JWKS as a mapping, or public keys.
            alg: the algorithm of JWKs that do not name one.

        Raises:
            ConfigError: no usable key, or one that must not be used.
        """
        self._keys = _key_set(keys, alg)

    def key(self, kid: str | None) -> PublicKey:
        """Return the key of that ``kid``; see `kmsjwt.verifier.KeySource`."""
        found = self._keys.find(kid)
        if found is None:
            raise unknown_key(kid, self._keys)
        return found

    @property
    def key_count(self) -> int:
        """How many keys there are."""
        return len(self._keys)

    def key_set(self) -> KeySet:
        """Return all keys."""
        return self._keys

    def __repr__(self) -> str:
        return f"StaticKeys({self._keys!r})"


class JwksFile(StaticKeys):
    """A JWKS file, read once when the source is made: for keys that do not rotate."""

    __slots__ = ()

    def __init__(self, path: str | PathLike[str], *, alg: str | None = None) -> None:
        """Read the file.

        Raises:
            ConfigError: the file cannot be read, or is no JWKS that may be used.
        """
        super().__init__(read_file(path, alg)[0])


def read_file(
    path: str | PathLike[str], alg: str | None = None
) -> tuple[KeySet, Mapping[str, Any]]:
    """Return the keys of a JWKS file, and the whole document.

    Raises:
        ConfigError: the file cannot be read, or is no JWKS that may be used.
    """
    name = path_text(path)
    document = parsed(_contents(name), name)
    try:
        return KeySet.from_jwks(document, alg=alg), document
    except ConfigError as error:
        told = f"the JWKS file {name!a}: {error.message}"
        raise ConfigError(told, code=error.code, fix=error.fix) from None


def path_text(path: object) -> str:
    """Return a path as text, whatever class it is of.

    Raises:
        ConfigError: it is no path. `open` would take a number for a file that is open already.
    """
    try:
        text = os.fspath(path)  # type: ignore[call-overload]  # refused by the system's own rules
    except TypeError as error:
        raise _no_path(path) from error
    if not isinstance(text, str):
        raise _no_path(path)
    return str.__str__(text)


def _no_path(path: object) -> ConfigError:
    return ConfigError(
        f"the JWKS file is {shown(path)}, expected a path, as text or os.PathLike",
        code="jwks_file",
        fix="use StaticKeys for keys that are at hand, JwksUrl for a URL",
    )


def unknown_key(kid: str | None, keys: KeySet) -> UnknownKey:
    """Return the error for a token whose key is not in a fresh set."""
    if kid is None:
        return UnknownKey(
            f"the token names no kid, and the key set has {len(keys)} keys", code="kid_missing"
        )
    trusted = "not the trusted key" if len(keys) == 1 else f"none of the {len(keys)} trusted keys"
    return UnknownKey(f"kid is {shown(kid)}, which is {trusted}")


def _key_set(keys: object, alg: str | None) -> KeySet:
    if isinstance(keys, KeySet):
        return keys
    if isinstance(keys, Mapping):
        return KeySet.from_jwks(keys, alg=alg)
    if isinstance(keys, (str, bytes)) or not isinstance(keys, Iterable):
        raise ConfigError(
            f"keys is {shown(keys)}, expected a JWKS or public keys",
            code="keys",
            fix="use JwksFile for a path, JwksUrl for a URL",
        )
    return KeySet(keys)


def _contents(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123  pathlib would be one more import
            contents = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: no file system has such a name
        why = getattr(error, "strerror", None) or "no such name is possible"
        raise ConfigError(
            f"the JWKS file {path!a} cannot be read: {why}",
            code="jwks_file",
            fix="write one with: kmsjwt jwks --key KEY",
        ) from error
    if len(contents) > MAX_BYTES:
        raise ConfigError(
            f"the JWKS file {path!a} is larger than {MAX_BYTES} bytes", code="jwks_file"
        )
    return contents


def parsed(contents: bytes, where: str, what: str = "JWKS") -> Mapping[str, Any]:
    """Return a document's JSON object.

    Raises:
        ConfigError: it is none; ``where`` and ``what`` it should be stand in the message.
    """
    try:
        return read_json_object(contents)
    except Undecodable as error:
        begin = contents.lstrip()[:3]
        why = "it looks like HTML" if begin[:1] == b"<" else str(error)
        why = "it looks like a token" if begin == b"eyJ" else why
        raise ConfigError(f"{where!a} is no {what}: {why}", code="jwks_malformed") from None
