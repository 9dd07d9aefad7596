"""Asks an authorizer with rules, and judges its answer by the simulator's IAM evaluator."""

from __future__ import annotations

from typing import Any

from tests.gateway.minting import NOW, Mint, Recorder

from kmsjwt.gateway import Authorizer
from kmsjwt.testing.answers import read_answer

MINT = Mint()
VERIFIER = MINT.verifier()
TOKENS: dict[str, str] = {}


def decided(event, rules, **more) -> Any:
    """Return the answer and the log line."""
    log = Recorder()
    asked = Authorizer(VERIFIER, rules=rules, log=log, clock=lambda: NOW, **more)
    answer = asked(event)
    assert len(log.lines) == 1
    return answer, log.last


def bearer(claims) -> str:
    key = repr(sorted(claims.items(), key=lambda item: item[0]))
    if key not in TOKENS:
        TOKENS[key] = MINT.token(**claims)
    return f"Bearer {TOKENS[key]}"


def allowed_of(answer, arns) -> list[bool]:
    """Tell of each ARN whether the simulator's IAM evaluator lets it pass."""
    read = read_answer(answer, simple="isAuthorized" in answer, flat_context=True)
    return [read.verdict(arn) == "allowed" for arn in arns]


def allows(answer, arn) -> bool:
    return allowed_of(answer, [arn])[0]


def arn_of(event) -> str:
    arn: str = event.get("routeArn") or event["methodArn"]
    return arn
