"""kmsjwt's verifier with a JWKS on disk."""
# ruff: noqa: PTH123 - pathlib would be one more import

import os
import sys

from kmsjwt.jwks import JwksFile
from kmsjwt.verifier import Verifier

verifier = Verifier(
    JwksFile(f"{sys.argv[1]}/jwks.json"),
    issuer="https://tokens.example.com",
    audience="https://orders.example.com",
)
with open(f"{sys.argv[1]}/token") as file:
    token = file.read()
print(verifier.verify(token).claims["sub"], flush=True)
os._exit(0)
