"""The commonest mistakes at the command line: exit code, three lines, no traceback, no token."""

from __future__ import annotations

import io
import sys
import time
from base64 import b64encode
from contextlib import closing
from socket import create_server
from typing import TYPE_CHECKING, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from tests.kms.support import b64
from tests.mistakes.test_common_mistakes import require_no_token
from tests.mistakes.world import AUD, ISS, REGION, World

from kmsjwt.cli import main
from kmsjwt.local import LocalKms
from kmsjwt.local.http import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

EXPECTED = ["--issuer", ISS, "--audience", AUD]
ASKED = [*EXPECTED, "--subject", "ala"]


class Slip(NamedTuple):
    words: Callable[[World], list[str]]
    exit_code: int
    says: tuple[str, ...]


def verify(world: World, token: str | None = None, *words: str) -> list[str]:
    token = world.token if token is None else token
    world.seen.append(token)
    keys = [] if words else ["--key", world.arn]
    return ["verify", *EXPECTED, *keys, *words, "--", token]


def standard(world: World) -> str:
    return world.with_signature(b64encode(world.signature).decode())


def der(world: World) -> str:
    r, s = (int.from_bytes(half, "big") for half in (world.signature[:32], world.signature[32:]))
    return world.with_signature(b64(encode_dss_signature(r, s)))


def expired(world: World) -> str:
    now = int(time.time())
    return world.forge(iat=now - 900, exp=now - 600)


def issue(world: World, *words: str, key: str | None = None) -> list[str]:
    return ["issue", "--key", key or world.arn, *ASKED, *words]


def but(change: Callable[[World], object], words: list[str], world: World) -> list[str]:
    change(world)
    return words


def without(*names: str) -> Callable[[World], None]:
    def delete(world: World) -> None:
        for name in names:
            world.monkeypatch.delenv(name)

    return delete


def throttle(world: World) -> None:
    world.kms.faults.add("Sign", kind="throttle", key=world.arn, times=None)


def nobody_listens() -> str:
    with closing(create_server(("127.0.0.1", 0))) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


SLIPS: dict[str, Slip] = {
    "wrong audience": Slip(
        lambda w: ["verify", "--key", w.arn, "--issuer", ISS, "--audience", "billing", w.token],
        1,
        ("aud is 'orders'", "expected 'billing'"),
    ),
    "wrong issuer": Slip(
        lambda w: ["verify", "--key", w.arn, "--issuer", "me", "--audience", AUD, w.token],
        1,
        ("iss is 'https://id.example'", "expected 'me'"),
    ),
    "expired": Slip(lambda w: verify(w, expired(w)), 1, ("exp passed 60", "s ago")),
    "standard base64": Slip(
        lambda w: verify(w, standard(w)), 1, ("standard base64", "expected base64url")
    ),
    "DER": Slip(lambda w: verify(w, der(w)), 1, ("expected 64 for ES256",)),
    "not a token": Slip(lambda w: verify(w, "token.txt"), 1, ("has 1 dot, expected 2",)),
    "no token": Slip(lambda w: verify(w, ""), 2, ("missing: TOKEN", "kmsjwt verify --help")),
    "no issuer": Slip(
        lambda w: ["verify", "--key", w.arn, w.token],
        2,
        ("missing: --issuer (or KMSJWT_ISSUER), --audience", "kmsjwt verify --help"),
    ),
    "no key": Slip(
        lambda w: ["verify", *EXPECTED, w.token],
        2,
        ("missing: --key", "--jwks", "kmsjwt verify --help"),
    ),
    "unknown option": Slip(
        lambda w: ["verify", "--key", w.arn, "--audiance", AUD, w.token],
        2,
        ("--audiance", "--help"),
    ),
    "unknown command": Slip(lambda _: ["sign"], 2, ("sign", "--help")),
    "no JWKS file": Slip(
        lambda w: verify(w, None, "--jwks", str(w.folder / "none.json")),
        2,
        ("No such file", "kmsjwt jwks --key"),
    ),
    "HTML in the JWKS file": Slip(
        lambda w: verify(w, None, "--jwks", w.file("<html></html>")), 2, ("looks like HTML",)
    ),
    "HTML at the JWKS URL": Slip(
        lambda w: verify(w, None, "--jwks", w.serve("200 OK", "<html></html>")),
        2,
        ("looks like HTML",),
    ),
    "nobody at the JWKS URL": Slip(
        lambda w: verify(w, None, "--jwks", nobody_listens() + "/jwks.json"),
        3,
        ("Connection refused",),
    ),
    "no Region": Slip(
        lambda w: but(without("AWS_DEFAULT_REGION"), issue(w, key="alias/auth"), w),
        2,
        ("no AWS Region is set", "--region or AWS_REGION", "local run"),
    ),
    "no credentials": Slip(
        lambda w: but(without("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), issue(w), w),
        2,
        ("no AWS credentials were found", "kmsjwt local run"),
    ),
    "boto3 missing": Slip(
        lambda w: but(
            lambda _: w.monkeypatch.setitem(sys.modules, "botocore.session", None), issue(w), w
        ),
        2,
        ("boto3 is not installed", "pip install 'kmsjwt[aws]'"),
    ),
    "bare alias": Slip(lambda w: issue(w, key="auth"), 2, ("'auth'", "alias/auth")),
    "alias missing": Slip(
        lambda w: issue(w, key="alias/other"), 2, ("alias/other is not there", "kmsjwt key create")
    ),
    "key disabled": Slip(
        lambda w: but(lambda _: w.kms.disable_key(KeyId=w.arn), issue(w), w),
        2,
        ("is disabled", "aws kms enable-key"),
    ),
    "key pending deletion": Slip(
        lambda w: but(lambda _: w.kms.schedule_key_deletion(KeyId=w.arn), verify(w), w),
        2,
        ("pending deletion", "cancel-key-deletion"),
    ),
    "AccessDenied on Sign": Slip(
        lambda w: but(lambda _: w.kms.permissions.deny("Sign", key=w.arn), issue(w), w),
        2,
        ("kms:Sign on", "allow kms:Sign"),
    ),
    "AccessDenied on GetPublicKey": Slip(
        lambda w: but(
            lambda _: w.kms.permissions.deny("GetPublicKey", key=w.arn), ["jwks", "--key", w.arn], w
        ),
        2,
        ("kms:GetPublicKey on", "allow kms:GetPublicKey"),
    ),
    "throttled": Slip(
        lambda w: but(
            lambda _: w.kms.faults.add("Sign", kind="throttle", key=w.arn, times=None), issue(w), w
        ),
        3,
        ("was throttled", "try again"),
    ),
    "nobody at the endpoint": Slip(
        lambda w: but(
            lambda _: w.monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", nobody_listens()), issue(w), w
        ),
        3,
        ("could not be reached", "check the network path"),
    ),
    "lifetime too long": Slip(lambda w: issue(w, "--lifetime", "2d"), 2, ("172800", "86400")),
    "lifetime of words": Slip(
        lambda w: issue(w, "--lifetime", "soon"), 2, ("soon", "15m, PT1H30M or 900")
    ),
    "a claim that names iss": Slip(
        lambda w: issue(w, "--claim", "iss=me"), 2, ("names iss", "the issuer sets itself")
    ),
    "a claim of NaN": Slip(lambda w: issue(w, "--claim", "a:=NaN"), 2, ("NaN", "name:=3")),
    "a claim without a value": Slip(
        lambda w: issue(w, "--claim", "admin"), 2, ("'admin'", "expected name=text")
    ),
}


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[LocalKms, str]]:
    """One local KMS behind an endpoint; each test makes a key of its own in it."""
    kms = LocalKms(region=REGION)
    with running(kms) as server:
        yield kms, server.endpoint_url


@pytest.fixture
def commanded(
    served: tuple[LocalKms, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> World:
    """The world, its KMS as the command line finds it."""
    kms, endpoint_url = served
    for name, value in {
        "AWS_ENDPOINT_URL_KMS": endpoint_url,
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "y",
        "AWS_DEFAULT_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    return World(tmp_path, monkeypatch, kms)


@pytest.mark.parametrize("slip", SLIPS.values(), ids=SLIPS)
def test_a_mistake_at_the_command_line(
    slip: Slip, commanded: World, capfd: pytest.CaptureFixture[str]
):
    words = slip.words(commanded)
    capfd.readouterr()

    code = main(words)

    answered, said = capfd.readouterr()
    assert code == slip.exit_code, said
    assert answered == ""
    for part in slip.says:
        assert part in said
    assert len(said.splitlines()) <= 3
    assert "Traceback" not in said
    require_no_token(commanded, [said])


def test_a_token_of_1_mb_on_standard_input(
    commanded: World, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    token = commanded.token + "A" * 1_000_000
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(token.encode())))
    code = main(["verify", *EXPECTED, "--key", commanded.arn, "-"])
    answered, said = capfd.readouterr()
    assert code in (1, 2)
    assert answered == ""
    assert len(said.splitlines()) <= 3
    require_no_token(commanded, [said])


def test_without_a_mistake_all_is_well(commanded: World, capfd: pytest.CaptureFixture[str]):
    """Else each of the above might fail for another reason than its own."""
    commanded.kms.create_alias(AliasName="alias/auth", TargetKeyId=commanded.arn)
    assert main(issue(commanded, key="alias/auth")) == 0
    token = capfd.readouterr().out.strip()
    assert main(verify(commanded, token)) == 0
    assert '"sub": "ala"' in capfd.readouterr().out
