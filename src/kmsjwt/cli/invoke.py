"""``kmsjwt invoke``: one of the Lambda functions, called here with an event of yours."""

from __future__ import annotations

import json
import os
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from kmsjwt.cli import inputs, terminal
from kmsjwt.cli.options import add_command, named_as_typed
from kmsjwt.errors import ConfigError, TokenError
from kmsjwt.handlers._environment import KNOWN, PREFIX
from kmsjwt.key_names import is_alias

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

_EVENT = "give a file with the event, the JSON itself, or - and the JSON on stdin"
_REQUEST_ID = "00000000-0000-4000-8000-000000000000"


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "invoke",
        _invoke,
        help="call one of the Lambda functions here, with an event of yours",
        example='kmsjwt invoke issue \'{"sub": "ala", "aud": "orders"}\'\n'
        "kmsjwt invoke authorizer event.json\n"
        "kmsjwt invoke jwks {}\n"
        "kmsjwt invoke rotate '{\"start\": true}'",
    )
    parser.add_argument("function", choices=("issue", "authorizer", "jwks", "rotate"))
    parser.add_argument("event", metavar="EVENT", help="a file, JSON itself, or - for stdin")
    parser.set_defaults(functions_refuse_misspellings=True)
    settings = parser.add_argument_group("settings of the functions")
    for name in sorted(KNOWN):
        flag = "--" + name.removeprefix(PREFIX).lower().replace("_", "-")
        settings.add_argument(flag, metavar="TEXT", help=f"{name} of the function")


def _invoke(args: Namespace) -> int:
    event = _event(args.event)
    function = _built(args)
    try:
        returned = function(event, SimpleNamespace(aws_request_id=_REQUEST_ID))
    except TokenError as error:
        raise _told(error) from error
    terminal.answer_json(returned)
    return _exit_code(returned)


def _built(args: Namespace) -> Callable[[Any, Any], Any]:
    build: Callable[..., Callable[[Any, Any], Any]] = import_module(
        f"kmsjwt.handlers.{args.function}"
    ).build
    environ = _environ(args)
    try:
        with named_as_typed(args):
            return build(environ=environ, log=_log)
    except ConfigError as error:
        if any(map(is_alias, environ.get("KMSJWT_KEYS", "").split())):
            error.fix = "name their keys by ARN: kmsjwt key list NAME --json shows it"
        raise


def _environ(args: Namespace) -> dict[str, str]:
    """Return the function's environment: this one, with what is typed in its place."""
    environ = dict(os.environ)
    for name in KNOWN:
        value = getattr(args, name.removeprefix(PREFIX).lower())
        if value is not None:
            environ[name] = value
    return environ


def _event(named: str) -> Any:
    text = _text(named)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ConfigError(
            f"the event is no JSON ({len(text)} characters)",
            code="event",
            fix=_EVENT,
        ) from None


def _text(named: str) -> str:
    is_file = bool(named.strip()) and named != "-" and named.lstrip()[0] not in "{["
    if is_file and not Path(named).is_file():
        raise ConfigError(
            f"the event file {named!r} cannot be read: it is not there, or no file",
            code="event",
            fix=_EVENT,
        )
    return inputs.text(named, "the event")


def _log(level: str, event: str, **fields: object) -> None:
    present = {name: value for name, value in fields.items() if value is not None}
    terminal.say(json.dumps({"level": level, "event": event, **present}))


def _told(error: TokenError) -> TokenError:
    """Return what the function raised with what its caller is not told: the reason."""
    reason = getattr(error, "reason", error.code)
    detail = getattr(error, "detail", None)
    return TokenError(
        f"{error.message}: {reason}" + (f", {detail}" if detail else ""),
        code=reason,
        fix="API Gateway answers 401" if error.message == "Unauthorized" else error.fix,
    )


def _exit_code(returned: Any) -> int:
    if not isinstance(returned, dict):
        return terminal.GOOD
    status = returned.get("statusCode", 200)
    if status >= 500:
        return terminal.CANNOT_KNOW
    if status >= 400 or returned.get("isAuthorized") is False:
        return terminal.FAILED
    statements = returned.get("policyDocument", {}).get("Statement", ())
    denied = any(statement.get("Effect") == "Deny" for statement in statements)
    return terminal.FAILED if denied else terminal.GOOD
