"""The policies that rules grant, judged by IAM evaluators not written by us.

ministack has three: of a REST API's authorizer, of an HTTP API's, and of IAM itself.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.giving_up import give_up
from tests.rules import model
from tests.rules.campaign import cases

ROOT = Path(__file__).parents[2]
PYTHON = Path(os.environ.get("MINISTACK_PYTHON", ROOT / ".venv-ministack" / "bin" / "python"))
STAGE = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/"
WANTED = 20_000


def judged(asked: list[Any]) -> dict[str, list[str]]:
    if not PYTHON.exists():
        give_up(f"{PYTHON} is missing; make .venv-ministack/.ready sets it up")
    done = subprocess.run(
        [PYTHON, Path(__file__).with_name("judge.py")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    answers: dict[str, list[str]] = json.loads(done.stdout)
    return answers


def policy(allow, deny) -> Any:
    statements = [
        {
            "Effect": effect,
            "Action": "execute-api:Invoke",
            "Resource": [STAGE + each for each in patterns],
        }
        for effect, patterns in (("Allow", allow), ("Deny", deny))
        if patterns
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def test_others_read_our_policies_as_we_decide():
    asked, expected, told = [], [], Counter[str]()
    for world, rules, claims, requests in cases(Random(21), told):
        # No ARN of a request has a line end, and those evaluators' expressions trip over them.
        here = [each for each in requests if "\n" not in each[1] and each[1].isascii()]
        grant = rules.grant(claims)
        asked.append([policy(grant.allow, grant.deny), [f"{STAGE}{m}{path}" for m, path in here]])
        expected.append(
            "".join("A" if model.decide(world, claims, *each) else "." for each in here)
        )
        if sum(map(len, expected)) >= WANTED:
            break
    answers = judged(asked)
    assert sorted(answers) == ["http", "iam", "rest"]
    for name, given in answers.items():
        differing = [
            (policy_and_resources, wanted, got)
            for policy_and_resources, wanted, got in zip(asked, expected, given, strict=True)
            if wanted != got
        ]
        assert not differing, (name, len(differing), differing[0])
    assert "".join(expected).count("A") > 2_000


@pytest.mark.parametrize(
    ("allow", "deny", "resource"),
    [
        (["GET/a/*"], [], "GET/a/b/c"),
        (["GET/a/*"], [], "GET/a/"),
        (["GET/a/*"], [], "GET/a"),
        (["GET/a/*"], ["GET/a/b/*"], "GET/a/b/c"),
        (["GET/a/b"], ["GET/a/*"], "GET/a/b"),
        (["GET/*"], [], "GET/"),
        (["GET/?"], [], "GET/a"),
        (["GET/?"], [], "GET/"),
        (["GET/a*c"], [], "GET/a/b/c"),
        (["*"], [], "GET/a"),
        (["*"], ["*"], "GET/a"),
        ([], [], "GET/a"),
        (["GET/A"], [], "GET/a"),
    ],
)
def test_our_evaluator_reads_policies_as_others_do(allow, deny, resource):
    answers = judged([[policy(allow, deny), [STAGE + resource]]])
    ours = "A" if model.iam_allows(allow, deny, resource) else "."
    assert {name: given[0] for name, given in answers.items()} == dict.fromkeys(answers, ours)
