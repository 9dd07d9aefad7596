"""The functions, each with its role and its log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.deploy import names, roles
from kmsjwt.deploy.intrinsics import att, only_if, ref, sub, var
from kmsjwt.jwks.seed import FILE as SEED
from kmsjwt.key_names import RING_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kmsjwt.authority.iam import Statement
    from kmsjwt.deploy.intrinsics import Json, Resource, Resources
    from kmsjwt.deploy.settings import StackSettings

EXECUTE_API = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:"
"""How the ARN of an API's route or authorizer begins."""
ROTATE_TIMEOUT = 600
"""Seconds: within them the rotate function waits for what a new stack's world shows late."""
_VPC = {"SubnetIds": ref("VpcSubnetIds"), "SecurityGroupIds": ref("VpcSecurityGroupIds")}
_BACKEND = '''import json


def handler(event, context):
    """Answer who was let in; put your own function here."""
    told = event["requestContext"].get("authorizer", {})
    claims = told.get("jwt", {}).get("claims") or told.get("lambda") or told
    return {
        "statusCode": 200,
        "headers": {
            "Content-Type": "application/json",
            "Access-Control-Allow-Origin": "%s",
        },
        "body": json.dumps({"hello": claims.get("sub")}),
    }
'''


def functions(settings: StackSettings) -> Resources:
    """Return every function but the example's backend."""
    made = _authority(settings)
    # Why a first deployment failed would go with it; and who had which key made or withdrawn.
    made[names.logs(names.ROTATE)] |= {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    return made


def _authority(settings: StackSettings) -> Resources:
    return {
        **_function(
            settings,
            names.ISSUE,
            "kmsjwt.handlers.issue.handler",
            "Issues tokens that KMS signs",
            _issue_environment(),
            roles.issuing(settings),
            in_vpc=True,
            MemorySize=512,
            Timeout=15,
            ReservedConcurrentExecutions=only_if(names.HAS_CONCURRENCY, ref("IssueConcurrency")),
        ),
        **_function(
            settings,
            names.AUTHORIZER,
            "kmsjwt.handlers.authorizer.handler",
            "Lets requests in by their tokens; asks the published JWKS, never KMS",
            _authorizer_environment(),
            roles.authorizing(),
            in_vpc=True,
            MemorySize=512,
            Timeout=10,
        ),
        **_function(
            settings,
            names.ROTATE,
            "kmsjwt.handlers.rotate.handler",
            "Makes, publishes and retires keys, each in its time",
            _rotate_environment(),
            roles.rotating(settings),
            MemorySize=256,
            Timeout=ROTATE_TIMEOUT,
        ),
    }


def backend(settings: StackSettings) -> Resources:
    """Return the function behind the example's routes."""
    made = _function(
        settings,
        names.BACKEND,
        settings.backend or "index.handler",
        "What is protected",
        {"CORS_ORIGIN": ref("CorsOrigin")},
        (),
        MemorySize=128,
        Timeout=10,
    )
    if settings.backend is None:
        properties = made[names.function(names.BACKEND)]["Properties"]
        properties["Code"] = {"ZipFile": sub(_BACKEND % "${CorsOrigin}")}
        del properties["Environment"]
    return made


def may_invoke(
    function: str, source: Json, principal: str = "apigateway.amazonaws.com"
) -> Resource:
    """Return the permission of a service to invoke a function, for one source alone."""
    return {
        "Type": "AWS::Lambda::Permission",
        "Properties": {
            "FunctionName": ref(names.function(function)),
            "Action": "lambda:InvokeFunction",
            "Principal": principal,
            "SourceArn": source,
        },
    }


def invocation(function: str) -> Json:
    """Return the URI by which API Gateway calls a function."""
    called = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"
    return sub(f"{called}{var(f'{names.function(function)}.Arn')}/invocations")


def _function(
    settings: StackSettings,
    name: str,
    handler: str,
    description: str,
    environment: Mapping[str, Json],
    statements: Sequence[Statement],
    *,
    in_vpc: bool = False,
    **more: Any,
) -> Resources:
    log, role = names.logs(name), names.role(name)
    if in_vpc:
        more["VpcConfig"] = only_if(names.HAS_VPC, _VPC)
    return {
        log: {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"RetentionInDays": ref("LogRetention")},
        },
        role: roles.role(name, statements, in_vpc=in_vpc),
        names.function(name): {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Description": description,
                "Handler": handler,
                "Runtime": settings.runtime,
                "Architectures": [settings.architecture],
                "Code": settings.code if isinstance(settings.code, str) else {**settings.code},
                "Role": att(role, "Arn"),
                "LoggingConfig": {"LogGroup": ref(log)},
                "Environment": {"Variables": dict(environment)},
                **more,
            },
        },
    }


def _issue_environment() -> dict[str, Json]:
    return {
        "KMSJWT_KEY": sub(RING_PREFIX + var("RingName")),
        "KMSJWT_ISSUER": names.issuer(),
        "KMSJWT_AUDIENCE": names.audiences(),
        "KMSJWT_LIFETIME": ref("TokenLifetime"),
        "KMSJWT_MAX_LIFETIME": ref("MaxTokenLifetime"),
        "KMSJWT_CALLERS": "iam",
    }


def _authorizer_environment() -> dict[str, Json]:
    return {
        "KMSJWT_ISSUER": names.issuer(),
        "KMSJWT_AUDIENCE": names.audiences(),
        "KMSJWT_JWKS": names.issuer("/.well-known/jwks.json"),
        # Where the bundle has it; see kmsjwt bundle --jwks.
        "KMSJWT_JWKS_SEED": SEED,
        "KMSJWT_LIFETIME": ref("TokenLifetime"),
        "KMSJWT_MAX_LIFETIME": ref("MaxTokenLifetime"),
        "KMSJWT_CACHE_TTL": ref("AuthorizerTtl"),
        # The REST API knows no other, and the HTTP API takes both.
        "KMSJWT_RESPONSE": "iam",
        "KMSJWT_METRICS": "emf",
    }


def _rotate_environment() -> dict[str, Json]:
    return {
        "KMSJWT_RING": ref("RingName"),
        "KMSJWT_ISSUER": names.issuer(),
        "KMSJWT_TO": sub(f"s3://{var(names.BUCKET)}"),
        "KMSJWT_PUBLIC": "yes",
        "KMSJWT_CDN": ref(names.DISTRIBUTION),
        "KMSJWT_SPEC": {"Fn::FindInMap": ["Algorithms", ref("Algorithm"), "KeySpec"]},
        "KMSJWT_ALG": ref("Algorithm"),
        "KMSJWT_PERIOD": ref("RotationPeriod"),
        "KMSJWT_MAX_LIFETIME": ref("MaxTokenLifetime"),
        "KMSJWT_BUNDLE": only_if(names.HAS_JWKS_IN_BUNDLE, ref("JwksInBundle")),
        "KMSJWT_CONSUMER_CACHE": ref("ConsumerCache"),
        "KMSJWT_KEY_POLICY": "split",
        "KMSJWT_ACCOUNT": ref("AWS::AccountId"),
        "KMSJWT_MAY_SIGN": only_if(names.HAS_SIGNERS, _signers()),
    }


def _signers() -> Json:
    """Return who alone may sign: those named, and the stack's own issue function."""
    named = {"Fn::Join": [" ", ref("SignerRoles")]}
    return {"Fn::Join": [" ", [named, att(names.role(names.ISSUE), "Arn")]]}
