"""The operations as methods, named as boto3 names them; members by their API names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

__all__ = ["Methods"]


class Methods(ABC):
    """boto3's method for each operation of the local KMS."""

    @abstractmethod
    def _call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Carry out one operation."""

    def create_key(self, **request: Any) -> dict[str, Any]:
        """Make a key. Not idempotent: sent twice, it makes two."""
        return self._call("CreateKey", request)

    def describe_key(self, **request: Any) -> dict[str, Any]:
        """Return a key's ``KeyMetadata``."""
        return self._call("DescribeKey", request)

    def list_keys(self, **request: Any) -> dict[str, Any]:
        """List the keys of the account and Region."""
        return self._call("ListKeys", request)

    def get_public_key(self, **request: Any) -> dict[str, Any]:
        """Return a public key as DER SubjectPublicKeyInfo."""
        return self._call("GetPublicKey", request)

    def update_key_description(self, **request: Any) -> dict[str, Any]:
        """Describe a key anew."""
        return self._call("UpdateKeyDescription", request)

    def get_key_last_usage(self, **request: Any) -> dict[str, Any]:
        """Return the last successful cryptographic operation with a key."""
        return self._call("GetKeyLastUsage", request)

    def sign(self, **request: Any) -> dict[str, Any]:
        """Sign a message, a digest or ML-DSA's external mu."""
        return self._call("Sign", request)

    def verify(self, **request: Any) -> dict[str, Any]:
        """Check a signature; raises KMSInvalidSignatureException if it is bad."""
        return self._call("Verify", request)

    def generate_mac(self, **request: Any) -> dict[str, Any]:
        """Return the HMAC of a message."""
        return self._call("GenerateMac", request)

    def verify_mac(self, **request: Any) -> dict[str, Any]:
        """Check an HMAC; raises KMSInvalidMacException if it is bad."""
        return self._call("VerifyMac", request)

    def create_alias(self, **request: Any) -> dict[str, Any]:
        """Name a key."""
        return self._call("CreateAlias", request)

    def update_alias(self, **request: Any) -> dict[str, Any]:
        """Point an alias at another key of the same type and usage."""
        return self._call("UpdateAlias", request)

    def delete_alias(self, **request: Any) -> dict[str, Any]:
        """Take a name away from a key."""
        return self._call("DeleteAlias", request)

    def list_aliases(self, **request: Any) -> dict[str, Any]:
        """List the aliases of the account and Region, or of one key."""
        return self._call("ListAliases", request)

    def tag_resource(self, **request: Any) -> dict[str, Any]:
        """Add tags to a key, or give them other values."""
        return self._call("TagResource", request)

    def untag_resource(self, **request: Any) -> dict[str, Any]:
        """Remove tags from a key."""
        return self._call("UntagResource", request)

    def list_resource_tags(self, **request: Any) -> dict[str, Any]:
        """List a key's tags."""
        return self._call("ListResourceTags", request)

    def enable_key(self, **request: Any) -> dict[str, Any]:
        """Let a key be used."""
        return self._call("EnableKey", request)

    def disable_key(self, **request: Any) -> dict[str, Any]:
        """Let a key not be used, nor its public key be fetched."""
        return self._call("DisableKey", request)

    def schedule_key_deletion(self, **request: Any) -> dict[str, Any]:
        """Delete a key after 7 to 30 days."""
        return self._call("ScheduleKeyDeletion", request)

    def cancel_key_deletion(self, **request: Any) -> dict[str, Any]:
        """Keep a key after all; it comes back disabled."""
        return self._call("CancelKeyDeletion", request)

    def replicate_key(self, **request: Any) -> dict[str, Any]:
        """Make a replica of a multi-Region key in another Region."""
        return self._call("ReplicateKey", request)

    def get_key_policy(self, **request: Any) -> dict[str, Any]:
        """Return a key's policy, which is stored and never enforced."""
        return self._call("GetKeyPolicy", request)

    def put_key_policy(self, **request: Any) -> dict[str, Any]:
        """Store another policy for a key; it is never enforced."""
        return self._call("PutKeyPolicy", request)

    def list_key_policies(self, **request: Any) -> dict[str, Any]:
        """List the one policy name that there is, ``default``."""
        return self._call("ListKeyPolicies", request)

    def encrypt(self, **request: Any) -> dict[str, Any]:
        """Refuse, as AWS does for a signing key."""
        return self._call("Encrypt", request)

    def enable_key_rotation(self, **request: Any) -> dict[str, Any]:
        """Refuse, as AWS does for asymmetric and HMAC keys."""
        return self._call("EnableKeyRotation", request)
