"""kmsjwt's ready-made authorizer; its environment says where the key comes from."""
# ruff: noqa: PTH123 - pathlib would be one more import

import os
import sys
from json import loads  # of the event, which Lambda's runtime hands over parsed

from kmsjwt.handlers.authorizer import handler

with open(f"{sys.argv[1]}/event.json") as file:
    event = loads(file.read())
answer = handler(event, None)
effects = {statement["Effect"] for statement in answer["policyDocument"]["Statement"]}
print(answer["principalId"] if effects == {"Allow"} else "refused", flush=True)
os._exit(0)
