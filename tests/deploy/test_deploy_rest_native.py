"""The REST API's own JWT authorizer: why the template has none, and what to type instead."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.validate import ParamValidator
from tests.runtime.environments import ROOT, environment

from kmsjwt.deploy import template

PAGE = ROOT / "docs" / "decisions" / "0019-the-stack-is-described-once.md"
MODEL = botocore.session.Session().get_service_model("apigateway")


def typed() -> list[list[str]]:
    """Return the words of each command on the page."""
    [block] = re.findall(r"```text\n(aws apigateway .*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return [shlex.split(line) for line in block.replace("\\\n", " ").splitlines()]


def input_of(words: list[str]) -> tuple[Any, dict[str, Any]]:
    """Return an operation's input shape, and what the AWS CLI makes of the words for it."""
    named = {xform_name(name, "-"): name for name in MODEL.operation_names}
    shape = MODEL.operation_model(named[words[2]]).input_shape
    members = {f"--{xform_name(name, '-')}": name for name in shape.members}
    values: dict[str, list[str]] = {}
    for word in words[3:]:
        if word.startswith("--"):
            values[members[word]] = []
        else:
            values[list(values)[-1]].append(word)
    return shape, {name: read(shape.members[name], given) for name, given in values.items()}


def read(shape: Any, given: list[str]) -> Any:
    if shape.type_name == "structure":
        return json.loads(given[0])
    if shape.type_name == "list":
        return [dict(pair.split("=", 1) for pair in word.split(",")) for word in given]
    return given[0]


@pytest.mark.parametrize("words", typed(), ids=lambda words: words[2])
def test_botocore_takes_what_is_typed(words):
    shape, given = input_of(words)

    report = ParamValidator().validate(given, shape)

    assert not report.has_errors(), report.generate_report()


def test_it_is_of_our_issuer_and_its_algorithm_is_one_of_theirs():
    [created] = [input_of(words)[1] for words in typed() if words[2] == "create-authorizer"]
    shapes = MODEL.shape_for

    assert created["type"] in shapes("AuthorizerType").enum
    allowed = set(shapes("JwtSigningAlgorithm").enum)
    assert set(created["jwtConfiguration"]["defaultAlgorithms"]) <= allowed
    default = template()["Parameters"]["Algorithm"]["Default"]
    assert created["jwtConfiguration"]["defaultAlgorithms"] == [default]


def test_its_model_refuses_what_is_wrong():
    [words] = [words for words in typed() if words[2] == "create-authorizer"]
    shape, given = input_of(words)
    del given["jwtConfiguration"]["issuers"][0]["audiences"]

    assert ParamValidator().validate(given, shape).has_errors()


def test_the_schema_of_cloudformation_does_not_know_it():
    """Why the template has none. Once this fails, it can."""
    [schemas] = (environment(".venv-deploy") / "lib").glob(
        "python*/site-packages/cfnlint/data/schemas"
    )
    regions = json.loads((schemas / "providers" / "us-east-1.json").read_text("utf-8"))
    name = regions["AWS::ApiGateway::Authorizer"]
    schema = json.loads((schemas / "resources" / f"{name}.json").read_text("utf-8"))

    assert schema["typeName"] == "AWS::ApiGateway::Authorizer"
    assert schema["additionalProperties"] is False
    assert "JwtConfiguration" not in schema["properties"]
