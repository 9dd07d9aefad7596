"""The ways in which code behind a guard may read a path.

API Gateway judges a path and then routes by it. Here a framework routes, and one that decodes
``/%61dmin``, or takes ``..`` away, would serve what the rules were never asked about.
"""

from __future__ import annotations

UNCLEAR = "/.."
"""What to ask about when nobody can tell by which path the code behind knows a request."""


def readings(path: str) -> tuple[str, ...]:
    """Return the ways to read a path, all of which must be allowed.

    As it stands; decoded once, if it has escapes; each without the slashes at its end, which many
    frameworks take no notice of, or redirect.
    """
    ways = [path]
    if "%" in path:
        from urllib.parse import unquote

        ways.append(unquote(path))
    return tuple(dict.fromkeys([*ways, *(way.rstrip("/") or "/" for way in ways)]))


def is_plain(path: str) -> bool:
    """Tell whether nobody can take it for another.

    It has no ``.``, ``..``, ``//`` or backslash, and nothing that cannot be printed: routes that
    are regular expressions, as Starlette's and Powertools', match ``/admin`` and a line feed too.
    """
    return (
        path.isprintable()
        and "//" not in path
        and "\\" not in path
        and not any(dots in path.split("/") for dots in (".", ".."))
    )
