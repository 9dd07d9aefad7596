"""``kmsjwt init``: a small project that deploys the whole authority."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.cli import terminal
from kmsjwt.cli.options import add_command

if TYPE_CHECKING:
    from argparse import Namespace

_TOOLS = ("sam", "cdk")


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
    from kmsjwt.cli.scaffold import files, left_behind, ring_name, stack_name
    from kmsjwt.cli.scaffold.writing import plan, require_name

    target = Target(arch=args.arch or "arm64", python=args.python or "3.13")
    folder = require_name(args.directory)
    tool = getattr(args, "with") or "sam"
    name = folder.resolve().name
    project = files(name, tool, target)
    planned = plan(args.directory, project, force=args.force)
    for file in planned.replaced:
        terminal.say(f"will replace {terminal.printable(str(folder / file))}")
    for file in planned.write():
        terminal.answer(f"{planned.what(file):9} {terminal.printable(str(folder / file))}")
    other, left = left_behind(folder, tool)
    if left:
        terminal.say(
            f"left there, of a project --with {other}: {', '.join(left)}\n"
            "  fix: delete them, once its stack is removed if it was deployed"
        )
    terminal.say(f"the stack is {stack_name(name)}, its key ring {ring_name(name)}")
    terminal.say(f"next: read {terminal.printable(str(folder / 'README.md'))}")
    return terminal.GOOD
