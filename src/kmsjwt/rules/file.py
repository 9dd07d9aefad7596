"""Rules in a TOML file, every fault told with its line.

::

    path_claims = ["sub", "tenant"]    # what paths may name; sub and client_id if left out

    [require]                          # of every token, whatever the route
    scope = "api"

    [[rule]]
    route = "GET /orders/*"
    scope = "orders:read"

    [[rule]]
    route = ["POST /orders", "DELETE /orders/*"]
    any = [{ scope = "orders:write" }, { contains = { roles = "admin" } }]
"""

from __future__ import annotations

import tomllib
from functools import partial
from typing import TYPE_CHECKING, Any

from kmsjwt.errors import ConfigError, shown
from kmsjwt.rules.checking import DEFAULT_PATH_CLAIMS, Rule, check
from kmsjwt.rules.requirements import Requirement, all_of, any_of, claim, scope
from kmsjwt.rules.ruleset import Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MAX_BYTES = 32_000
"""Largest file of rules that is read: some 500. A policy of 8,192 bytes has room for fewer."""

_TOLD = 30  # faults that are worth one message
# Texts and comments as a whole, so that no bracket in them counts; a text may go on to the end.
_PIECES = (
    r"\"\"\"(?:\\.|[^\\])*?(\"\"\"|\Z)|'''.*?('''|\Z)"
    r"|\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*'|#[^\n]*|[\[\]{}]"
)
_CLOSES = {"[": "]", "{": "}"}

_Place = tuple[str | int, ...]
_NEEDS = ("scope", "equals", "contains", "any", "all")


def read_rules(path: str) -> Rules:
    """Read a file of rules.

    Raises:
        ConfigError: it cannot be read, or naming every fault in it with its line.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123  pathlib would be one more import
            contents = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: no file system has such a name
        why = getattr(error, "strerror", None) or "no such name is possible"
        raise ConfigError(
            f"the rules file {str(path)!a} cannot be read: {why}",
            code="rules_file",
            fix="name a file of the bundle, from its own folder; no URL",
        ) from error
    if len(contents) > MAX_BYTES:
        raise ConfigError(
            f"the rules file {str(path)!a} is larger than {MAX_BYTES} bytes", code="rules_file"
        )
    return parse_rules(contents, where=path)


def parse_rules(toml: bytes | str, *, where: str = "rules") -> Rules:
    """Read rules as TOML.

    Args:
        toml: the file's contents.
        where: how messages name it.

    Raises:
        ConfigError: naming every fault with its line. Its code is ``rules_file``.
    """
    try:
        text = toml if isinstance(toml, str) else toml.decode("utf-8")
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{where} is not UTF-8", code="rules_file") from error
    except (ValueError, RecursionError) as error:  # int() takes no number of 5,000 digits
        raise ConfigError(f"{where} is no TOML: {error}", code="rules_file") from error
    reader = _Reader(text)
    try:
        rules = reader.rules(document)
    except RecursionError as error:
        raise ConfigError(f"{where} is nested too deep", code="rules_file") from error
    if rules is None:
        told = [f"{where}, line {line}: {fault}" for line, fault in reader.located()]
        count = len(reader.faults)
        faults = [*told, *([f"and so on, {count} faults in all"] if count > _TOLD else [])]
        raise ConfigError("; ".join(faults), code="rules_file", faults=faults)
    return rules


class _Reader:
    """Turns a document into rules and collects what is wrong with it, by line."""

    def __init__(self, text: str) -> None:
        self._lines = [f"{line}\n" for line in text.split("\n")]  # TOML ends no line elsewhere
        self.faults: list[tuple[_Place, str]] = []

    def rules(self, document: dict[str, Any]) -> Rules | None:
        """Return the rules, or None if a fault was found."""
        self._refuse_others(document, (), ("path_claims", "require", "rule"))
        claims = document.get("path_claims", list(DEFAULT_PATH_CLAIMS))
        if not isinstance(claims, list) or not all(isinstance(name, str) for name in claims):
            self._fault(
                ("path_claims",), f"path_claims is {shown(claims)}, expected an array of text"
            )
            claims = list(DEFAULT_PATH_CLAIMS)
        wanted = self._required(document)
        rules: list[Rule] = []
        places: list[_Place] = []
        for rule, place in self._rules(document.get("rule", [])):
            rules.append(rule)
            places.append(place)
        for number, fault in check(rules, wanted, claims)[1] if rules else ():
            self._fault(() if number is None else places[number], fault)
        if not (self.faults or rules or wanted):  # cut off, perhaps: it would open every route
            self._fault((), "neither [[rule]] nor [require] asks for anything, expected one to")
        return None if self.faults else Rules(*rules, require=wanted, path_claims=claims)

    def _required(self, document: dict[str, Any]) -> Requirement | None:
        """Return what every token must meet."""
        place: _Place = ("require",)
        if "require" not in document or not self._is_table(document["require"], place):
            return None
        if not document["require"]:  # cut off, perhaps, or all of it made a comment
            self._fault(place, f"require asks for nothing, expected {', '.join(_NEEDS)}")
        return self._needs(document["require"], place)

    def _rules(self, entries: object) -> Iterator[tuple[Rule, _Place]]:
        if not isinstance(entries, list):
            found = "one table" if isinstance(entries, dict) else shown(entries)
            self._fault(("rule",), f"rule is {found}, expected tables named [[rule]]")
            return
        for number, entry in enumerate(entries):
            place: _Place = ("rule", number)
            if not self._is_table(entry, place):
                continue
            self._refuse_others(entry, place, ("route", *_NEEDS))
            needs = self._needs({k: v for k, v in entry.items() if k in _NEEDS}, place)
            routes = entry.get("route")
            if routes == []:
                self._fault((*place, "route"), "route names none, expected at least one")
            many = isinstance(routes, list)
            for each, route in enumerate(routes if many else [routes]):
                where: _Place = (*place, "route", each) if many else (*place, "route")
                if isinstance(route, str):
                    yield Rule(route, *([needs] if needs else [])), where
                else:
                    found = f"is {shown(route)}" if "route" in entry else "is missing"
                    self._fault(
                        where if "route" in entry else place,
                        f"route {found}, expected text such as 'GET /orders/*'",
                    )

    def _needs(self, table: dict[str, Any], place: _Place) -> Requirement | None:
        """Return all that a table asks for, together."""
        self._refuse_others(table, place, _NEEDS)
        needs: list[Requirement] = []
        for name in _NEEDS:
            if name in table:
                needs += self._read(name, table[name], (*place, name))
        return needs[0] if len(needs) == 1 else all_of(*needs) if needs else None

    def _read(self, name: str, value: object, place: _Place) -> Iterable[Requirement]:
        if name == "scope":
            words = value if isinstance(value, list) else [value]
            return self._attempt(lambda: [scope(*words)], place)
        if name in ("equals", "contains"):
            return self._compared(name, value, place)
        if not isinstance(value, list) or not value:
            given = "empty" if value == [] else shown(value)
            self._fault(place, f"{name} is {given}, expected an array of tables")
            return []
        told = len(self.faults)
        among = [
            self._needs(each, (*place, number))
            for number, each in enumerate(value)
            if self._is_table(each, (*place, number))
        ]
        found = [each for each in among if each is not None]
        if len(found) < len(value) and len(self.faults) == told:
            self._fault(place, f"a table of {name} asks for nothing, expected {', '.join(_NEEDS)}")
        join = any_of if name == "any" else all_of
        return [join(*found)] if found else []

    def _compared(self, name: str, table: object, place: _Place) -> Iterable[Requirement]:
        if not isinstance(table, dict) or not table:
            self._fault(place, f"{name} is {shown(table)}, expected a table of claims and values")
            return []
        needs: list[Requirement] = []
        for each, value in table.items():
            compare = partial(_comparison, each, name, value)
            needs += self._attempt(compare, (*place, each))
        return needs

    def _attempt(self, make: Callable[[], list[Requirement]], place: _Place) -> list[Requirement]:
        try:
            return make()
        except ConfigError as error:
            self._fault(place, str(error))
            return []

    def _is_table(self, value: object, place: _Place) -> bool:
        if isinstance(value, dict):
            return True
        name = place[-1] if isinstance(place[-1], str) else f"a table of {place[-2]}"
        self._fault(place, f"{name} is {shown(value)}, expected a table")
        return False

    def _refuse_others(self, table: dict[str, Any], place: _Place, known: tuple[str, ...]) -> None:
        for name in table:
            if name not in known:
                told = f"{shown(name)} is unknown, expected {', '.join(known)}"
                self._fault((*place, name), f"{told}{_meant(name, known)}")

    def _fault(self, place: _Place, fault: str) -> None:
        self.faults.append((place, fault))

    def located(self) -> list[tuple[int, str]]:
        """Return the faults, each with the line where its place begins, in that order.

        tomllib tells no positions. It is the first line with which the document, read only so
        far, has the place. Of many faults those found first are located: each costs some reading.
        """
        told = self.faults[:_TOLD]
        lines = self._lines_of({place for place, _ in told}, 0, len(self._lines))
        return sorted((lines[place], fault) for place, fault in told)

    def _lines_of(self, places: set[_Place], before: int, last: int) -> dict[_Place, int]:
        """Return where places begin that the lines to the last have, and those before have not."""
        if not places or last - before == 1:
            return dict.fromkeys(places, last)
        middle = (before + last) // 2
        for number in range(middle, before, -1):
            document = self._so_far(number)
            if document is not None:
                here = {place for place in places if _has(document, place)}
                found = self._lines_of(here, before, number)
                return {**found, **self._lines_of(places - here, middle, last)}
        return self._lines_of(places, middle, last)

    def _so_far(self, end: int) -> dict[str, Any] | None:
        """Return the document of so many lines, what is open there closed; None within a text."""
        text = "".join(self._lines[:end])
        try:
            return tomllib.loads(text + _closing(text))
        except tomllib.TOMLDecodeError:
            return None


def _closing(text: str) -> str:
    """Return what closes all that is open at the end of some TOML."""
    import re  # only a wrong file pays for this import

    open_ones: list[str] = []
    for found in re.finditer(_PIECES, text, re.DOTALL):
        piece = found[0]
        if found.lastindex and not found[found.lastindex]:
            open_ones.append(piece[:3])
        elif piece in _CLOSES:
            open_ones.append(_CLOSES[piece])
        elif open_ones and piece == open_ones[-1]:
            open_ones.pop()
    return "".join(reversed(open_ones))


def _meant(name: str, known: tuple[str, ...]) -> str:
    from difflib import get_close_matches  # only a wrong file pays for this import

    if "rule" in known and name in _NEEDS:
        return f": put {name} into a [[rule]] or [require]"
    near = get_close_matches(name.lower(), known, n=1)
    return f", was {'[[rule]]' if near[0] == 'rule' else near[0]} meant?" if near else ""


def _has(document: Any, place: _Place) -> bool:
    try:
        for step in place:
            document = document[step]
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _comparison(name: str, relation: str, value: Any) -> list[Requirement]:
    named = claim(name)
    return [named.equals(value) if relation == "equals" else named.contains(value)]
