"""Protection inside a function or service, where no authorizer stands before it.

`Guard` decides about a request; thin adapters speak to Lambda (`kmsjwt.web.aws_lambda`), Powertools
(`kmsjwt.web.powertools`), ASGI such as Starlette (`kmsjwt.web.asgi`) and FastAPI
(`kmsjwt.web.fastapi`). `with_metrics` makes CloudWatch metrics of a guard's log lines.
"""

from kmsjwt.gateway.metrics import with_metrics
from kmsjwt.web.guard import Guard
from kmsjwt.web.refused import Refused

__all__ = ["Guard", "Refused", "with_metrics"]
