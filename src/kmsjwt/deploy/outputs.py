"""What a person needs once the stack is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.deploy import names
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
        "SigningKid": ("The kid of the key that signed first", att(names.RING, "Kid")),
        "PointIssuerTo": (
            "Where the DNS name of IssuerUrl points to, if the stack does not make its records",
            att(names.DISTRIBUTION, "DomainName"),
        ),
        "RotateFunction": (
            'Invoke it with {"start": true} for a new key now',
            ref(names.function(names.ROTATE)),
        ),
        "DocumentsBucket": ("Where the public keys are kept", ref(names.BUCKET)),
        "AfterDeletion": (
            "The keys and the bucket stay when the stack is deleted; each key costs its price",
            sub("kmsjwt key list ${RingName}, then kmsjwt key delete ${RingName} NUMBER"),
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
