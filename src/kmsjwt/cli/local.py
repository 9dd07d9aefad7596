"""``kmsjwt local``: the local KMS over HTTP, commands run against it, an API with a gateway."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any

from kmsjwt.cli import local_gateway, terminal
from kmsjwt.cli.local_options import add_common, region_of
from kmsjwt.cli.options import add_command, number
from kmsjwt.errors import ConfigError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping, Sequence

    from kmsjwt.local.http import Running

PORT = 4599
FOLDER = ".kmsjwt"
"""Where ``local run`` keeps keys between two runs, in the working directory."""

# What would lead a client elsewhere than to the endpoint it is given.
_UNSET = (
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_FIPS_ENDPOINT",
)
_LOOPBACK = "127.0.0.1,localhost"


def add(commands: Any) -> None:
    """Add ``local``, ``local run`` and ``local gateway``."""
    parser = add_command(
        commands,
        "local",
        _serve,
        help="serve a local KMS for development, without an AWS account",
        example="kmsjwt local          prints an export line: paste it elsewhere, and there\n"
        "kmsjwt key create auth\n"
        "aws kms list-keys\n\n"
        "kmsjwt local run -- kmsjwt key create auth",
    )
    parser.add_argument(
        "--port",
        type=number(0, 65_535),
        metavar="N",
        help=f"port on 127.0.0.1, 0 for any free one ({PORT})",
    )
    add_common(parser, "keys live here between runs (default: in memory)", default=None)
    its_commands = parser.add_subparsers(
        metavar="run | gateway", title="commands", prog="kmsjwt local"
    )
    parser.usage = (
        "kmsjwt local [--port N] [--folder DIR] [--region REGION]\n"
        "       kmsjwt local run [--folder DIR] [--region REGION] -- COMMAND\n"
        "       kmsjwt local gateway [options]"
    )
    run = add_command(
        its_commands,
        "run",
        _run,
        help="run one command with endpoint, Region and credentials of a local KMS",
        example="kmsjwt local run -- kmsjwt key create auth\n"
        "kmsjwt local run -- pytest\n\n"
        f"Keys stay in {FOLDER}/ of the working directory. A local KMS that has that folder\n"
        "already (kmsjwt local --folder, or another run) is used instead of a second one.",
    )
    run.usage = "kmsjwt local run [--folder DIR] [--region REGION] -- COMMAND"
    add_common(run, f"where keys live between runs ({FOLDER})", default=argparse.SUPPRESS)
    local_gateway.add(its_commands)


def split(argv: Sequence[str]) -> tuple[list[str], list[str] | None]:
    """Return the words of ours, and the command of ``local run -- COMMAND``, ``--`` or not."""
    words = list(argv)
    if words[:1] != ["local"]:
        return words, None
    at = _end_of_options(words, 1)
    if words[at : at + 1] == ["run"]:
        at = _end_of_options(words, at + 1)
    elif "--" in words:
        at = words.index("--")
    else:
        return words, None
    command = words[at:]
    return words[:at], command[1:] if command[:1] == ["--"] else command


def _end_of_options(words: list[str], at: int) -> int:
    """Return where options end that begin here: each takes a value, but for ``--help``."""
    while at < len(words) and words[at].startswith("-") and words[at] != "--":
        at += 1 if "=" in words[at] or words[at] in ("-h", "--help") else 2
    return at


def _serve(args: Namespace) -> int:
    from kmsjwt.cli.neighbours import Neighbours
    from kmsjwt.local import NOTICE, LocalKms
    from kmsjwt.local.http import serve

    if args.words_after_dashes is not None:
        args.parser.error("a command was given, expected it after: kmsjwt local run --")
    with LocalKms(region=region_of(args), folder=args.folder) as kms:
        neighbours = Neighbours(Path(args.folder)) if args.folder else None

        def announce(server: Running) -> None:
            if neighbours:
                neighbours.welcome(server.endpoint_url)
            where = f"keys in {args.folder}" if args.folder else "keys in memory"
            terminal.say(f"{NOTICE}\n{where} · stop with Ctrl-C · to use it elsewhere:")
            settings = _for_sdks(server.endpoint_url, region_of(args))
            terminal.say(" ".join(["export", *(f"{k}={quote(v)}" for k, v in settings.items())]))
            terminal.answer(server.endpoint_url)

        try:
            serve(kms, port=PORT if args.port is None else args.port, announce=announce)
        finally:
            if neighbours:
                neighbours.leave()
    return 0


def _run(args: Namespace) -> int:
    command = args.words_after_dashes
    if not command:
        args.parser.error("no command is given, expected: kmsjwt local run -- COMMAND")
    region = region_of(args)
    with _kms(Path(args.folder or FOLDER), region) as endpoint_url:
        return _child(command, environment(os.environ, endpoint_url, region))


def environment(environ: Mapping[str, str], endpoint_url: str, region: str) -> dict[str, str]:
    """Return an environment in which every AWS SDK asks the local KMS."""
    kept = {name: value for name, value in environ.items() if name not in _UNSET}
    no_proxy = environ.get("no_proxy") or environ.get("NO_PROXY")
    bypass = f"{no_proxy},{_LOOPBACK}" if no_proxy else _LOOPBACK
    return {
        **kept,
        **_for_sdks(endpoint_url, region),
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": bypass,
        "no_proxy": bypass,
    }


def _for_sdks(endpoint_url: str, region: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL_KMS": endpoint_url,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }


@contextmanager
def _kms(folder: Path, region: str) -> Iterator[str]:
    """Yield the URL of the local KMS that has the folder: a neighbour's, or our own."""
    from kmsjwt.cli.neighbours import Neighbours

    with Neighbours(folder).kms_or_url(region) as (kms, url):
        if kms is None:
            terminal.say(f"the local KMS at {url} has {folder}/ already and is used")
            yield url
            return
        from kmsjwt.local.http import running

        with running(kms) as server:
            terminal.say(
                f"local KMS at {server.endpoint_url} · keys in {folder}/ · for development only"
            )
            neighbours = Neighbours(folder)
            neighbours.welcome(server.endpoint_url)
            try:
                yield server.endpoint_url
            finally:
                neighbours.leave(wait=True)


def _child(command: Sequence[str], env: Mapping[str, str]) -> int:
    """Run the command and return its exit code; Ctrl-C reaches it by itself."""
    words = list(command)
    if words[0] == "kmsjwt" and shutil.which("kmsjwt", path=env.get("PATH")) is None:
        words = [sys.executable, "-m", "kmsjwt", *words[1:]]
    try:
        child = subprocess.Popen(words, env=dict(env))  # noqa: S603  it is the user's command
    except OSError as error:
        raise ConfigError(
            f"the command {words[0]!r} cannot be run: {error.strerror}",
            code="command",
            fix="check its name and the PATH",
        ) from error
    with _passing_on(signal.SIGTERM, child):
        code = _ended(child)
    return code if code >= 0 else 128 - code


@contextmanager
def _passing_on(number: signal.Signals, child: subprocess.Popen[bytes]) -> Iterator[None]:
    if current_thread() is not main_thread():  # only the main thread may be told of signals
        yield
        return
    before = signal.signal(number, lambda *_: child.terminate())
    try:
        yield
    finally:
        signal.signal(number, before)


def _ended(child: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue  # the child got it too, and decides
