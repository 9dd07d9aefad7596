"""A ring on ministack: functions that rotate it and issue its tokens, and two doors for those."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import jwt
from tests.ministack import deployed

from kmsjwt import Issuer
from kmsjwt.kms import KmsSigner

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.ministack.cloud import Cloud
    from tests.ministack.deployed import Functions
    from tests.ministack.website import Cdn

SCOPE, AUDIENCE = "orders:read", "orders"


class Token(NamedTuple):
    """A token as it was issued.

    Attributes:
        text: the token.
        kid: the key that signed it.
        exp: until when it is good, seconds since 1970.
    """

    text: str
    kid: str
    exp: int


class Run(NamedTuple):
    """What a run of the rotate function did.

    Attributes:
        done: the steps it took, such as ``"point 2"``.
        stages: where each generation was in its life at the end, oldest first.
        kids: their keys, oldest first.
    """

    done: list[str]
    stages: list[str]
    kids: list[str]


class RingAtWork:
    """One ring with everything around it, each made by boto3 as anyone makes it on AWS."""

    def __init__(
        self, name: str, cloud: Cloud, functions: Functions, site: Cdn, bucket: str, **told: str
    ) -> None:
        """Deploy it. There is no key until `rotate` is called with ``start=True``.

        Args:
            name: of the ring.
            cloud: where.
            functions: its functions, one of them called ``backend``.
            site: where its documents are read.
            bucket: where they are written.
            **told: what its rotate function is told besides.
        """
        self.name = name
        self.issuer = f"{site.origin}/{name}"
        self._cloud = cloud
        self._functions = functions
        self._bucket = bucket
        backend = functions.arn("backend", "backend.handler", {})
        named = {"KMSJWT_ISSUER": self.issuer}
        functions.arn(
            f"{name}-rotate",
            "kmsjwt.handlers.rotate.handler",
            {"KMSJWT_RING": name, "KMSJWT_TO": f"s3://{bucket}", **named, **told},
        )
        functions.arn(
            f"{name}-issue",
            "kmsjwt.handlers.issue.handler",
            {
                "KMSJWT_KEY": f"ring:{name}",
                "KMSJWT_AUDIENCE": AUDIENCE,
                "KMSJWT_MAX_LIFETIME": "24h",
                **named,
            },
        )
        ours = functions.arn(
            f"{name}-authorizer",
            "kmsjwt.handlers.authorizer.handler",
            {
                "KMSJWT_JWKS": f"{self.issuer}/.well-known/jwks.json",
                "KMSJWT_AUDIENCE": AUDIENCE,
                "KMSJWT_RESPONSE": "simple",
                **named,
            },
        )
        # No answer is remembered: what is told at each moment is what these tests are about.
        self._ours = deployed.http_api(
            cloud, ours, backend, EnableSimpleResponses=True, AuthorizerResultTtlInSeconds=0
        )
        self._native = deployed.jwt_api(
            cloud, backend, issuer=self.issuer, audience=AUDIENCE, scope=SCOPE
        )

    def rotate(self, **event: Any) -> Run:
        """Run the rotate function."""
        told = self._functions.call(f"{self.name}-rotate", event)
        return Run(
            done=[f"{each['step']} {each['generation']}" for each in told["done"]],
            stages=[each["stage"] for each in told["generations"]],
            kids=[each["kid"] for each in told["generations"]],
        )

    def issue(self, lifetime: int = 900) -> Token:
        """Have the issue function issue a token; seconds."""
        event = {"sub": "ala", "lifetime": lifetime, "claims": {"scope": SCOPE}}
        return _token(self._functions.call(f"{self.name}-issue", event)["access_token"])

    def signed_by(self, number: int, clock: Callable[[], float]) -> Token:
        """Sign a token with a key of the ring as anyone can who may call ``kms:Sign``."""
        kms = self._cloud.client("kms")
        arn = kms.describe_key(KeyId=f"alias/{self.name}/{number}")["KeyMetadata"]["Arn"]
        issuer = Issuer(self.issuer, KmsSigner(arn, client=kms), clock=clock)
        return _token(issuer.issue(sub="ala", aud=AUDIENCE, claims={"scope": SCOPE}).token)

    def native(self, token: Token) -> int:
        """Return the status of a request at the gateway's own JWT authorizer."""
        return self._native.get("/orders", f"Bearer {token.text}").status

    def ours(self, token: Token) -> int:
        """Return the status of a request at our authorizer."""
        return self._ours.get("/orders", f"Bearer {token.text}").status

    def statuses(self, *tokens: Token) -> list[tuple[int, int]]:
        """Return both statuses of each token, the gateway's own authorizer's first."""
        return [(self.native(token), self.ours(token)) for token in tokens]

    def published(self) -> set[str]:
        """Return the keys in the bucket's JWKS."""
        key = f"{self.name}/.well-known/jwks.json"
        found = self._cloud.client("s3").get_object(Bucket=self._bucket, Key=key)
        return {jwk["kid"] for jwk in json.loads(found["Body"].read())["keys"]}

    def point_by_hand(self, number: int) -> None:
        """Move the ring's pointer as nobody should."""
        kms = self._cloud.client("kms")
        key = kms.describe_key(KeyId=f"alias/{self.name}/{number}")["KeyMetadata"]["KeyId"]
        kms.update_alias(AliasName=f"alias/{self.name}", TargetKeyId=key)


def _token(text: str) -> Token:
    claims = jwt.decode(text, options={"verify_signature": False})
    return Token(text, jwt.get_unverified_header(text)["kid"], claims["exp"])
