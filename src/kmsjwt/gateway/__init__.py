"""API Gateway and AppSync authorizers: events in, decisions out.

`Authorizer` is a Lambda handler for REST, HTTP, WebSocket and AppSync APIs; `policy` builds the
answer of an authorizer of your own. A `FrontDoor` of your own beside `DOORS` answers what else
asks for a decision.
"""

from kmsjwt.gateway.authorizer import Authorizer, TokenVerifier
from kmsjwt.gateway.doors import DOORS
from kmsjwt.gateway.front_door import FrontDoor
from kmsjwt.gateway.iam import policy
from kmsjwt.gateway.refusals import Unauthorized
from kmsjwt.gateway.request import UnknownEvent
from kmsjwt.gateway.settings import Settings

__all__ = [
    "DOORS",
    "Authorizer",
    "FrontDoor",
    "Settings",
    "TokenVerifier",
    "Unauthorized",
    "UnknownEvent",
    "policy",
]
