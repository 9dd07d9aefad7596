"""``kmsjwt init``: a small project that deploys the whole authority."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kmsjwt.cli import terminal
from kmsjwt.cli.options import add_command
from kmsjwt.errors import ConfigError, shown

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

_TOOLS = ("sam", "cdk")
_MOST_NAMED = 5


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "init",
        _init,
        help="write a small project that deploys the whole authority, with its tests",
        example="kmsjwt init my-auth\nkmsjwt init my-auth --with cdk --python 3.12",
    )
    parser.add_argument("directory", metavar="DIR", help="where to write it; made if need be")
    parser.add_argument("--with", choices=_TOOLS, help="AWS SAM or the AWS CDK (sam)")
    parser.add_argument("--arch", metavar="ARCH", help="x86_64 or arm64 (arm64)")
    parser.add_argument("--python", metavar="X.Y", help="the functions' Python (3.13)")
    parser.add_argument(
        "--force", action="store_true", help="replace files that are there and differ"
    )


def _init(args: Namespace) -> int:
    from kmsjwt.bundling.target import Target
    from kmsjwt.cli.scaffold import files

    target = Target(arch=args.arch or "arm64", python=args.python or "3.13")
    folder = Path(args.directory)
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{shown(args.directory)} is no folder", code="init_folder")
    tool = getattr(args, "with") or "sam"
    project = files(folder.resolve().name, tool, target)
    same, others = _there(folder, project)
    if others and not args.force:
        raise _refusal(others)
    for name in others:
        terminal.say(f"replaces  {terminal.printable(str(folder / name))}")
    for name, text in project.items():
        if name not in same:
            _write(folder / name, text)
        what = "unchanged" if name in same else "replaced" if name in others else "written"
        terminal.answer(f"{what:9} {terminal.printable(str(folder / name))}")
    terminal.say(f"next: read {terminal.printable(str(folder / 'README.md'))}")
    return terminal.GOOD


def _there(folder: Path, project: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return which files are there already as they would be written, and which differ."""
    there = [name for name in project if os.path.lexists(folder / name)]
    same = [name for name in there if _text(folder / name) == project[name]]
    return same, [name for name in there if name not in same]


def _text(path: Path) -> str | None:
    try:
        return None if path.is_symlink() else path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _refusal(others: list[str]) -> ConfigError:
    named = ", ".join(others[:_MOST_NAMED])
    more = len(others) - _MOST_NAMED
    return ConfigError(
        f"there already, and not as they would be written: {named}"
        + (f" and {more} more" if more > 0 else ""),
        code="init_exists",
        fix="name another folder, or replace them with --force; nothing was written",
    )


def _write(path: Path, text: str) -> None:
    """Write a file whole; where a link is, the link is replaced and not what it leads to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.write_bytes(text.encode("utf-8"))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
