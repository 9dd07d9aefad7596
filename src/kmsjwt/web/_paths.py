"""The ways in which code behind a guard may read a path.

API Gateway judges a path and then routes by it. Here a framework routes, and one that decodes
``/%61dmin``, or takes ``..`` away, would serve what the rules were never asked about.
"""

from __future__ import annotations


def readings(path: str) -> tuple[str, ...]:
    """Return the path as it stands and, if it has escapes, decoded once; all must be allowed."""
    if "%" not in path:
        return (path,)
    from urllib.parse import unquote

    return (path, unquote(path))


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
