"""Finding the key that is to be withdrawn, and telling what is left to do about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kmsjwt._immutable import Immutable, replaced
from kmsjwt.errors import CannotKnow, ConfigError, KmsAccessDenied, shown
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.asking import tags_of
from kmsjwt.kms.ring.finding import ring_with
from kmsjwt.kms.ring.names import generation_alias, pointer_alias
from kmsjwt.kms.ring.reading import read
from kmsjwt.rotation import Step
from kmsjwt.rotation.facts import LEAVING
from kmsjwt.rotation.planning import is_elsewhere

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from kmsjwt.rotation import Generation, Ring

_TAGS_SEEN = 600  # seconds after which a new key's tags are seen by everybody
_A_KID = re.compile("[A-Za-z0-9_-]{43}")  # each kid of a ring is a thumbprint (RFC 7638)
_UNSEEN = "may point to it, which KMS would show late"
_SUSPECT = "nobody can tell whether its kid is"
_IF_IT_IS = "if it is, take it out by name: kmsjwt publish --remove KID"
_BY_NAME = "take it out by name, once no token of it lives: kmsjwt publish --remove KID"


class Withdrawn(Immutable):
    """A key that was withdrawn.

    Attributes:
        generation: which one; None for a key of which only the ``kid`` is known.
        kid: its ``kid``.
        told: what was done, for people.
        untold: why something of it failed that no later step of the run would; None if nothing.
        left_enabled: whether its KMS key stayed enabled against what was asked for.
        suspects: each ``kid`` that is published and may be its, as no other key is known to be.
    """

    __slots__ = ("generation", "kid", "left_enabled", "suspects", "told", "untold")

    generation: Generation | None
    kid: str | None
    told: str
    untold: CannotKnow | None
    left_enabled: bool
    suspects: frozenset[str]

    def __init__(
        self,
        generation: Generation | None,
        kid: str | None,
        told: str,
        untold: CannotKnow | None = None,
        *,
        left_enabled: bool = False,
        suspects: Collection[str] = (),
    ) -> None:
        self._fill(
            generation=generation,
            kid=kid,
            told=told,
            untold=untold,
            left_enabled=left_enabled,
            suspects=frozenset(suspects),
        )

    @property
    def number(self) -> int:
        """The number of its generation; 0 for none that is known."""
        return 0 if self.generation is None else self.generation.number

    def __repr__(self) -> str:
        return f"Withdrawn({self.kid!r})"


def withdrawal_of(generation: Generation | None) -> Step:
    """Return the step that takes a key out of service."""
    number = 0 if generation is None else generation.number
    return Step("withdraw", number, "somebody else may sign with it")


def find(ring: Ring, which: str) -> Generation | None:
    """Return the generation of that ``kid`` or number, if it is known."""
    return next((each for each in ring.generations if which in (each.kid, str(each.number))), None)


def sought(
    client: Any, ring: Ring, which: str, published: Callable[[], Collection[str]]
) -> Generation | None:
    """Return the generation that is to be withdrawn; None for a key that KMS has no more.

    Args:
        client: a boto3 KMS client.
        ring: the ring, as it was read.
        which: a ``kid``, or the number of a generation.
        published: returns each ``kid`` that can be found in any place where consumers read.

    Raises:
        ConfigError: no key of the ring has it, nor had one that KMS deleted.
        KmsError: KMS did not say.
    """
    found = find(ring, which)
    if found is not None:
        return found
    whole = read(client, ring.name, since=False, down_to=1).ring  # keys that retired long ago too
    found = find(whole, which)
    if found is not None or which in whole.gone:
        return found
    is_whole = len(whole.generations) == whole.newest_number
    is_published = which in published()
    if is_whole or not is_published or not _A_KID.fullmatch(which):
        raise unknown(ring, which, is_published=is_published)
    _refuse_other_rings(client, ring, which)
    return None


def refuse_stranger(client: Any, ring: Ring, generation: Generation) -> None:
    """Refuse to withdraw a key whose own tags are not the ring's: nothing is written on it.

    On one that KMS will delete nothing can be written anyway, nor are its tags put right: it is
    refused only where it says that it is another ring's.

    Raises:
        ConfigError: it is such a key.
        KmsError: KMS did not say.
    """
    if generation.doubt is None:
        return
    known = tags_of(client, generation.arn)
    if tags.stranger(ring.name, generation.number, known) is None:
        return
    if generation.state in LEAVING and known.get(tags.RING, ring.name) == ring.name:
        return
    if tags.RING not in known and ring.now - generation.born < _TAGS_SEEN:
        raise ConfigError(
            f"{generation.doubt}: it was made a moment ago, and KMS shows tags late",
            code="generation_in_doubt",
            fix="run this again in a few minutes",
        )
    alias = generation_alias(ring.name, generation.number)
    raise ConfigError(
        f"{generation.doubt}: it is left alone",
        code="generation_in_doubt",
        fix="if it is the ring's, take it out of the JWKS with kmsjwt publish --remove KID, put its"
        " tags right, which KMS may show five minutes late, and withdraw it then; if it is not:"
        f" aws kms delete-alias --alias-name {alias}",
    )


def suspects(
    client: Any, ring: Ring, generation: Generation, published: Callable[[], Collection[str]]
) -> frozenset[str]:
    """Return each published kid that may be that of a withdrawn key, if nobody can tell which is.

    KMS gives out no public key of one that is not enabled. Where no kid is written on it either,
    it may be any that no other key of this ring or of another one has.

    Raises:
        CannotKnow: KMS or a place where consumers read did not say.
    """
    if generation.kid is not None:
        return frozenset()
    whole = read(client, ring.name, since=False, down_to=1).ring
    others = {each.kid for each in whole.generations if each.number != generation.number}
    left = frozenset(filter(_A_KID.fullmatch, published())) - {*whole.gone, *others}
    return frozenset(kid for kid in left if not _is_another_rings(client, ring, kid))


def _is_another_rings(client: Any, ring: Ring, kid: str) -> bool:
    try:
        return ring_with(client, kid, besides=ring.name) is not None
    except KmsAccessDenied:
        return False


def _refuse_other_rings(client: Any, ring: Ring, kid: str) -> None:
    try:
        other = ring_with(client, kid, besides=ring.name)
    except KmsAccessDenied as error:
        raise ConfigError(
            f"no key of ring {ring.name} has the kid {kid}, and whether another ring has it"
            f" may not be read: {error.message}",
            code="no_such_generation",
            fix=_BY_NAME,
        ) from error
    if other is not None:
        raise ConfigError(
            f"{kid} is a key of ring {other}, not of {ring.name}",
            code="no_such_generation",
            fix=f"withdraw it there: kmsjwt key rotate {other} --compromised {kid}",
        )


def unknown(ring: Ring, which: str, *, is_published: bool = False) -> ConfigError:
    """Return the error for a key that is not the ring's, and never was."""
    there = ": what is published by that kid is not the ring's" if is_published else ""
    fix = f"name one by its kid or number: kmsjwt key list {ring.name}"
    return ConfigError(
        f"ring {ring.name} has no key {shown(which)}{there}",
        code="no_such_generation",
        fix=f"{fix}; {_BY_NAME}" if is_published else fix,
    )


def as_withdrawn(
    ring: Ring, generation: Generation | None, kid: str, *, keep_enabled: bool
) -> Ring:
    """Return the ring as it would be without a generation, or a key of that ``kid``."""
    if generation is None:
        return replaced(ring, gone=(*ring.gone, kid))
    marks = replaced(
        generation.marks, compromised=ring.now, retired=ring.now, keep_enabled=keep_enabled
    )
    others = (each for each in ring.generations if each.number != generation.number)
    return replaced(ring, generations=(*others, replaced(generation, marks=marks)))


def require_done(
    ring: Ring,
    withdrawn: Withdrawn,
    published: Collection[str],
    done: Iterable[Step],
    *,
    keep_enabled: bool,
) -> None:
    """See that a withdrawn key is out of service.

    Args:
        ring: as it was read last.
        withdrawn: the key.
        published: each ``kid`` that can be found in any place where consumers read.
        done: the steps of the run that withdrew it.
        keep_enabled: whether its KMS key stays enabled.

    Raises:
        CannotKnow: naming what is left.
    """
    left = _left(ring, withdrawn, published, done, keep_enabled=keep_enabled)
    if not left:
        return
    why = f": {ring.doubt}" if ring.doubt is not None else ""
    raise CannotKnow(
        f"the withdrawal is not complete: {'; '.join(left)}{why}",
        code="withdrawal_unfinished",
        fix=_again(ring, left),
        retryable=ring.doubt is None and not all(each.startswith(_SUSPECT) for each in left),
    )


def tell_left(
    error: CannotKnow, ring: Ring, withdrawn: Withdrawn, done: Iterable[Step], *, keep_enabled: bool
) -> None:
    """Have the error that ended a withdrawal say what is left of it, as far as KMS tells.

    Args:
        error: the error.
        ring: as it was read last.
        withdrawn: the key.
        done: the steps of the run that withdrew it.
        keep_enabled: whether its KMS key stays enabled.
    """
    left = _left(ring, withdrawn, (), done, keep_enabled=keep_enabled)
    if left:
        fix = f"the withdrawal is not complete: {'; '.join(left)}; {_again(ring, left)}"
        error.fix = f"{error.fix}; {fix}" if error.fix else fix


def _left(
    ring: Ring,
    withdrawn: Withdrawn,
    published: Collection[str],
    done: Iterable[Step],
    *,
    keep_enabled: bool,
) -> list[str]:
    """Return what is left of a withdrawal."""
    number, generation, left = withdrawn.number, ring.generation(withdrawn.number), []
    if withdrawn.kid in published:
        left.append(f"kid {withdrawn.kid} is still published")
    found = withdrawn.suspects.intersection(published)
    left += [f"{_SUSPECT} {kid}, which is published" for kid in sorted(found)]
    if number and ring.signing == number:
        left.append(f"{pointer_alias(ring.name)} still points to it")
    elif generation is not None and not (
        generation.state in LEAVING or is_elsewhere(ring, generation)
    ):
        left.append(f"{pointer_alias(ring.name)} {_UNSEEN}")
    was_disabled = any(step.action == "disable" for step in done)
    is_enabled = withdrawn.left_enabled
    if generation is not None:
        is_enabled = not generation.is_off
    if is_enabled and not (keep_enabled or was_disabled):
        state = "still enabled" if generation is None else generation.state
        left.append(f"its KMS key is {'still enabled' if state == 'Enabled' else state}")
    return left


def _again(ring: Ring, left: Collection[str]) -> str:
    unclear = [each.startswith(_SUSPECT) for each in left]
    if all(unclear):
        return _IF_IT_IS
    wait = "a quarter of an hour" if any(_UNSEEN in each for each in left) else "five minutes"
    again = f"run kmsjwt key rotate {ring.name} in {wait}, and again until it succeeds"
    return f"{again}; {_IF_IT_IS}" if any(unclear) else again
