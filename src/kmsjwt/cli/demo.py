"""``kmsjwt demo``: the whole story on this machine, each line of it really happening."""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kmsjwt.cli import terminal
from kmsjwt.cli.options import add_command

if TYPE_CHECKING:
    from argparse import Namespace

    from kmsjwt.cli.stage import Scene


def add(commands: Any) -> None:
    """Add the command."""
    add_command(
        commands,
        "demo",
        _demo,
        help="make a key, issue a token, knock at a gateway, rotate the key: all on this machine",
        example="kmsjwt demo",
    )


def _demo(args: Namespace) -> int:
    from kmsjwt.cli.fire import rotate_keys
    from kmsjwt.cli.stage import Stage

    del args  # it has none
    terminal.answer("kmsjwt demo · local KMS in this process · nothing leaves this machine\n")
    failures = 0
    with Stage() as stage:
        scenes = (
            stage.make_a_key,
            stage.ask_for_a_token,
            stage.knock,
            rotate_keys,
            stage.ask_others,
        )
        for number, scene in enumerate(scenes, start=1):
            title = f"{number} {scene.__name__.replace('_', ' ')}"
            for shown in scene():
                _show(title, shown)
                failures += not shown.good
                title = ""
    terminal.answer("")
    if failures:
        terminal.say(f"{failures} of these lines are not as they should be")
        return terminal.FAILED
    for line in _do_it_yourself():
        terminal.answer(line)
    return terminal.GOOD


def _show(title: str, scene: Scene) -> None:
    from kmsjwt.cli.stage import SKIPPED

    if scene.aside:
        terminal.answer(f"    {scene.aside}")
        return
    colour = "dim" if scene.outcome == SKIPPED else "green" if scene.good else "red"
    mark = terminal.paint(f"{scene.outcome:<4}", colour)
    told = scene.told if scene.good else f"{scene.told}   EXPECTED {scene.expected}"
    terminal.answer(f"{title:<18} {scene.what:<36} {mark} {told}".rstrip())


def _do_it_yourself() -> list[str]:
    command = _this_command()
    run = f"{command} local run --"
    lines = [
        *_what_that_needs(),
        f"{run} kmsjwt key create auth",
        f"{run} kmsjwt issue --key alias/auth \\",
        "  --issuer https://id.example --audience orders --subject ala",
    ]
    labels = ["Do it yourself:", *[""] * (len(lines) - 1)]
    return [f"{label:<18} {line}" for label, line in zip(labels, lines, strict=True)]


def _what_that_needs() -> list[str]:
    missing = [name for name in ("boto3", "uvicorn") if find_spec(name) is None]
    return ["pip install 'kmsjwt[aws,local]'"] if missing else []


def _this_command() -> str:
    """Return what to type for ``kmsjwt`` here."""
    if shutil.which("kmsjwt"):
        return "kmsjwt"
    beside = Path(sys.executable).with_name("kmsjwt")
    if not beside.exists():
        return "python -m kmsjwt"
    try:
        return str(beside.relative_to(Path.cwd()))
    except ValueError:
        return str(beside)
