"""What a rule asks of a token's claims: scopes, values, any or all of several.

A claim that is absent, or of another type than asked for, meets nothing.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from kmsjwt._immutable import Immutable
from kmsjwt.errors import ConfigError, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Requirement(Immutable):
    """Something that claims meet or do not."""

    __slots__ = ()

    def is_met(self, claims: Mapping[str, Any]) -> bool:
        """Tell whether verified claims meet it."""
        raise NotImplementedError

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes it names, for the ``scope`` of RFC 6750's ``insufficient_scope``."""
        return ()

    def asked(self) -> Iterable[tuple[str, str, Any]]:
        """Return each claim that it looks at, as what, and the value that would meet it."""
        return ()


class _Scopes(Requirement):
    __slots__ = ("_scopes",)

    _scopes: tuple[str, ...]

    def __init__(self, scopes: tuple[str, ...]) -> None:
        self._fill(_scopes=scopes)

    def is_met(self, claims: Mapping[str, Any]) -> bool:
        granted = claims.get("scope")
        return isinstance(granted, str) and set(granted.split(" ")).issuperset(self._scopes)

    @property
    def scopes(self) -> tuple[str, ...]:
        return self._scopes

    def asked(self) -> Iterable[tuple[str, str, Any]]:
        return [("scope", "scope", word) for word in self._scopes]

    def __repr__(self) -> str:
        return f"scope({' '.join(self._scopes)!r})"


class _Compared(Requirement):
    """A claim beside a value."""

    __slots__ = ("_claim", "_value")

    _claim: str
    _value: object

    def __init__(self, claim: str, value: object) -> None:
        self._fill(_claim=claim, _value=_comparable(claim, value))


class _Equals(_Compared):
    __slots__ = ()

    def is_met(self, claims: Mapping[str, Any]) -> bool:
        return _same(claims.get(self._claim), self._value)

    def asked(self) -> Iterable[tuple[str, str, Any]]:
        return [(self._claim, "equals", self._value)]

    def __repr__(self) -> str:
        return f"claim({self._claim!r}).equals({shown(self._value)})"


class _Contains(_Compared):
    __slots__ = ()

    def is_met(self, claims: Mapping[str, Any]) -> bool:
        members = claims.get(self._claim)
        # An array alone: a text that has another in it says nothing.
        return isinstance(members, (tuple, list)) and any(
            _same(member, self._value) for member in members
        )

    def asked(self) -> Iterable[tuple[str, str, Any]]:
        return [(self._claim, "contains", self._value)]

    def __repr__(self) -> str:
        return f"claim({self._claim!r}).contains({shown(self._value)})"


class _Several(Requirement):
    __slots__ = ("_among",)

    _among: tuple[Requirement, ...]

    def __init__(self, among: tuple[Requirement, ...]) -> None:
        if not among:
            raise ConfigError(
                f"{self._name} names no requirement, expected at least one", code="requirement"
            )
        for each in among:
            if not isinstance(each, Requirement):
                raise ConfigError(
                    f"a requirement is {shown(each)}, expected scope(...) or claim(...)",
                    code="requirement",
                )
        self._fill(_among=among)

    _name = ""

    @property
    def scopes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for each in self._needed() for name in each.scopes))

    def _needed(self) -> tuple[Requirement, ...]:
        return self._among

    def asked(self) -> Iterable[tuple[str, str, Any]]:
        return [one for each in self._among for one in each.asked()]

    def __repr__(self) -> str:
        return f"{self._name}({', '.join(map(repr, self._among))})"


class _All(_Several):
    __slots__ = ()
    _name = "all_of"

    def is_met(self, claims: Mapping[str, Any]) -> bool:
        return all(each.is_met(claims) for each in self._among)


class _Any(_Several):
    __slots__ = ()
    _name = "any_of"

    def is_met(self, claims: Mapping[str, Any]) -> bool:
        return any(each.is_met(claims) for each in self._among)

    def _needed(self) -> tuple[Requirement, ...]:
        # One of them is enough, and whoever is told of scopes should not ask for more.
        return next(((each,) for each in self._among if each.scopes), ())


class _Claim(Immutable):
    """A claim by its name; say what is asked of it."""

    __slots__ = ("_name",)

    _name: str

    def __init__(self, name: str) -> None:
        self._fill(_name=name)

    def equals(self, value: str | float | bool) -> Requirement:  # noqa: FBT001  a value, no switch
        """Ask that the claim be this very value: text, a number, true or false.

        Raises:
            ConfigError: the value is none of these.
        """
        return _Equals(self._name, value)

    def contains(self, value: str | float | bool) -> Requirement:  # noqa: FBT001  as above
        """Ask that the claim be an array with this value in it.

        Raises:
            ConfigError: the value is no text, number, true or false.
        """
        return _Contains(self._name, value)

    def __repr__(self) -> str:
        return f"claim({self._name!r})"


def scope(*names: str) -> Requirement:
    """Ask for scopes, all of them, each given alone or several parted by spaces (RFC 8693, 4.2).

    Raises:
        ConfigError: no scope is named, or one has a character that no scope has (RFC 6749, 3.3).
    """
    for name in names:
        if type(name) is not str:
            raise ConfigError(f"a scope is {shown(name)}, expected text", code="requirement")
    scopes = tuple(dict.fromkeys(word for name in names for word in name.split(" ") if word))
    if not scopes:
        raise ConfigError("scope names none, expected at least one", code="requirement")
    for word in scopes:
        if not (word.isascii() and word.isprintable()) or '"' in word or "\\" in word:
            raise ConfigError(
                f"scope is {shown(word)}, expected visible ASCII without '\"' and '\\'",
                code="requirement",
            )
        if word.endswith(","):
            raise ConfigError(
                f"scope is {shown(word)}, expected spaces between scopes, no commas",
                code="requirement",
            )
    return _Scopes(scopes)


def claim(name: str) -> _Claim:
    """Name a claim: ``claim("tenant").equals("t1")``, ``claim("roles").contains("admin")``.

    Raises:
        ConfigError: the name is no text, or empty.
    """
    if type(name) is not str or not name:
        raise ConfigError(
            f"a claim's name is {shown(name)}, expected text, not empty", code="requirement"
        )
    return _Claim(name)


def all_of(*requirements: Requirement) -> Requirement:
    """Ask for everything at once.

    Raises:
        ConfigError: none is given, or one is no requirement.
    """
    return _All(requirements)


def any_of(*requirements: Requirement) -> Requirement:
    """Ask for at least one.

    Raises:
        ConfigError: none is given, or one is no requirement.
    """
    return _Any(requirements)


def _comparable(claim: str, value: object) -> object:
    if isinstance(value, (str, bool, int)) or (isinstance(value, float) and isfinite(value)):
        return value
    told = shown(value)
    raise ConfigError(
        f"claim {shown(claim)} is compared with {'a value ' * told.startswith('of type')}{told},"
        " expected text, a number, true or false",
        code="requirement",
        fix="name several values with any_of (in TOML: any)"
        if isinstance(value, (list, tuple, set))
        else None,
    )


def _same(actual: object, wanted: object) -> bool:
    # In Python True is 1; in JSON it is not.
    return actual == wanted and isinstance(actual, bool) == isinstance(wanted, bool)
