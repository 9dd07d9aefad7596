"""The client that kmsjwt makes, and the certificates that it reads before its first request."""

import os
import ssl

from kmsjwt.aws import kms_client

kms_client(os.environ["AWS_REGION"])
ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(os.environ["AWS_CA_BUNDLE"])
os._exit(0)
