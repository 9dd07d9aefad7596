"""The example's REST API, behind the authorizer, with refusals that a browser can read."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from kmsjwt.deploy import names
from kmsjwt.deploy.functions import EXECUTE_API, invocation, may_invoke
from kmsjwt.deploy.intrinsics import att, ref, sub, var

if TYPE_CHECKING:
    from kmsjwt.deploy.intrinsics import Json, Resource, Resources

STAGE = "live"
_ORIGIN_HEADER = "Access-Control-Allow-Origin"
# An authorizer's refusals never reach the backend, so its CORS headers do not either, and a
# browser shows them as CORS errors (API Gateway developer guide, "Gateway response types").
_REFUSALS = (
    "UNAUTHORIZED",
    "ACCESS_DENIED",
    "AUTHORIZER_FAILURE",
    "AUTHORIZER_CONFIGURATION_ERROR",
    "DEFAULT_4XX",
    "DEFAULT_5XX",
)


def rest_api() -> Resources:
    """Return the REST API and its one stage."""
    routes = _routes()
    # A stage shows a deployment, which is a copy of the API as it was: another API, another copy.
    digest = hashlib.sha256(json.dumps(routes, sort_keys=True).encode()).hexdigest()[:10]
    deployment = f"RestDeployment{digest}"
    return {
        names.REST_API: {
            "Type": "AWS::ApiGateway::RestApi",
            "Properties": {
                "Name": sub("${AWS::StackName}"),
                "EndpointConfiguration": {"Types": ["REGIONAL"]},
            },
        },
        **routes,
        deployment: {
            "Type": "AWS::ApiGateway::Deployment",
            "DependsOn": list(routes),
            "Properties": {"RestApiId": ref(names.REST_API)},
        },
        "RestStage": {
            "Type": "AWS::ApiGateway::Stage",
            "Properties": {
                "RestApiId": ref(names.REST_API),
                "DeploymentId": ref(deployment),
                "StageName": STAGE,
            },
        },
        "RestMayAuthorize": may_invoke(names.AUTHORIZER, _source("authorizers/${RestAuthorizer}")),
        "RestHelloMayInvoke": may_invoke(names.BACKEND, _source("*/GET/hello")),
    }


def _routes() -> Resources:
    return {
        "RestAuthorizer": {
            "Type": "AWS::ApiGateway::Authorizer",
            "Properties": {
                "RestApiId": ref(names.REST_API),
                "Name": "kmsjwt",
                "Type": "TOKEN",
                "IdentitySource": "method.request.header.Authorization",
                "AuthorizerResultTtlInSeconds": ref("AuthorizerTtl"),
                "AuthorizerUri": invocation(names.AUTHORIZER),
            },
        },
        "RestHello": {
            "Type": "AWS::ApiGateway::Resource",
            "Properties": {
                "RestApiId": ref(names.REST_API),
                "ParentId": att(names.REST_API, "RootResourceId"),
                "PathPart": "hello",
            },
        },
        "RestHelloGet": _get(),
        "RestHelloOptions": _preflight(),
        **{f"Rest{_camel(kind)}": _refusal(kind) for kind in _REFUSALS},
    }


def _get() -> Resource:
    return {
        "Type": "AWS::ApiGateway::Method",
        "Properties": {
            "RestApiId": ref(names.REST_API),
            "ResourceId": ref("RestHello"),
            "HttpMethod": "GET",
            "AuthorizationType": "CUSTOM",
            "AuthorizerId": ref("RestAuthorizer"),
            "Integration": {
                "Type": "AWS_PROXY",
                "IntegrationHttpMethod": "POST",
                "Uri": invocation(names.BACKEND),
            },
        },
    }


def _preflight() -> Resource:
    """Return OPTIONS, which a browser sends without a token: nobody is to be asked."""
    allowed = {
        _ORIGIN_HEADER: _quoted("${CorsOrigin}"),
        "Access-Control-Allow-Headers": "'authorization,content-type'",
        "Access-Control-Allow-Methods": "'GET'",
    }
    return {
        "Type": "AWS::ApiGateway::Method",
        "Properties": {
            "RestApiId": ref(names.REST_API),
            "ResourceId": ref("RestHello"),
            "HttpMethod": "OPTIONS",
            "AuthorizationType": "NONE",
            "Integration": {
                "Type": "MOCK",
                "RequestTemplates": {"application/json": '{"statusCode": 204}'},
                "IntegrationResponses": [
                    {
                        "StatusCode": "204",
                        "ResponseParameters": {
                            f"method.response.header.{name}": value
                            for name, value in allowed.items()
                        },
                    }
                ],
            },
            "MethodResponses": [
                {
                    "StatusCode": "204",
                    "ResponseParameters": {
                        f"method.response.header.{name}": True for name in allowed
                    },
                }
            ],
        },
    }


def _refusal(kind: str) -> Resource:
    headers = {_ORIGIN_HEADER: _quoted("${CorsOrigin}")}
    if kind == "UNAUTHORIZED":
        headers["WWW-Authenticate"] = "'Bearer'"
    return {
        "Type": "AWS::ApiGateway::GatewayResponse",
        "Properties": {
            "RestApiId": ref(names.REST_API),
            "ResponseType": kind,
            "ResponseParameters": {
                f"gatewayresponse.header.{name}": value for name, value in headers.items()
            },
        },
    }


def _quoted(text: str) -> Json:
    return sub(f"'{text}'")


def _camel(kind: str) -> str:
    return "".join(part.capitalize() for part in kind.split("_"))


def _source(what: str) -> Json:
    return sub(f"{EXECUTE_API}{var(names.REST_API)}/{what}")
