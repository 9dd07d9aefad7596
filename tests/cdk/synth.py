"""Runs in an environment of its own: makes apps of the CDK and prints their templates as JSON.

    python synth.py BUNDLE < cases.json

Each case is what the construct is given; a fault is printed instead of a template.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk

from kmsjwt.cdk import TokenAuthority
from kmsjwt.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

# What JSON has not.
KINDS: dict[str, Callable[[list[str]], object]] = {
    "tuple": tuple,
    "set": set,
    "sets": lambda given: [set(given)],
}


def synthesised(bundle: str, given: dict[str, Any]) -> dict[str, Any]:
    # An app for each: the CDK checks all stacks of an app together, which takes longer.
    tokens, times = given.pop("tokens", {}), given.pop("times", 1)
    kinds = {name: KINDS[kind] for name, kind in given.pop("kinds", {}).items()}
    with tempfile.TemporaryDirectory() as out:
        app = cdk.App(outdir=out)
        stack = cdk.Stack(app, "Tested")
        for argument, kind in kinds.items():
            given[argument] = kind(given[argument])
        for argument, name in tokens.items():
            given[argument] = cdk.CfnParameter(stack, name).value_as_string
        try:
            for number in range(times):
                name = f"Authority{number or ''}"
                authority = TokenAuthority(stack, name, **{"bundle": bundle, **given})
        except ConfigError as error:
            return {"fault": str(error), "code": error.code}
        cdk.CfnOutput(stack, "MyIssuer", value=authority.output("Issuer"))
        authority.resource("HttpApi").add_metadata("seen", "yes")
        template = app.synth().get_stack_by_name("Tested").template
        assets = json.loads(Path(out, "Tested.assets.json").read_text("utf-8"))
        return {"template": template, "files": assets["files"]}


if __name__ == "__main__":
    print(json.dumps([synthesised(sys.argv[1], case) for case in json.load(sys.stdin)]))
