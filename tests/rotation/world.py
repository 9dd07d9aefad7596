"""A simulated world: a KMS that lags, a store of documents, rotators that fail, and signers.

Nothing sleeps: time is a number that ``World.forward`` moves. Readers called ``…-late`` see what
KMS spreads slowly five minutes late, all others at once, unless a test says otherwise.
"""

from __future__ import annotations

import base64
import json
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Protocol

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from tests.publish.s3 import MemoryS3
from tests.rotation.faults import WRITES, Gate, Killed, Watched
from tests.rotation.front import DISTRIBUTION, Front, reached
from tests.rotation.timeline import Steps, Token

from kmsjwt.authority.rotate import Report, Rotator
from kmsjwt.errors import KmsJwtError
from kmsjwt.kms.ring.reading import read
from kmsjwt.local import LocalKms, Propagation
from kmsjwt.publish import S3, Publisher
from kmsjwt.publish.cdn import CloudFront

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LATE", "LATER", "WRITES", "Actor", "Killed", "World"]

START = 1_800_000_000.0
MINUTE, HOUR, DAY = 60, 3_600, 86_400
SPREAD = 300.0
LATE = Propagation(alias=SPREAD, tag=SPREAD, permission=SPREAD)
LATER = Propagation(alias=SPREAD, tag=SPREAD, permission=SPREAD, key=SPREAD)
"""Even that a key was made or disabled is seen late."""
LEEWAY = 300

TIMES = {
    "period": DAY,
    "max_lifetime": HOUR,
    "signer_refresh": HOUR,
    "document_max_age": 300,
    "consumer_cache": 2 * HOUR,
}
"""Settings of a ring whose consumers are AWS's own: an HTTP API keeps a JWKS for two hours."""

ISSUER = "https://issuer.example"
AUDIENCE = "api"
JWKS = ".well-known/jwks.json"


class Actor:
    """Somebody who rotates, with a view of KMS, a clock and failures of their own."""

    def __init__(
        self,
        world: World,
        name: str,
        *,
        skew: float = 0.0,
        changes: dict[str, Any] | None = None,
        publication: Publisher | None = None,
        public: bool = False,
    ) -> None:
        self.name = name
        self.gate = Gate(world.kms, world.s3.client(), world.front, name, world.note_change)
        self._front = world.front
        self.view = world.kms.reader(name)
        bucket = S3("bucket", client=Watched(self.gate.s3, self.gate))
        self.rotator = Rotator(
            "auth",
            publication or self._published(bucket, public=public),
            client=Watched(self.view, self.gate),
            spec="ECC_NIST_P256",
            changes={**TIMES, **(changes or {})},
            clock=lambda: world.now + skew,
            pause=world.slept,
        )

    def _published(self, bucket: S3, *, public: bool) -> Publisher:
        cdn = CloudFront(DISTRIBUTION, client=Watched(self._front, self.gate)) if public else None
        read_from = "issuer" if public else None
        return Publisher(
            bucket, issuer=ISSUER, read_from=read_from, cdn=cdn, pause=lambda _seconds: None
        )

    def attempt(self, what: Callable[[], Any]) -> Any:
        """Do something; None if it failed or this process was killed."""
        try:
            with reached(self._front, self.gate):
                return what()
        except (KmsJwtError, Killed):
            return None

    def run(self, *, start: bool = False) -> Report | None:
        """Rotate; None if that failed."""
        report: Report | None = self.attempt(lambda: self.rotator.run(start=start))
        return report


class Issues(Protocol):
    """Anybody who issues tokens."""

    def issue(self, *, signed: bool) -> Token | None:
        """Issue a token of the longest lifetime; None if that cannot be."""


class Looks(Protocol):
    """Anybody who looks when something may have changed."""

    def look(self) -> None:
        """Look at what there is."""


class Signer:
    """A model of a token function: what it looked up, it goes on with for as long as it may."""

    def __init__(self, world: World, name: str, *, refresh: float, phase: float) -> None:
        self.name = name
        self._world = world
        self._view = world.kms.reader(name)
        self._refresh = refresh
        self._arn: str | None = None
        self._looked_up = world.now - refresh + phase

    def issue(self, *, signed: bool) -> Token | None:
        """Issue a token of the longest lifetime; None if there is no signer yet."""
        world = self._world
        if self._arn is None or world.now - self._looked_up > self._refresh:
            try:
                found = self._view.describe_key(KeyId="alias/auth")
            except self._view.exceptions.NotFoundException:
                return None
            self._arn, self._looked_up = found["KeyMetadata"]["Arn"], world.now
        kid = world.kid_of(self._arn)
        lifetime = world.times["max_lifetime"]
        text = self._token(self._arn, kid, lifetime) if signed else None
        return Token(kid, world.now, world.now + lifetime, self.name, text)

    def _token(self, arn: str, kid: str, lifetime: float) -> str:
        now = int(self._world.now)
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "s", "iat": now}
        claims["exp"] = now + int(lifetime)
        head = _part({"alg": "ES256", "kid": kid, "typ": "JWT"}) + "." + _part(claims)
        answer = self._view.sign(KeyId=arn, Message=head.encode(), SigningAlgorithm="ECDSA_SHA_256")
        r, s = decode_dss_signature(answer["Signature"])
        return head + "." + _base64url(r.to_bytes(32) + s.to_bytes(32))


class World:
    """KMS, the published document, signers and verifiers, and the time."""

    def __init__(
        self,
        *,
        readers: dict[str, Propagation] | None = None,
        times: dict[str, Any] | None = None,
        lists: bool = True,
    ) -> None:
        self.now = START
        self.times: dict[str, Any] = {**TIMES, **(times or {})}
        late = {f"{name}-late": LATE for name in ("signer", "verifier", "rotator", "issuer")}
        late["rotator-later"] = LATER
        late |= {f"signer-late-{number}": LATE for number in range(4)}
        self.kms = LocalKms(
            clock=lambda: self.now,
            propagation=Propagation(readers={**late, **(readers or {})}),
            sleep=self.slept,
            environ={},
        )
        self.truth = self.kms.reader("truth")
        self.s3 = MemoryS3("bucket", lists=lists)
        self.front = Front(self.s3, JWKS, lambda: self.now)
        self.document = Steps()
        self.pointer = Steps()
        self.tokens: list[Token] = []
        self.signers: list[Issues] = []
        self.watchers: list[Looks] = []
        self.max_age = 0.0
        """The longest for which a document's own headers let it be kept."""
        self.changed = True
        self._looks: set[float] = set()
        self.wrong: list[str] = []
        self.excused: Callable[[str], float] = lambda _kid: 0.0
        """Until when nobody needs to know a key; for ever, if it is withdrawn."""
        self._kids: dict[str, str] = {}

    def slept(self, seconds: float) -> None:
        """Let time pass while somebody waits."""
        self.now += seconds

    def kid_of(self, arn: str) -> str:
        """Return a key's thumbprint, by looking at the ring with nobody's delay."""
        if arn not in self._kids:
            found = read(self.truth, "auth", since=False)
            for each in found.ring.generations:
                if each.kid is not None:
                    self._kids[each.arn] = each.kid
        return self._kids[arn]

    def note_change(self, operation: str) -> None:
        """Remember where the pointer is after each write."""
        self.changed = True
        if operation == "put_object" and self.jwks():
            self.document.put(self.now, frozenset(self.jwks()))
            headers = str(self.s3.object(JWKS).cache_control)  # type: ignore[union-attr]  # it was published before
            self.max_age = max(self.max_age, float(headers.partition("max-age=")[2]))
        if operation in ("create_alias", "update_alias"):
            arn = self.signing_arn()
            if arn is not None:
                kid = self.kid_of(arn)
                has_moved = self.pointer.values[-1:] != [{kid}]
                self.pointer.put(self.now, frozenset({kid}))
                self._looks.add(self.now + self.longest_life - 1)
                if has_moved and kid not in self.jwks():
                    self.wrong.append(f"{kid[:6]} signs from {self.now:.0f} and is not published")

    def jwks(self) -> dict[str, dict[str, str]]:
        """Return the published JWKS by ``kid``; none before there is one."""
        stored = self.s3.object(JWKS)
        return (
            {} if stored is None else {jwk["kid"]: jwk for jwk in json.loads(stored.body)["keys"]}
        )

    def signing_arn(self) -> str | None:
        """Return the key that the pointer names in truth."""
        try:
            found = self.truth.describe_key(KeyId="alias/auth")
        except self.truth.exceptions.NotFoundException:
            return None
        arn: str = found["KeyMetadata"]["Arn"]
        return arn

    @property
    def longest_life(self) -> float:
        """Seconds for which tokens of a key may be good after another one signs."""
        signs = SPREAD + float(self.times["signer_refresh"])
        return signs + float(self.times["max_lifetime"]) + LEEWAY

    def live(self) -> dict[str, list[Token]]:
        """Return the tokens that are good now by their keys: those that are, and might be."""
        found: dict[str, list[Token]] = {}
        times = [*self.pointer.times[1:], self.now]
        for until, kids in zip(times, self.pointer.values, strict=False):
            if self.now < until + self.longest_life:
                for kid in kids:
                    found[kid] = [Token(kid, self.now, self.now, "any")]
        lifetime = float(self.times["max_lifetime"])
        for token in takewhile(
            lambda token: self.now < token.issued + lifetime + LEEWAY, reversed(self.tokens)
        ):
            if self.now < token.expires + LEEWAY:
                found.setdefault(token.kid, []).append(token)
        return {kid: tokens for kid, tokens in found.items() if self.now >= self.excused(kid)}

    def look(self) -> None:
        """Let verifiers look at what there is."""
        for each in self.watchers:
            each.look()

    def add_signers(self) -> None:
        """Have one signer that is always up to date, and four that are as late as allowed."""
        refresh = float(self.times["signer_refresh"])
        self.signers.append(Signer(self, "signer", refresh=-1, phase=0))
        for number in range(4):
            self.signers.append(
                Signer(self, f"signer-late-{number}", refresh=refresh, phase=number * refresh / 4)
            )

    def issue(self, *, signed: bool = False) -> None:
        """Have each signer issue a token."""
        issued = (signer.issue(signed=signed) for signer in self.signers)
        self.tokens += [token for token in issued if token is not None]

    def forward(self, until: float, *, every: float = 900.0) -> None:
        """Let time pass: tokens are issued, and late readers come to see what changed."""
        stops = {until}
        if self.changed:  # and what was changed is seen by some now, by all five minutes later
            self._looks |= {self.now, self.now + SPREAD - 1, self.now + SPREAD}
        self.changed = False
        stops |= self._looks
        stop = self.now + every
        while stop < until:
            stops.add(stop)
            stop += every
        for time in sorted(each for each in stops if self.now <= each <= until):
            self.now = time
            if time in self._looks:
                self.look()
            self.issue()
        self._looks = {each for each in self._looks if each > until}

    def keys_in_kms(self) -> set[str]:
        """Return the ARN of each key that is not about to be deleted."""
        arns = [key["KeyArn"] for key in self.truth.list_keys(Limit=1000)["Keys"]]
        states = {
            arn: self.truth.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] for arn in arns
        }
        return {arn for arn, state in states.items() if state != "PendingDeletion"}


def _part(content: dict[str, Any]) -> str:
    return _base64url(json.dumps(content).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
