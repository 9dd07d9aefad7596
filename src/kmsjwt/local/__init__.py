"""The local KMS: AWS KMS's behaviour on your machine, in process and over HTTP.

For development only. Keys are real, the rules, limits and errors are AWS's, key policies are
stored and not enforced. ``LocalKms`` is used as a boto3 KMS client is; ``kmsjwt.local.http``
serves it to every AWS SDK and the command line.
"""

from kmsjwt.local.client import NOTICE, LocalKms
from kmsjwt.local.errors import ConnectionClosedError, LocalKmsError
from kmsjwt.local.faults import Fault, Faults
from kmsjwt.local.permissions import Permissions
from kmsjwt.local.propagation import Propagation
from kmsjwt.local.strict import Strict

__all__ = [
    "NOTICE",
    "ConnectionClosedError",
    "Fault",
    "Faults",
    "LocalKms",
    "LocalKmsError",
    "Permissions",
    "Propagation",
    "Strict",
]
