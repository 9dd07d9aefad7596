"""The ring of another Region, by the example of the page about rotating keys."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from kmsjwt.authority.in_kms import InKms
from kmsjwt.authority.rotate import Rotator
from kmsjwt.kms import create_ring, read_ring
from kmsjwt.local import LocalKms

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "rotate-keys.md"
DAY = 86_400


@pytest.fixture(scope="module")
def follow() -> Any:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (block,) = (each for each in blocks if "def follow(" in each)
    names: dict[str, Any] = {}
    exec(block, names)
    return names["follow"]


@pytest.mark.parametrize("state", ["Enabled", "Disabled", "PendingDeletion"])
@pytest.mark.parametrize("is_new", [True, False], ids=["new Region", "Region that follows"])
def test_a_retired_key_may_be_in_any_state_at_home(follow, state, is_new):
    now = 1_800_000_000.0
    home = LocalKms(clock=lambda: now)
    there = home.in_region("eu-west-1")
    times = {"max_lifetime": 900, "consumer_cache": 0}
    create_ring("auth", multi_region=True, spec="ECC_NIST_P256", settings=times, client=home)
    rotator = Rotator("auth", InKms("auth", home), client=home, clock=lambda: now)
    for start in (False, True, False, False, False):
        rotator.run(start=start)
        if not is_new:
            follow(home, there, "auth")
        now += DAY
    retired = read_ring(home, "auth").ring.generations[0]
    assert retired.marks.retired is not None
    if state == "Disabled":
        home.disable_key(KeyId=retired.arn)
    elif state == "PendingDeletion":
        if not is_new:
            there.schedule_key_deletion(KeyId=retired.arn.rpartition("/")[2])
        home.schedule_key_deletion(KeyId=retired.arn)

    for _ in range(2):
        follow(home, there, "auth")

    its = read_ring(there, "auth").ring
    assert its.signing == 2
    assert [each.number for each in its.generations][-1] == 2
