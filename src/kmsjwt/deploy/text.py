"""A template as text. CloudFormation reads both forms; people read YAML more easily."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kmsjwt.deploy.intrinsics import Json

# A text that YAML 1.1 and 1.2 read as that text, with nothing around it. "2012-10-17" is a date to
# them, "no" a truth value, "1" a number.
_PLAIN = r"[A-Za-z/][A-Za-z0-9_./-]*(?:::[A-Za-z0-9]+)*"
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def as_json(value: Json) -> str:
    """Return the value as JSON, indented."""
    return json.dumps(value, indent=2) + "\n"


def as_yaml(value: Json) -> str:
    """Return the value as YAML: blocks, one scalar a line; strings as JSON has them if in doubt.

    Strings of several lines become literal blocks.
    """
    return "".join(f"{line}\n" for line in _lines(value))


def _lines(value: Json) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for name, member in value.items():
            yield from _entry(f"{_text(name)}:", member)
    elif isinstance(value, list) and value:
        for member in value:
            head, *rest = _lines(member)
            yield f"- {head}"
            yield from (f"  {line}" if line else line for line in rest)
    elif isinstance(value, str) and _is_block(value):
        yield "|-" if not value.endswith("\n") else "|"
        yield from (f"  {line}" if line else "" for line in value.splitlines())
    else:
        yield _scalar(value)


def _entry(head: str, member: Json) -> Iterator[str]:
    first, *rest = _lines(member)
    if isinstance(member, (dict, list)) and member:
        yield head
        yield from (f"  {line}" if line else line for line in (first, *rest))
    else:
        yield f"{head} {first}"
        yield from rest


def _is_block(text: str) -> bool:
    """Tell whether a literal block says the same: lines of plain characters, one end at most."""
    return (
        "\n" in text
        and text[:1] not in (" ", "\n")
        and not text.endswith("\n\n")
        and not re.search(r"[^\n\x20-\x7e]", text)
        and not re.search(r"^ +$", text, re.MULTILINE)
    )


def _scalar(value: Json) -> str:
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(text: str) -> str:
    if re.fullmatch(_PLAIN, text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text)
