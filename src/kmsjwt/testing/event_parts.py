"""What the builders of events share: listed values, cookies, times, names that stand for yours."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Values = Mapping[str, str | Sequence[str]]

API_ID = "a1b2c3d4e5"
ACCOUNT = "123456789012"
REGION = "eu-central-1"
SOURCE_IP = "203.0.113.7"
USER_AGENT = "kmsjwt.testing"


def listed(value: str | Sequence[str]) -> list[str]:
    """Return all values of a header or a query parameter."""
    return [value] if isinstance(value, str) else list(value)


def with_cookies(
    headers: Values | None, cookies: str | Sequence[str] | None
) -> dict[str, list[str]]:
    """Return the headers, listed, with the cookies in a Cookie header as a client sends them."""
    many = {name: listed(value) for name, value in (headers or {}).items()}
    if cookies:
        name = next((name for name in many if name.lower() == "cookie"), "Cookie")
        many[name] = ["; ".join([*many.get(name, []), *listed(cookies)])]
    return many


def split_cookies(
    headers: Values | None, cookies: str | Sequence[str] | None
) -> tuple[dict[str, str], list[str]]:
    """Return the headers of payload format 2.0, and the cookies that it keeps apart from them.

    Names are lower-cased and repeated values joined by commas. That cookies of one header are
    separated at ``;`` is RFC 6265 section 4.2.1's rule.
    """
    joined, apart = {}, []
    for name, value in (headers or {}).items():
        if name.lower() == "cookie":
            apart += [pair.strip() for text in listed(value) for pair in text.split(";")]
        else:
            joined[name.lower()] = ",".join(listed(value))
    return joined, [pair for pair in [*apart, *listed(cookies or ())] if pair]


def milliseconds(now: float | None) -> int:
    """Return ``now``, or this moment, in milliseconds since 1970."""
    return int((time.time() if now is None else now) * 1000)


def request_time(now: float | None) -> str:
    """Return ``now``, or this moment, as AWS writes it in a request context."""
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now))
