"""An S3 bucket as a place to publish."""

from __future__ import annotations

import re
from contextlib import closing
from typing import Any

from kmsjwt import aws
from kmsjwt.errors import ConfigError, DocumentUnusable, PublishError, shown
from kmsjwt.jwks.static import MAX_BYTES
from kmsjwt.publish.aws_errors import call, explain
from kmsjwt.publish.places import Conflict, Stored, headers

# S3 user guide, general purpose bucket naming rules.
_BUCKET = r"(?!xn--|.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_PREFIX = r"[A-Za-z0-9!_.*'()-]+(?:/[A-Za-z0-9!_.*'()-]+)*"
# S3 user guide, conditional writes: 412, 409 while another write is under way, and 404 where
# the document that was read is gone.
_CONFLICTS = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"})


class S3:
    """Documents as objects of a bucket, below a prefix.

    Every write is conditional: on the ETag that was read, or on there being no object. S3's own
    answers to that are not verified against AWS here. A store that looks like S3 and ignores the
    conditions keeps no key safe from a second publisher.
    """

    __slots__ = ("_bucket", "_client", "_prefix", "_region")

    def __init__(
        self, bucket: str, prefix: str = "", client: Any = None, region: str | None = None
    ) -> None:
        """Name the bucket.

        Args:
            bucket: its name.
            prefix: what stands before every document's path; no slash at either end.
            client: a boto3 S3 client; one is made at the first call if there is none.
            region: the bucket's Region; boto3's if None.

        Raises:
            ConfigError: no bucket has such a name, or no plain path such a prefix.
        """
        if not re.fullmatch(_BUCKET, bucket):
            raise ConfigError(
                f"the bucket is {shown(bucket)}, expected 3 to 63 of a-z, 0-9, - and .",
                code="place",
            )
        prefix = prefix.strip("/")
        if prefix and (not re.fullmatch(_PREFIX, prefix) or {".", ".."} & set(prefix.split("/"))):
            raise ConfigError(
                f"the prefix is {shown(prefix)}, expected names with / between them", code="place"
            )
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._client = client
        self._region = region

    def read(self, document: str) -> Stored | None:
        """Return a document; None if there is none. Raises as `kmsjwt.publish.Place` says."""
        where = self.where(document)
        try:
            # The body arrives after the answer, and may break off like it.
            answer, body = self._get(document)
        except Exception as error:
            if aws.error_code(error) == "NoSuchKey":
                return None
            told = explain(error, "s3:GetObject", where)
            if told is None:
                raise
            raise told from error
        if len(body) > MAX_BYTES:
            raise DocumentUnusable(
                f"{where} is larger than {MAX_BYTES} bytes",
                where=where,
                code="jwks_too_large",
                fix="see what it is, and put a JWKS of one issuer's keys there",
            )
        served = answer.get("ContentType", ""), answer.get("CacheControl", "")
        return Stored(body, version=answer["ETag"], headers=served)

    def _get(self, document: str) -> tuple[Any, bytes]:
        answer = self._s3.get_object(Bucket=self._bucket, Key=self._prefix + document)
        body = b""
        with closing(answer["Body"]) as stream:
            # botocore notices that a body broke off when it is read to its end.
            while len(body) <= MAX_BYTES and (part := stream.read(MAX_BYTES + 1 - len(body))):
                body += part
        return answer, body

    def write(self, document: str, body: bytes, *, over: Stored | None, max_age: int) -> None:
        """Write a document over what was read. Raises as `kmsjwt.publish.Place` says."""
        condition = {"IfNoneMatch": "*"} if over is None else {"IfMatch": over.version}
        content_type, cache_control = headers(max_age)
        try:
            call(
                self._s3.put_object,
                "s3:PutObject",
                self.where(document),
                Bucket=self._bucket,
                Key=self._prefix + document,
                Body=body,
                ContentType=content_type,
                CacheControl=cache_control,
                **condition,
            )
        except PublishError as error:
            if error.aws_code in _CONFLICTS:
                raise Conflict from error
            raise

    def where(self, document: str) -> str:
        """Return a document's name for messages."""
        return f"s3://{self._bucket}/{self._prefix}{document}"

    @property
    def _s3(self) -> Any:
        if self._client is None:
            self._client = aws.s3_client(self._region)
        return self._client

    def __str__(self) -> str:
        return f"s3://{self._bucket}/{self._prefix}"

    def __repr__(self) -> str:
        return f"S3({self._bucket!r}, {self._prefix.rstrip('/')!r})"
