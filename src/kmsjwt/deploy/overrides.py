"""What ``parameter_overrides`` of a samconfig.toml sets, and what would go wrong with it.

SAM reads less than a person does: an item ends at a blank, a name that the template does not have
is left out, and a parameter that is not named keeps what was deployed last
(``UsePreviousValue``). CloudFormation's own checks come when somebody deploys. So a project's tests
ask here first.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

from kmsjwt.deploy.deciding import broken
from kmsjwt.deploy.lengths import too_long
from kmsjwt.errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# NAME=VALUE as SAM has it (samcli.cli.types, CfnParameterOverridesType): a value in quotes, or one
# that goes on to the next blank; both may have characters after a backslash.
_ITEM = re.compile(
    r"""([A-Za-z0-9]+)=("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|(?!')(?:\\.|[^\s"\\])+)"""
)
_NOTHING_SET = (
    "parameter_overrides is missing or empty, so SAM deploys defaults or what was deployed last;"
    " expected in [STAGE.deploy.parameters] or [STAGE.global.parameters], spelt like this"
)
# What else SAM reads, and we do not.
_OTHERWISE = re.compile(r"^\s*file://|(^|\s)ParameterKey=")


def read(overrides: object) -> dict[str, str]:
    """Return what SAM reads, by the parameters' names; what it cannot read is left out.

    Args:
        overrides: of ``parameter_overrides``: items, or one text of several. Of what else SAM
            takes, such as a table, nothing is read.
    """
    return dict(item for text in _texts(overrides) for item in _items(text)[0])


def faults(described: Mapping[str, Any], overrides: object) -> list[str]:
    """Return what would be deployed otherwise than it looks, or not at all.

    Args:
        described: a template, see `kmsjwt.deploy.template`.
        overrides: of ``parameter_overrides``.
    """
    if unfit := _not_for_us(overrides):
        return unfit
    texts = _texts(overrides)
    if not "".join(texts).strip():
        return [_NOTHING_SET]
    declared, given = described["Parameters"], read(overrides)
    found = [f"{shown(text)}: SAM does not read {shown(rest)}" for text, rest in _unread(texts)]
    named = [name for text in texts for name, _ in _items(text)[0]]
    found += [f"{name} is set twice" for name in given if named.count(name) > 1]
    found += [_stranger(name, list(declared)) for name in given if name not in declared]
    found += [
        f"{name} is not set, so it stays what was deployed last; {_line(name, declaration)}"
        for name, declaration in declared.items()
        if name not in given
    ]
    for name, declaration in declared.items():
        if name in given and (expected := _expected(declaration, given[name])):
            found.append(f"{name} is {shown(given[name])}, expected {expected}")
    return [*found, *_against_rules(described, given)]


def _not_for_us(overrides: object) -> list[str]:
    """Return what SAM may well read, and we do not."""
    members = overrides if isinstance(overrides, list) else [overrides]
    return [
        f"{shown(each)}: kmsjwt's tests read NAME=VALUE alone; write each parameter so"
        for each in members
        if not isinstance(each, str) or _OTHERWISE.search(each)
    ]


def _texts(overrides: object) -> list[str]:
    members = overrides if isinstance(overrides, list) else [overrides]
    return [each for each in members if isinstance(each, str)]


def _line(name: str, declaration: Mapping[str, Any]) -> str:
    """Return the line that is missing."""
    default = declaration.get("Default")
    if default == "":
        return f"nothing is '{name}=\"\"'"
    if default is None:
        return f'add "{name}=..."'
    return f'add "{name}={default}", which is the default, or what you want'


def _items(text: str) -> tuple[list[tuple[str, str]], str]:
    """Return the items that a text begins with, and the rest of it."""
    found, rest = [], text.strip()
    while match := _ITEM.match(rest):
        found.append((match[1], _unquoted(match[2])))
        after = rest[match.end() :]
        if after and not after.startswith(" "):
            return found, after
        rest = after.lstrip(" ")
    return found, rest


def _unread(texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        items, rest = _items(text)
        if rest or not items:
            yield text, rest


def _unquoted(value: str) -> str:
    if value[0] in ("'", '"'):
        value = value[1:-1]
    return re.sub(r"""\\([ "'])""", r"\1", value)


def _stranger(name: str, declared: list[str]) -> str:
    alike = difflib.get_close_matches(name, declared, n=1)
    meant = f"; is {alike[0]} meant?" if alike else ""
    return f"{name} is no parameter of the template, so SAM passes it over{meant}"


def _expected(declaration: Mapping[str, Any], value: str) -> str | None:
    """Return what was expected of a value that is not taken."""
    told = str(declaration.get("ConstraintDescription", declaration["Description"]))
    if "AllowedValues" in declaration:
        allowed = [str(each) for each in declaration["AllowedValues"]]
        return None if value in allowed else f"one of {', '.join(allowed)}"
    if declaration["Type"] == "Number":
        return _expected_number(declaration, value)
    several = declaration["Type"] == "CommaDelimitedList"
    pattern = declaration.get("AllowedPattern", r"\S+|^$" if several else "(?s:.*)")
    each = value.split(",") if several else [value]
    if len(each) > 1 and "" in each:
        return "no comma without something before and after it"
    return None if all(re.fullmatch(pattern, one) for one in each) else told


def _expected_number(declaration: Mapping[str, Any], value: str) -> str | None:
    if not re.fullmatch("[0-9]+", value):
        return "a whole number"
    least, most = (declaration.get(bound) for bound in ("MinValue", "MaxValue"))
    if least is not None and int(value) < least:
        return f"{least} or more"
    return f"{most} at most" if most is not None and int(value) > most else None


def _against_rules(described: Mapping[str, Any], given: Mapping[str, str]) -> list[str]:
    values = {
        name: _value(declaration, given.get(name, str(declaration.get("Default", ""))))
        for name, declaration in described["Parameters"].items()
    }
    return [*broken(described, values), *too_long(values)]


def _value(declaration: Mapping[str, Any], text: str) -> str | list[str]:
    return text.split(",") if declaration["Type"] == "CommaDelimitedList" else text
