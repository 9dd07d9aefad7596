"""What the header and the claims say, and what is wrong with it."""

from __future__ import annotations

import time
from typing import Any

from kmsjwt.algorithms import ALGORITHMS
from kmsjwt.claims import type_fault
from kmsjwt.cli.inspection.catalogue import Finding, finding
from kmsjwt.cli.inspection.spans import span
from kmsjwt.errors import shown
from kmsjwt.key_names import is_key_id, mentions_alias

_HMAC = ("HS256", "HS384", "HS512")
_BY_CASE = {name.lower(): name for name in (*ALGORITHMS, *_HMAC)}
_TYPES = ("jwt", "at+jwt")
_KEY_MEMBERS = ("jwk", "jku", "x5u", "x5c")
_MILLISECONDS = 100_000_000_000  # seconds: the year 5138; as milliseconds: 1973
_DAY = 86_400
_SKEW = 30  # seconds; what verifiers commonly forgive
_TIMES = ("exp", "nbf", "iat")


def about_header(header: dict[str, Any]) -> list[Finding]:
    """Return what is wrong with a header."""
    return [
        *_about_alg(header),
        *_about_kid(header),
        *_about_typ(header),
        *_about_extensions(header),
    ]


def about_claims(claims: dict[str, Any], now: float) -> list[Finding]:
    """Return what is wrong with claims at that time."""
    found = [
        finding(f"{name}_missing", f"no {name}")
        for name in ("iss", "aud", "sub", "exp")
        if name not in claims
    ]
    fault = type_fault(claims)
    late = [name for name in _TIMES if _is_milliseconds(claims.get(name))]
    found += [
        finding(f"{name}_milliseconds", f"{name} is {claims[name]:.0f}, which is milliseconds")
        for name in late
    ]
    if fault is not None and fault[0] not in late:
        found.append(finding("claim_type", fault[1]))
    return found + _about_times(claims, now)


def seconds(value: object) -> float | None:
    """Return a time claim in seconds, if it is a number that can be one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 < value < _MILLISECONDS else None


def _about_alg(header: dict[str, Any]) -> list[Finding]:
    alg = header.get("alg")
    if alg is None:
        return [finding("alg_missing", "the header has no alg")]
    if not isinstance(alg, str):
        return [finding("alg_unknown", f"alg is {shown(alg)}")]
    if alg.lower() == "none":
        return [finding("alg_none", f"alg is {shown(alg)}")]
    proper = _BY_CASE.get(alg.lower())
    if proper is None:
        return [finding("alg_unknown", f"alg is {shown(alg)}")]
    if proper != alg:
        return [finding("alg_case", f"alg is {shown(alg)}, expected {proper}")]
    if alg in _HMAC:
        return [finding("alg_hmac", f"alg is {alg}")]
    return [finding("alg_eddsa", "alg is EdDSA")] if alg == "EdDSA" else []


def _about_kid(header: dict[str, Any]) -> list[Finding]:
    if "kid" not in header:
        return [finding("kid_missing", "the header has no kid")]
    kid = header["kid"]
    if not isinstance(kid, str):
        return [finding("kid_type", f"kid is {shown(kid)}")]
    if mentions_alias(kid):
        return [finding("kid_alias", "kid is a KMS alias")]
    if kid.startswith("arn:"):
        return [finding("kid_arn", "kid is a KMS key's ARN")]
    if is_key_id(kid):
        return [finding("kid_key_id", "kid is a KMS key id")]
    return []


def _about_typ(header: dict[str, Any]) -> list[Finding]:
    typ = header.get("typ")
    if typ is None:
        return [finding("typ_missing", "the header has no typ")]
    if not isinstance(typ, str) or typ.lower().removeprefix("application/") not in _TYPES:
        return [finding("typ_other", f"typ is {shown(typ)}")]
    return []


def _about_extensions(header: dict[str, Any]) -> list[Finding]:
    found = []
    if "crit" in header:
        found.append(finding("crit", f"crit is {_listed(header['crit'])}"))
    if "b64" in header:
        found.append(finding("unencoded_payload", "the header has b64"))
    if "zip" in header:
        found.append(finding("compressed", "the header has zip"))
    own = [name for name in _KEY_MEMBERS if name in header]
    if own:
        found.append(finding("key_in_header", f"the header brings its own key: {', '.join(own)}"))
    return found


def _about_times(claims: dict[str, Any], now: float) -> list[Finding]:
    exp, nbf, iat = (seconds(claims.get(name)) for name in _TIMES)
    found = []
    if exp is not None and now >= exp:
        found.append(finding("expired", f"expired {span(now - exp)} ago, {utc(exp)}"))
    for name, start in (("nbf", nbf), ("iat", iat)):
        if start is not None and start > now + _SKEW:
            found.append(
                finding("not_yet_valid", f"{name} is {span(start - now)} ahead, {utc(start)}")
            )
    if exp is not None and iat is not None:
        if exp <= iat:
            found.append(finding("exp_before_iat", f"exp is {span(iat - exp)} before iat"))
        elif exp - iat > _DAY:
            found.append(finding("lifetime_too_long", f"it lives {span(exp - iat)}"))
    return found


def utc(moment: float) -> str:
    """Return a time as ``2026-11-22 09:00:00Z``."""
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(moment))


def _is_milliseconds(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return _MILLISECONDS <= value < _MILLISECONDS * 1_000


def _listed(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(shown, value[:5])) or "empty"
    return shown(value)
