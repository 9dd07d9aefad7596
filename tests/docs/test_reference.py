"""The reference pages name what there is, all of it and nothing else."""

from __future__ import annotations

import argparse
import ast
import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest

import kmsjwt
from kmsjwt import Issuer
from kmsjwt.algorithms import ALGORITHMS
from kmsjwt.cli.program import parser
from kmsjwt.errors import KmsJwtError
from kmsjwt.handlers import _environment
from kmsjwt.handlers._authorizer_settings import AuthorizerSettings
from kmsjwt.handlers._issue_settings import IssueSettings
from kmsjwt.handlers._key_settings import JwksSettings
from kmsjwt.handlers._rotate_settings import RotateSettings
from kmsjwt.kms import KmsSigner
from kmsjwt.local import LocalKms

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "reference"
NOT_TO_IMPORT = {"kmsjwt.__main__", "kmsjwt.cdk.authority"}  # it runs; it needs the CDK
SOURCE = ROOT / "src" / "kmsjwt"
# Helpers that take a code without its name, and codes that are no errors of ours.
TAKES_CODE_LAST = {"_unavailable", "_invalid", "Refused"}
NOT_OURS = {"cli/inspection/catalogue.py", "local/faults.py"}
REASONS = {"ok", "no_rule", "rule_unmet", "require_unmet", "stage_unnamed", "unexpected_error"}
# What the placeholders in `code=f"…"` stand for.
PLACEHOLDERS = {
    "{name}": "(header|payload|signature|crit|b64|enc|zip|iss|aud|sub|iat|exp|nbf)",
    "{error.code}": "(base64|utf8|json|duplicate_member|depth|not_object)",
    "{fault[0]}": "(exp|nbf|iat|jti|client_id|scope)",
}


def rows(page: str, heading: str | None = None) -> list[list[str]]:
    """Return the cells of a page's tables, or of those under one heading; no heads, no rules."""
    text = (PAGES / page).read_text("utf-8")
    if heading is not None:
        text = re.split(r"^## ", text.split(f"\n## {heading}\n", 1)[1], flags=re.MULTILINE)[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
    return [[cell.strip() for cell in row] for row in cells if not row[0].strip().startswith("---")]


def named(rows_: list[list[str]]) -> list[str]:
    return [row[0].strip("`") for row in rows_ if row[0].startswith("`")]


class Reading(_environment.Environment):
    """An environment that remembers what was asked for."""

    def __init__(self, **variables: str) -> None:
        self.asked: set[str] = set()
        super().__init__(variables)

    def text(self, name: str) -> str | None:
        self.asked.add(name)
        return super().text(name)

    def required(self, name: str, expected: str) -> str:
        self.asked.add(name)
        return super().required(name, expected)

    def words(self, name: str) -> tuple[str, ...]:
        self.asked.add(name)
        return super().words(name)

    def choice(self, name: str, *choices: str) -> str | None:
        self.asked.add(name)
        return super().choice(name, *choices)

    def seconds(self, name: str, *, least: int = 1) -> int | None:
        self.asked.add(name)
        return super().seconds(name, least=least)


def settings_rows() -> list[list[str]]:
    return [row for row in rows("settings.md") if re.match(r"`KMS", row[0])]


def test_settings_lists_every_variable_once():
    listed = named(settings_rows())

    assert sorted(listed) == sorted({*_environment.KNOWN, "KMS_KEY_ID"})


@pytest.mark.parametrize(
    ("column", "read"),
    [
        (1, lambda env: IssueSettings(env, authenticates=False)),
        (2, AuthorizerSettings),
        (3, JwksSettings),
        (4, RotateSettings),
    ],
    ids=["issue", "authorizer", "jwks", "rotate"],
)
def test_settings_says_which_function_reads_what(column, read):
    asked: set[str] = set()
    for profile in ({}, {"KMSJWT_PROFILE": "recipe"}):
        env = Reading(**profile)
        read(env)
        asked |= env.asked

    said = {row[0].strip("`") for row in settings_rows() if row[column] != "-"}

    # A function refuses the cut-off only where it uses it, and jwks looks at the profile alone.
    assert said == asked


def test_the_command_lines_own_variables():
    listed = named(rows("command-line.md", "Environment"))

    assert sorted(listed) == sorted(_environment.COMMAND_LINE)


def commands(of: argparse.ArgumentParser, path: str = "kmsjwt") -> dict[str, Any]:
    """Return every command that does something, with its parser."""
    found: dict[str, Any] = {}
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                found[f"{path} {name}"] = child
                found |= commands(child, f"{path} {name}")
    return found


COMMANDS = {name: child for name, child in commands(parser()).items() if name != "kmsjwt key"}


def test_every_command_has_its_section():
    text = (PAGES / "command-line.md").read_text("utf-8")

    assert sorted(re.findall(r"^## (kmsjwt .+)$", text, re.MULTILINE)) == sorted(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_stands_in_its_commands_section(name):
    text = (PAGES / "command-line.md").read_text("utf-8")
    section = re.split(r"^## ", text.split(f"\n## {name}\n", 1)[1], flags=re.MULTILINE)[0]
    prose = re.sub(r"^```.*?^```$", "", section, flags=re.MULTILINE | re.DOTALL)
    if name == "kmsjwt invoke":
        told = set(re.findall(r"`(--[a-z-]+)`", prose))
    else:
        told = set(named(rows("command-line.md", name)))

    flags = {
        flag
        for action in COMMANDS[name]._actions
        for flag in action.option_strings
        if flag.startswith("--") and flag != "--help"
    }

    assert told == flags


def codes_in_the_source() -> tuple[set[str], set[str]]:
    """Return the codes that stand in the source, and patterns of those that are put together."""
    exact: set[str] = set()
    patterns: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        if str(path.relative_to(SOURCE)) in NOT_OURS:
            continue
        for value in code_expressions(ast.parse(path.read_text("utf-8"))):
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                exact.add(value.value)
            elif isinstance(value, ast.JoinedStr):
                pattern = ast.unparse(value)[2:-1]
                for placeholder, values in PLACEHOLDERS.items():
                    pattern = pattern.replace(placeholder, values)
                patterns.add(pattern)
    return exact, patterns


def code_expressions(tree: ast.AST) -> list[ast.expr]:
    found: list[ast.expr] = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[_, *_] as args) if name in TAKES_CODE_LAST:
                found.append(args[-1])
            case ast.Assign(targets=[ast.Name(id="code")], value=value):
                found.append(value)
            case ast.arguments(args=[*_, ast.arg(arg="code")], defaults=[*_, default]):
                found.append(default)
        if isinstance(node, ast.Call):
            found += [keyword.value for keyword in node.keywords if keyword.arg == "code"]
    return found


def test_errors_lists_every_code():
    """Both ways: none is missing, and none is there that no longer exists."""
    exact, patterns = codes_in_the_source()
    listed = set(named(rows("errors.md", "Codes")))

    missing = exact - listed
    gone = {
        code
        for code in listed - exact - REASONS
        if not any(re.fullmatch(pattern, code) for pattern in patterns)
    }

    assert (missing, gone) == (set(), set())


def test_errors_lists_what_a_decoder_may_find():
    """Codes that are put together of a segment's name and what is wrong with it."""
    tree = ast.parse((SOURCE / "_encoding.py").read_text("utf-8"))
    faults = {
        str(node.args[1].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Undecodable"
        and isinstance(node.args[1], ast.Constant)
    }
    wanted = {f"{segment}_{fault}" for segment in ("header", "payload") for fault in faults}

    assert faults >= {"base64", "json"}
    assert wanted | {f"recipe_{code}" for code in wanted} <= set(named(rows("errors.md", "Codes")))


def error_classes(of: type[KmsJwtError] = KmsJwtError) -> set[type[KmsJwtError]]:
    return {of}.union(*map(error_classes, of.__subclasses__()))


def test_errors_lists_every_class_with_its_base_and_code():
    for module in pkgutil.walk_packages(kmsjwt.__path__, "kmsjwt."):
        if module.name not in NOT_TO_IMPORT:
            importlib.import_module(module.name)
    ours = {each for each in error_classes() if each.__module__.startswith("kmsjwt.")}

    listed = {
        (row[0].strip("`"), row[1], row[2].strip("`"))
        for row in rows("errors.md", "Classes")
        if row[0] != "class"
    }

    assert listed == {
        (each.__name__, ", ".join(base.__name__ for base in each.__bases__), each.code)
        for each in ours
    }


def test_algorithms_is_the_table_of_the_code():
    table = [row for row in rows("algorithms.md") if row[0].strip("`") in ALGORITHMS]

    assert [
        [row[0].strip("`"), row[1], row[2], row[3], row[4]] for row in table if len(row) == 6
    ] == [
        [
            each.name,
            ", ".join(each.key_specs),
            each.kms_name,
            each.message_type,
            str(each.signature_length or "256, 384, 512"),
        ]
        for each in ALGORITHMS.values()
    ]


def test_algorithms_says_how_long_a_token_is():
    kms = LocalKms()
    keys = {
        spec: kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
        for spec in dict.fromkeys(each.key_specs[0] for each in ALGORITHMS.values())
    }
    lengths = {}
    for name, each in ALGORITHMS.items():
        signer = KmsSigner(keys[each.key_specs[0]], client=kms, alg=name)
        issued = Issuer("https://id.example", signer).issue(
            sub="ala", aud="orders", claims={"tenant": "t1"}
        )
        lengths[name] = str(len(issued.token))

    said = {row[0].strip("`"): row[5] for row in rows("algorithms.md") if len(row) == 6}

    assert {name: said[name] for name in lengths} == lengths


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_links_to_headings_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)", page.read_text("utf-8"))

    dead = [
        f"{target}#{anchor}"
        for target, anchor in links
        if anchor not in anchors(page.parent / target if target else page)
    ]

    assert dead == []
