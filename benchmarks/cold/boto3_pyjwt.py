"""boto3's GetPublicKey, then PyJWT."""
# ruff: noqa: PTH123, TID251 - pathlib would be one more import; a client as a user has one

import os
import sys

import boto3
import jwt
from cryptography.hazmat.primitives.serialization import load_der_public_key

with open(f"{sys.argv[1]}/token") as file:
    token = file.read()
answer = boto3.client("kms").get_public_key(KeyId=os.environ["KEY_ARN"])
claims = jwt.decode(
    token,
    load_der_public_key(answer["PublicKey"]),  # type: ignore[arg-type]  # it may be of any kind
    algorithms=["RS256"],
    issuer="https://tokens.example.com",
    audience="https://orders.example.com",
    options={"require": ["iss", "aud", "sub", "iat", "exp"]},
)
print(claims["sub"], flush=True)
os._exit(0)
