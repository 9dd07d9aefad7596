"""joserfc with a JWKS on disk."""
# ruff: noqa: PTH123 - pathlib would be one more import

import os
import sys
from json import loads

from joserfc import jwt
from joserfc.jwk import KeySet

with open(f"{sys.argv[1]}/jwks.json") as file:
    keys = KeySet.import_key_set(loads(file.read()))
with open(f"{sys.argv[1]}/token") as file:
    token = file.read()
claims = jwt.decode(token, keys, algorithms=["RS256"]).claims
jwt.JWTClaimsRegistry(
    iss={"essential": True, "value": "https://tokens.example.com"},
    aud={"essential": True, "value": "https://orders.example.com"},
    sub={"essential": True},
    iat={"essential": True},
    exp={"essential": True},
).validate(claims)
print(claims["sub"], flush=True)
os._exit(0)
