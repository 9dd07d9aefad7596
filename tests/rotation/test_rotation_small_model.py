"""Two rotators, three generations, every interleaving within the five-minute rule."""

from __future__ import annotations

import pytest
from tests.rotation.small_model import Broken, explore
from tests.rotation.small_world import LONG_AGO, Rules

from kmsjwt.rotation import planning


@pytest.mark.parametrize(
    "rules",
    [Rules(at_once=False), Rules(), Rules(cache=1)],
    ids=["KMS and JWKS read apart", "read at once", "five minutes of cache"],
)
def test_no_interleaving_of_two_rotators_loses_a_token(rules, capsys):
    told = explore(rules)
    with capsys.disabled():
        print(f"\nsmall model, {rules}: {told}")
    assert told.states > 10_000
    assert told.moves > 100


def test_no_interleaving_with_a_withdrawal_loses_a_token_of_another_key():
    assert explore(Rules(withdrawals=True, actors=1)).states > 10_000


def test_two_rotators_and_a_withdrawal_lose_no_token_of_another_key_for_some_steps(capsys):
    """As far as a sample goes; the module goes further, with ``--withdrawals``."""
    told = explore(Rules(withdrawals=True), most=30_000, bounded=True)
    with capsys.disabled():
        print(f"\nsmall model, two rotators and a withdrawal: {told}")
    assert told.states > 30_000
    assert told.deep is not None
    assert told.deep >= 5


def test_a_pointer_that_does_not_rest_goes_back(monkeypatch):
    monkeypatch.setattr(planning, "REST", 0)
    with pytest.raises(Broken, match="the pointer went back"):
        explore(Rules())


def test_a_plan_that_never_grows_old_moves_the_pointer_back():
    with pytest.raises(Broken, match="the pointer went back"):
        explore(Rules(oldest=LONG_AGO))


def test_a_drain_that_is_too_short_loses_tokens(monkeypatch):
    from kmsjwt.rotation import RingSettings

    monkeypatch.setattr(RingSettings, "drain", property(lambda _: 600))
    with pytest.raises(Broken, match="a token of it may be alive"):
        explore(Rules())


def test_a_key_that_signs_before_caches_have_it_is_seen(monkeypatch):
    from kmsjwt.rotation import RingSettings

    monkeypatch.setattr(RingSettings, "publish_wait", property(lambda _: 0))
    with pytest.raises(Broken, match="a consumer may lack it"):
        explore(Rules(cache=1))
