"""The jwks function: ``kmsjwt.handlers.jwks.handler`` publishes the public keys.

Put it behind any path of a REST or HTTP API, a function URL or a load balancer; it needs no
authorization, since everybody may have public keys. Where it knows its issuer, it answers the
paths of the discovery documents with those.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast

from kmsjwt._encoding import b64url_encode
from kmsjwt._log import log_line, message_of
from kmsjwt.errors import ConfigError, KmsJwtError
from kmsjwt.handlers._environment import Environment
from kmsjwt.handlers._http import header_of, method_of, refusal, response
from kmsjwt.handlers._key_settings import MAX_AGE, JwksSettings
from kmsjwt.handlers._sources import published_keys
from kmsjwt.jwks import discovery_document, document_bytes, jwks_document
from kmsjwt.jwks.urls import read_issuer

if TYPE_CHECKING:
    from collections.abc import Callable

    from kmsjwt._log import Log
    from kmsjwt.handlers._sources import PublishableKeys

    Answer = dict[str, Any]

    handler: JwksFunction

__all__ = ["MAX_AGE", "JwksFunction", "build"]

_METHODS = ("GET", "HEAD", "")  # none: the function was invoked by hand
_OPENID = "/.well-known/openid-configuration"
_OAUTH = "/.well-known/oauth-authorization-server"


def build(
    *,
    client: Any = None,
    environ: Mapping[str, str] | None = None,
    log: Log = log_line,
    clock: Callable[[], float] = time.time,
) -> JwksFunction:
    """Return the function that the environment asks for.

    Args:
        client: a boto3 KMS client; one is made where KMS keys are published and none is given.
        environ: read instead of the process's environment.
        log: takes one line at start and one per failure.
        clock: seconds since 1970.

    Returns:
        A Lambda handler: ``handler(event, context)``.

    Raises:
        ConfigError: one message that names every fault of the environment.
    """
    env = Environment(os.environ if environ is None else environ)
    settings = JwksSettings(env)
    keys = settings.keys
    half = max(1, settings.max_age // 2)  # what was read may be as old when it is answered with
    source = (
        env.attempt(
            lambda: published_keys(keys, client, clock, log, max_age=half), about=keys.chosen_by
        )
        if keys.sound
        else None
    )
    env.refuse_faults()
    issuer = _public_issuer(settings.issuer, log)
    log(
        "INFO",
        "start",
        function="jwks",
        keys_from=keys.chosen_by,
        keys=keys.told,
        ignored=keys.ignored,
        kid=" and ".join(keys.kids),
        discovery=issuer,
    )
    return JwksFunction(
        cast("PublishableKeys", source),
        issuer=issuer,
        max_age=half,
        log=log,
    )


class JwksFunction:
    """Answers GET and HEAD with the key set, and knows who has it already."""

    __slots__ = ("_issuer", "_log", "_max_age", "_source")

    def __init__(
        self,
        source: PublishableKeys,
        *,
        issuer: str | None = None,
        max_age: int = MAX_AGE,
        log: Log = log_line,
    ) -> None:
        """Publish the keys of ``source``, which may change in the course of time.

        Args:
            source: the keys. How long it goes on with keys that it has read counts on top of
                ``max_age``.
            issuer: the issuer whose discovery documents are published too; a URL.
            max_age: seconds for which anyone may keep an answer (RFC 9111 section 5.2.2.1).
            log: takes one line per failure.
        """
        self._source = source
        self._issuer = issuer
        self._max_age = max_age
        self._log = log

    def __call__(self, event: object, context: object = None) -> Answer:
        """Answer one HTTP request; an event without a method is answered like GET.

        Args:
            event: the request as the gateway sends it.
            context: Lambda's context, unused.
        """
        del context
        method = method_of(event)
        if method not in _METHODS:
            return response(405, {"error": "method_not_allowed"}, Allow="GET, HEAD")
        path = _path_of(event)
        discovery = path.endswith(_OPENID) or _OAUTH in path
        if discovery and not self._discovers(path):
            return response(404, {"error": "not_found"})
        try:
            # Never empty: an empty set is none that jwks_document takes.
            body = self._discovery() if discovery else self._jwks()
        except KmsJwtError as error:
            self._log("ERROR", "jwks", reason=error.code, message=message_of(error))
            return refusal(error)
        return self._answer(method, body, header_of(event, "if-none-match"))

    def _discovers(self, path: str) -> bool:
        """Tell whether a discovery document is our issuer's, as far as the path says."""
        if self._issuer is None:
            return False
        # RFC 8414 section 3: the issuer's path follows. A gateway may have taken it away.
        others = path.partition(_OAUTH)[2].rstrip("/")
        return others in ("", read_issuer(self._issuer).path.rstrip("/"))

    def _jwks(self) -> bytes:
        return document_bytes(jwks_document(self._source.key_set()))

    def _discovery(self) -> bytes:
        algs = {key.alg.name for key in self._source.key_set()}
        return document_bytes(discovery_document(str(self._issuer), algs=algs))

    def _answer(self, method: str, body: bytes, if_none_match: str) -> Answer:
        etag = f'"{b64url_encode(sha256(body).digest()[:18])}"'
        headers = {"Cache-Control": f"public, max-age={self._max_age}", "ETag": etag}
        # RFC 9110 section 13.1.2: weak comparison, and "*" stands for any.
        known = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
        unchanged = etag in known or "*" in known
        if not unchanged:
            headers["Content-Type"] = "application/json"
            headers["X-Content-Type-Options"] = "nosniff"
        return {
            "isBase64Encoded": False,
            "statusCode": 304 if unchanged else 200,
            "headers": headers,
            "body": "" if unchanged or method == "HEAD" else body.decode("utf-8"),
        }


def _public_issuer(issuer: str | None, log: Log) -> str | None:
    """Return the issuer if its discovery documents can be published: it has to be a URL."""
    if issuer is None or issuer == "ANY":  # the authorizer's word, in an environment of all
        return None
    try:
        read_issuer(issuer, "KMSJWT_ISSUER")
    except ConfigError as error:
        log("WARN", "no_discovery", message=error.message)
        return None
    return issuer


def _path_of(event: object) -> str:
    """Return the path of a request: format 2.0's, else that of the others; empty if none."""
    if not isinstance(event, Mapping):
        return ""
    path = event.get("rawPath", event.get("path"))
    return path if isinstance(path, str) else ""


def __getattr__(name: str) -> Any:
    # Lambda looks `handler` up while it starts, so a wrong environment fails there; who imports
    # this module for `build` needs no environment.
    if name == "handler":
        globals()[name] = build()
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
