"""boto3's ``kms.verify`` for the signature, and the claims by hand."""
# ruff: noqa: PTH123, TID251 - pathlib would be one more import; a client as a user has one

import hashlib
import os
import sys
import time
from base64 import urlsafe_b64decode
from json import loads

import boto3


def decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "==")


with open(f"{sys.argv[1]}/token") as file:
    token = file.read()
signed, _, signature = token.rpartition(".")
boto3.client("kms").verify(
    KeyId=os.environ["KEY_ARN"],
    Message=hashlib.sha256(signed.encode()).digest(),
    MessageType="DIGEST",
    Signature=decode(signature),
    SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256",
)
claims = loads(decode(signed.partition(".")[2]))
if (
    claims["iss"] != "https://tokens.example.com"
    or claims["aud"] != "https://orders.example.com"
    or not claims["iat"] <= time.time() < claims["exp"]
):
    raise SystemExit("refused")
print(claims["sub"], flush=True)
os._exit(0)
