"""Mistakes with key sets, at the gateway and in the Lambda functions."""

from __future__ import annotations

import json
import time
from contextlib import closing
from socket import create_server
from typing import Any

from tests.mistakes.table import mistake
from tests.mistakes.world import AUD, ISS, World

from kmsjwt import ConfigError, KeySet, errors
from kmsjwt.gateway import Unauthorized
from kmsjwt.handlers import authorizer, issue
from kmsjwt.handlers._http import BadRequest
from kmsjwt.jwks import JwksFile, JwksUrl


@mistake(ConfigError, "jwks_malformed", "is no JWKS: it looks like HTML")
def html_in_the_jwks_file(world: World) -> object:
    return JwksFile(world.file("<!doctype html><title>Not found</title>"))


@mistake(ConfigError, "jwks_file", "cannot be read: No such file", "kmsjwt jwks --key")
def no_jwks_file(world: World) -> object:
    return JwksFile(world.folder / "jwks.json")


@mistake(ConfigError, "jwks_file", "cannot be read: Is a directory", "kmsjwt jwks --key")
def an_unreadable_jwks_file(world: World) -> object:
    return JwksFile(world.folder)


@mistake(ConfigError, "jwks_private", "private members d", "replace this key")
def a_private_key_in_the_jwks(world: World) -> object:
    jwk = {**next(iter(world.keys.key_set())).to_jwk(), "d": "AAAA"}
    return JwksFile(world.file(json.dumps({"keys": [jwk]})))


@mistake(ConfigError, "jwks_no_usable_key", "has no usable key", "kty is 'oct', expected RSA")
def only_foreign_keys_in_the_jwks(_: World) -> object:
    return KeySet.from_jwks({"keys": [{"kty": "oct"}]})


@mistake(ConfigError, "url", "is http, expected https", "127.0.0.1, ::1 and localhost alone")
def a_jwks_url_without_tls(_: World) -> object:
    return JwksUrl("http://id.example/jwks.json")


@mistake(errors.JwksInvalid, "jwks_malformed", "is no JWKS: it looks like HTML")
def html_at_the_jwks_url(world: World) -> object:
    return JwksUrl(world.serve("200 OK", "<html>Sign in</html>")).key("any")


@mistake(errors.JwksUnavailable, "jwks_status", "answered 404, expected 200")
def nothing_at_the_jwks_url(world: World) -> object:
    return JwksUrl(world.serve("404 Not Found", "nothing here")).key("any")


@mistake(errors.JwksUnavailable, "jwks_connection", "failed: Connection refused")
def nobody_at_the_jwks_url(_: World) -> object:
    with closing(create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    return JwksUrl(f"http://127.0.0.1:{port}/jwks.json").key("any")


@mistake(Unauthorized, "not_bearer", "has no scheme, expected Bearer", "Authorization: Bearer")
def no_bearer(world: World) -> object:
    return world.knock(world.token)


@mistake(Unauthorized, "not_bearer", "scheme is Basic, expected Bearer", "Authorization: Bearer")
def basic_authorization(world: World) -> object:
    return world.knock("Basic YWxhOm1ha290YQ==")


@mistake(Unauthorized, "bad_credentials", "not one space and one token", "Authorization: Bearer")
def bearer_twice(world: World) -> object:
    return world.knock(f"Bearer Bearer {world.token}")


@mistake(Unauthorized, "expired", "exp passed", "ago")
def expired_at_the_gateway(world: World) -> object:
    now = int(time.time())
    return world.knock(f"Bearer {world.forge(iat=now - 900, exp=now - 600)}")


@mistake(Unauthorized, "too_long", "at most 16384")
def a_token_of_1_mb_at_the_gateway(world: World) -> object:
    return world.knock(f"Bearer {world.token}{'A' * 1_000_000}")


@mistake(Unauthorized, "unknown_event", "the event is {", "as a Lambda authorizer")
def a_malformed_event(world: World) -> object:
    return world.knock(event={"authorizationToken": f"Bearer {world.token}"})


@mistake(Unauthorized, "unknown_event", "of type list", "as a Lambda authorizer")
def an_event_that_is_no_object(world: World) -> object:
    return world.knock(event=[world.token])


@mistake(errors.KmsThrottled, "kms_throttled", "was throttled", "try again")
def throttled_at_the_gateway(world: World) -> object:
    world.kms.faults.add("GetPublicKey", kind="throttle")
    return world.knock(f"Bearer {world.token}")


@mistake(ConfigError, "environment", "KMSJWT_KEY is unset", "KMSJWT_ISSUER is unset", "expected")
def an_issue_function_without_settings(world: World) -> object:
    return issue.build(environ={}, client=world.kms, log=world.log)


@mistake(
    ConfigError, "environment", "KMSJWT_AUDIENCE is unset", "KMSJWT_ISSUER is unset", "expected"
)
def an_authorizer_without_settings(world: World) -> object:
    return authorizer.build(environ={}, client=world.kms, log=world.log)


@mistake(ConfigError, "environment", "'alias/auth', an alias", "name the key by id or ARN")
def an_authorizer_with_the_signing_alias(world: World) -> object:
    environ = {"KMSJWT_KEY": "alias/auth", "KMSJWT_ISSUER": ISS, "KMSJWT_AUDIENCE": AUD}
    return authorizer.build(environ=environ, client=world.kms, log=world.log)


def _issue_function(world: World, event: Any) -> object:
    environ = {"KMSJWT_KEY": world.arn, "KMSJWT_ISSUER": ISS, "KMSJWT_AUDIENCE": AUD}
    return issue.build(environ=environ, client=world.kms, log=world.log)(event)


@mistake(BadRequest, "not_direct", "the event has user", "expected sub, aud, lifetime and claims")
def an_issue_event_of_another_shape(world: World) -> object:
    return _issue_function(world, {"user": "ala"})


@mistake(BadRequest, "lifetime", "lifetime is 604800", "expected 1 to 86400 s")
def a_week_asked_of_the_issue_function(world: World) -> object:
    return _issue_function(world, {"sub": "ala", "lifetime": 604_800})


@mistake(errors.ClaimsRefused, "claims_reserved", "claims names iss", "parameters of their own")
def iss_asked_of_the_issue_function(world: World) -> object:
    return _issue_function(world, {"sub": "ala", "claims": {"iss": "me"}})
