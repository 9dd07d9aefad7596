"""A REST API's stage serves a copy, which no new value of a parameter renews: the page says so."""

from __future__ import annotations

import json
import re

from tests.runtime.environments import ROOT

from kmsjwt.deploy import template

PAGE = (ROOT / "docs" / "how-to" / "deploy-with-sam.md").read_text("utf-8")


def test_what_a_copy_of_the_rest_api_holds_is_told_with_the_command_that_renews_it():
    described = template()
    [deployment] = [
        each
        for each in described["Resources"].values()
        if each["Type"] == "AWS::ApiGateway::Deployment"
    ]
    copied = json.dumps([described["Resources"][name] for name in deployment["DependsOn"]])
    held = {
        name
        for name in described["Parameters"]
        if re.search(rf'"Ref": "{name}"|\$\{{{name}\}}', copied)
    }

    rows = re.findall(r"^\| (`.*?) \|.*\(#settings-of-the-rest-api\) \|$", PAGE, re.MULTILINE)
    assert held == {"AuthorizerTtl", "CorsOrigin"}
    assert {row.strip("`") for row in rows} == held
    section = PAGE.partition("\n### Settings of the REST API\n")[2].partition("\n## ")[0]
    assert "aws apigateway create-deployment --rest-api-id API --stage-name live\n" in section
    assert all(f"`{name}`" in section for name in held)
