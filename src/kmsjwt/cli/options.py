"""Options and their environment twins: ``--max-lifetime`` is ``KMSJWT_MAX_LIFETIME``."""

from __future__ import annotations

import argparse
import re
import shlex
from typing import TYPE_CHECKING, Any, NoReturn

from kmsjwt.cli import terminal
from kmsjwt.errors import ConfigError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_YES = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
_WITHOUT_TWIN = ("help", "version")


class Parser(argparse.ArgumentParser):
    """An argparse parser whose errors have our form and never show a token."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **settings,
        )

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in our grammar and stop with exit code 2."""
        told = re.sub(r"^argument (\S+): is ", r"\1 is ", message)
        fix = f"see {self.prog} --help"
        if re.search(r"invalid choice: .?eyJ", message):
            fix = "what a token is and says: kmsjwt inspect TOKEN"
        terminal.print_error(ConfigError(told, fix=fix))
        raise SystemExit(2)


def add_command(
    commands: Any,
    name: str,
    run: Callable[[argparse.Namespace], int],
    *,
    help: str,  # noqa: A002  argparse's own word
    example: str,
) -> Parser:
    """Add a command to the parser of commands.

    Args:
        commands: what ``add_subparsers`` returned.
        name: the command's name.
        run: carries it out and returns the exit code.
        help: what it does, in one sentence.
        example: one command line, or a few.
    """
    lines = "".join(f"\n  {line}".rstrip(" ") for line in example.splitlines())
    parser: Parser = commands.add_parser(
        name, help=help, description=help[0].upper() + help[1:] + ".", epilog=f"example:{lines}"
    )
    parser.set_defaults(run=run, parser=parser)
    return parser


def fill_from_environment(args: argparse.Namespace, environ: Mapping[str, str]) -> None:
    """Give each option that the command line left out the value of its environment twin.

    Empty means unset, on the command line as in the environment. ``args.given`` becomes the set
    of the options that the command line gave.

    Raises:
        ConfigError: naming every variable whose value makes no sense.
    """
    faults: list[str] = []
    args.given = set()
    for action in args.parser._actions:  # noqa: SLF001  argparse has no public list of them
        if not action.option_strings or action.dest in _WITHOUT_TWIN:
            continue
        if getattr(args, action.dest) in ("", []):
            setattr(args, action.dest, None)
        if getattr(args, action.dest) not in (None, False):
            args.given.add(action.dest)
            continue
        text = environ.get(variable(action.dest), "").strip()
        if not text:
            continue
        try:
            setattr(args, action.dest, _value(action, text))
        except (ValueError, argparse.ArgumentTypeError) as error:
            faults.append(f"{variable(action.dest)} {error}")
    if faults:
        raise ConfigError("; ".join(faults), code="environment")


def variable(dest: str) -> str:
    """Return the environment twin of an option."""
    return "KMSJWT_" + dest.upper()


def require(args: argparse.Namespace, *names: str) -> None:
    """Refuse to go on unless each option has a value, naming all that have none.

    Raises:
        ConfigError: with the flags and variables that are missing.
    """
    missing = [name for name in names if not getattr(args, name)]
    if missing:
        raise ConfigError(
            "missing: " + ", ".join(f"{_flag(name)} (or {variable(name)})" for name in missing),
            code="missing_option",
            fix=f"see {args.parser.prog} --help",
        )


def names(values: list[str] | None) -> list[str]:
    """Return every name of an option that may be repeated and may hold several."""
    return [name for value in values or () for name in value.split()]


def claims(items: list[str] | None) -> dict[str, Any]:
    """Read ``name=text`` and ``name:=json``.

    Raises:
        ConfigError: neither form, a name twice, or no JSON after ``:=``.
    """
    read: dict[str, Any] = {}
    for item in items or ():
        name, value = _claim(item)
        if name in read:
            raise ConfigError(f"the claim {shown(name)} is given twice", code="claim_option")
        read[name] = value
    return read


def _claim(item: str) -> tuple[str, Any]:
    from kmsjwt._encoding import Undecodable

    name, equals, text = item.partition("=")
    if not equals or not name.rstrip(":"):
        raise ConfigError(
            f"--claim is {shown(item)}, expected name=text or name:=json", code="claim_option"
        )
    if not name.endswith(":"):
        return name, text
    try:
        return name[:-1], _json_value(text)
    except Undecodable as error:
        raise ConfigError(
            f"--claim {name[:-1]} has {shown(text)} after ':=': {error}",
            code="claim_option",
            fix='write name:=3, name:=true, name:=\'["a","b"]\', or name=text for text',
        ) from None


def _json_value(text: str) -> Any:
    from kmsjwt._encoding import Undecodable, plain, read_json_object

    # Wrapped, so that the one strict reader serves for a value of any type.
    wrapped = read_json_object(b'{"value":' + text.encode("utf-8", "surrogatepass") + b"}")
    if len(wrapped) != 1:
        raise Undecodable("not JSON", "json")
    return plain(wrapped["value"])


def duration(text: str) -> int:
    """Read a length of time for argparse, in seconds: ``15m``, ``PT15M`` or ``900``.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    from kmsjwt.handlers._durations import seconds

    length = seconds(text)
    if not length:
        raise argparse.ArgumentTypeError(f"is {shown(text)}, expected 15m, PT15M or 900")
    return length


def number(least: int, most: int) -> Callable[[str], int]:
    """Return what reads a whole number within bounds for argparse."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"is {shown(text)}, expected {least} to {most}")
        return int(text)

    return read


def _value(action: argparse.Action, text: str) -> Any:
    if action.nargs == 0:
        if text.lower() not in _YES:
            raise ValueError(f"is {shown(text)}, expected 1 or 0")
        return _YES[text.lower()]
    if isinstance(action, argparse._AppendAction):  # noqa: SLF001  the only way to tell
        return shlex.split(text) if action.dest == "claim" else text.split()
    value = action.type(text) if callable(action.type) else text
    if action.choices is not None and value not in action.choices:
        raise ValueError(f"is {shown(text)}, expected {' or '.join(map(str, action.choices))}")
    return value


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
