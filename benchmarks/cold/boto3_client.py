"""boto3's client, asked nothing."""

import os

import boto3  # noqa: TID251 - a client as a user has one

boto3.client("kms")
os._exit(0)
