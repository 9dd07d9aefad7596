"""Mistakes with AWS, its keys and its permissions."""

from __future__ import annotations

import sys
from contextlib import closing
from socket import create_server

from tests.kms.support import make_key
from tests.mistakes.table import mistake
from tests.mistakes.world import MISSING, REGION, World

from kmsjwt import ConfigError, errors
from kmsjwt.kms import KmsKeys, KmsSigner, KmsVerify


@mistake(ConfigError, "no_region", "no AWS Region is set", "set AWS_REGION")
def no_region(_: World) -> object:
    return KmsSigner("alias/auth")


@mistake(errors.KmsAccessDenied, "no_credentials", "no AWS credentials were found", "sign in")
def no_credentials(_: World) -> object:
    return KmsSigner("alias/auth", region=REGION).current()


@mistake(ConfigError, "no_boto3", "boto3 is not installed", "pip install 'kmsjwt[aws]'")
def boto3_missing(world: World) -> object:
    world.monkeypatch.setitem(sys.modules, "botocore.session", None)
    return KmsSigner("alias/auth", region=REGION)


@mistake(ConfigError, "aws_config", "nowhere", "AWS_PROFILE")
def unknown_profile(world: World) -> object:
    world.monkeypatch.setenv("AWS_PROFILE", "nowhere")
    return KmsSigner("alias/auth", region=REGION)


@mistake(ConfigError, "key_reference", "the KMS key is 'auth'", "written alias/auth")
def bare_alias(world: World) -> object:
    return KmsSigner("auth", client=world.kms)


@mistake(ConfigError, "key_reference", "the KMS key is ''", "expected an id, ARN")
def empty_key(world: World) -> object:
    return KmsSigner("", client=world.kms)


@mistake(errors.KmsKeyNotFound, "kms_key_not_found", MISSING, "is not there", "kmsjwt key create")
def key_missing(world: World) -> object:
    return KmsSigner(MISSING, client=world.kms).current()


@mistake(errors.KmsKeyNotFound, "kms_key_not_found", "alias/other is not there", "check the name")
def alias_missing(world: World) -> object:
    return KmsSigner("alias/other", client=world.kms).current()


@mistake(errors.KmsKeyUnusable, "kms_key_unusable", "is disabled", "aws kms enable-key")
def key_disabled_for_signing(world: World) -> object:
    world.kms.disable_key(KeyId=world.arn)
    return world.issue()


@mistake(errors.KmsKeyUnusable, "kms_key_unusable", "is disabled", "aws kms enable-key")
def key_disabled_for_verifying(world: World) -> object:
    world.kms.disable_key(KeyId=world.arn)
    return world.verify(world.token)


@mistake(errors.KmsKeyUnusable, "kms_key_unusable", "pending deletion", "cancel-key-deletion")
def key_pending_deletion(world: World) -> object:
    world.kms.schedule_key_deletion(KeyId=world.arn)
    return world.issue()


@mistake(errors.KmsKeyUnusable, "kms_key_unusable", "'ENCRYPT_DECRYPT'", "expected SIGN_VERIFY")
def key_for_encryption(world: World) -> object:
    return KmsSigner(make_key(world.kms, "RSA_2048", "ENCRYPT_DECRYPT"), client=world.kms).current()


@mistake(errors.KmsKeyUnusable, "kms_key_unusable", "cannot do this", "asymmetric key")
def key_for_hmac(world: World) -> object:
    return KmsKeys(
        make_key(world.kms, "HMAC_256", "GENERATE_VERIFY_MAC"), client=world.kms
    ).key_set()


@mistake(errors.KmsKeyUnusable, "alg_mismatch", "alg is 'RS256'", "signs ES256")
def algorithm_of_another_key(world: World) -> object:
    return KmsSigner(world.arn, client=world.kms, alg="RS256").current()


@mistake(ConfigError, "unknown_alg", "alg is 'HS256'", "expected one of RS256")
def hmac_wanted(world: World) -> object:
    return KmsSigner(world.arn, client=world.kms, alg="HS256")


@mistake(errors.KmsAccessDenied, "kms_access_denied", "kms:Sign on", "allow kms:Sign")
def access_denied_on_sign(world: World) -> object:
    world.kms.permissions.deny("Sign")
    return world.issue()


@mistake(errors.KmsAccessDenied, "kms_access_denied", "kms:GetPublicKey on", "allow kms:GetPublic")
def access_denied_on_get_public_key(world: World) -> object:
    world.kms.permissions.deny("GetPublicKey")
    return world.verify(world.token)


@mistake(errors.KmsAccessDenied, "kms_access_denied", "kms:Verify on", "allow kms:Verify")
def access_denied_on_verify(world: World) -> object:
    world.kms.permissions.deny("Verify")
    return world.verify(world.token, keys=KmsVerify(world.arn, client=world.kms))


@mistake(errors.KmsThrottled, "kms_throttled", "was throttled", "try again with back-off")
def throttled(world: World) -> object:
    world.signer.current()
    world.kms.faults.add("Sign", kind="throttle")
    return world.issue()


@mistake(errors.KmsUnavailable, "kms_unavailable", "could not be reached", "check the network")
def nobody_at_the_endpoint(world: World) -> object:
    with closing(create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    world.monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", f"http://127.0.0.1:{port}")
    world.monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    world.monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    return KmsSigner("alias/auth", region=REGION).current()


@mistake(ConfigError, "alias_to_verify", "alias/auth is an alias", "name the keys themselves")
def an_alias_to_verify_with(world: World) -> object:
    return KmsKeys("alias/auth", client=world.kms)


@mistake(ConfigError, "client_region", "is in eu-west-1", "region_name='eu-central-1'")
def a_client_in_another_region(world: World) -> object:
    return KmsSigner(world.arn, client=world.kms.in_region("eu-west-1"))


@mistake(ConfigError, "message_type", "message_type is 'raw'", "expected 'RAW'")
def message_type_in_lower_case(world: World) -> object:
    return KmsSigner(world.arn, client=world.kms, message_type="raw")


@mistake(errors.ClaimsRefused, "too_long_for_raw", "at most 4096", "put less into the claims")
def too_much_for_raw(world: World) -> object:
    key = KmsSigner(world.arn, client=world.kms, message_type="RAW").current()
    return key.sign(b"a" * 4097)
