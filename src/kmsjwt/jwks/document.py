"""What an issuer publishes: its JWKS, and the document that says where the JWKS is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kmsjwt.algorithms import algorithm
from kmsjwt.errors import ConfigError, shown
from kmsjwt.jwks import urls
from kmsjwt.jwks.static import MAX_BYTES
from kmsjwt.key_names import tells_account
from kmsjwt.keys import KeySet, PublicKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def jwks_document(keys: Iterable[PublicKey]) -> dict[str, Any]:
    """Return the JWKS of public keys (RFC 7517 section 5), in the order of their ``kid``.

    Args:
        keys: a `KeySet`, or keys.

    Raises:
        ConfigError: no key; two with one ``kid``; a ``kid`` that names an AWS account, an ARN or
            an alias; or more than the 150,000 bytes that API Gateway and this package read.
    """
    by_kid = {key.kid: key for key in KeySet(keys)}
    for key in by_kid.values():
        _refuse_telling(key)
    document = {"keys": [by_kid[kid].to_jwk() for kid in sorted(by_kid)]}
    jwks_bytes(document)
    return document


def jwks_bytes(document: Mapping[str, Any]) -> bytes:
    """Return a JWKS as `document_bytes` does.

    Raises:
        ConfigError: it is more than the 150,000 bytes that API Gateway and this package read.
    """
    contents = document_bytes(document)
    if len(contents) > MAX_BYTES:
        raise ConfigError(
            f"the JWKS is {len(contents)} bytes, expected at most {MAX_BYTES}",
            code="jwks_too_large",
            fix="publish the keys of one issuer alone; API Gateway's authorizers read no more",
        )
    return contents


def discovery_document(
    issuer: str, *, algs: Iterable[str], jwks_uri: str | None = None
) -> dict[str, Any]:
    """Return the OpenID configuration of an issuer that signs tokens and has no end points.

    The same members make a valid ``oauth-authorization-server`` document. They are those that
    OpenID Connect Discovery 1.0 section 3 and RFC 8414 section 2 require, except for
    ``authorization_endpoint`` and ``token_endpoint``: there are none, and naming one would send
    people to it. Kubernetes' issuers publish the same members. ``response_types_supported`` may
    be neither left out nor empty, so it names the response that is no more than a signed token.

    Args:
        issuer: the ``iss`` of the tokens, to the character.
        algs: the algorithms of the published keys, such as ``{key.alg.name for key in keys}``.
        jwks_uri: where the JWKS is, if not at ``<issuer>/.well-known/jwks.json``.

    Raises:
        ConfigError: the issuer or jwks_uri is no https URL, or an algorithm is unknown.
    """
    urls.read_issuer(issuer)
    if jwks_uri is not None:
        urls.read_url(jwks_uri, "jwks_uri")
    return {
        "issuer": issuer,
        "jwks_uri": urls.jwks_url(issuer) if jwks_uri is None else jwks_uri,
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": _names(algs),
    }


def document_bytes(document: Mapping[str, Any]) -> bytes:
    """Return a document as JSON: the same bytes for the same content, so that ETags hold."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _refuse_telling(key: PublicKey) -> None:
    if tells_account(key.kid):
        raise ConfigError(
            f"kid is {shown(key.kid)}, which names an account, an ARN or an alias; "
            "expected a name that may be public",
            code="kid_not_public",
            fix="use kid='thumbprint'",
        )


def _names(algs: Iterable[str]) -> list[str]:
    if isinstance(algs, str):
        raise ConfigError(f"algs is {shown(algs)}, expected a list of names", code="algorithms")
    names = sorted({algorithm(name).name for name in algs})
    if not names:
        raise ConfigError("algs is empty, expected the algorithms of the keys", code="algorithms")
    return names
