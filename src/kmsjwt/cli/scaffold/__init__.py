"""What ``kmsjwt init`` writes: a small project, as text by the name of each file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from kmsjwt.cli.scaffold.requirement import installed, origin, requirement
from kmsjwt.deploy import StackSettings, as_yaml, template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kmsjwt.bundling import Target

_HERE = Path(__file__).parent
_ENDING = ".in"
_BUNDLE = "dist/function.zip"
_BACKEND = "hello.handler"
_TEMPLATE = "template.yaml"
_AUDIENCE = "orders"
_LONGEST_NAME = 128
_WIDTH = 82  # with what is before it, lines of 88, which formatters leave alone
_README: dict[str, dict[str, str]] = {
    "sam": {
        "extras": "aws",
        "tool_install": ", the AWS SAM CLI",
        "before": "",
        "deploy": "sam deploy",
        "remove": "sam delete",
        "settings_file": "samconfig.toml",
        "no_limit": "IssueConcurrency=0",
        "failed": "what is left of it, a stack in `ROLLBACK_COMPLETE` that cannot be updated, is"
        " deleted, as `on_failure` in `samconfig.toml` says. Where such a stack is there all the"
        " same, or in `ROLLBACK_FAILED`: `sam delete`, then deploy. To look at what was made, take"
        " that line out and deploy with `--disable-rollback`.",
        "removing": "",
        "stack_file": "template.yaml",
        "stack_what": "every resource; after an upgrade, take it from a new `kmsjwt init`",
    },
    "cdk": {
        "extras": "aws,cdk",
        "tool_install": ", the AWS CDK CLI (`npm install -g 'aws-cdk@^2.1148'`)",
        # In the project's folder it runs app.py, which is nothing without the bundle.
        "before": " For each account and Region, in any other folder:"
        " `cdk bootstrap aws://ACCOUNT/REGION`.",
        "deploy": "cdk deploy",
        "remove": "cdk destroy",
        "settings_file": "settings.py",
        "no_limit": '"issue_concurrency": 0',
        "failed": "what is left of it is a stack in `ROLLBACK_COMPLETE` that cannot be updated:"
        " `cdk deploy` deletes it first and begins anew. In `ROLLBACK_FAILED`, `cdk destroy` first."
        " To look at what was made, deploy with `--no-rollback`.",
        "removing": " `cdk destroy` runs `app.py`, so make the bundle first where there is none.",
        "stack_file": "app.py",
        "stack_what": "the stack, which is one construct; beside it what else you want in it",
    },
}

_WHENCE = (
    "\n\n`requirements.txt` names the kmsjwt that wrote this project, which was installed from"
    " `{}`. Where that place is not to be found, such as on another machine, name one that is."
)


def files(name: str, tool: str, target: Target) -> dict[str, str]:
    """Return every file of a project.

    Args:
        name: of its folder.
        tool: ``sam`` or ``cdk``.
        target: what its functions run on.
    """
    settings = StackSettings(
        code=_BUNDLE,
        runtime=f"python{target.python}",
        architecture=target.arch,
        backend=_BACKEND,
    )
    described = template(settings)
    version, direct_url = installed()
    words = {
        **_README[tool],
        **_named_as(tool, described["Parameters"]),
        "requirement": requirement(_README[tool]["extras"], version, direct_url),
        "whence": _WHENCE.format(origin(direct_url)) if direct_url else "",
        "stack": stack_name(name),
        "ring": ring_name(name),
        "bundle": f"kmsjwt bundle --arch {target.arch} --python {target.python} --with hello.py",
        "parameters": "".join(_SETTINGS[tool](_with_defaults(described["Parameters"], name))),
    }
    written = {
        str(path.relative_to(folder)).removesuffix(_ENDING): Template(
            path.read_text("utf-8")
        ).substitute(words)
        for folder in (_HERE / "common", _HERE / tool)
        for path in folder.rglob(f"*{_ENDING}")
    }
    if tool == "sam":
        written[_TEMPLATE] = as_yaml(described)
    return dict(sorted(written.items()))


def left_behind(folder: Path, tool: str) -> tuple[str, tuple[str, ...]]:
    """Return the other tool and which of its files are in a folder, if it had a project there.

    Args:
        folder: of a project.
        tool: what that one is for.
    """
    other, config = {"sam": ("cdk", "cdk.json"), "cdk": ("sam", "samconfig.toml")}[tool]
    if not (folder / config).is_file():
        return other, ()
    alone = _names(other) - _names(tool)
    return other, tuple(sorted(name for name in alone if (folder / name).is_file()))


def _names(tool: str) -> set[str]:
    own = _HERE / tool
    names = {str(path.relative_to(own)).removesuffix(_ENDING) for path in own.rglob(f"*{_ENDING}")}
    return names | ({_TEMPLATE} if tool == "sam" else set())


def ring_name(name: str) -> str:
    """Return a name for the stack's key ring: the stack's own, so that no two share one.

    AWS keeps the aliases below ``alias/aws/`` to itself (KMS, CreateAlias).
    """
    named = stack_name(name)
    return f"auth-{named}" if named.lower() == "aws" else named


def stack_name(name: str) -> str:
    """Return a name that CloudFormation takes: letters, digits and hyphens, a letter first.

    It has 128 characters at most (CloudFormation, CreateStack).
    """
    plain = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")
    named = plain if plain[:1].isalpha() else f"auth-{plain}"
    return named[:_LONGEST_NAME].strip("-")


def _named_as(tool: str, parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return what each parameter is called where it is set."""
    if tool == "sam":
        return {name: name for name in parameters}
    from kmsjwt.cdk.parameters import in_arguments

    return {name: in_arguments(name) for name in parameters}


def _with_defaults(parameters: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the parameters with the defaults of a project."""
    own = {"Audience": _AUDIENCE, "RingName": ring_name(name)}
    return {
        each: {**parameter, "Default": own.get(each, parameter.get("Default"))}
        for each, parameter in parameters.items()
    }


def _for_sam(parameters: Mapping[str, Any]) -> Iterator[str]:
    """Yield all of them: what is not named, SAM leaves as it was deployed last."""
    for name, parameter in parameters.items():
        value = str(parameter["Default"])
        yield from _comment(_told(parameter))
        # SAM reads no "Name=", and these quotes as what they hold.
        yield f'    "{name}={value}",\n' if value else f"    '{name}=\"\"',\n"


def _for_cdk(parameters: Mapping[str, Any]) -> Iterator[str]:
    """Yield each as an argument of the construct, commented out where it is unset."""
    from kmsjwt.cdk.parameters import in_arguments

    for name, parameter in parameters.items():
        if name == "Audience":
            continue
        yield from _comment(in_arguments(_told(parameter)))
        default = parameter["Default"]
        unset = "[]" if parameter["Type"] == "CommaDelimitedList" else '""'
        item = (
            f"{json.dumps(in_arguments(name))}: {json.dumps(default) if default != '' else unset}"
        )
        yield f"    {'# ' if default == '' else ''}{item},\n"


def _told(parameter: Mapping[str, Any]) -> str:
    if "AllowedValues" not in parameter:
        return str(parameter["Description"])
    several = ", ".join(map(str, parameter["AllowedValues"]))
    return f"{parameter['Description']}; one of {several}"


def _comment(text: str) -> Iterator[str]:
    import textwrap

    yield from (f"    # {line}\n" for line in textwrap.wrap(text, _WIDTH))


_SETTINGS = {"sam": _for_sam, "cdk": _for_cdk}
