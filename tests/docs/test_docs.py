"""Every code block of the README and the docs runs, and prints what the page shows.

``pycon`` blocks are doctests (``...`` for anything), ``python`` blocks are executed, ``console``
blocks are typed into a shell line by line, ``js`` blocks are modules that Node runs, and JSON and
TOML must parse. Within one page, state
carries on from block to block. In a console's output ``…`` stands for anything within a line,
``...`` alone on a line for any number of lines.
"""

from __future__ import annotations

import doctest
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.js import node as javascript

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]
BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_HERE = (
    "make test",
    "make aws-check",
)  # the first would run these very tests, the second asks AWS
KNOWN = {"pycon", "python", "console", "json", "toml", "text", "mermaid", "yaml", "js"}


def blocks(page: Path) -> list[tuple[str, str]]:
    return [(match[1], match[2]) for match in BLOCK.finditer(page.read_text("utf-8"))]


@pytest.fixture
def environment_of_its_own() -> Iterator[None]:
    """What a page's code sets in this process's environment is gone after the page."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.usefixtures("environment_of_its_own")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_a_page_runs_and_shows_what_happens(page, tmp_path, monkeypatch):
    """A reader who types what the page shows sees what the page shows."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "KMSJWT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "docs"}
    shell = Shell(tmp_path)
    for language, text in blocks(page):
        assert language in KNOWN, f"{page.name}: a block without a known language"
        if language == "pycon":
            run_doctest(text, names, page.name)
        elif language == "python":
            exec(compile(text, f"{page.name} block", "exec"), names)
        elif language == "json":
            json.loads(text)
        elif language == "toml":
            tomllib.loads(text)
        elif language == "js":
            run_javascript(text, tmp_path)
        elif language == "console":
            shell.check(text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_docs_lead_somewhere(page):
    """No relative link is dead."""
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text("utf-8"))

    dead = [target for target in targets if not (page.parent / target).exists()]

    assert dead == []


def run_doctest(text: str, names: dict[str, object], page: str) -> None:
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    test = doctest.DocTestParser().get_doctest(text, names, page, page, 0)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=flags)
    runner.run(test, out=report.append, clear_globs=False)
    names.update(test.globs)
    assert runner.failures == 0, "".join(report)


def run_javascript(text: str, folder: Path) -> None:
    """Run a module in the page's folder, as if the packages of tests/js were installed there."""
    javascript.install()
    modules = folder / "node_modules"
    if not modules.exists():
        modules.symlink_to(javascript.HERE / "node_modules")
    module = folder / "block.mjs"
    module.write_text(text, "utf-8")
    node, _ = javascript.command(module)
    done = subprocess.run(
        [node, module.name],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()


def wheels() -> dict[str, str]:
    """Return what lets pip, and so `kmsjwt bundle`, do without a network."""
    folder = ROOT / ".wheels"
    if not (folder / ".ready").exists():
        return {}
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_CONFIG_FILE": os.devnull}


class Shell:
    """Runs a page's commands in its own folder, with the package's commands on the PATH."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._env = {
            "HOME": str(home),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "COLUMNS": "120",
            **wheels(),
        }
        self._variables = ""

    def check(self, text: str) -> None:
        for command, shown in commands(text):
            if command.startswith(NOT_HERE):
                continue
            printed = self._type(command)
            assert matches(shown, printed), (
                f"$ {command}\n--- the page shows:\n{shown}\n--- it printed:\n{printed}"
            )

    def _type(self, command: str) -> str:
        where = ROOT if command.startswith("make ") else self._home
        state = self._home / ".shell-state"
        script = (
            f"[ -f {state} ] && . {state}\n(exit ${{last_status:-0}})\n{command}\n"
            f"last_status=$?\ndeclare -p | grep -v '^declare -[a-zA-Z]*[rA]' > {state}\n"
        )
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=where,
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
            check=False,
        )
        return done.stdout.decode()


def commands(text: str) -> list[tuple[str, str]]:
    """Return each command with the output shown below it; ``> `` continues a command."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            command = re.sub(r"\s+#\s.*$", "", line[2:])
            found.append((command, ""))
        elif line.startswith("> ") and found and not found[-1][1]:
            found[-1] = (f"{found[-1][0]}\n{line[2:]}", "")
        elif found:
            found[-1] = (found[-1][0], f"{found[-1][1]}{line}\n")
    return found


def matches(shown: str, printed: str) -> bool:
    if not shown.strip():
        return True
    pattern = "".join(
        r"(?:.*\n)*?"
        if line.strip() == "..."
        else re.escape(line.rstrip()).replace("…", ".*") + r"[ \t]*\n"
        for line in shown.strip().splitlines()
    )
    return re.fullmatch(pattern, printed.strip() + "\n") is not None
