"""With Powertools' event handler. Handler string: ``powertools_app.handler``."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import LambdaFunctionUrlResolver

from kmsjwt import Verifier
from kmsjwt.jwks import JwksFile
from kmsjwt.rules import Rule, Rules, scope
from kmsjwt.web import Guard
from kmsjwt.web.powertools import kmsjwt_middleware

guard = Guard(
    Verifier(JwksFile("jwks.json"), issuer="https://id.example", audience="orders"),
    rules=Rules(Rule("GET /orders/*", scope("orders:read")), Rule("/users/{sub}/*")),
    realm="orders",
)
app = LambdaFunctionUrlResolver()
app.use(middlewares=[kmsjwt_middleware(guard)])


@app.get("/orders/<number>")
def order(number: str) -> dict[str, str]:
    """Tell who asks for what."""
    return {"number": number, "for": app.context["token"].claims["sub"]}


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Serve one request."""
    return app.resolve(event, context)
