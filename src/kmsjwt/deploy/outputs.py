"""What a person needs once the stack is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.deploy import names
from kmsjwt.deploy.functions import EXECUTE_API
from kmsjwt.deploy.intrinsics import att, ref, sub, var
from kmsjwt.deploy.rest_api import STAGE

if TYPE_CHECKING:
    from kmsjwt.deploy.intrinsics import Json


def outputs(*, examples: bool) -> dict[str, Any]:
    """Return the stack's outputs."""
    http, rest = var(f"{names.HTTP_API}.ApiEndpoint"), var(names.REST_API)
    always = {
        "Issuer": ("The iss of the tokens", names.issuer()),
        "JwksUrl": ("The public keys", names.issuer("/.well-known/jwks.json")),
        "TokenUrl": ("POST here, signed with SigV4, for a token", sub(f"{http}/token")),
        "TokenRouteArn": (
            "Whoever is to have tokens needs execute-api:Invoke on it",
            sub(f"{EXECUTE_API}{var(names.HTTP_API)}/$default/POST/token"),
        ),
        "AuthorizerFunctionArn": (
            "For an API of another stack, which lets API Gateway invoke it",
            att(names.function(names.AUTHORIZER), "Arn"),
        ),
        "SigningKid": ("The kid of the key that signed first", att(names.RING, "Kid")),
        "PointIssuerTo": (
            "Where the DNS name of IssuerUrl points to, if the stack does not make its records",
            att(names.DISTRIBUTION, "DomainName"),
        ),
        "IssueFunction": (
            "Reserve no concurrency for it, 0, to stop issuing",
            ref(names.function(names.ISSUE)),
        ),
        "IssueRoleArn": (
            "Signs the tokens; where SignerRoles names roles, it is added to them",
            att(names.role(names.ISSUE), "Arn"),
        ),
        "RotateFunction": (
            'Invoke it with {"start": true} for a new key now',
            ref(names.function(names.ROTATE)),
        ),
        "DocumentsBucket": ("Where the public keys are kept", ref(names.BUCKET)),
        "AfterDeletion": (
            "Keys, bucket, RotateLogs stay; keys cost their price. For each key, once unused",
            sub(
                "kmsjwt key list ${RingName}, then aws kms disable-key --key-id KEY, and a week"
                " later aws kms schedule-key-deletion --key-id KEY --pending-window-in-days 30"
            ),
        ),
    }
    example = {
        "HelloUrl": ("Protected by the authorizer, HTTP API", sub(f"{http}/hello")),
        "NativeHelloUrl": (
            "Protected by API Gateway's own JWT authorizer",
            sub(f"{http}/native/hello"),
        ),
        "RestHelloUrl": (
            "Protected by the authorizer, REST API",
            sub(f"https://{rest}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{STAGE}/hello"),
        ),
    }
    told = {**always, **example} if examples else always
    return {name: _output(*each) for name, each in told.items()}


def _output(description: str, value: Json) -> dict[str, Json]:
    return {"Description": description, "Value": value}
