"""Functions and APIs on ministack, made by boto3 as anyone makes them on AWS."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.ministack.cloud import REGION, Cloud, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ROUTES = ("/orders", "/users/{id}")
"""What every API here has, all of them GET, behind the one authorizer."""


def zipped(folder: Path) -> bytes:
    """Return a folder as the zip file that is uploaded."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    return memory.getvalue()


class Functions:
    """Lambda functions of one bundle, each made when first named."""

    def __init__(self, cloud: Cloud, code: bytes) -> None:
        self._lambda = cloud.client("lambda")
        self._code = code
        self._arns: dict[str, str] = {}

    def arn(self, name: str, handler: str, environ: Mapping[str, str]) -> str:
        """Return a function's ARN."""
        if name not in self._arns:
            made = self._lambda.create_function(
                FunctionName=name,
                Runtime="python3.11",
                Role="arn:aws:iam::123456789012:role/function",
                Handler=handler,
                Code={"ZipFile": self._code},
                Environment={"Variables": dict(environ)},
                Timeout=10,
            )
            self._arns[name] = made["FunctionArn"]
        return self._arns[name]

    def call(self, name: str, event: Mapping[str, Any]) -> Any:
        """Invoke a function as a direct caller does and return its answer."""
        answer = self._lambda.invoke(FunctionName=name, Payload=json.dumps(event))
        payload = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, payload
        return payload

    def change(self, name: str, environ: Mapping[str, str]) -> None:
        """Give a function another environment."""
        self._lambda.update_function_configuration(
            FunctionName=name, Environment={"Variables": dict(environ)}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """An API whose routes are all behind one authorizer.

    Attributes:
        cloud: where it is.
        host: the Host header that leads there; empty if the path does.
        prefix: what goes before the path.
    """

    cloud: Cloud
    host: str = ""
    prefix: str = ""

    def get(self, path: str, *authorization: str) -> Reply:
        """Send a request with as many Authorization headers."""
        headers = [("Authorization", value) for value in authorization]
        if self.host:
            headers.insert(0, ("Host", self.host))
        reply = self.cloud.get(self.prefix + path, headers)
        context = reply.body if reply.status == 200 else None
        return Reply(status=reply.status, body=reply.body, context=context)


def rest_api(cloud: Cloud, authorizer: str, backend: str, *, type_: str, **settings: Any) -> Api:
    """Make a REST API.

    Args:
        cloud: where.
        authorizer: ARN of the authorizing function.
        backend: ARN of the function behind all routes.
        type_: ``TOKEN`` or ``REQUEST``.
        **settings: of the authorizer, as CreateAuthorizer names them.
    """
    gateway = cloud.client("apigateway")
    api = gateway.create_rest_api(name=f"rest {type_}")["id"]
    authorizer_id = gateway.create_authorizer(
        restApiId=api,
        name="authorizer",
        type=type_,
        authorizerUri=_invoked(authorizer),
        **{
            "authorizerResultTtlInSeconds": 300,
            "identitySource": "method.request.header.Authorization",
            **settings,
        },
    )["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    made = {"": root}
    for route in ROUTES:
        parent = ""
        for part in route.split("/")[1:]:
            path = f"{parent}/{part}"
            if path not in made:
                made[path] = gateway.create_resource(
                    restApiId=api, parentId=made[parent], pathPart=part
                )["id"]
            parent = path
        gateway.put_method(
            restApiId=api,
            resourceId=made[route],
            httpMethod="GET",
            authorizationType="CUSTOM",
            authorizerId=authorizer_id,
        )
        gateway.put_integration(
            restApiId=api,
            resourceId=made[route],
            httpMethod="GET",
            type="AWS_PROXY",
            integrationHttpMethod="POST",
            uri=_invoked(backend),
        )
    gateway.create_deployment(restApiId=api, stageName="prod")
    return Api(cloud=cloud, prefix=f"/restapis/{api}/prod/_user_request_")


def http_api(cloud: Cloud, authorizer: str, backend: str, **settings: Any) -> Api:
    """Make an HTTP API with a Lambda authorizer of payload format 2.0.

    Args:
        cloud: where.
        authorizer: ARN of the authorizing function.
        backend: ARN of the function behind all routes.
        **settings: of the authorizer, as CreateAuthorizer names them.
    """
    uri = {
        "AuthorizerType": "REQUEST",
        "AuthorizerUri": _invoked(authorizer),
        "AuthorizerPayloadFormatVersion": "2.0",
        "AuthorizerResultTtlInSeconds": 300,
    }
    return _http_api(cloud, backend, {**uri, **settings}, {"AuthorizationType": "CUSTOM"})


def jwt_api(cloud: Cloud, backend: str, *, issuer: str, audience: str, scope: str) -> Api:
    """Make an HTTP API with the gateway's own JWT authorizer."""
    native = {
        "AuthorizerType": "JWT",
        "JwtConfiguration": {"Issuer": issuer, "Audience": [audience]},
    }
    needs = {"AuthorizationType": "JWT", "AuthorizationScopes": [scope]}
    return _http_api(cloud, backend, native, needs)


def _http_api(
    cloud: Cloud, backend: str, authorizer: Mapping[str, Any], needs: Mapping[str, Any]
) -> Api:
    gateway = cloud.client("apigatewayv2")
    api = gateway.create_api(Name="http", ProtocolType="HTTP")["ApiId"]
    integration = gateway.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=backend,
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    authorizer_id = gateway.create_authorizer(
        ApiId=api,
        Name="authorizer",
        **{"IdentitySource": ["$request.header.Authorization"], **authorizer},
    )["AuthorizerId"]
    for route in ROUTES:
        gateway.create_route(
            ApiId=api,
            RouteKey=f"GET {route}",
            Target=f"integrations/{integration}",
            AuthorizerId=authorizer_id,
            **needs,
        )
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    return Api(cloud=cloud, host=f"{api}.execute-api.localhost:{cloud.port}")


def _invoked(function: str) -> str:
    return f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations"
