"""A second reading of the standards, slow and plain, sharing nothing with the package.

It answers the same questions as the package does, so that a target can compare the two answers
for any input at all: neither may accept what the other refuses.
"""

from __future__ import annotations

import base64
import json
import re
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")
_REGISTERED = ("iss", "sub", "aud", "exp", "nbf", "iat", "jti")
_OF_HEADERS = {"alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit"}
_MAX_DEPTH = 32


class Demands(NamedTuple):
    """What a verifier was told to demand; None where it was told ANY."""

    keys: Mapping[str, tuple[str, Any]]
    issuer: str | None
    audiences: frozenset[str] | None
    types: frozenset[str] | None
    leeway: float = 30
    max_lifetime: float | None = 86_400
    algorithms: frozenset[str] | None = None
    max_length: int = 16_384


class No(Exception):
    """The answer is no."""


def demand(held: object) -> None:
    """Raise No unless ``held``."""
    if not held:
        raise No


def b64(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Return the bytes of which ``text`` is the one spelling, or raise No."""
    try:
        decoded = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise No from None
    demand(b64(decoded) == text)
    return decoded


def json_object(raw: bytes) -> dict[str, Any]:
    """Return the members of one strict JSON object, or raise No."""
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_no_name_twice,
            parse_constant=_no_number,
            parse_float=_finite,
        )
    except (ValueError, RecursionError):
        raise No from None
    demand(isinstance(value, dict) and _depth(value) <= _MAX_DEPTH)
    demand(not any(map(_SURROGATE.search, _texts(value))))
    return dict(value)


def claims(token: object, demands: Demands, now: float) -> dict[str, Any]:
    """Return the claims of a token that meets every demand, or raise No."""
    if type(token) is not str or len(token) > demands.max_length:
        raise No
    demand(_COMPACT.fullmatch(token))
    first, second, third = token.split(".")
    header, signature = json_object(unb64(first)), unb64(third)
    demand(not {"crit", "b64", "enc", "zip"} & set(header))
    alg, kid = header.get("alg"), header.get("kid", "")
    demand(isinstance(alg, str) and isinstance(kid, str))
    if "kid" not in header and len(demands.keys) == 1:
        (kid,) = demands.keys
    demand(kid in demands.keys)
    bound, key = demands.keys[kid]
    demand(alg == bound)
    demand(demands.algorithms is None or bound in demands.algorithms)
    members = json_object(unb64(second))
    _check_claims(header, members, demands, now)
    # Last, since it costs the most; for the verdict alone the order is all the same.
    demand(is_signature(key, bound, signature, f"{first}.{second}".encode()))
    return members


def is_signature(key: Any, alg: str, signature: bytes, data: bytes) -> bool:
    """Tell whether it is the key's signature of the data, in JOSE form."""
    try:
        if alg == "RS256":
            key.verify(signature, data, padding.PKCS1v15(), SHA256())
            return len(signature) * 8 == int(key.key_size)
        if alg == "ES256":
            r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
            key.verify(encode_dss_signature(r, s), data, ec.ECDSA(SHA256()))
            return len(signature) == 64
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return len(signature) == 64


def _check_claims(
    header: dict[str, Any], members: dict[str, Any], demands: Demands, now: float
) -> None:
    if demands.types is not None:
        typ = header.get("typ")
        demand(isinstance(typ, str) and typ.isascii())
        demand(str(typ).lower().removeprefix("application/") in demands.types)
    for name in ("iss", "sub", "jti", "client_id"):
        demand(name not in members or (isinstance(members[name], str) and members[name]))
    demand(isinstance(members.get("scope", ""), str))
    audiences: Any = members.get("aud", [])
    audiences = [audiences] if isinstance(audiences, str) else audiences
    if "aud" in members:
        demand(isinstance(audiences, list) and audiences)
        demand(all(isinstance(each, str) and each for each in audiences))
    for name in ("exp", "iat", "nbf"):
        demand(name not in members or _is_date(members[name], name))
    for name in header.keys() & (members.keys() | set(_REGISTERED)) - _OF_HEADERS:
        demand(name in members and _same(header[name], members[name]))
    demand(demands.issuer is None or members.get("iss") == demands.issuer)
    demand(demands.audiences is None or demands.audiences & set(audiences))
    demand("exp" in members and now - demands.leeway < members["exp"])
    demand(max(members.get("nbf", 0), members.get("iat", 0)) <= now + demands.leeway)
    lifetime = members["exp"] - members.get("iat", now)
    demand(demands.max_lifetime is None or lifetime <= demands.max_lifetime)


def _is_date(value: object, name: str) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return (0 if name == "nbf" else 5e-324) <= value < 2**53


def _same(one: object, other: object) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    demand(len({name for name, _ in pairs}) == len(pairs))
    return dict(pairs)


def _no_number(_name: str) -> float:
    raise No


def _finite(digits: str) -> float:
    demand(isfinite(float(digits)))
    return float(digits)


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from _texts(member)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
