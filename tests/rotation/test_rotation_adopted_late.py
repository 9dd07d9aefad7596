"""A key that a stack adopts while KMS shows its alias late: it is waited for, and no other made."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tests.rotation.world import DAY, TIMES, Actor, World

from kmsjwt.authority.adopt import adopt
from kmsjwt.handlers._ring_resource import RingResource
from kmsjwt.local import Propagation

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 840_000)
EVENT: dict[str, Any] = {
    "RequestType": "Create",
    "ResponseURL": "https://cloudformation.example/",
    "StackId": "stack",
    "RequestId": "request",
    "LogicalResourceId": "Ring",
}


@pytest.mark.parametrize(
    ("alias", "tag"), [(0, 0), (5, 5), (30, 0), (0, 300), (300, 0), (300, 300)]
)
def test_an_adopted_key_is_waited_for_and_no_other_is_made(alias, tag):
    world = World(readers={"slow": Propagation(alias=alias, tag=tag)})
    made = world.kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    world.now += DAY
    actor = Actor(world, "slow")

    def adopting(key: str) -> None:
        adopt("auth", key, client=actor.view, changes=TIMES)

    resource = RingResource(
        actor.rotator,
        issuer=None,
        adopt=adopting,
        log=lambda *_, **__: None,
        clock=lambda: world.now,
        pause=world.slept,
        send=lambda _url, _body: 200,
    )

    told = resource({**EVENT, "ResourceProperties": {"ExistingKey": made["Arn"]}}, CONTEXT)

    assert not told["failed"]
    assert world.signing_arn() == made["Arn"]
    assert len(world.keys_in_kms()) == 1
