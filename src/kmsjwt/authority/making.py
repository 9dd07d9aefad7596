"""Making a ring's next key, or naming the one that a run made and could not name."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kmsjwt._immutable import replaced
from kmsjwt.algorithms import for_key_spec
from kmsjwt.authority.unnamed import left_of, noting_key
from kmsjwt.errors import CannotKnow
from kmsjwt.key_names import is_multi_region, key_id
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.create import DEFAULT_SPEC
from kmsjwt.rotation import RingSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kmsjwt.kms.ring.asking import Metadata
    from kmsjwt.kms.ring.writing import RingWriter
    from kmsjwt.rotation import Ring


class KeyMaker:
    """Makes the keys of one ring, and remembers which it made.

    Attributes:
        changes: the settings of the next generation that differ from its predecessor's.
    """

    def __init__(
        self,
        reader: Any,
        writer: RingWriter,
        *,
        spec: str | None,
        changes: Mapping[str, Any],
        policy: str | None,
        clock: Callable[[], float],
    ) -> None:
        """Take what `kmsjwt.authority.rotate.Rotator` takes, and raise as it does."""
        if spec is not None:
            for_key_spec(spec)
        replaced(RingSettings(), **changes)
        self.changes = dict(changes)
        self._reader = reader
        self._writer = writer
        self._spec = spec
        self._more: dict[str, Any] = {} if policy is None else {"Policy": policy}
        self._clock = clock
        self._made_here: dict[int, tuple[Metadata, float]] = {}

    def created(self, number: int, ring: Ring, *, now: Callable[[], float], gone: str) -> str:
        """Have a generation of the ring named, and return what came of it, for people.

        Args:
            number: which generation.
            ring: the ring, as it was read.
            now: tells the present, by the clock of KMS.
            gone: the kids that the key is to tell as gone.

        Raises:
            ConfigError: no key can be as it is asked for; none was made.
            KmsError: KMS refused, could not be reached, or shows something late.
        """
        spec, settings = self.next_key(ring)
        made = self._own(number)
        left = left_of(self._reader, ring, number, spec, settings, now=now(), made=made)
        key = left.key
        if key is None:
            key = self._made(number, ring, spec, settings, now=now, gone=gone)
        elif gone:
            self._writer.tag(key["Arn"], {tags.GONE: gone})
        claimed = self._writer.claim(number, key)
        if claimed["Arn"] != key["Arn"]:
            return f"another run made {claimed['Arn']}"
        return f"{claimed['KeySpec']} {claimed['Arn']}{left.told}"

    def next_key(self, ring: Ring) -> tuple[str, RingSettings]:
        """Return the spec and the settings of the next key: its predecessor's, with changes.

        Raises:
            ConfigError: the algorithm that is asked for is none of that spec's.
        """
        before = ring.generation(ring.signing)
        settings = (before and before.settings) or RingSettings()
        spec = self._spec or (before.spec if before else DEFAULT_SPEC)
        if before is not None and spec != before.spec:
            settings = replaced(settings, alg=None)  # it is of a key of another kind
        settings = replaced(settings, **self.changes)
        for_key_spec(spec, settings.alg)
        return spec, settings

    def _own(self, number: int) -> tuple[Metadata, float] | None:
        """Return the key that was made here for a generation, and its age by this clock.

        KMS tells no time where there is no ring yet.
        """
        if number not in self._made_here:
            return None
        key, made_at = self._made_here[number]
        return key, self._clock() - made_at

    def _made(
        self,
        number: int,
        ring: Ring,
        spec: str,
        settings: RingSettings,
        *,
        now: Callable[[], float],
        gone: str,
    ) -> Metadata:
        """Make a key, and write down which before it has its alias.

        What may not be written down is not made: each run would make another one.
        """
        before, noting = ring.generation(ring.signing), noting_key(ring)
        more = dict(self._more)
        if before is not None and is_multi_region(before.arn):
            more["MultiRegion"] = True
        if noting is not None:
            self._writer.tag(noting.arn, {tags.NEXT: str(number)})
        key = self._writer.make(number, spec=spec, settings=settings, gone=gone, **more)
        self._made_here[number] = key, self._clock()
        if noting is not None:
            made = tags.of_made(number, key_id(key["Arn"]), tags.moment(now()))
            with suppress(CannotKnow):  # its alias will say it as well
                self._writer.tag(noting.arn, {tags.NEXT: made})
        return key
