"""A diagnosis for people, and for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from kmsjwt.cli.inspection.members import seconds, utc
from kmsjwt.cli.inspection.signature import looks_like
from kmsjwt.cli.inspection.spans import span
from kmsjwt.cli.terminal import paint, printable

if TYPE_CHECKING:
    from kmsjwt.cli.inspection.diagnosis import Diagnosis

_VERDICTS = {
    "not_checked": ("NOT VERIFIED", "yellow"),
    "verified": ("VERIFIED", "green"),
    "mendable": ("NOT VERIFIED", "red"),
    "wrong": ("NOT VERIFIED", "red"),
}
_KINDS = {
    "none": "no token",
    "jwe": "an encrypted token (JWE)",
    "unsigned": "a token without a signature",
}
_COLOURS = {"FAIL": "red", "warn": "yellow", "note": "dim"}
_FIRST = ("alg", "typ", "kid")
_TIMES = ("exp", "nbf", "iat")
_LABEL = 11
_LONGEST_VALUE = 72
_LONGEST_FACT = 56


def as_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return a diagnosis as plain JSON values."""
    raw = diagnosis.signature
    return {
        "kind": diagnosis.kind,
        "verdict": diagnosis.verdict,
        "reason": diagnosis.reason,
        "header": diagnosis.header,
        "claims": diagnosis.claims,
        "signature": None if raw is None else {"bytes": len(raw), "looks_like": looks_like(raw)},
        "findings": [asdict(each) for each in diagnosis.findings],
    }


def as_text(diagnosis: Diagnosis, now: float) -> list[str]:
    """Return a diagnosis as lines: header, claims, signature, and a line or two per finding."""
    lines = []
    if diagnosis.kind in _KINDS:
        lines.append(f"{'this is':<{_LABEL}}{_KINDS[diagnosis.kind]}")
    if diagnosis.header is not None:
        lines.append(f"{'header':<{_LABEL}}{_header(diagnosis.header)}")
    if diagnosis.claims is not None:
        lines += _labelled("claims", _claims(diagnosis.claims, now))
    if diagnosis.signature is not None:
        lines.append(f"{'signature':<{_LABEL}}{_signature(diagnosis.signature)}")
    if diagnosis.kind in ("jws", "unsigned"):
        word, colour = _VERDICTS[diagnosis.verdict]
        lines.append(f"{'verdict':<{_LABEL}}{paint(word, colour)}: {printable(diagnosis.reason)}")
    if diagnosis.findings and lines:
        lines.append("")
    return lines + _findings(diagnosis)


def _header(header: dict[str, Any]) -> str:
    names = [name for name in _FIRST if name in header]
    names += [name for name in header if name not in _FIRST]
    return " · ".join(f"{printable(name)} {_text(header[name])}" for name in names) or "empty"


def _claims(claims: dict[str, Any], now: float) -> list[str]:
    width = min(max((len(printable(name)) for name in claims), default=0), 16)
    return [
        f"{printable(name):<{width}}  {_claim(name, value, claims, now)}"
        for name, value in claims.items()
    ] or ["none"]


def _claim(name: str, value: object, claims: dict[str, Any], now: float) -> str:
    moment = seconds(value) if name in _TIMES else None
    if moment is None:
        return _text(value, quoted=True)
    away = f"in {span(moment - now)}" if moment > now else f"{span(now - moment)} ago"
    iat = seconds(claims.get("iat"))
    if name == "exp" and iat is not None and moment > iat:
        away += f" (lifetime {span(moment - iat)})"
    return f"{utc(moment)}   {away}"


def _signature(raw: bytes) -> str:
    like = looks_like(raw)
    return f"{len(raw)} bytes" + (f" = {like}" if like else "")


def _findings(diagnosis: Diagnosis) -> list[str]:
    facts = [len(printable(each.fact)) for each in diagnosis.findings]
    width = max((length for length in facts if length <= _LONGEST_FACT), default=0)
    lines = []
    for each in diagnosis.findings:
        mark = paint(f"{each.severity:<4}", _COLOURS[each.severity])
        lines.append(f"{mark}  {printable(each.fact):<{width}}   {each.consequence}")
        if each.fix:
            lines.append(f"      fix: {each.fix}")
    return lines


def _labelled(label: str, rows: list[str]) -> list[str]:
    labels = [label, *[""] * (len(rows) - 1)]
    return [f"{label:<{_LABEL}}{row}" for label, row in zip(labels, rows, strict=True)]


def _text(value: object, *, quoted: bool = False) -> str:
    is_bare = isinstance(value, str) and not quoted
    text = printable(str(value) if is_bare else json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
