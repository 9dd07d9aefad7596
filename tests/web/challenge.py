"""A strict reader of one ``WWW-Authenticate: Bearer`` challenge, by the grammars alone."""

from __future__ import annotations

import re

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110 section 5.6.2
# RFC 6750 section 3 has realm as RFC 2617's quoted-string, here without any escape, and scope,
# error and error_description within these characters.
_VALUE = r'"([\x20-\x21\x23-\x5B\x5D-\x7E]*)"'
_SCOPE_TOKEN = r"[\x21\x23-\x5B\x5D-\x7E]+"
_PARAMETERS = {"realm", "scope", "error", "error_description"}


def parsed(header: str) -> dict[str, str]:
    """Return the parameters (RFC 9110 section 11.2: auth-scheme 1*SP, then auth-params)."""
    scheme, space, rest = header.partition(" ")
    assert scheme == "Bearer"
    assert space, "RFC 6750 section 3: one or more auth-params must follow"
    found: dict[str, str] = {}
    position = 0
    while True:
        match = re.compile(rf"({_TOKEN})={_VALUE}", re.ASCII).match(rest, position)
        assert match, rest[position:]
        name, value = match.groups()
        assert name in _PARAMETERS
        assert name not in found, "section 3: must not appear more than once"
        found[name] = value
        position = match.end()
        if position == len(rest):
            break
        comma = re.compile(r"[ \t]*,[ \t]*").match(rest, position)
        assert comma, rest[position:]
        position = comma.end()
    if "scope" in found:
        assert all(re.fullmatch(_SCOPE_TOKEN, each) for each in found["scope"].split(" "))
    return found
