"""The whole diagnosis: pasted text in, everything there is to say about it out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kmsjwt._encoding import b64url_encode
from kmsjwt.cli.inspection import members, segments, signature
from kmsjwt.cli.inspection.catalogue import FAIL, Finding, finding
from kmsjwt.cli.inspection.pasted import token_in
from kmsjwt.compact import MAX_LENGTH

if TYPE_CHECKING:
    from kmsjwt.keys import KeySet

NOT_CHECKED, VERIFIED, MENDABLE, WRONG = "not_checked", "verified", "mendable", "wrong"
_STRUCTURE = ("base64_", "json", "not_", "duplicate_member", "too_long", "crit")


@dataclass(slots=True, kw_only=True)
class Diagnosis:
    """What a pasted text is.

    Attributes:
        kind: ``jws``, ``jwe``, ``unsigned`` or ``none``: no token at all.
        header: the header's members; None if they cannot be read.
        claims: the claims; None if they cannot be read. Nobody has vouched for either.
        signature: the signature's bytes, as far as they can be read.
        verdict: ``not_checked`` without a key; ``verified``; ``mendable``: the key's signature,
            though not in the form verifiers want; ``wrong``.
        reason: the verdict in words.
        findings: what is to be said, the worst first.
    """

    kind: str = "none"
    header: dict[str, Any] | None = None
    claims: dict[str, Any] | None = None
    signature: bytes | None = None
    verdict: str = NOT_CHECKED
    reason: str = "no key given (--key, --jwks)"
    findings: list[Finding] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether verifiers refuse it."""
        return any(each.severity == FAIL for each in self.findings)


def diagnose(text: str, *, now: float, keys: KeySet | None = None) -> Diagnosis:
    """Say what a text is that is thought to be a token.

    Args:
        text: anything at all.
        now: seconds since 1970.
        keys: the keys that may have signed it.
    """
    token, json_form, found = token_in(text)
    diagnosis = Diagnosis(findings=found)
    if json_form is not None:
        token = _compacted(json_form)
        found.append(finding("json_form", "it is the JSON form of a JWS"))
    _read(token, diagnosis, now, keys)
    order = {FAIL: 0, "warn": 1, "note": 2}
    diagnosis.findings.sort(key=lambda each: order[each.severity])
    return diagnosis


def _read(token: str, diagnosis: Diagnosis, now: float, keys: KeySet | None) -> None:
    found = diagnosis.findings
    if not token:
        found.append(finding("empty", "nothing is there"))
        return
    if len(token) > MAX_LENGTH:
        found.append(finding("too_long", f"the token is {len(token)} characters"))
    # Bytes that are no ASCII are no base64 either, and are told as such.
    parts = token.encode("utf-8", "surrogatepass").split(b".")
    if len(parts) == 1:
        found.append(finding("not_a_token", _no_token(token)))
        return
    faults: list[Finding] = []
    diagnosis.header = _member("header", parts[0], faults)
    if diagnosis.header is None and len(parts) not in (3, 5):
        found.append(finding("not_a_token", "it has dots, and no header before the first"))
        return
    found += faults
    if len(parts) == 5:
        diagnosis.kind = "jwe"
        found.append(finding("jwe", "five segments"))
        return
    diagnosis.kind = "jws"
    diagnosis.claims = _member("payload", parts[1], found)
    if len(parts) > 3:
        found.append(finding("segments", f"it has {len(parts)} segments, expected 3"))
    if diagnosis.header is not None:
        found += members.about_header(diagnosis.header)
    if diagnosis.claims is not None:
        found += members.about_claims(diagnosis.claims, now)
    _read_signature(parts, diagnosis, keys)


def _read_signature(parts: list[bytes], diagnosis: Diagnosis, keys: KeySet | None) -> None:
    found = diagnosis.findings
    if len(parts) < 3 or not parts[2]:
        diagnosis.kind = "unsigned"
        diagnosis.verdict, diagnosis.reason = WRONG, "there is no signature"
        found.append(finding("signature_missing", "it has no signature"))
        return
    raw, faults = segments.decoded("signature", parts[2])
    found += faults
    diagnosis.signature = raw
    if raw is None:
        diagnosis.verdict, diagnosis.reason = WRONG, "the signature cannot be read"
        return
    header = diagnosis.header or {}
    found += signature.about_form(header.get("alg"), raw)
    if keys is None:
        return
    judged = signature.judge(
        header,
        raw,
        b".".join(parts[:2]),
        b".".join(map(segments.normalized, parts[:2])),
        keys,
    )
    known = {each.code for each in found}
    if "signature_length" in known:
        known.add("signature_wrong")  # of another length, it can be no key's
    found += [each for each in judged.findings if each.code not in known]
    diagnosis.verdict, diagnosis.reason = judged.verdict, judged.reason
    if judged.verdict == VERIFIED and any(each.code.startswith(_STRUCTURE) for each in found):
        diagnosis.verdict = MENDABLE


def _member(name: str, segment: bytes, found: list[Finding]) -> dict[str, Any] | None:
    raw, faults = segments.decoded(name, segment)
    found += faults
    if raw is None:
        return None
    value, faults = segments.json_object(name, raw)
    found += faults
    return value


def _no_token(token: str) -> str:
    if token[:1] == "{":
        return "it is JSON with no token in it"
    if token[:1] == "<":
        return "it looks like HTML or XML"
    if token.startswith("-----BEGIN"):
        return "it is a PEM file: a key or certificate"
    if token.startswith("arn:"):
        return "it is an ARN"
    return f"it has no dots ({len(token)} characters)"


def _compacted(form: dict[str, Any]) -> str:
    """Return the compact form of a JWS in JSON form (RFC 7515 section 7.2)."""
    first = form
    signatures = form.get("signatures")
    if isinstance(signatures, list) and signatures and isinstance(signatures[0], dict):
        first = signatures[0]
    protected, signed = first.get("protected"), first.get("signature")
    header = protected if isinstance(protected, str) else b64url_encode(b"{}")
    return f"{header}.{form['payload']}.{signed if isinstance(signed, str) else ''}"
