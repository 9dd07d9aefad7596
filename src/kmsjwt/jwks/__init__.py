"""Where verifying keys come from, when they come as a JWKS (RFC 7517 section 5).

What follows a URL, and what publishes, is imported when it is named: together it costs the cold
start of an authorizer with bundled keys a sixth more, for nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from kmsjwt.jwks.static import JwksFile, StaticKeys

if TYPE_CHECKING:
    from kmsjwt.jwks.document import discovery_document, document_bytes, jwks_document
    from kmsjwt.jwks.remote import JwksUrl
    from kmsjwt.jwks.urls import jwks_url, oauth_authorization_server_url, openid_configuration_url

__all__ = [
    "JwksFile",
    "JwksUrl",
    "StaticKeys",
    "discovery_document",
    "document_bytes",
    "jwks_document",
    "jwks_url",
    "oauth_authorization_server_url",
    "openid_configuration_url",
]

_HOMES = {
    "JwksUrl": "remote",
    "discovery_document": "document",
    "document_bytes": "document",
    "jwks_document": "document",
    "jwks_url": "urls",
    "oauth_authorization_server_url": "urls",
    "openid_configuration_url": "urls",
}

if not TYPE_CHECKING:  # else every misspelt name would be an object

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = found
        return found
