"""The one rule by which the published JWKS changes; a pure function of what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt._encoding import plain
from kmsjwt._immutable import Immutable
from kmsjwt._jwk import private_members
from kmsjwt.errors import ConfigError, DocumentUnusable, shown
from kmsjwt.jwks.document import document_bytes, jwks_bytes, jwks_document
from kmsjwt.jwks.static import parsed
from kmsjwt.keys import KeySet, PublicKey

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    Jwk = dict[str, Any]

_REMOVE = "take a key out by name, once no token of it lives: kmsjwt publish --remove KID"


class Merged(Immutable):
    """A JWKS to publish.

    Attributes:
        body: its bytes, the same for the same content.
        kids: every ``kid`` in it, sorted.
        kept: those that are there only because they were there before.
        removed: those that were there and are not any more: each was named as retired.
        added: those that were not there before.
        algs: the algorithms of all its keys, kept ones included.
    """

    __slots__ = ("added", "algs", "body", "kept", "kids", "removed")

    body: bytes
    kids: tuple[str, ...]
    kept: tuple[str, ...]
    removed: tuple[str, ...]
    added: tuple[str, ...]
    algs: frozenset[str]

    def __init__(
        self,
        *,
        body: bytes,
        kids: Iterable[str],
        kept: Iterable[str],
        removed: Iterable[str],
        added: Iterable[str],
        algs: Iterable[str],
    ) -> None:
        self._fill(
            body=body,
            kids=tuple(sorted(kids)),
            kept=tuple(sorted(kept)),
            removed=tuple(sorted(removed)),
            added=tuple(sorted(added)),
            algs=frozenset(algs),
        )


def merge(
    current: bytes | None,
    live: Iterable[PublicKey],
    retired: Collection[str] = (),
    *,
    where: str = "the JWKS",
) -> Merged:
    """Return the JWKS to publish: what is there, without the retired keys, and the live ones.

    A key that is there and that nobody named stays as it is, member for member: no stale or
    incomplete knowledge of ours removes one.

    Args:
        current: the document as it is published now; None if there is certainly none.
        live: the keys to publish.
        retired: the ``kid`` of each key that is to leave.
        where: what to call the current document in messages.

    Raises:
        ConfigError: nothing would be left (``publish_empty``); a key is live and retired at
            once; a live ``kid`` tells an account; more than 150,000 bytes.
        DocumentUnusable: the current document is none that may be built on. It is never
            overwritten for that.
    """
    leaving = _leaving(retired)
    live = tuple(live)
    _refuse_contradiction(live, leaving)
    document = _read(current, where)
    there = document["keys"]
    staying = [jwk for jwk in there if jwk.get("kid") not in leaving]
    ours = {key.kid: key for key in live}
    for jwk in staying:
        _refuse_private(jwk, where)
        if jwk.get("kid") in ours:
            _refuse_another(jwk, ours[jwk["kid"]], where)
    kept = [jwk for jwk in staying if jwk.get("kid") not in ours]
    fresh: list[Jwk] = jwks_document(live)["keys"] if live else []
    result = {**document, "keys": sorted([*kept, *fresh], key=_order)}
    algs = _algs(result, where)
    return Merged(
        body=jwks_bytes(result),
        kids=_kids(result["keys"]),
        kept=_kids(kept),
        removed=_kids(there) & leaving,
        added=ours.keys() - _kids(there),
        algs=algs,
    )


def _leaving(retired: Collection[str]) -> frozenset[str]:
    if isinstance(retired, (str, bytes)) or not all(isinstance(kid, str) for kid in retired):
        raise ConfigError(
            f"retired is {shown(retired)}, expected a collection of kids", code="publish_retired"
        )
    return frozenset(retired)


def _refuse_contradiction(live: Iterable[PublicKey], leaving: frozenset[str]) -> None:
    both = sorted({key.kid for key in live} & leaving)
    if both:
        raise ConfigError(
            f"{shown(both[0])} is to be published and is retired, expected one of the two",
            code="publish_retired",
            fix="read the ring again; by hand, leave the key out of --key or of --remove",
        )


def _read(current: bytes | None, where: str) -> dict[str, Any]:
    """Return the current document, mutable; an empty one if there is none."""
    if current is None:
        return {"keys": []}
    try:
        document: dict[str, Any] = plain(parsed(current, where))
    except ConfigError as error:
        raise _unusable(where, error.message, "jwks_malformed") from None
    keys = document.get("keys")
    if not isinstance(keys, list):
        raise _unusable(where, f"keys is {shown(keys)}, expected a list", "jwks_malformed")
    for position, jwk in enumerate(keys):
        if not isinstance(jwk, dict) or not isinstance(jwk.get("kid", ""), str):
            raise _unusable(where, f"its key {position} is no JWK", "jwks_malformed")
    return document


def _refuse_private(jwk: Jwk, where: str) -> None:
    exposed = private_members(jwk)
    if exposed:
        told = f"the key {shown(jwk.get('kid'))} holds the private members {', '.join(exposed)}"
        raise _unusable(where, told, "jwks_private")


def _refuse_another(jwk: Mapping[str, Any], ours: PublicKey, where: str) -> None:
    """Refuse to put one key in the place of another: live tokens of that one would be lost."""
    try:
        theirs = PublicKey.from_jwk(jwk, alg=ours.alg.name)
    except ConfigError as error:
        raise _other_key(where, ours.kid, error.message) from None
    if theirs != ours:
        raise _other_key(where, ours.kid, f"another key, for {theirs.alg.name}")


def _other_key(where: str, kid: str, what: str) -> DocumentUnusable:
    return DocumentUnusable(
        f"{where} has under kid {shown(kid)}: {what}; expected the key to publish",
        where=where,
        code="publish_other_key",
        fix=f"give the new key another kid; {_REMOVE}",
    )


def _algs(document: Mapping[str, Any], where: str) -> frozenset[str]:
    """Read what would be published as every verifier of ours will read it."""
    try:
        return frozenset(key.alg.name for key in KeySet.from_jwks(document))
    except ConfigError as error:
        if error.code == "jwks_no_usable_key":
            raise ConfigError(
                f"{where} would hold no key that verifies anything, expected one at least",
                code="publish_empty",
                fix="publish the new key first; take the old one out when no token of it lives",
            ) from None
        raise _unusable(where, error.message, error.code) from None


def _unusable(where: str, why: str, code: str) -> DocumentUnusable:
    message = why if where in why else f"{where}: {why}"
    fix = _REMOVE
    if code == "jwks_malformed":
        fix = "put the last good JWKS back, or take the file away if no token depends on it"
    elif code == "jwks_private":
        fix = f"that key is compromised; {_REMOVE}"
    return DocumentUnusable(message, where=where, code=code, fix=fix)


def _order(jwk: Jwk) -> tuple[bool, str, bytes]:
    return "kid" not in jwk, jwk.get("kid", ""), document_bytes(jwk)


def _kids(keys: Iterable[Jwk]) -> frozenset[str]:
    return frozenset(jwk["kid"] for jwk in keys if "kid" in jwk)
