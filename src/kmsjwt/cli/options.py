"""Options and their environment twins: ``--max-lifetime`` is ``KMSJWT_MAX_LIFETIME``."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from kmsjwt.algorithms import ALGORITHMS
from kmsjwt.cli import terminal
from kmsjwt.errors import ConfigError, shown
from kmsjwt.handlers._environment import COMMAND_LINE, KNOWN, PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_YES = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
WITHOUT_TWIN = frozenset(
    {"help", "version", "with", "remove", "start", "compromised", "keep_enabled", "force", "before"}
)
"""Options that are said each time anew: what lingers in a shell must not lead to such a thing."""

_DASHED_THUMBPRINT = re.compile(r"-[A-Za-z0-9_-]{42}")  # of SHA-256, in base64url (RFC 7638)

KEY_SPECS = tuple(dict.fromkeys(spec for each in ALGORITHMS.values() for spec in each.key_specs))
"""The KMS key specs that sign a JWT."""


def _with_kids_joined(words: Iterable[str]) -> list[str]:
    """Return the words, a thumbprint that begins with ``-`` joined to its option by ``=``.

    One in 64 does, and argparse would take it for an option.
    """
    joined: list[str] = []
    for word in words:
        if joined and joined[-1].startswith("--") and _DASHED_THUMBPRINT.fullmatch(word):
            joined[-1] = f"{joined[-1]}={word}"
        else:
            joined.append(word)
    return joined


class Parser(argparse.ArgumentParser):
    """An argparse parser whose errors have our form and never show a token."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **settings,
        )

    def parse_known_args(  # type: ignore[override]  # argparse overloads it
        self, args: Any = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse all there is. What is left over is told by the command whose it would be."""
        words = _with_kids_joined(sys.argv[1:] if args is None else args)
        parsed, rest = super().parse_known_args(words, namespace)
        if rest:
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        return parsed, rest

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in our grammar and stop with exit code 2."""
        told = re.sub(r"^argument (\S+): is ", r"\1 is ", message)
        fix = f"{self._guess(message)}see {self.prog} --help"
        if re.search(r"invalid choice: .?eyJ", message):
            fix = "what a token is and says: kmsjwt inspect TOKEN"
        terminal.print_error(ConfigError(told, fix=fix))
        raise SystemExit(2)

    def _guess(self, message: str) -> str:
        """Return what may have been meant by the word that argparse did not know."""
        option = re.match(r"unrecognized arguments: (--[\w-]+)", message)
        choice = re.search(r"invalid choice: '([\w-]+)' \(choose from (.*)\)", message)
        if option:
            near = nearest(option[1], self._option_string_actions)
        elif choice:
            near = nearest(choice[1], re.findall(r"[\w-]+", choice[2]))
        else:
            return ""
        return f"was {near} meant? " if near else ""

    def _print_message(self, message: str, file: Any = None) -> None:
        # Through the one door, so that help fails as any other answer does.
        write = terminal.say if file is not None and file is sys.stderr else terminal.answer
        write(message.rstrip("\n"))


def nearest(word: str, among: Iterable[str]) -> str | None:
    """Return the one of the words that looks most like ``word``, if any does."""
    from difflib import get_close_matches

    by_case = {each.lower(): each for each in among}
    return next((by_case[near] for near in get_close_matches(word.lower(), by_case, n=1)), None)


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
        if not action.option_strings or action.dest in WITHOUT_TWIN:
            continue
        if getattr(args, action.dest) in ("", []):
            setattr(args, action.dest, None)
        given = getattr(args, action.dest)
        if given is not None and given is not False:  # a zero is given
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
        raise ConfigError("; ".join(faults), code="environment", faults=faults)


@contextmanager
def named_as_typed(args: argparse.Namespace) -> Iterator[None]:
    """Let a ConfigError of a function name an option, where one was typed, not its variable."""
    try:
        yield
    except ConfigError as error:
        told = partial(
            re.compile(rf"\b{PREFIX}({'|'.join(map(str.upper, args.given)) or '(?!)'})\b").sub,
            lambda found: "--" + found[1].lower().replace("_", "-"),
        )
        raise ConfigError(
            told(error.message),
            code=error.code,
            faults=tuple(map(told, error.faults)),
            fix=error.fix and told(error.fix),
        ) from error


def warn_of_misspellings(environ: Mapping[str, str]) -> None:
    """Tell of each variable that begins like ours and is none."""
    known = KNOWN | COMMAND_LINE
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            # Without the prefix, which would make every pair of names look alike.
            plain = (each.removeprefix(PREFIX) for each in known)
            near = nearest(name.removeprefix(PREFIX), plain)
            meant = f", was {PREFIX}{near} meant?" if near else ""
            terminal.warn(f"{shown(name)} is no setting of kmsjwt{meant}")


def variable(dest: str) -> str:
    """Return the environment twin of an option."""
    return PREFIX + dest.upper()


def require(args: argparse.Namespace, *names: str | tuple[str, ...]) -> None:
    """Refuse to go on unless each argument has a value, naming all that have none.

    Args:
        args: the command line as parsed.
        *names: of each argument that is needed, or of several of which one is.

    Raises:
        ConfigError: with the flags and variables that are missing.
    """
    flags = {
        action.dest: f"{action.option_strings[-1]} (or {variable(action.dest)})"
        if action.option_strings
        else str(action.metavar)
        for action in args.parser._actions  # noqa: SLF001  argparse has no public list of them
    }
    needed = [(name,) if isinstance(name, str) else name for name in names]
    missing = [each for each in needed if not any(getattr(args, name) for name in each)]
    if missing:
        raise ConfigError(
            "missing: " + ", ".join(" or ".join(flags[name] for name in each) for each in missing),
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
        raise argparse.ArgumentTypeError(f"is {shown(text)}, expected 15m, PT1H30M or 900")
    return length


def wait(text: str) -> int:
    """Read a length of time that may be none at all for argparse, in seconds.

    Raises:
        argparse.ArgumentTypeError: it is no length of time.
    """
    return 0 if text == "0" else duration(text)


def key_spec(text: str) -> str:
    """Read the name of a KMS key spec for argparse, in upper or lower case.

    Raises:
        argparse.ArgumentTypeError: it is none that signs a JWT.
    """
    if text.upper() in KEY_SPECS:
        return text.upper()
    for name, each in ALGORITHMS.items():
        if name.lower() == text.lower():
            specs = " or ".join(each.key_specs)
            raise argparse.ArgumentTypeError(f"is {text}, an algorithm; its spec is {specs}")
    expected = ", ".join(KEY_SPECS)
    raise argparse.ArgumentTypeError(f"is {shown(text)}, which signs no JWT, expected {expected}")


def algorithm_name(text: str) -> str:
    """Read the name of a JOSE algorithm for argparse.

    Raises:
        argparse.ArgumentTypeError: it is none of ours.
    """
    if text in ALGORITHMS:
        return text
    raise argparse.ArgumentTypeError(f"is {shown(text)}, expected one of {', '.join(ALGORITHMS)}")


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
