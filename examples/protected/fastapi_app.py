"""A service on FastAPI: ``uvicorn fastapi_app:app``."""

from typing import Annotated

from fastapi import Depends, FastAPI

from kmsjwt import VerifiedToken, Verifier
from kmsjwt.jwks import JwksFile
from kmsjwt.rules import Rule, Rules, scope
from kmsjwt.web import Guard
from kmsjwt.web.fastapi import bearer

guard = Guard(
    Verifier(JwksFile("jwks.json"), issuer="https://id.example", audience="orders"),
    rules=Rules(Rule("GET /orders/*", scope("orders:read")), Rule("/users/{sub}/*")),
    realm="orders",
)
Token = Annotated[VerifiedToken, Depends(bearer(guard))]
app = FastAPI()


@app.get("/orders/{number}")
def order(number: int, token: Token) -> dict[str, str | int]:
    """Tell who asks for what."""
    return {"number": number, "for": token.claims["sub"]}
