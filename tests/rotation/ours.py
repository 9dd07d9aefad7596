"""Issuers and verifiers of this package, living in the simulated world for as long as it lasts.

They are what users run: an ``Issuer`` over a ``KmsSigner``, ``KmsKeys.ring``, ``JwksUrl`` and
``Verifier``, each with a view of KMS or of the published JWKS that is fresh, late, or now this and
now that. PyJWT says what it thinks of the same tokens at the same simulated time.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

import jwt
from botocore.exceptions import ClientError
from tests.rotation.timeline import Refusal, Token
from tests.rotation.world import AUDIENCE, ISSUER, JWKS, LEEWAY

from kmsjwt import Issuer, Verifier
from kmsjwt.errors import CannotKnow, KmsJwtError, TokenError, UnknownKey
from kmsjwt.jwks import JwksUrl
from kmsjwt.jwks.fetch import Document
from kmsjwt.jwks.places import IssuerPlace
from kmsjwt.kms import KmsKeys, KmsSigner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.rotation.world import World

    from kmsjwt.verifier import KeySource

DAY = 86_400
POINTER = "arn:aws:kms:eu-central-1:111122223333:alias/auth"
"""What another account names the pointer by."""


class Flapping:
    """A client that is answered by any host of KMS, one that knows already or one that does not."""

    def __init__(self, *views: Any, seed: int = 1) -> None:
        self._views = views
        self._random = Random(seed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._random.choice(self._views), name)


class Abroad:
    """A client of another account, where KMS lets nobody read tags."""

    def __init__(self, view: Any) -> None:
        self._view = view

    def __getattr__(self, name: str) -> Any:
        return getattr(self._view, name)

    def list_resource_tags(self, **_parameters: Any) -> Any:
        """Refuse, as KMS does."""
        answer = {"Error": {"Code": "AccessDeniedException", "Message": "another account's"}}
        raise ClientError(answer, "ListResourceTags")


class Gap(NamedTuple):
    """A time in which an issuer could not issue."""

    by: str
    since: float
    until: float
    codes: frozenset[str]

    def __str__(self) -> str:
        codes = " and ".join(sorted(self.codes))
        return f"{self.by} could not issue for {self.until - self.since:.0f} s: {codes}"


class OurIssuer:
    """An ``Issuer`` that lives through a rotation; every refusal of its own is remembered.

    Attributes:
        gaps: the times in which it could not issue, up to the next token.
        issued: how many tokens it issued.
    """

    def __init__(self, world: World, name: str, key: str, client: Any, **times: Any) -> None:
        self.name = name
        self.gaps: list[Gap] = []
        self.issued = 0
        self._world = world
        self._since: float | None = None
        self._codes: set[str] = set()
        lifetime = int(world.times["max_lifetime"])
        self.signer = KmsSigner(key, client=client, clock=lambda: world.now, **times)
        self._issuer = Issuer(ISSUER, self.signer, lifetime=lifetime, clock=lambda: world.now)

    def issue(self, *, signed: bool = True) -> Token | None:
        """Issue a token of the longest lifetime; None if that is refused."""
        del signed
        now = self._world.now
        try:
            issued = self._issuer.issue(sub="s", aud=AUDIENCE)
        except KmsJwtError as error:
            self._since = now if self._since is None else self._since
            self._codes.add(error.code)
            return None
        self.finish()
        self.issued += 1
        return Token(issued.kid, now, issued.expires_at, self.name, issued.token)

    def finish(self) -> None:
        """Write down the gap that ends now, if there is one."""
        if self._since is not None:
            gap = Gap(self.name, self._since, self._world.now, frozenset(self._codes))
            self.gaps.append(gap)
            self._since = None
            self._codes.clear()


class InMemory(IssuerPlace):
    """A JWKS that is fetched without a socket."""

    def __init__(self, fetch: Callable[[], Document]) -> None:
        super().__init__(ISSUER)
        self._fetch = fetch

    def read(self, until: float) -> Document:
        """Return it as it is now."""
        del until
        return self._fetch()


class Cdn:
    """Keeps a document as long as its Cache-Control lets it."""

    def __init__(self, world: World, fetch: Callable[[], Document]) -> None:
        self._world = world
        self._fetch = fetch
        self._held: tuple[float, Document] | None = None

    def __call__(self) -> Document:
        """Return the document that is held, or fetch it."""
        now = self._world.now
        if self._held is None or now - self._held[0] >= (self._held[1].max_age or 0):
            self._held = now, self._fetch()
        return self._held[1]


class Consumer:
    """A key source with its verifier, which remembers what it has verified.

    Attributes:
        verdicts: how many were given, by what was said.
    """

    def __init__(self, world: World, name: str, keys: KeySource) -> None:
        self.name = name
        self.keys = keys
        self.verdicts: Counter[str] = Counter()
        self._verifier = Verifier(
            keys,
            issuer=ISSUER,
            audience=AUDIENCE,
            leeway=LEEWAY,
            max_lifetime=DAY,
            cache_size=50,
            clock=lambda: world.now,
        )

    def verdict(self, kid: str) -> str:
        """Return ``known``, ``refused`` or ``cannot know``."""
        try:
            found = self.keys.key(kid).kid
        except UnknownKey:
            return "refused"
        except CannotKnow:
            return "cannot know"
        return "known" if found == kid else "another key"

    def opinion(self, text: str) -> str:
        """Return ``good``, ``cannot know``, or what is wrong with a whole token."""
        try:
            self._verifier.verify(text)
        except TokenError as error:
            return type(error).__name__
        except CannotKnow:
            return "cannot know"
        return "good"


class Watch:
    """Verifiers of all kinds, each asked about every live key when something changes.

    Attributes:
        refused: each live token that was refused, one for each key.
        unknown: each live token of which a verifier could not say whether it is good.
        disagreed: where PyJWT and a verifier say different things of a live or a dead token.
        verdicts: how many were given about live tokens.
        verified: how many whole tokens were verified, by both.
    """

    def __init__(
        self,
        world: World,
        consumers: Iterable[Consumer],
        *,
        cold: Iterable[str] = (),
        published: Callable[[], dict[str, dict[str, str]]] | None = None,
    ) -> None:
        self.world = world
        self.consumers = list(consumers)
        self.refused: list[Refusal] = []
        self.unknown: list[Refusal] = []
        self.disagreed: list[Refusal] = []
        self.verdicts = 0
        self.verified = 0
        self._cold = tuple(cold)
        self._published = published or world.jwks
        self._turn = 0

    def look(self) -> None:
        """Ask each verifier about each live key, and some about a whole token."""
        live = self.world.live()
        self._turn += 1
        for consumer in (*self.consumers, *self._started_now()):
            kids = sorted(live, reverse=self._turn % 2 == 0)
            for kid in kids:
                self._ask(consumer, kid, live[kid])
        self._verify_some([token for tokens in live.values() for token in tokens if token.text])

    def _started_now(self) -> Iterator[Consumer]:
        for name in self._cold:
            yield Consumer(self.world, name, ring_keys(self.world, self.world.kms.reader(name)))

    def _ask(self, consumer: Consumer, kid: str, tokens: list[Token]) -> None:
        said = consumer.verdict(kid)
        consumer.verdicts[said] += len(tokens)
        self.verdicts += len(tokens)
        if said == "known":
            return
        found = self.unknown if said == "cannot know" else self.refused
        found.append(Refusal(tokens[0], self.world.now, consumer.name))

    def _verify_some(self, tokens: list[Token]) -> None:
        """Have each verifier that lives judge one whole token, and PyJWT too."""
        for number, consumer in enumerate(self.consumers):
            if not tokens:
                return
            token = tokens[(self._turn * 7 + number) % len(tokens)]
            self.compare(consumer, token, "good")

    def compare(self, consumer: Consumer, token: Token, expected: str) -> None:
        """Have a verifier and PyJWT judge a whole token, which is to come out as expected."""
        jwk = self._published().get(token.kid)
        if jwk is None or token.text is None:
            return  # a key that was withdrawn; those that are gone too early are seen by verdicts
        theirs = second_opinion(token.text, jwk, self.world.now)
        ours = consumer.opinion(token.text)
        self.verified += 1
        if (ours, theirs) != (expected, expected) and ours != "cannot know":
            why = f"{consumer.name} says {ours}, PyJWT {theirs}"
            self.disagreed.append(Refusal(token, self.world.now, why))

    def compare_expired(self) -> None:
        """Have each verifier judge a token that is no longer good, though its key may be there."""
        now, there = self.world.now, self._published()
        for consumer in self.consumers:
            for token in reversed(self.world.tokens):
                if token.text and token.kid in there and now >= token.expires + LEEWAY:
                    self.compare(consumer, token, "Expired")
                    break


def second_opinion(text: str, jwk: dict[str, str], now: float) -> str:
    """Return what PyJWT thinks of a token at that time: ``good``, ``Expired`` or what is wrong.

    PyJWT looks at the clock itself; being lenient by how far that is ahead of ``now`` sets it.
    """
    try:
        claims = jwt.decode(
            text,
            jwt.PyJWK(jwk),
            algorithms=["ES256"],
            audience=AUDIENCE,
            issuer=ISSUER,
            leeway=time.time() - now + LEEWAY,
            options={"require": ["exp", "iat"], "verify_iat": False},
        )
    except jwt.ExpiredSignatureError:
        return "Expired"
    except jwt.InvalidTokenError as error:
        return type(error).__name__
    return "good" if claims["iat"] <= now + LEEWAY else "not yet"


def ring_keys(world: World, client: Any) -> KeySource:
    """Return the keys of the ring as a client sees them."""
    return KmsKeys.ring("auth", client=client, clock=lambda: world.now)


def stored(world: World) -> Document:
    """Return the JWKS that is published, with the time for which its headers let it be kept."""
    found = world.s3.object(JWKS)
    if found is None:
        return Document(b"{}", None)
    told = re.search("max-age=([0-9]+)", found.cache_control or "")
    return Document(found.body, int(told[1]) if told else None)


def jwks_url(world: World, fetch: Callable[[], Document]) -> KeySource:
    """Return a source that follows a JWKS, as long as its headers let it be kept."""
    return JwksUrl(InMemory(fetch), clock=lambda: world.now)


def join(world: World) -> Watch:
    """Have issuers and verifiers of all kinds live in a world."""
    world.add_signers()
    world.signers += our_issuers(world)
    watch = Watch(world, our_consumers(world), cold=("verifier", "verifier-late"))
    world.watchers.append(watch)
    return watch


def our_issuers(world: World) -> list[OurIssuer]:
    """Return issuers that follow the ring in each way that there is."""
    reader = world.kms.reader
    refresh = float(world.times["signer_refresh"])
    flapping = Flapping(reader("issuer"), reader("issuer-late"))
    abroad = Abroad(reader("issuer-late"))
    return [
        OurIssuer(world, "our issuer", "ring:auth", flapping),
        OurIssuer(world, "our slow issuer", "alias/auth", reader("issuer-late"), refresh=DAY),
        OurIssuer(world, "our issuer abroad", POINTER, abroad, refresh=refresh),
    ]


def our_consumers(world: World) -> list[Consumer]:
    """Return verifiers that read the ring or the JWKS in each way that there is."""
    early, late = world.kms.reader("verifier"), world.kms.reader("verifier-late")

    def fetch() -> Document:
        return stored(world)

    return [
        Consumer(world, "our ring", ring_keys(world, early)),
        Consumer(world, "our late ring", ring_keys(world, late)),
        Consumer(world, "our flapping ring", ring_keys(world, Flapping(early, late, seed=2))),
        Consumer(world, "our JWKS", jwks_url(world, fetch)),
        Consumer(world, "our JWKS behind a CDN", jwks_url(world, Cdn(world, fetch))),
    ]
