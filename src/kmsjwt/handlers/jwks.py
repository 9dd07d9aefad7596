"""The jwks function: ``kmsjwt.handlers.jwks.handler`` publishes the public keys.

Put it behind any path of a REST or HTTP API, a function URL or a load balancer; it needs no
authorization, since everybody may have public keys.
"""

from __future__ import annotations

import os
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast

from kmsjwt._encoding import b64url_encode
from kmsjwt._log import log_line, message_of
from kmsjwt.errors import KmsJwtError
from kmsjwt.handlers._environment import Environment
from kmsjwt.handlers._http import header_of, method_of, refusal, response
from kmsjwt.handlers._key_settings import JwksSettings
from kmsjwt.handlers._sources import published_keys
from kmsjwt.jwks import document_bytes, jwks_document

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kmsjwt._log import Log
    from kmsjwt.handlers._sources import PublishableKeys

    Answer = dict[str, Any]

    handler: JwksFunction

__all__ = ["MAX_AGE", "JwksFunction", "build"]

MAX_AGE = 300
"""Seconds for which anyone may keep the answer (RFC 9111 section 5.2.2.1)."""

_CACHE_CONTROL = f"public, max-age={MAX_AGE}"
_METHODS = ("GET", "HEAD", "")  # none: the function was invoked by hand


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
    keys = JwksSettings(env).keys
    source = env.attempt(lambda: published_keys(keys, client, clock, log)) if keys.sound else None
    env.refuse_faults()
    log(
        "INFO",
        "start",
        function="jwks",
        keys_from=keys.chosen_by,
        keys=keys.told,
        kid=" and ".join(keys.kids),
    )
    return JwksFunction(cast("PublishableKeys", source), log=log)


class JwksFunction:
    """Answers GET and HEAD with the key set, and knows who has it already."""

    __slots__ = ("_log", "_source")

    def __init__(self, source: PublishableKeys, *, log: Log = log_line) -> None:
        """Publish the keys of ``source``, which may change in the course of time."""
        self._source = source
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
        try:
            body = document_bytes(jwks_document(self._source.key_set()))
        except KmsJwtError as error:
            self._log("ERROR", "jwks", reason=error.code, message=message_of(error))
            return refusal(error)
        return _answer(method, body, header_of(event, "if-none-match"))


def _answer(method: str, body: bytes, if_none_match: str) -> Answer:
    etag = f'"{b64url_encode(sha256(body).digest()[:18])}"'
    headers = {"Cache-Control": _CACHE_CONTROL, "ETag": etag}
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


def __getattr__(name: str) -> Any:
    # Lambda looks `handler` up while it starts, so a wrong environment fails there; who imports
    # this module for `build` needs no environment.
    if name == "handler":
        globals()[name] = build()
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
