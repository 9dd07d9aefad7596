"""issue_async leaves the event loop free while KMS takes its time."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from tests.kms import support
from tests.kms.support import AUD, Through

from kmsjwt.errors import ClaimsRefused, KmsThrottled
from kmsjwt.kms import KmsKeys

if TYPE_CHECKING:
    from kmsjwt.local import LocalKms


def test_the_loop_runs_on_while_sign_waits_for_it(kms: LocalKms, arn: str, wire: Through):
    """Sign returns only after the loop has turned a hundred times meanwhile."""
    released, in_sign = threading.Event(), threading.Event()

    def wait(_: object) -> None:
        in_sign.set()
        assert released.wait(10), "the event loop was blocked"

    wire.before["sign"] = wait
    issuer = support.issuer(arn, wire)

    async def main() -> str:
        issuing = asyncio.create_task(issuer.issue_async(sub="ala", aud=AUD, lifetime=60))
        turns = 0
        while turns < 100:
            await asyncio.sleep(0)
            turns += in_sign.is_set()
        assert not issuing.done()
        released.set()
        return (await issuing).token

    token = asyncio.run(main())
    claims = support.verifier(KmsKeys(arn, client=kms)).verify(token).claims
    assert claims["exp"] - claims["iat"] == 60


def test_several_at_once_are_in_sign_together(kms: LocalKms, arn: str, wire: Through):
    together = threading.Barrier(4)
    wire.before["sign"] = lambda _: together.wait(10)
    issuer = support.issuer(arn, wire)

    async def main() -> list[str]:
        made = await asyncio.gather(*(issuer.issue_async(sub="a", aud=AUD) for _ in range(4)))
        return [each.jti for each in made]

    assert len(set(asyncio.run(main()))) == 4


def test_errors_come_through_as_they_are(kms: LocalKms, arn: str):
    issuer = support.issuer(arn, kms)
    kms.faults.add("Sign", kind="throttle")
    with pytest.raises(KmsThrottled):
        asyncio.run(issuer.issue_async(sub="ala", aud=AUD))
    with pytest.raises(ClaimsRefused):
        asyncio.run(issuer.issue_async(sub="ala", aud=AUD, claims={"iss": "me"}))
