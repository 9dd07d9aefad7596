"""What you import in your own tests: authorizer events, and a gateway that asks an authorizer.

>>> from kmsjwt.testing import Gateway
>>> gateway = Gateway(lambda event, context: {"isAuthorized": True}, kind="http_api_v2",
...                   response="simple")
>>> gateway.request("GET", "/orders/42", headers={"Authorization": "Bearer x"}).status
200
"""

from kmsjwt.testing import events
from kmsjwt.testing.answers import NotSimulated
from kmsjwt.testing.gateway import Gateway
from kmsjwt.testing.messages import BackendRequest, GatewayResponse

__all__ = ["BackendRequest", "Gateway", "GatewayResponse", "NotSimulated", "events"]
