"""What `kmsjwt init` writes is sound: linted, typed, tested, and in step with the stack."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import subprocess
import sys
import tomllib
from typing import Any

import pytest
from tests.deploy.sam import as_sam_sends

from kmsjwt.bundling import Target
from kmsjwt.cdk.parameters import in_arguments
from kmsjwt.cli.program import parser
from kmsjwt.deploy import StackSettings, as_yaml, template

# Two pairs that exclude each other, commas and the end of lines, which are the formatter's,
# what holds for libraries and not for tests, and settings that are there to be set.
NOT_FOR_TESTS = "D203,D213,COM812,CPY001,S101,INP001,ARG001,PLR2004,ERA001"


def run(folder: Any, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_own_tests_pass(project, tool):
    told = run(project, "pytest", "-q", "-p", "no:cacheprovider")

    wanted = {"sam": "28 passed, 1 skipped", "cdk": "26 passed"}[tool]
    assert re.search(rf"^{wanted} in", told, re.MULTILINE), told


def test_its_tests_pass_in_the_place_of_the_other_tools_project(typed, tool, tmp_path):
    """What the other one left there is nothing that they stumble over."""
    typed("mine", "--with", {"sam": "cdk", "cdk": "sam"}[tool])
    typed("mine", "--with", tool, "--force")

    told = run(tmp_path / "mine", "pytest", "-q", "-p", "no:cacheprovider")

    assert re.search(r"^\d+ passed", told, re.MULTILINE), told


def test_its_tests_notice_a_function_that_answers_wrongly(project):
    function = project / "hello.py"
    function.write_text(function.read_text().replace('.get("sub")', '.get("iss")'))

    with pytest.raises(AssertionError, match="5 failed"):
        run(project, "pytest", "-q", "-p", "no:cacheprovider", "--no-header")


def test_it_is_linted_and_formatted(project):
    run(
        project,
        "ruff",
        "check",
        "--isolated",
        "--no-cache",
        "--select=ALL",
        "--ignore",
        NOT_FOR_TESTS,
    )
    # By whichever few rules somebody has: no comment is for a rule that is none of them.
    run(project, "ruff", "check", "--isolated", "--no-cache", "--select=E4,E7,E9,F,RUF")
    run(project, "ruff", "format", "--isolated", "--no-cache", "--check")


def test_it_is_typed(project, tool, tmp_path):
    options = ["--strict", f"--cache-dir={tmp_path / 'cache'}"]
    if importlib.util.find_spec("aws_cdk") is None:
        # The CDK's own types take mypy minutes to read.
        (tmp_path / "mypy.ini").write_text(
            "[mypy]\n[mypy-aws_cdk.*]\nignore_missing_imports = true\n"
        )
        options += [f"--config-file={tmp_path / 'mypy.ini'}"]

    run(project, "mypy", *options, ".")


def test_every_python_file_compiles_for_the_oldest_python(project):
    for path in project.rglob("*.py"):
        compile(path.read_text("utf-8"), path.name, "exec", dont_inherit=True)


@pytest.mark.parametrize("tool", ["sam"], indirect=True)
def test_the_template_is_the_one_description(project):
    settings = StackSettings(code="dist/function.zip", backend="hello.handler")

    assert (project / "template.yaml").read_text("utf-8") == as_yaml(template(settings))


@pytest.mark.parametrize("tool", ["sam"], indirect=True)
def test_samconfig_sets_every_parameter_and_sam_reads_it_so(project):
    """What is not set, SAM leaves as it was last deployed; asked of SAM itself."""
    text = (project / "samconfig.toml").read_text("utf-8")
    lines = tomllib.loads(text)["default"]["deploy"]["parameters"]["parameter_overrides"]

    merged = as_sam_sends(lines, template())

    assert merged == [
        {
            "ParameterKey": name,
            "ParameterValue": {"Audience": "orders", "RingName": "my-auth"}.get(
                name, str(parameter.get("Default"))
            ),
        }
        for name, parameter in template()["Parameters"].items()
    ]


@pytest.mark.parametrize("tool", ["sam"], indirect=True)
def test_a_first_deployment_that_fails_is_not_in_the_next_ones_way(project):
    """By an option of `sam deploy`, whose values are these (tests/deploy tries it)."""
    deploy = tomllib.loads((project / "samconfig.toml").read_text("utf-8"))["default"]["deploy"]

    assert deploy["parameters"]["on_failure"] == "DELETE"
    # Taken together with this, that one does what it says and no more.
    assert "disable_rollback" not in deploy["parameters"]


def test_its_readme_says_what_a_failed_deployment_leaves(project, tool):
    text = (project / "README.md").read_text("utf-8")
    below = text.partition("\n## If the first deployment fails\n")[2].partition("\n## ")[0]

    assert "`ROLLBACK_COMPLETE`" in below
    assert {"sam": "`sam delete`", "cdk": "`cdk destroy`"}[tool] in below
    assert "--log-group-name-prefix my-auth-RotateLogs`" in below
    limit = {"sam": "`IssueConcurrency=0` in `samconfig.toml`", "cdk": "in `settings.py`"}[tool]
    assert limit in below


@pytest.mark.parametrize("tool", ["sam"], indirect=True)
def test_its_tests_run_with_each_stage_of_samconfig(project):
    """Each sets everything, and is looked at by itself."""
    file = project / "samconfig.toml"
    plain = file.read_text("utf-8")
    prod = plain.partition("[default.deploy.parameters]")[2].replace("RingName=my", "RingName=prod")

    def with_prod(old: str, new: str) -> str:
        assert old in prod
        return f"{plain}\n[prod.deploy.parameters]{prod.replace(old, new)}"

    file.write_text(with_prod('IssuerUrl=""', "IssuerUrl=https://id.example.com"), "utf-8")
    told = run(project, "pytest", "-q", "-p", "no:cacheprovider")
    assert re.search(r"^50 passed", told, re.MULTILINE), told

    file.write_text(with_prod("MaxTokenLifetime=1h", "MaxTokenLifetime=1m"), "utf-8")
    with pytest.raises(AssertionError, match=r"FAILED .*test_the_template_takes\w+\[prod\]"):
        run(project, "pytest", "-q", "-p", "no:cacheprovider", "--no-header")


@pytest.mark.parametrize("tool", ["cdk"], indirect=True)
def test_settings_of_the_cdk_are_arguments_with_the_templates_defaults(project):
    names: dict[str, Any] = {}
    exec((project / "settings.py").read_text("utf-8"), names)
    from kmsjwt.cdk.parameters import parameter_name

    assert (names["STACK"], names["AUDIENCE"]) == ("my-auth", ["orders"])
    assert {parameter_name(name): value for name, value in names["SETTINGS"].items()} == {
        name: "my-auth" if name == "RingName" else parameter["Default"]
        for name, parameter in template()["Parameters"].items()
        if parameter.get("Default", "") != ""
    }
    assert json.loads((project / "cdk.json").read_text())["app"] == "python app.py"


def test_every_setting_is_told_with_what_it_means(project, tool):
    file = project / {"sam": "samconfig.toml", "cdk": "settings.py"}[tool]
    said = " ".join(file.read_text("utf-8").replace("# ", " ").split())

    for name, parameter in template()["Parameters"].items():
        if name != "Audience":
            told = parameter["Description"]
            assert (told if tool == "sam" else in_arguments(told)) in said


def test_its_readme_begins_with_an_environment_of_its_own(project):
    """Not with whichever is active, such as that of a clone of kmsjwt."""
    [once] = re.findall(r"Once: `([^`]*)`(.*)", (project / "README.md").read_text("utf-8"))

    assert once[0].split(" && ") == [
        "python3 -m venv .venv",
        ". .venv/bin/activate",
        "pip install -r requirements.txt",
    ]
    # botocore, and SAM with it, reads the one, much else the other.
    assert "`AWS_REGION` and `AWS_DEFAULT_REGION`" in once[1]
    assert ".venv/" in (project / ".gitignore").read_text("utf-8").splitlines()


def test_its_readme_says_who_tells_what_is_wrong(project):
    text = (project / "README.md").read_text("utf-8")
    below = text.partition("\n## When it does not work\n")[2].partition("\n## ")[0]

    named = re.findall(r"`kmsjwt (\w+)(?: ISSUER)?`", below)

    assert named == ["inspect", "doctor", "compat"]
    assert parser().parse_args(["compat", "ISSUER"]).command == "compat"
    [output] = re.findall(r"the output `(\w+)`", below)
    assert output in template()["Outputs"]


def test_the_commands_of_its_readme_are_ours(project):
    """Those that call kmsjwt can be parsed, with files that are there."""
    text = (project / "README.md").read_text("utf-8")
    ours = [line.split("&&")[0] for line in re.findall(r"`(kmsjwt bundle[^`]*)`", text)]
    ours += re.findall(r"^\$ (kmsjwt .*)$", text, re.MULTILINE)
    top = parser()

    assert len(ours) == 2
    for line in ours:
        args = top.parse_args(shlex.split(line)[1:])
        for name in getattr(args, "with", None) or []:
            assert (project / name).is_file()
    assert "$$" not in text


@pytest.mark.parametrize(
    ("words", "target"),
    [
        ([], Target(arch="arm64", python="3.13")),
        (["--arch", "x86_64", "--python", "3.12"], Target(arch="x86_64", python="3.12")),
    ],
)
def test_bundle_and_template_are_for_the_same_runtime(typed, tmp_path, words, target):
    typed("p", *words)

    told = (tmp_path / "p" / "template.yaml").read_text("utf-8")
    readme = (tmp_path / "p" / "README.md").read_text("utf-8")

    assert set(re.findall(r"Runtime: (.*)", told)) == {f"python{target.python}"}
    assert set(re.findall(r"Architectures:\n *- (.*)", told)) == {target.arch}
    assert f"kmsjwt bundle --arch {target.arch} --python {target.python} " in readme


@pytest.mark.parametrize(
    ("tool", "old", "new", "why"),
    [
        ("sam", '"MaxTokenLifetime=1h"', '"MaxTokenLifetime=30d"', "MaxTokenLifetime is '30d'"),
        ("sam", '"TokenLifetime=15m"', '"TokenLifetime=2h"', "TokenLifetime is '2h', longer"),
        ("sam", '"TokenLifetime=15m"', '"TokenLifetime=15min"', "TokenLifetime is '15min'"),
        ("sam", '"AuthorizerTtl=60"', '"AuthorizerTtl=7200"', "AuthorizerTtl is '7200'"),
        (
            "cdk",
            '"max_token_lifetime": "1h"',
            '"max_token_lifetime": "10m"',
            "token_lifetime is '15m'",
        ),
        ("cdk", '"token_lifetime": "15m"', '"token_lifetime": 900', "token_lifetime is 900"),
        ("cdk", '"authorizer_ttl": 60', '"authorizer_ttl": 7200', "authorizer_ttl is 7200"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
    indirect=["tool"],
)
def test_one_faulty_setting_is_told_once(project, told, tool, old, new, why):
    file = project / {"sam": "samconfig.toml", "cdk": "settings.py"}[tool]
    text = file.read_text("utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), "utf-8")

    said = told("-rfs")

    assert said.returncode == 1
    assert [line for line in said.stdout.splitlines() if line.startswith(why.split()[0])]
    assert why in said.stdout
    assert "the settings are faulty: see tests/test_stack.py" in said.stdout
    assert said.stdout.count("FAILED") == 1
    assert "Error" not in said.stdout
    assert len(said.stdout.splitlines()) < 20, said.stdout


@pytest.mark.parametrize("tool", ["sam"], indirect=True)
def test_its_tests_pass_with_any_settings_that_the_stack_takes(project):
    file = project / "samconfig.toml"
    text = file.read_text("utf-8")
    for old, new in [
        ('"TokenLifetime=15m"', '"TokenLifetime=5m"'),
        ('"MaxTokenLifetime=1h"', '"MaxTokenLifetime=300"'),
        ('"AuthorizerTtl=60"', '"AuthorizerTtl=0"'),
        ('"Audience=orders"', '"Audience=tills,orders"'),
        ("'IssuerUrl=\"\"'", '"IssuerUrl=https://id.example.com"'),
    ]:
        assert text.count(old) == 1
        text = text.replace(old, new)
    file.write_text(text, "utf-8")

    assert "28 passed" in run(project, "pytest", "-q", "-p", "no:cacheprovider")
