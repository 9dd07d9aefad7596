"""Keys in AWS KMS: signing with them, and verifying what they signed."""

from kmsjwt.kms.client import KmsClient
from kmsjwt.kms.signer import KmsSigner
from kmsjwt.kms.sources import KmsKeys, KmsVerify

__all__ = ["KmsClient", "KmsKeys", "KmsSigner", "KmsVerify"]
