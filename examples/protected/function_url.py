"""Behind a function URL or a load balancer. Handler string: ``function_url.handler``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kmsjwt import Verifier
from kmsjwt.jwks import JwksFile
from kmsjwt.rules import Rule, Rules, scope
from kmsjwt.web import Guard
from kmsjwt.web.aws_lambda import protect

if TYPE_CHECKING:
    from kmsjwt import VerifiedToken

guard = Guard(
    Verifier(JwksFile("jwks.json"), issuer="https://id.example", audience="orders"),
    rules=Rules(Rule("GET /orders/*", scope("orders:read")), Rule("/users/{sub}/*")),
    realm="orders",
)


@protect(guard)
def handler(_event: dict[str, Any], _context: object, *, token: VerifiedToken) -> dict[str, Any]:
    """Tell who asks."""
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps({"for": token.claims["sub"]}),
    }
