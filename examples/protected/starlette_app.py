"""A service on Starlette: ``uvicorn starlette_app:app``."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from kmsjwt import Verifier
from kmsjwt.jwks import JwksFile
from kmsjwt.rules import Rule, Rules, scope
from kmsjwt.web import Guard
from kmsjwt.web.asgi import BearerMiddleware

guard = Guard(
    Verifier(JwksFile("jwks.json"), issuer="https://id.example", audience="orders"),
    rules=Rules(Rule("GET /orders/*", scope("orders:read")), Rule("/users/{sub}/*")),
    realm="orders",
)


async def order(request: Request) -> JSONResponse:
    """Tell who asks for what."""
    token = request.state.token
    return JSONResponse({"number": request.path_params["number"], "for": token.claims["sub"]})


app = Starlette(
    routes=[Route("/orders/{number:int}", order)],
    middleware=[Middleware(BearerMiddleware, guard=guard)],
)
