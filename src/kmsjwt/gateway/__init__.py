"""API Gateway authorizers: events in, decisions out.

`Authorizer` is a Lambda handler for REST, HTTP and WebSocket APIs; `policy` builds the answer of
an authorizer of your own.
"""

from kmsjwt.gateway.authorizer import Authorizer, TokenVerifier, Unauthorized
from kmsjwt.gateway.iam import policy

__all__ = ["Authorizer", "TokenVerifier", "Unauthorized", "policy"]
