"""A small deployment that works: a ring, an issuer's documents on loopback, and who may do what.

Tests break one thing of it and ask the doctor. Time is a number.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
from botocore.stub import Stubber
from tests.jwks.servers import Clock, Server, body

from kmsjwt.authority.doctor import examine
from kmsjwt.authority.rotate import Rotator
from kmsjwt.cli.doctor_settings import deployment
from kmsjwt.kms.ring.create import create_ring
from kmsjwt.local import LocalKms

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from kmsjwt.authority.doctor import Diagnosis, Finding
    from kmsjwt.keys import PublicKey

MINUTE, HOUR, DAY = 60, 3_600, 86_400
ROLE = "arn:aws:sts::111122223333:assumed-role/token-fn/ala@example.com"
TIMES = {"period": 30 * DAY, "max_lifetime": HOUR, "consumer_cache": 2 * HOUR}
READING = {"describe_key", "list_resource_tags", "list_aliases", "get_public_key"}


class Site:
    """What consumers read: documents written by hand, as PyJWT and jose would read them."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.max_age: int | None = 300
        self.issuer = server.origin
        self.keys: dict[str, dict[str, Any]] = {}

    def publish(self, live: Iterable[PublicKey], retired: Collection[str], **_told: Any) -> None:
        self.keys |= {key.kid: dict(key.to_jwk()) for key in live}
        self.keys = {kid: jwk for kid, jwk in self.keys.items() if kid not in retired}
        self.put()

    def put(self) -> None:
        """Serve the documents as they are now."""
        origin, well_known = self.server.origin, "/.well-known"
        kept: dict[str, Any] = (
            {} if self.max_age is None else {"Cache_Control": f"public, max-age={self.max_age}"}
        )
        jwks: dict[str, Any] = {"keys": list(self.keys.values())}
        found = {"issuer": self.issuer, "jwks_uri": f"{origin}{well_known}/jwks.json"}
        self.server.answers[f"{well_known}/jwks.json"] = body(jwks, **kept)
        self.server.answers[f"{well_known}/openid-configuration"] = body(found)

    def kids(self, _expected: object = ()) -> frozenset[str]:
        return frozenset(self.keys)

    def lingering(self) -> frozenset[str]:
        return self.kids()

    def invalidate(self) -> None:
        pass


class Watched:
    """A KMS client that remembers every call, and lets none through that does anything."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.meta = client.meta
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def call(**parameters: Any) -> Any:
            self.calls.append((name, parameters))
            is_harmless = name in READING or (
                name in {"sign", "verify"} and parameters.get("DryRun") is True
            )
            assert is_harmless, f"{name} is no harmless call"
            return method(**parameters)

        return call


class Ward:
    """One deployment; break it, then `diagnose` it."""

    def __init__(
        self, server: Server, now: float = 1_790_000_000, *, spec: str = "ECC_NIST_P256"
    ) -> None:
        self.clock = Clock(now)
        self.doctor_clock = Clock(now)
        self.kms = LocalKms(clock=self.clock)
        self.site = Site(server)
        self.client: Any = None
        self.sts = sts(ROLE)
        create_ring("auth", client=self.kms, spec=spec, settings=TIMES)
        self.rotate()
        self.rotate()

    @property
    def issuer(self) -> str:
        return self.site.server.origin

    def environ(self, function: str) -> dict[str, str]:
        """Return the environment of a function that is well."""
        issuer = {"KMSJWT_ISSUER": self.issuer}
        return {
            "issue": {"KMSJWT_KEY": "ring:auth", **issuer},
            "authorizer": {
                "KMSJWT_KEYS": "ring:auth",
                **issuer,
                "KMSJWT_AUDIENCE": "orders",
                "KMSJWT_CACHE_TTL": "60",
                "KMSJWT_LIFETIME": "15m",
            },
            "jwks": {"KMSJWT_KEYS": "ring:auth", **issuer},
            "rotate": {"KMSJWT_RING": "auth", **issuer, "KMSJWT_PUBLIC": "yes"},
        }[function]

    def rotate(self, *, start: bool = False) -> None:
        Rotator("auth", self.site, client=self.kms, clock=self.clock).run(start=start)

    def forward(self, seconds: float) -> None:
        self.clock.now += seconds
        self.doctor_clock.now += seconds

    def arn(self, name: str = "alias/auth") -> str:
        return str(self.kms.describe_key(KeyId=name)["KeyMetadata"]["Arn"])

    def diagnose(self, function: str, **changes: str) -> Diagnosis:
        environ = {**self.environ(function), **changes}
        watched = Watched(self.client or self.kms)
        return examine(
            deployment(
                {name: value for name, value in environ.items() if value}, function=function
            ),
            kms=watched,
            sts=self.sts,
            clock=self.doctor_clock,
        )


def sts(arn: str | None = None, *, code: str = "") -> Any:
    """Return a genuine client of STS that gets one answer."""
    client = boto3.client(
        "sts", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    stub = Stubber(client)
    if code:
        stub.add_client_error("get_caller_identity", service_error_code=code)
    else:
        answer = {"UserId": "AROAEXAMPLE:ala", "Account": "111122223333", "Arn": arn}
        stub.add_response("get_caller_identity", answer)
    stub.activate()
    return client


def found(diagnosis: Diagnosis, check: str) -> list[Finding]:
    return [each for each in diagnosis.findings if each.check == check]


def verdicts(diagnosis: Diagnosis) -> dict[str, str]:
    """Return each check with its verdicts."""
    told: dict[str, str] = {}
    for each in diagnosis.findings:
        told[each.check] = (
            f"{told[each.check]} {each.verdict}" if each.check in told else each.verdict
        )
    return told


def text(diagnosis: Diagnosis) -> str:
    """Return all that a diagnosis says."""
    return json.dumps([[each.fact, each.consequence, each.fix] for each in diagnosis.findings])
