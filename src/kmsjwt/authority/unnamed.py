"""Finding the key that a run made for a generation, and could not name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt._immutable import Immutable
from kmsjwt.errors import KmsAccessDenied
from kmsjwt.key_names import is_multi_region
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.asking import described, tags_of
from kmsjwt.kms.ring.beginning import LIVED, left_behind
from kmsjwt.kms.ring.fitting import fitting
from kmsjwt.kms.ring.names import generation_alias
from kmsjwt.kms.ring.writing import key_not_visible
from kmsjwt.rotation.facts import LEAVING

if TYPE_CHECKING:
    from kmsjwt.kms.ring.asking import Metadata
    from kmsjwt.rotation import Generation, Ring, RingSettings

_SHOWN_AFTER = 600  # seconds; twice what KMS may take to show everybody what has changed


class LeftBehind(Immutable):
    """What a run left that made a key and could not name it.

    Attributes:
        key: KMS's ``KeyMetadata`` of the key, if it is what is asked for now.
        other: the ARN of one that is not, and stays without an alias.
    """

    __slots__ = ("key", "other")

    key: Metadata | None
    other: str | None

    def __init__(self, key: Metadata | None = None, other: str | None = None) -> None:
        self._fill(key=key, other=other)

    @property
    def told(self) -> str:
        """What is to be said of it to people, after the key that is taken."""
        if self.key is not None:
            return ", made by an earlier run, with the key policy of that run"
        if self.other is None:
            return ""
        return f"; {self.other} of an earlier run is not what is asked for, and has no alias"

    def __repr__(self) -> str:
        return f"LeftBehind({self.key!r}, {self.other!r})"


def left_of(
    client: Any,
    ring: Ring,
    number: int,
    spec: str,
    settings: RingSettings,
    *,
    now: float,
    made: tuple[Metadata, float] | None = None,
) -> LeftBehind:
    """Return what a run left of a generation.

    Its spec, its settings and whether it is a multi-Region key must be those that are asked for.
    Its key policy is not looked at: to read one takes a right that nobody needs to rotate.

    Args:
        client: a boto3 KMS client.
        ring: the ring, as it was read.
        number: which generation.
        spec: the key spec that is asked for.
        settings: the settings that are.
        now: the present, by the clock of KMS; about 0 if there is no ring yet.
        made: the key that the caller made itself, which KMS may show late, as well as its tags;
            and how many seconds ago.

    Raises:
        KmsError: KMS did not say, or does not show a key that was made a moment ago.
    """
    noting = noting_key(ring)
    if made is not None:
        key, known = _own(client, *made)
    elif noting is not None:
        key, known = _noted(client, ring, noting, number, now)
    else:
        return LeftBehind(left_behind(client, ring.name, spec, settings, number=number))
    if key is None or key["KeyState"] != "Enabled" or known.keys() & LIVED:
        return LeftBehind()
    if made is not None and tags.RING not in known:
        return LeftBehind(key)
    if (known.get(tags.RING), known.get(tags.GENERATION)) != (ring.name, str(number)):
        return LeftBehind()
    its_own, before = tags.settings_in(known), ring.generation(ring.signing)
    is_as_asked = (
        (key["KeySpec"], key["KeyUsage"]) == (spec, "SIGN_VERIFY")
        and its_own is not None
        and tags.of_settings(its_own) == tags.of_settings(fitting(spec, settings))
        and bool(key.get("MultiRegion")) == (before is not None and is_multi_region(before.arn))
    )
    return LeftBehind(key) if is_as_asked else LeftBehind(other=key["Arn"])


_Seen = tuple["Metadata | None", dict[str, str]]


def _own(client: Any, made: Metadata, age: float) -> _Seen:
    try:
        key, known = _shown(client, made["Arn"])
    except KmsAccessDenied:
        if not _is_young(age):
            raise
        key, known = None, {}  # IAM may see its tags late
    return (made, {}) if key is None and _is_young(age) else (key, known)


def _noted(client: Any, ring: Ring, noting: Generation, number: int, now: float) -> _Seen:
    made = tags.made_in(tags_of(client, noting.arn), number)
    if made is None:
        return None, {}
    key_id, since = made
    try:
        key, known = _shown(client, key_id)
    except KmsAccessDenied as error:
        if ring.is_emergency:
            return None, {}  # what is withdrawn signs until there is another
        # Without haste, another one would be made in each run, for as long as that is denied.
        error.fix = (
            f"{generation_alias(ring.name, number)} waits for this key, which a run made: allow"
            " that; or, if the key is gone or not the ring's: aws kms untag-resource --tag-keys"
            f" {tags.NEXT} --key-id {noting.arn}"
        )
        raise
    if tags.RING not in known and _is_young(now - since):
        raise key_not_visible(key_id, generation_alias(ring.name, number))
    return key, known


def _shown(client: Any, key_id: str) -> _Seen:
    """Return a key and its tags, as far as KMS shows them."""
    key = described(client, key_id)
    return key, {} if key is None else tags_of(client, key["Arn"])


def _is_young(age: float) -> bool:
    return 0 <= age < _SHOWN_AFTER


def noting_key(ring: Ring) -> Generation | None:
    """Return the key on which is written which key was made for the next generation.

    The one that signs, unless KMS lets nothing be written on it any more.
    """
    before = ring.generation(ring.signing)
    if before is None or before.state not in LEAVING:
        return before
    return ring.keeper(before)
