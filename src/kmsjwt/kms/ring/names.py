"""How a ring and its keys are named."""

from __future__ import annotations

import re

from kmsjwt.errors import ConfigError, shown

# 256 characters of an alias, less "alias/" and "/" with a generation of up to nine digits.
NAME = r"[A-Za-z0-9_-]{1,240}"
NUMBER = r"[1-9][0-9]{0,8}"
_PREFIX = "ring:"


def ring_name(text: object) -> str:
    """Return a ring's name, given plainly or as ``alias/NAME`` or ``ring:NAME``.

    Raises:
        ConfigError: it cannot be one: a ring's aliases are ``alias/NAME`` and ``alias/NAME/1``,
            so its name has no ``/``.
    """
    name = text.removeprefix("alias/").removeprefix(_PREFIX) if isinstance(text, str) else ""
    if not re.fullmatch(NAME, name) or name == "aws":
        raise ConfigError(
            f"the key's name is {shown(text)}, expected letters, digits, '-' and '_'",
            code="ring_name",
            fix="give a plain name such as auth; its aliases become alias/auth and alias/auth/1",
        )
    return name


def is_ring(text: object) -> bool:
    """Tell whether it is meant as a ring's name: ``ring:NAME``, well-formed or not."""
    return isinstance(text, str) and text.startswith(_PREFIX)


def pointer_alias(ring: str) -> str:
    """Return the alias of the key that signs."""
    return f"alias/{ring}"


def generation_alias(ring: str, number: int) -> str:
    """Return the alias that names a ring's key for good; the first has number 1."""
    return f"alias/{ring}/{number}"
