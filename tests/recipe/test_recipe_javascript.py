"""The article's own functions, on the AWS SDK for JavaScript, take our tokens, and ours theirs."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from tests.js import node
from tests.recipe.article import ISSUER

from kmsjwt.handlers import authorizer, issue
from kmsjwt.local.http import running
from kmsjwt.testing import Gateway, events

SCRIPT = Path(__file__).parent / "article_functions.mjs"


@pytest.fixture(scope="module")
def article_functions(kms, key_id):
    """Run the article's functions over HTTP against the very KMS that ours use in process."""
    node.install()

    def call(*calls: Any) -> Any:
        with running(kms) as server:
            done = node.run_script(
                SCRIPT,
                json.dumps(calls),
                AWS_REGION="eu-central-1",
                AWS_ENDPOINT_URL_KMS=server.endpoint_url,
                AWS_ACCESS_KEY_ID="any",
                AWS_SECRET_ACCESS_KEY="any",
                KMS_KEY_ID=key_id,
            )
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)

    return call


@pytest.fixture(scope="module")
def environ(key_id):
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 600))
    return {
        "KMS_KEY_ID": key_id,
        "KMSJWT_PROFILE": "recipe",
        "KMSJWT_RECIPE_UNTIL": until,
        "KMSJWT_ISSUER": ISSUER,
        "KMSJWT_AUDIENCE": "orders",
    }


def asked(token: str) -> Any:
    return ["authorize", events.rest_token("GET", "/x", authorization=f"Bearer {token}")]


def test_our_authorizer_lets_the_articles_token_in(article_functions, environ, kms, log):
    answer, again = article_functions(["issue", {}], ["issue", {"ignored": True}])
    gateway = Gateway(authorizer.build(environ=environ, client=kms, log=log))

    for each in (answer, again):
        token = json.loads(each["body"])
        headers = {"Authorization": f"Bearer {token}"}
        assert gateway.request("GET", "/orders/42", headers=headers).status == 200
        assert gateway.request("GET", "/orders/99", headers=headers).cached
        signed = token.rpartition(".")[0]
        bad = {"Authorization": f"Bearer {signed}.{'A' * 342}=="}
        assert gateway.request("GET", "/orders/42", headers=bad).status == 401
        assert log.lines[-1]["reason"] == "bad_signature"


def test_both_functions_answer_in_one_shape(article_functions, environ, kms, log):
    (theirs,) = article_functions(["issue", {}])
    ours = issue.build(environ=environ, client=kms, log=log)({})

    assert set(ours) == set(theirs)
    assert {**ours, "body": ""} == {**theirs, "body": ""}
    assert isinstance(json.loads(ours["body"]), str)


def test_the_articles_authorizer_lets_our_tokens_in_unchanged(
    article_functions, environ, key_id, kms, log
):
    under_recipe = issue.build(environ=environ, client=kms, log=log)
    by_digest = issue.build(environ={**environ, "KMSJWT_PROFILE": ""}, client=kms, log=log)
    largest = {"sub": "ala", "claims": {"x": "y" * 2_800}}
    tokens = [
        json.loads(under_recipe({})["body"]),
        json.loads(under_recipe(largest)["body"]),
        by_digest({"sub": "ala"})["access_token"],
        by_digest(largest)["access_token"],
    ]
    assert all(3_900 < len(token.rpartition(".")[0]) <= 4_096 for token in tokens[1::2])

    answers = article_functions(*map(asked, tokens))

    effects = [answer["policyDocument"]["Statement"][0]["Effect"] for answer in answers]
    assert effects == ["Allow"] * 4


def test_the_articles_deny_is_dead_code(article_functions, environ, kms, log):
    """What we say of the article is true: KMS raises, so a forged token is a 500 there."""
    token = json.loads(issue.build(environ=environ, client=kms, log=log)({})["body"])
    forged = token[:-10] + ("A" * 10 if not token.endswith("A" * 10) else "B" * 10)

    (answer,) = article_functions(asked(forged))

    assert answer == {"diedOf": "KMSInvalidSignatureException"}
