"""PyJWT with a JWKS on disk."""
# ruff: noqa: PTH123 - pathlib would be one more import

import os
import sys

import jwt

with open(f"{sys.argv[1]}/jwks.json") as file:
    keys = jwt.PyJWKSet.from_json(file.read())
with open(f"{sys.argv[1]}/token") as file:
    token = file.read()
claims = jwt.decode(
    token,
    keys[jwt.get_unverified_header(token)["kid"]],
    algorithms=["RS256"],
    issuer="https://tokens.example.com",
    audience="https://orders.example.com",
    options={"require": ["iss", "aud", "sub", "iat", "exp"]},
)
print(claims["sub"], flush=True)
os._exit(0)
