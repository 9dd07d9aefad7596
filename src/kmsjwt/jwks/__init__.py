"""Where verifying keys come from, when they come as a JWKS (RFC 7517 section 5)."""

from kmsjwt.jwks.static import JwksFile, StaticKeys

__all__ = ["JwksFile", "StaticKeys"]
