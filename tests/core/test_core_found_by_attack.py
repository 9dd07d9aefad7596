"""What an attack on the faster core found; each of these was seen to fail."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.core import helpers

from kmsjwt import ANY, ConfigError, PublicKey, VerifiedToken, Verifier, aws
from kmsjwt.errors import BadSignature, InvalidClaim, KmsError
from kmsjwt.gateway import Authorizer
from kmsjwt.jwks import StaticKeys

if TYPE_CHECKING:
    from pathlib import Path

ARN = "arn:aws:execute-api:eu-west-1:123456789012:abc123/prod/GET/pets"


class Revoked(PublicKey):
    """A key of the user's own that refuses everything, as if its list of revocations said so."""

    def verify(self, signature: bytes, signing_input: bytes) -> None:
        del signature, signing_input
        raise BadSignature("revoked")


class OwnKeys:
    """A source of the user's own that has always had a method of this name."""

    def key(self, kid: str | None) -> PublicKey:
        del kid
        return helpers.held("Ed25519").public

    def key_count(self) -> int:
        return 1


def test_a_public_key_subclass_is_asked_and_not_passed_over():
    key = Revoked(helpers.held("Ed25519").private.public_key(), "Ed25519")
    token = helpers.issuer("Ed25519").issue(sub="ala", aud=helpers.AUD).token

    with pytest.raises(BadSignature, match="revoked"):
        helpers.verifier(keys=StaticKeys([key])).verify(token)


def test_a_key_source_with_a_key_count_of_its_own_kind_breaks_no_verifier():
    try:
        verifier = Verifier(
            OwnKeys(), issuer=helpers.ISS, audience=helpers.AUD, clock=lambda: helpers.NOW
        )
    except ConfigError:
        return  # told when it is wired is as good

    assert verifier.verify(helpers.forge("Ed25519").good).kid


@pytest.mark.parametrize("response", ["iam", "simple"])
def test_no_answer_is_larger_than_the_gateway_takes(response: str):
    names = tuple(chr(0x10000 + number) for number in range(500))

    class Verifies:
        def verify(self, token: str) -> VerifiedToken:
            del token
            claims: dict[str, Any] = dict.fromkeys(names, "")
            return VerifiedToken(header={}, claims=claims, kid="k", alg="RS256")

    authorizer = Authorizer(Verifies(), response=response, context=names, log=None)
    event = {
        "type": "REQUEST",
        "version": "2.0",
        "routeArn": ARN,
        "headers": {"authorization": "Bearer abc"},
    }

    try:
        answer = authorizer(event)
    except ConfigError:
        return  # too large, and told so

    assert len(json.dumps(answer)) <= 8_192


def test_a_role_is_assumed_in_the_region_of_the_key_where_no_other_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    config = tmp_path / "config"
    config.write_text(
        "[profile role]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = base\n"
        "[profile base]\naws_access_key_id = a\naws_secret_access_key = b\n"
    )
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_PROFILE", "role")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nobody listens: STS was asked
    client = aws.kms_client("eu-west-1")

    with pytest.raises(KmsError) as caught:
        aws.call(client.describe_key, "DescribeKey", "k", KeyId="k")

    assert caught.value.aws_code == "EndpointConnectionError"


@pytest.mark.parametrize(("name", "repeated", "claim"), [("nbf", False, 0), ("iat", True, 1)])
def test_a_boolean_in_the_header_repeats_no_number(name: str, repeated: bool, claim: int):
    """Python calls True and 1 equal; RFC 7519 section 5.3 asks for identical values."""
    forge = helpers.forge("Ed25519")
    claims = forge.claims(**{name: claim, "exp": helpers.NOW + 60})
    verifier = helpers.verifier(max_lifetime=ANY)

    assert verifier.verify(forge.token(forge.header(**{name: claim}), claims)).alg == "Ed25519"
    with pytest.raises(InvalidClaim):
        verifier.verify(forge.token(forge.header(**{name: repeated}), claims))
