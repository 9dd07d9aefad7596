"""What you import in your own tests: events, tokens, and a gateway that asks an authorizer.

>>> from kmsjwt.testing import Gateway
>>> gateway = Gateway(lambda event, context: {"isAuthorized": True}, kind="http_api_v2",
...                   response="simple")
>>> gateway.request("GET", "/orders/42", headers={"Authorization": "Bearer x"}).status
200

It is a pytest plugin too, for those who ask for it: see `kmsjwt.testing.fixtures`.
(PYTEST_DONT_REWRITE: nothing is asserted here, and importing this before pytest does is fine.)
"""

from kmsjwt.testing import events
from kmsjwt.testing.answers import NotSimulated
from kmsjwt.testing.clock import Clock
from kmsjwt.testing.gateway import Gateway
from kmsjwt.testing.messages import BackendRequest, GatewayResponse, GraphqlRequest
from kmsjwt.testing.tokens import Tokens

__all__ = [
    "BackendRequest",
    "Clock",
    "Gateway",
    "GatewayResponse",
    "GraphqlRequest",
    "NotSimulated",
    "Tokens",
    "events",
]

# pytest reads this name when this package is made a plugin, and only then imports the fixtures:
# whoever imports the package, with or without pytest, never imports pytest by it.
pytest_plugins = ["kmsjwt.testing.fixtures"]
