"""What a user of rings imports from `kmsjwt.kms`, and what one who has none does not load."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from tests.kms_ring.world import SPEC

import kmsjwt.kms
from kmsjwt.errors import UnknownKey
from kmsjwt.kms import CreatedRing, RingKeys, RingReading, create_ring, read_ring

_LOADED = """
import sys
import kmsjwt.kms
print(*(name for name in sys.modules if name.startswith(("kmsjwt.kms.ring.", "kmsjwt.rotation"))))
"""


def test_a_ring_is_made_read_and_verified_with_from_one_place(kms: Any, clock: Any) -> None:
    made = create_ring("auth", spec=SPEC, client=kms)
    reading = read_ring(kms, "auth")
    keys = RingKeys("auth", client=kms, clock=clock)

    assert isinstance(made, CreatedRing)
    assert isinstance(reading, RingReading)
    assert [each.kid for each in reading.live] == [made.kid] == [keys.key(made.kid).kid]
    with pytest.raises(UnknownKey):
        keys.key("other")


def test_everything_promised_is_there_and_nothing_else_is() -> None:
    for name in kmsjwt.kms.__all__:
        assert getattr(kmsjwt.kms, name).__module__.startswith("kmsjwt.kms.")
    with pytest.raises(AttributeError, match=r"kmsjwt\.kms.*no_such"):
        _ = kmsjwt.kms.no_such


def test_who_has_no_ring_does_not_load_the_room() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOADED], check=True, capture_output=True, text=True, timeout=60
    )

    assert done.stdout.split() == ["kmsjwt.kms.ring.names"]
