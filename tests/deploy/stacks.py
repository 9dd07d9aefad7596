"""Stacks on ministack: deployed by CloudFormation's own API, and called over HTTP."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from tests.ministack.cloud import REGION
from tests.ministack.website import TlsServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from botocore.credentials import Credentials
    from tests.jwks.servers import Handler
    from tests.ministack.certificate import Certificate
    from tests.ministack.cloud import Cloud

CODE = {"S3Bucket": "code", "S3Key": "function.zip"}
NOT_KNOWN = frozenset({"AuthorizerFails", "RotationStopped"})
"""Alarms of an expression, which ministack does not take; a test says so."""
_PATIENCE = 60


class Refused(Exception):
    """A stack that did not come about; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A deployed stack.

    Attributes:
        cloud: where.
        name: its name.
        outputs: what it tells.
        physical: each resource's physical id by its logical id.
    """

    cloud: Cloud
    name: str
    outputs: Mapping[str, str]
    physical: Mapping[str, str]

    def call(
        self,
        method: str,
        url: str,
        *,
        body: Mapping[str, Any] | None = None,
        credentials: Credentials | None = None,
        **headers: str,
    ) -> tuple[int, Any, Mapping[str, str]]:
        """Send a request to an API of the stack; status, JSON body, headers.

        Args:
            method: the HTTP method.
            url: as an output tells it.
            body: sent as JSON.
            credentials: to sign with, as an AWS_IAM route wants it.
            **headers: sent as well.
        """
        host, _, path = url.removeprefix("https://").partition("/")
        data = json.dumps(body or {}).encode() if method == "POST" else None
        if credentials is not None:
            request = AWSRequest(method=method, url=url, data=data, headers={"Host": host})
            SigV4Auth(credentials, "execute-api", REGION).add_auth(request)
            headers = {**dict(request.headers.items()), **headers}
        with _connected(self.cloud) as connection:
            connection.request(method, f"/{path}", body=data, headers={"Host": host, **headers})
            answer = connection.getresponse()
            read = answer.read()
            return answer.status, json.loads(read or b"null"), dict(answer.getheaders())

    def rest_url(self) -> str:
        """Return where ministack serves the REST API."""
        base = f"https://127.0.0.1:{self.cloud.port}/restapis/{self.physical['RestApi']}"
        return f"{base}/live/_user_request_/hello"

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """Invoke a function of the stack."""
        answer = self.cloud.client("lambda").invoke(
            FunctionName=self.physical[function], Payload=json.dumps(event)
        )
        payload = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, payload
        return payload


class Domain(TlsServer):
    """The issuer's own domain, which leads to the stack's CloudFront distribution."""

    def __init__(self, cloud: Cloud, certificate: Certificate) -> None:
        super().__init__(certificate)
        self._cloud = cloud
        self.answer = self._from_distribution

    def _from_distribution(self, handler: Handler) -> None:
        listed = self._cloud.client("cloudfront").list_distributions()["DistributionList"]
        [distribution] = [
            each
            for each in listed.get("Items", [])
            if self.origin.rpartition(":")[2] in each["Comment"]
        ]
        with _connected(self._cloud) as connection:
            connection.request("GET", handler.path, headers={"Host": distribution["DomainName"]})
            answer = connection.getresponse()
            body = answer.read()
        handler.send_response(answer.status)
        handler.send_header("Content-Length", str(len(body)))
        for name in ("Content-Type", "Cache-Control"):
            if value := answer.getheader(name):
                handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)


def without_unknown(template: dict[str, Any]) -> dict[str, Any]:
    """Return a template without the alarms that ministack does not know."""
    for name in NOT_KNOWN:
        del template["Resources"][name]
    return template


def upload(cloud: Cloud, bundle: bytes) -> None:
    """Put the functions' bundle where a template says."""
    s3 = cloud.client("s3")
    s3.create_bucket(
        Bucket=CODE["S3Bucket"], CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    s3.put_object(Bucket=CODE["S3Bucket"], Key=CODE["S3Key"], Body=bundle)


def deploy(cloud: Cloud, name: str, template: Mapping[str, Any], **parameters: str) -> Stack:
    """Create a stack and wait for it.

    Raises:
        Refused: it was rolled back.
    """
    s3, formation = cloud.client("s3"), cloud.client("cloudformation")
    s3.put_object(Bucket=CODE["S3Bucket"], Key=f"{name}.json", Body=json.dumps(template).encode())
    formation.create_stack(
        StackName=name,
        TemplateURL=f"https://127.0.0.1:{cloud.port}/{CODE['S3Bucket']}/{name}.json",
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
    )
    made = settled(cloud, name)
    if made["StackStatus"] != "CREATE_COMPLETE":
        raise Refused(_reasons(cloud, name))
    return there(cloud, name)


def there(cloud: Cloud, name: str) -> Stack:
    """Return a stack that was deployed, by whatever means."""
    formation = cloud.client("cloudformation")
    [made] = formation.describe_stacks(StackName=name)["Stacks"]
    assert made["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), made["StackStatus"]
    resources = formation.list_stack_resources(StackName=name)["StackResourceSummaries"]
    return Stack(
        cloud=cloud,
        name=name,
        outputs={each["OutputKey"]: each["OutputValue"] for each in made["Outputs"]},
        physical={each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources},
    )


def settled(cloud: Cloud, name: str) -> Any:
    """Return a stack as soon as nothing is under way."""
    formation = cloud.client("cloudformation")
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        [stack] = formation.describe_stacks(StackName=name)["Stacks"]
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack
        time.sleep(0.1)  # CloudFormation is asked, there is nothing to wait on
    raise AssertionError(f"{name} is still {stack['StackStatus']} after {_PATIENCE} s")


def _reasons(cloud: Cloud, name: str) -> str:
    pages = cloud.client("cloudformation").get_paginator("describe_stack_events")
    events = [each for page in pages.paginate(StackName=name) for each in page["StackEvents"]]
    return "; ".join(
        f"{each['LogicalResourceId']}: {each.get('ResourceStatusReason')}"
        for each in reversed(events)
        if each["ResourceStatus"].endswith("_FAILED")
    )


@contextlib.contextmanager
def _connected(cloud: Cloud) -> Iterator[http.client.HTTPSConnection]:
    trust = ssl.create_default_context(cafile=cloud.certificate.authority)
    connection = http.client.HTTPSConnection("127.0.0.1", cloud.port, timeout=30, context=trust)
    with contextlib.closing(connection):
        yield connection


def python_path(folder: Path, standin: Path) -> dict[str, str]:
    """Return the variables by which ministack becomes as strict as ``standin`` says."""
    (folder / "sitecustomize.py").write_text(standin.read_text())
    return {"PYTHONPATH": str(folder), "MINISTACK_HOST": "127.0.0.1"}
