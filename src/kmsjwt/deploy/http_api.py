"""The HTTP API: the token route, and an example's two routes behind two authorizers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt.deploy import names
from kmsjwt.deploy.functions import EXECUTE_API, invocation, may_invoke
from kmsjwt.deploy.intrinsics import att, ref, sub, var

if TYPE_CHECKING:
    from kmsjwt.deploy.intrinsics import Json, Resource, Resources

TOKEN_ROUTE = "POST /token"  # noqa: S105  a route's name
OUR_ROUTE, NATIVE_ROUTE = "GET /hello", "GET /native/hello"
_BEARER = ["$request.header.Authorization"]


def http_api(*, examples: bool) -> Resources:
    """Return the HTTP API; with the example's routes if they are wanted."""
    return {
        names.HTTP_API: {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {
                "Name": sub("${AWS::StackName}"),
                "ProtocolType": "HTTP",
                "CorsConfiguration": {
                    "AllowOrigins": [ref("CorsOrigin")],
                    "AllowMethods": ["GET", "POST"],
                    "AllowHeaders": ["authorization", "content-type"],
                    "MaxAge": 600,
                },
            },
        },
        **_token_route(),
        **(_example() if examples else {}),
        "HttpAccessLogs": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"RetentionInDays": ref("LogRetention")},
        },
        "HttpStage": _stage(),
    }


def _stage() -> Resource:
    return {
        "Type": "AWS::ApiGatewayV2::Stage",
        # A route's own limit can be set once the route is there.
        "DependsOn": ["TokenRoute"],
        "Properties": {
            "ApiId": ref(names.HTTP_API),
            "StageName": "$default",
            "AutoDeploy": True,
            "AccessLogSettings": {
                "DestinationArn": att("HttpAccessLogs", "Arn"),
                "Format": _access_log(),
            },
            "RouteSettings": {
                TOKEN_ROUTE: {
                    "ThrottlingRateLimit": ref("IssueRate"),
                    "ThrottlingBurstLimit": ref("IssueRate"),
                    "DetailedMetricsEnabled": True,
                }
            },
        },
    }


def _access_log() -> str:
    """Return what a request leaves in the log; no header, so no token."""
    wanted = {
        "id": "requestId",
        "at": "requestTime",
        "route": "routeKey",
        "status": "status",
        "ip": "identity.sourceIp",
        "principal": "authorizer.principalId",
        "why_refused": "authorizer.error",
        "why_failed": "integrationErrorMessage",
    }
    return "{" + ",".join(f'"{name}":"$context.{value}"' for name, value in wanted.items()) + "}"


def _token_route() -> Resources:
    return {
        "TokenIntegration": _integration(names.ISSUE),
        "TokenRoute": _route(TOKEN_ROUTE, "TokenIntegration", {"AuthorizationType": "AWS_IAM"}),
        "TokenMayInvoke": may_invoke(names.ISSUE, _source("POST/token")),
    }


def _example() -> Resources:
    return {
        "HttpAuthorizer": {
            "Type": "AWS::ApiGatewayV2::Authorizer",
            "Properties": {
                "ApiId": ref(names.HTTP_API),
                "Name": "kmsjwt",
                "AuthorizerType": "REQUEST",
                "AuthorizerPayloadFormatVersion": "2.0",
                # IAM answers hold for the whole API and are judged anew for each route, so the
                # cache is right for all of them. KMSJWT_RESPONSE says the same.
                "EnableSimpleResponses": False,
                "IdentitySource": _BEARER,
                "AuthorizerResultTtlInSeconds": ref("AuthorizerTtl"),
                "AuthorizerUri": invocation(names.AUTHORIZER),
            },
        },
        "HttpMayAuthorize": may_invoke(
            names.AUTHORIZER, _source("${HttpAuthorizer}", below="authorizers")
        ),
        "NativeAuthorizer": {
            "Type": "AWS::ApiGatewayV2::Authorizer",
            # API Gateway reads the issuer's discovery document when this is made.
            "DependsOn": [names.RING],
            "Properties": {
                "ApiId": ref(names.HTTP_API),
                "Name": "native",
                "AuthorizerType": "JWT",
                "IdentitySource": _BEARER,
                "JwtConfiguration": {"Issuer": names.issuer(), "Audience": ref("Audience")},
            },
        },
        "HttpBackend": _integration(names.BACKEND),
        "HttpHelloRoute": _route(
            OUR_ROUTE,
            "HttpBackend",
            {"AuthorizationType": "CUSTOM", "AuthorizerId": ref("HttpAuthorizer")},
        ),
        "NativeHelloRoute": _route(
            NATIVE_ROUTE,
            "HttpBackend",
            {"AuthorizationType": "JWT", "AuthorizerId": ref("NativeAuthorizer")},
        ),
        "HttpHelloMayInvoke": may_invoke(names.BACKEND, _source("GET/hello")),
        "NativeHelloMayInvoke": may_invoke(names.BACKEND, _source("GET/native/hello")),
    }


def _integration(function: str) -> Resource:
    return {
        "Type": "AWS::ApiGatewayV2::Integration",
        "Properties": {
            "ApiId": ref(names.HTTP_API),
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": att(names.function(function), "Arn"),
            "PayloadFormatVersion": "2.0",
        },
    }


def _route(key: str, integration: str, authorization: dict[str, Json]) -> Resource:
    return {
        "Type": "AWS::ApiGatewayV2::Route",
        "Properties": {
            "ApiId": ref(names.HTTP_API),
            "RouteKey": key,
            "Target": sub(f"integrations/{var(integration)}"),
            **authorization,
        },
    }


def _source(what: str, *, below: str = "*") -> Json:
    """Return the ARN of a route on every stage, or of an authorizer."""
    return sub(f"{EXECUTE_API}{var(names.HTTP_API)}/{below}/{what}")
