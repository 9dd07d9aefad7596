"""The template deployed to ministack by CloudFormation, called over HTTP, and deleted again."""

from __future__ import annotations

import copy
import json
from typing import Any

import jwt
import pytest
from botocore.credentials import Credentials
from tests.deploy import stacks

from kmsjwt.deploy import StackSettings, template


def name_of(domain: Any) -> str:
    return f"auth-{domain.origin.rpartition(':')[2]}"


@pytest.fixture(scope="module")
def site(domain) -> Any:
    return domain()


@pytest.fixture(scope="module")
def stack(cloud, rendered, site) -> Any:
    return stacks.deploy(
        cloud,
        name_of(site),
        rendered,
        Audience="orders,billing",
        IssuerUrl=site.origin,
        RingName="auth",
    )


@pytest.fixture(scope="module")
def caller(cloud) -> Credentials:
    """Whoever may ask for tokens: a user of the account."""
    iam = cloud.client("iam")
    iam.create_user(UserName="shop")
    key = iam.create_access_key(UserName="shop")["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


@pytest.fixture(scope="module")
def ask(stack, caller) -> Any:
    def ask(**body: Any) -> str:
        status, answer, _ = stack.call(
            "POST", stack.outputs["TokenUrl"], body={"aud": "orders", **body}, credentials=caller
        )
        assert status == 200, answer
        return str(answer["access_token"])

    return ask


def doors(stack) -> dict[str, str]:
    return {
        "ours, HTTP API": stack.outputs["HelloUrl"],
        "native, HTTP API": stack.outputs["NativeHelloUrl"],
        "ours, REST API": stack.rest_url(),
    }


def statuses(stack, token: str | None) -> list[int]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return [stack.call("GET", url, **headers)[0] for url in doors(stack).values()]


def test_a_token_is_had_over_http_and_is_one_for_pyjwt(stack, ask, site):
    token = ask()

    published = site_json(stack, "JwksUrl")
    header = jwt.get_unverified_header(token)
    [key] = [jwk for jwk in published["keys"] if jwk["kid"] == header["kid"]]
    claims = jwt.decode(
        token, jwt.PyJWK(key), algorithms=["RS256"], audience="orders", issuer=site.origin
    )
    assert claims["sub"] == "arn:aws:iam::123456789012:user/shop"
    assert header["kid"] == stack.outputs["SigningKid"]


def site_json(stack, output: str) -> Any:
    """Read a document where it is published: through the issuer's domain and CloudFront."""
    import ssl
    from urllib.request import urlopen

    trust = ssl.create_default_context(cafile=stack.cloud.certificate.authority)
    with urlopen(stack.outputs[output], context=trust, timeout=10) as answer:
        assert answer.headers["Cache-Control"] == "public, max-age=300"
        return json.load(answer)


def test_nobody_gets_a_token_without_a_signature(stack):
    status, _, _ = stack.call("POST", stack.outputs["TokenUrl"], body={"aud": "orders"})

    assert status == 403


def test_every_door_lets_it_in_and_nothing_else(stack, ask):
    header, payload, signature = ask().split(".")
    forged = f"{header}.{payload}.{signature[:-8]}{'A' * 8}"

    assert statuses(stack, ask()) == [200, 200, 200]
    assert statuses(stack, ask(aud="billing")) == [200, 200, 200]
    assert statuses(stack, None) == [401, 401, 401]
    assert statuses(stack, forged) == [403, 401, 401]


def test_a_backend_is_told_who_it_is(stack, ask):
    told = [
        stack.call("GET", url, Authorization=f"Bearer {ask()}")[1] for url in doors(stack).values()
    ]

    assert told == [{"hello": "arn:aws:iam::123456789012:user/shop"}] * 3


def test_a_browser_may_read_a_refusal_of_the_rest_api(stack):
    status, _, headers = stack.call("GET", stack.rest_url())
    lowered = {name.lower(): value for name, value in headers.items()}

    assert status == 401
    assert lowered["access-control-allow-origin"] == "*"
    assert lowered["www-authenticate"] == "Bearer"


def test_a_preflight_asks_nobody(stack):
    status, _, headers = stack.call("OPTIONS", stack.rest_url())
    lowered = {name.lower(): value for name, value in headers.items()}

    assert status == 204
    assert lowered["access-control-allow-headers"] == "authorization,content-type"


def test_a_rotation_begins_and_tokens_go_on(stack, ask):
    before = ask()

    run = stack.invoke("RotateFunction", {"start": True})

    assert [each["stage"] for each in run["generations"]] == ["signing", "published"]
    kids = {jwk["kid"] for jwk in site_json(stack, "JwksUrl")["keys"]}
    assert kids == {each["kid"] for each in run["generations"]}
    assert statuses(stack, before) == statuses(stack, ask()) == [200, 200, 200]


def test_its_keys_have_a_policy_of_their_own(stack, cloud):
    kms = cloud.client("kms")
    key = kms.describe_key(KeyId="alias/auth/1")["KeyMetadata"]["KeyId"]

    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])

    by_sid = {each["Sid"]: each for each in policy["Statement"]}
    assert set(by_sid) == {"Administer", "ReadAndCheck", "Sign"}
    assert "kms:Sign" not in by_sid["Administer"]["Action"]
    assert by_sid["Sign"]["Condition"] == {
        "StringEquals": {"kms:SigningAlgorithm": ["RSASSA_PKCS1_V1_5_SHA_256"]}
    }


def test_no_key_and_no_alias_is_of_the_stack(stack, cloud):
    resources = cloud.client("cloudformation").list_stack_resources(StackName=stack.name)
    types = {each["ResourceType"] for each in resources["StackResourceSummaries"]}

    assert not {kind for kind in types if kind.startswith("AWS::KMS::")}


def test_deleted_it_leaves_its_keys_and_a_new_stack_goes_on_with_them(cloud, rendered, domain):
    site = domain()
    parameters = {"Audience": "orders", "RingName": "kept", "IssuerUrl": site.origin}
    first = stacks.deploy(cloud, name_of(site), rendered, **parameters)

    cloud.client("cloudformation").delete_stack(StackName=first.name)

    gone = stacks.settled(cloud, cloud_id(cloud, first.name))
    assert gone["StackStatus"] == "DELETE_COMPLETE"
    kms = cloud.client("kms")
    key = kms.describe_key(KeyId="alias/kept")["KeyMetadata"]
    assert key["KeyState"] == "Enabled"
    second = stacks.deploy(cloud, f"{first.name}-again", rendered, **parameters)
    assert second.outputs["SigningKid"] == first.outputs["SigningKid"]
    assert kms.describe_key(KeyId="alias/kept")["KeyMetadata"]["Arn"] == key["Arn"]


def cloud_id(cloud: Any, name: str) -> str:
    """Return a stack's id, by which a deleted one is still known."""
    listed = cloud.client("cloudformation").list_stacks()["StackSummaries"]
    return str(next(each["StackId"] for each in listed if each["StackName"] == name))


def test_it_begins_with_a_key_that_is_there_already(cloud, rendered, domain):
    site = domain()
    made = cloud.client("kms").create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    arn = made["KeyMetadata"]["Arn"]

    stacks.deploy(
        cloud,
        name_of(site),
        rendered,
        Audience="orders",
        RingName="adopted",
        IssuerUrl=site.origin,
        ExistingKey=arn,
    )

    for alias in ("alias/adopted", "alias/adopted/1"):
        found = cloud.client("kms").describe_key(KeyId=alias)["KeyMetadata"]["Arn"]
        assert found == arn


def test_an_issuer_may_have_a_path(cloud, domain, caller):
    site = domain()
    issuer = f"{site.origin}/auth"
    settings = StackSettings(
        code=stacks.CODE, runtime="python3.11", architecture="x86_64", issuer_path="/auth"
    )
    described = stacks.without_unknown(template(settings))

    stack = stacks.deploy(
        cloud, name_of(site), described, Audience="orders", RingName="below", IssuerUrl=issuer
    )

    _, answer, _ = stack.call(
        "POST", stack.outputs["TokenUrl"], body={"aud": "orders"}, credentials=caller
    )
    token = answer["access_token"]
    assert jwt.decode(token, options={"verify_signature": False})["iss"] == issuer
    assert statuses(stack, token) == [200, 200, 200]
    assert stack.outputs["JwksUrl"] == f"{issuer}/.well-known/jwks.json"
    listed = cloud.client("s3").list_objects_v2(Bucket=stack.outputs["DocumentsBucket"])
    assert {each["Key"] for each in listed["Contents"]} == {
        "auth/.well-known/jwks.json",
        "auth/.well-known/openid-configuration",
        ".well-known/oauth-authorization-server/auth",
    }


def test_an_authorizer_of_aws_own_that_does_not_wait_for_the_ring_fails(cloud, rendered, domain):
    """This is what makes the order above worth something: here the stand-in is as strict as AWS."""
    site = domain()
    hasty = copy.deepcopy(rendered)
    del hasty["Resources"]["NativeAuthorizer"]["DependsOn"]

    with pytest.raises(stacks.Refused, match="NativeAuthorizer: Invalid issuer"):
        stacks.deploy(
            cloud,
            name_of(site),
            hasty,
            Audience="orders",
            RingName="hasty",
            IssuerUrl=site.origin,
        )


@pytest.mark.parametrize("alarm", sorted(stacks.NOT_KNOWN))
def test_ministack_knows_no_alarm_of_an_expression(alarm, cloud, rendered, domain):
    """Why `rendered` leaves them out. Once this fails, it need not."""
    site = domain()
    described = {**template()["Resources"][alarm], "DependsOn": []}  # so that it is soon there
    whole = {**rendered, "Resources": {**rendered["Resources"], alarm: described}}
    parameters = {"Audience": "orders", "RingName": alarm, "IssuerUrl": site.origin}

    with pytest.raises(stacks.Refused, match=rf"{alarm}.*metric math"):
        stacks.deploy(cloud, name_of(site), whole, **parameters)
