"""HTTP as API Gateway and function URLs hand it to a Lambda function, and the answers they want.

REST proxy integrations, HTTP APIs of payload formats 1.0 and 2.0, function URLs, load balancers.
"""

from __future__ import annotations

from binascii import Error as _Base64Error
from binascii import a2b_base64
from collections.abc import Mapping
from typing import Any

from kmsjwt._encoding import Undecodable, read_json_object, to_json
from kmsjwt.errors import ClaimsRefused, ConfigError, Forbidden, KmsJwtError, TokenError

MAX_BODY = 16_384
"""Longest request body that is read, in bytes."""

_JSON = "application/json"


def is_http(event: object) -> bool:
    """Tell whether a gateway sent the event, rather than a caller of the function itself."""
    return isinstance(event, Mapping) and "requestContext" in event


def method_of(event: object) -> str:
    """Return the HTTP method in upper case; empty if the event names none."""
    if not isinstance(event, Mapping):
        return ""
    context = event.get("requestContext")
    http = context.get("http") if isinstance(context, Mapping) else None
    method = http.get("method") if isinstance(http, Mapping) else event.get("httpMethod")
    return method.upper() if isinstance(method, str) else ""


def header_of(event: object, name: str) -> str:
    """Return a header's value, its values joined if there are several; empty if there is none.

    Args:
        event: the event.
        name: the header's name in lower case.
    """
    if not isinstance(event, Mapping):
        return ""
    for member in ("multiValueHeaders", "headers"):
        headers = event.get(member)
        for key, value in headers.items() if isinstance(headers, Mapping) else ():
            if isinstance(key, str) and key.lower() == name:
                values = value if isinstance(value, (list, tuple)) else (value,)
                return ", ".join(each for each in values if isinstance(each, str))
    return ""


def json_body(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the members of the request's JSON body; none if there is no body.

    Raises:
        ClaimsRefused: the body is too large, or no strict JSON object.
    """
    body = event.get("body")
    if body is None or body == "":
        return {}
    if not isinstance(body, str):
        raise _bad_body("the request body is no text")
    try:
        raw = body.encode("utf-8")
        if len(raw) <= 2 * MAX_BODY and event.get("isBase64Encoded") is True:
            raw = a2b_base64(raw, strict_mode=True)
        if len(raw) > MAX_BODY:
            raise _bad_body(f"the request body is over {MAX_BODY} bytes")
        return read_json_object(raw)
    except (Undecodable, _Base64Error, UnicodeEncodeError) as error:
        what = str(error) if isinstance(error, Undecodable) else "it cannot be decoded"
        raise _bad_body(f"the request body is no JSON object: {what}") from None


def response(status: int, body: object, **headers: str) -> dict[str, Any]:
    """Return an HTTP answer with a JSON body that nobody may store.

    Args:
        status: the HTTP status.
        body: what is sent as JSON.
        **headers: more headers, an underscore for each hyphen of their names.
    """
    return {
        "isBase64Encoded": False,
        "statusCode": status,
        "headers": {
            "Content-Type": _JSON,
            "Cache-Control": "no-store",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
        "body": to_json(body).decode("utf-8"),
    }


def refusal(error: KmsJwtError) -> dict[str, Any]:
    """Return the HTTP answer to a request that came to nothing.

    Only what the caller can mend is told; the log has the rest.
    """
    if isinstance(error, BadRequest):
        return response(400, {"error": error.code, "message": str(error)})
    if isinstance(error, ClaimsRefused):
        return response(400, {"error": "claims_refused"})
    if isinstance(error, Forbidden):
        return response(403, {"error": "forbidden"})
    if isinstance(error, TokenError):
        return response(401, {"error": "unauthorized"})
    if error.retryable and not isinstance(error, ConfigError):
        return response(503, {"error": "unavailable"}, Retry_After="1")
    return response(500, {"error": "internal"})


class BadRequest(ClaimsRefused):
    """The fault lies in what the caller sent, so the caller may be told of it."""

    code = "bad_request"


def _bad_body(message: str) -> BadRequest:
    return BadRequest(message, code="bad_body", fix='send such as {"lifetime": 900}')
