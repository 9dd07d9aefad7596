"""API Gateway and AppSync authorizers: events in, decisions out.

`Authorizer` is a Lambda handler for REST, HTTP, WebSocket and AppSync APIs; `policy` builds the
answer of an authorizer of your own.
"""

from kmsjwt.gateway.authorizer import Authorizer, TokenVerifier
from kmsjwt.gateway.iam import policy
from kmsjwt.gateway.refusals import Unauthorized
from kmsjwt.gateway.request import UnknownEvent

__all__ = ["Authorizer", "TokenVerifier", "Unauthorized", "UnknownEvent", "policy"]
