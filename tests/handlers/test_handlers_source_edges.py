"""Where the authorizer has the article's tokens verified: here, or by KMS."""

from __future__ import annotations

from typing import Any

import pytest
from tests.handlers.support import ISSUER, NOW
from tests.recipe.article import Article

from kmsjwt.handlers import authorizer
from kmsjwt.local import LocalKms
from kmsjwt.testing import Gateway

RECIPE = {"KMSJWT_PROFILE": "recipe", "KMSJWT_RECIPE_UNTIL": "2028-01-01T00:00:00Z"}


def status(kms: Any, token: str, log: Any, **settings: str) -> int:
    """Return what a new function answers."""
    environ = {"KMSJWT_ISSUER": ISSUER, "KMSJWT_AUDIENCE": "orders", **settings}
    check = authorizer.build(environ=environ, client=kms, log=log, clock=lambda: NOW)
    headers = {"Authorization": f"Bearer {token}"}
    return int(Gateway(check, clock=lambda: NOW).request("GET", "/", headers=headers).status)


@pytest.mark.parametrize(("verify", "denied"), [("local", 200), ("kms", 500)])
def test_the_article_s_tokens_are_verified_where_the_others_are(log, verify, denied):
    """Who wants each verification in CloudTrail wants theirs too; who does not pays for none."""
    kms: Any = LocalKms()
    key = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    token = Article(kms, key).token()
    settings = {**RECIPE, "KMS_KEY_ID": key, "KMSJWT_VERIFY": verify}

    assert status(kms, token, log, **settings) == 200
    kms.permissions.deny("Verify")
    assert status(kms, token, log, **settings) == denied
