"""Reads what consumers read: the issuer's documents, a JWKS at a URL or in a file, or a place."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from kmsjwt.authority.doctor.facts import PublishedFacts
from kmsjwt.authority.publishers import IN_KMS, publisher_for
from kmsjwt.errors import ConfigError, KeySourceError, KmsJwtError
from kmsjwt.jwks import JwksFile
from kmsjwt.jwks.fetch import fetch
from kmsjwt.jwks.urls import jwks_url, read_issuer, read_url
from kmsjwt.key_names import ring_name
from kmsjwt.publish.readback import issuer_documents, usable_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kmsjwt.authority.doctor.deployment import Deployment
    from kmsjwt.authority.doctor.facts import KeyFacts
    from kmsjwt.keys import KeySet

PATIENCE = 5.0
"""Seconds for what one issuer publishes."""
_A_URL = ("https://", "http://")


def look(deployment: Deployment, keys: Sequence[KeyFacts], client: Any) -> PublishedFacts:
    """Read what the consumers of this deployment read.

    Args:
        deployment: says where that is.
        keys: what is known of its keys.
        client: a boto3 KMS client, for a ring that is published nowhere else.
    """
    if deployment.function == "rotate":
        return _where_it_rotates(deployment, keys, client)
    if deployment.jwks is not None:
        return _named(deployment, deployment.jwks)
    if deployment.function == "authorizer":
        return PublishedFacts(not_read="the authorizer has its keys from KMS, not from a JWKS")
    return _of_issuer(deployment.issuer)


def _named(deployment: Deployment, jwks: str) -> PublishedFacts:
    aside = "the JWKS is named itself, so no discovery is read"
    if not jwks.lower().startswith(_A_URL):
        return _in_file(deployment, jwks, aside)
    where = jwks.partition("?")[0]
    try:
        url = read_url(jwks, "the JWKS")
        document = fetch(url, monotonic() + PATIENCE)
        key_set = usable_keys(document.body, where)
    except KmsJwtError as error:
        return PublishedFacts(where=where, trouble=error, discovery_not_read=aside)
    return PublishedFacts(
        where=where, kids=_kids(key_set), max_age=document.max_age, discovery_not_read=aside
    )


def _in_file(deployment: Deployment, path: str, aside: str) -> PublishedFacts:
    try:
        kids = _kids(JwksFile(path, alg=deployment.alg).key_set())
    except ConfigError as error:
        return PublishedFacts(where=path, trouble=error, discovery_not_read=aside, is_file=True)
    return PublishedFacts(where=path, kids=kids, discovery_not_read=aside, is_file=True)


def _of_issuer(issuer: str | None) -> PublishedFacts:
    if not issuer:
        return PublishedFacts(not_read="no issuer is named, so nobody can tell where to look")
    try:
        read_issuer(issuer)
    except ConfigError:
        return PublishedFacts(
            not_read="the issuer is no https URL: where consumers have keys from, --jwks says"
        )
    try:
        found = issuer_documents(issuer, timeout=PATIENCE)
    except KeySourceError as error:
        return PublishedFacts(where=jwks_url(issuer), trouble=error)
    return PublishedFacts(
        where=found.jwks_uri,
        kids=_kids(found.key_set),
        max_age=None if found.jwks is None else found.jwks.max_age,
        named_issuer=None if found.discovery is None else found.discovery.issuer,
        no_discovery=found.no_discovery,
    )


def _where_it_rotates(
    deployment: Deployment, keys: Sequence[KeyFacts], client: Any
) -> PublishedFacts:
    """Read what the rotation itself goes by; beside it what the issuer's URL answers."""
    if not keys:
        return PublishedFacts(not_read="no ring is named")
    if not (deployment.to or deployment.issuer):
        return PublishedFacts(not_read="it is not told where the ring is published")
    where = {None: str(deployment.issuer), IN_KMS: "KMS"}.get(deployment.to, deployment.to)
    if deployment.to == IN_KMS and not any(each.ring and each.ring.reading for each in keys):
        return PublishedFacts(not_read="the ring is published in KMS alone, and was not read")
    try:
        read_back = publisher_for(
            ring_name(keys[0].name),
            to=deployment.to,
            issuer=deployment.issuer,
            public=deployment.public,
            cdn=deployment.cdn,
            client=client,
            region=deployment.region,
        ).kids()
    except KmsJwtError as error:
        return PublishedFacts(where=str(where), trouble=error)
    if deployment.to is not None and not deployment.public:
        return PublishedFacts(
            where=str(where),
            kids=read_back,
            discovery_not_read="the issuer's URL is not read back: KMSJWT_PUBLIC says whether to",
        )
    seen = _of_issuer(deployment.issuer)
    return PublishedFacts(
        where=str(where),
        kids=read_back,
        max_age=seen.max_age,
        named_issuer=seen.named_issuer,
        no_discovery=seen.no_discovery if seen.trouble is None else seen.trouble.message,
        discovery_not_read=seen.not_read,
    )


def _kids(key_set: KeySet | None) -> frozenset[str]:
    return frozenset(key.kid for key in key_set or ())
