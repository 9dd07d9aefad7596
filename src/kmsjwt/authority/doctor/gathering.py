"""Asks everybody once: STS, KMS, and the places that consumers read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kmsjwt import aws
from kmsjwt.algorithms import ALGORITHMS, for_key_spec
from kmsjwt.authority.doctor.asking import AskedClient, Asking
from kmsjwt.authority.doctor.facts import Caller, Facts, KeyFacts, RingFacts
from kmsjwt.authority.doctor.published import look
from kmsjwt.errors import ConfigError, KmsAccessDenied, KmsError, KmsJwtError
from kmsjwt.key_names import RING_NAME, KeyReference, is_ring, ring_name
from kmsjwt.kms.client import client_for
from kmsjwt.kms.message import message_type_for
from kmsjwt.kms.public import fetch
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.asking import tags_of
from kmsjwt.kms.ring.names import pointer_alias
from kmsjwt.kms.ring.reading import read

if TYPE_CHECKING:
    from collections.abc import Callable

    from kmsjwt.algorithms import Algorithm
    from kmsjwt.authority.doctor.deployment import Deployment, Use
    from kmsjwt.rotation import Ring

_NOT_SENT = "not sent"
_NO_CLIENT = ("no_region", "no_boto3", "aws_config")


def gather(deployment: Deployment, *, kms: Any, sts: Any, clock: Callable[[], float]) -> Facts:
    """Ask everybody that the deployment has to do with.

    Args:
        deployment: what to look at.
        kms: a boto3 KMS client; those that are needed are made if None.
        sts: a boto3 STS client; one is made if None.
        clock: seconds since 1970.
    """
    asked = _Kms(deployment, kms, clock)
    caller = _caller(deployment, asked, sts)
    keys = tuple(map(asked.key, deployment.uses))
    if asked.refused is not None:
        caller = Caller(region=caller.region, trouble=asked.refused)
    return Facts(
        deployment=deployment,
        caller=caller,
        keys=keys,
        published=look(deployment, keys, asked.any_client()),
        ahead=asked.ahead,
    )


class _Kms:
    """The clients, one for each Region, and how keys are asked about."""

    def __init__(self, deployment: Deployment, client: Any, clock: Callable[[], float]) -> None:
        self._deployment = deployment
        self._client = client
        self._clock = clock
        self._asking: dict[str | None, Asking] = {}
        self._rings: dict[str, RingFacts] = {}

    @property
    def refused(self) -> KmsJwtError | None:
        """Why KMS takes no such caller, if it does not."""
        stops = (each.stopped for each in self._asking.values() if each.stopped is not None)
        return next((each for each in stops if each.code == "no_credentials"), None)

    @property
    def ahead(self) -> float | None:
        """How far the clock here is ahead."""
        told = (each.ahead for each in self._asking.values() if each.ahead is not None)
        return next(told, None)

    def any_client(self) -> Any:
        """Return a client that was used, if one was."""
        return next((each.client for each in self._asking.values()), self._client)

    def of(self, reference: KeyReference | None) -> Asking:
        """Return who asks in a key's Region.

        Raises:
            ConfigError: no client can be made, or the one given is of another Region.
        """
        region = (reference and reference.region) or self._deployment.region
        if region not in self._asking:
            if reference is not None:
                client = client_for(reference, self._client, self._deployment.region)
            else:
                client = aws.kms_client(region) if self._client is None else self._client
            self._asking[region] = Asking(client, self._clock)
        return self._asking[region]

    def key(self, use: Use) -> KeyFacts:
        """Ask everything about one key."""
        try:
            name = pointer_alias(ring_name(use.name)) if is_ring(use.name) else use.name
            reference = KeyReference.parse(name)
            asking = self.of(reference)
        except ConfigError as error:
            no_client = error if error.code in _NO_CLIENT else None
            return KeyFacts(use=use, undescribed=error, unread=error, stopped=no_client)
        return _Key(use, reference, asking, self._deployment, self._rings).facts()


class _Key:
    """Asks about one key, one thing after the other."""

    def __init__(
        self,
        use: Use,
        reference: KeyReference,
        asking: Asking,
        deployment: Deployment,
        rings: dict[str, RingFacts],
    ) -> None:
        self._use = use
        self._reference = reference
        self._asking = asking
        self._client: Any = AskedClient(asking)
        self._deployment = deployment
        self._rings = rings
        self._told: dict[str, Any] = {}

    def facts(self) -> KeyFacts:
        """Return all that can be known."""
        self._describe()
        self._read_tags()
        self._fetch()
        self._read_tags()
        ring = self._ring()
        self._try()
        met = (*self._told.values(), None if ring is None else ring.trouble)
        stopped = self._asking.stopped
        is_stopped = stopped is not None and any(each is stopped for each in met)
        return KeyFacts(
            use=self._use, ring=ring, stopped=stopped if is_stopped else None, **self._told
        )

    @property
    def _arn(self) -> str | None:
        return KeyFacts(
            use=self._use, metadata=self._told.get("metadata"), public=self._told.get("public")
        ).arn

    def _describe(self) -> None:
        name = self._reference.text
        try:
            answer = self._asking.ask("describe_key", "DescribeKey", name, KeyId=name)
            self._told["metadata"] = answer["KeyMetadata"]
        except KmsError as error:
            self._told["undescribed"] = error

    def _fetch(self) -> None:
        alg = (self._told.get("tags") or {}).get(tags.ALG) or self._deployment.alg
        try:
            # Through the product's own reading of the answer, so that it is judged alike.
            public = fetch(self._client, self._reference, alg, self._deployment.kid)
            self._told["public"] = public
            self._told["alg"] = public.public.alg
        except KmsError as error:
            self._told["unread"] = error
            self._told["alg"] = _alg_of(self._told.get("metadata"), alg)

    def _read_tags(self) -> None:
        if self._arn is None or self._may_be_ring is None or {"tags", "untagged"} & set(self._told):
            return
        try:
            self._told["tags"] = tags_of(self._client, self._arn)
        except KmsError as error:
            self._told["untagged"] = error

    @property
    def _may_be_ring(self) -> str | None:
        """The ring that it is the pointer of, if it is one's."""
        named = re.fullmatch(f"(?:arn:.*:)?alias/({RING_NAME})", self._reference.text)
        return named[1] if named else None

    def _ring(self) -> RingFacts | None:
        name = self._may_be_ring
        if name is None:
            return None
        is_meant = is_ring(self._use.name)
        is_tagged = (self._told.get("tags") or {}).get(tags.RING) == name
        if not (is_meant or is_tagged):
            return None
        place = f"{self._client.meta.region_name}/{name}"
        if place not in self._rings:
            self._rings[place] = _read_ring(self._client, name)
        return self._rings[place]

    def _try(self) -> None:
        arn, alg = self._arn, self._told.get("alg")
        if self._use.action not in ("sign", "verify") or arn is None or alg is None:
            return
        is_signing = self._use.action == "sign"
        kind = message_type_for(alg, self._deployment.message_type if is_signing else None)
        may = self._asking.may_sign if is_signing else self._asking.may_verify
        self._told |= {"kind": kind, "was_tried": True, "refused": may(arn, alg, kind)}


def _alg_of(metadata: Any, alg: str | None) -> Algorithm | None:
    if metadata is None:
        return ALGORITHMS.get(alg or "")
    try:
        return for_key_spec(metadata["KeySpec"], alg)
    except ConfigError:
        return None


def _read_ring(client: Any, name: str) -> RingFacts:
    try:
        reading = read(client, name)
        no_moment = _why_no_moment(client, reading.ring)
        if no_moment is not None:
            reading = read(client, name, since=False)
    except KmsJwtError as error:
        return RingFacts(name=name, trouble=error)
    return RingFacts(name=name, reading=reading, no_moment=no_moment)


def _why_no_moment(client: Any, ring: Ring) -> KmsAccessDenied | None:
    """Return what keeps it from being known since when the ring's key signs."""
    signing = ring.generation(ring.signing)
    if signing is None or ring.signing_since is not None:
        return None
    try:
        client.list_aliases(KeyId=signing.arn)
    except KmsAccessDenied as error:
        return error
    return None


def _caller(deployment: Deployment, asked: _Kms, sts: Any) -> Caller:
    """Ask who is asking, if it matters to anybody."""
    if not deployment.uses:
        return Caller()
    try:
        client = asked.of(_first(deployment)).client
    except ConfigError as error:
        return Caller(trouble=error)
    region = client.meta.region_name
    try:
        sts = aws.sts_client(region) if sts is None else sts
    except ConfigError as error:
        return Caller(region=region, trouble=error)
    if aws.is_local(client) and not aws.is_local(sts):  # its credentials are nobody's in AWS
        return Caller(region=region, local=True)
    try:
        return Caller(arn=sts.get_caller_identity()["Arn"], region=region)
    except Exception as error:
        told = aws.explain(error, "GetCallerIdentity", "")
        if told is None:
            raise
        if told.code == "no_credentials":
            return Caller(region=region, trouble=told)
        return Caller(region=region, code=aws.error_code(error) or _NOT_SENT)


def _first(deployment: Deployment) -> KeyReference | None:
    try:
        name = deployment.uses[0].name
        return KeyReference.parse(pointer_alias(ring_name(name)) if is_ring(name) else name)
    except ConfigError:
        return None
