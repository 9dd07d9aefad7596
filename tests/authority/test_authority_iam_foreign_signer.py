"""A role of another account that a key policy names, which no statement of the account is for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.authority.enforcing import Enforcing, granted

from kmsjwt import Issuer, Verifier
from kmsjwt.authority import iam_guard
from kmsjwt.authority.iam_names import Place
from kmsjwt.kms import KmsKeys, KmsSigner
from kmsjwt.kms.ring.create import create_ring
from kmsjwt.local import LocalKms

ISS = "https://id.example"
FOREIGN = "arn:aws:iam::444455556666:role/issue"


@pytest.mark.parametrize("signers", [[FOREIGN], ["arn:aws:iam::111122223333:role/issue", FOREIGN]])
def test_a_role_of_another_account_signs_with_what_the_key_policy_gives_it(signers):
    kms = LocalKms()
    arn = create_ring("auth", client=kms).arn
    place = Place(kms.meta.region_name, kms.account_id)
    policy: list[dict[str, Any]] = json.loads(
        json.dumps(iam_guard.key_policy(place, may_sign=signers))
    )
    lets_in = [one for one in policy if FOREIGN in one["Principal"]["AWS"]]
    asking = Enforcing(kms, lets_in)
    alias = f"arn:aws:kms:{kms.meta.region_name}:{kms.account_id}:alias/auth"

    token = Issuer(ISS, KmsSigner(alias, client=asking)).issue(sub="ala", aud="orders").token

    verifier = Verifier(KmsKeys(arn, client=kms), issuer=ISS, audience="orders")
    assert verifier.verify(token).claims["sub"] == "ala"
    assert asking.used == granted(lets_in)
    # KMS tells no other account a key's tags; nothing of the kind is promised.
    assert {each.action for each in asking.denied} <= {"kms:ListResourceTags"}
