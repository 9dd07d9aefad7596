"""What may stand where in an event, whichever gateway sent it: headers, query, cookies.

An event is JSON from outside, of which nothing is taken for granted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Event = Mapping[Any, Any]
"""A Lambda event, parsed."""


def header_values(event: Event, name: str) -> tuple[object, ...]:
    """Return every value of a header but null and empty ones, its name in any case.

    Args:
        event: the event, with single-value headers, multi-value headers or both.
        name: the header's name in lower case.
    """
    single = event.get("headers")
    if type(single) is dict and "multiValueHeaders" not in event:
        try:
            written = [*map(str.lower, single)].count(name)
        except TypeError:  # a name that is no text: looked at one by one
            written = 2
        value = single.get(name) if written == 1 else None
        if type(value) is str and value:  # once, in lower case, as HTTP APIs have it
            return (value,)
    return _every_value(event, name)


def _every_value(event: Event, name: str) -> tuple[object, ...]:
    found: list[object] = []
    length = len(name)
    for headers in (event.get("headers"), event.get("multiValueHeaders")):
        if headers and isinstance(headers, (dict, Mapping)):
            for key, value in headers.items():
                if isinstance(key, str) and len(key) == length and key.lower() == name:
                    if type(value) is str and value:  # as nearly all are
                        found.append(value)
                    else:
                        found.extend(_filled(value))
    return tuple(found)


def query_values(event: Event, name: str) -> tuple[object, ...]:
    """Return every value of a query parameter but null and empty ones; its name is exact."""
    found: list[object] = []
    for member in ("queryStringParameters", "multiValueQueryStringParameters"):
        parameters = event.get(member)
        if parameters and isinstance(parameters, (dict, Mapping)):
            found.extend(_filled(parameters.get(name)))
    return tuple(found)


def cookie_values(event: Event, name: str) -> tuple[object, ...]:
    """Return every value of a cookie but empty ones; its name is exact (RFC 6265 section 4.2).

    HTTP APIs put cookies apart in ``cookies``; elsewhere they stand in the Cookie header.
    """
    apart = event.get("cookies")
    texts = [*header_values(event, "cookie"), *(apart if isinstance(apart, (list, tuple)) else ())]
    pairs = (pair for text in texts if isinstance(text, str) for pair in text.split(";"))
    named = (pair.strip().partition("=") for pair in pairs)
    return tuple(value for key, _, value in named if key == name and value)


def _filled(value: object) -> Iterable[object]:
    values = value if isinstance(value, (list, tuple)) else (value,)
    return [each for each in values if each is not None and each != ""]
