"""How users name a KMS key: by id, ARN, alias or alias ARN."""

from __future__ import annotations

import re

from kmsjwt._immutable import Immutable
from kmsjwt.errors import ConfigError, shown

_KEY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")
_ALIAS = re.compile(r"alias/[A-Za-z0-9/_-]{1,250}")
_ARN = re.compile(r"arn:(aws[a-z-]*):kms:([a-z0-9-]+):([0-9]{12}):(.+)")


class KeyReference(Immutable):
    """A KMS key as its user named it.

    Attributes:
        text: the name, as KMS takes it for ``KeyId``.
        region: the Region, where an ARN says it.
        is_alias: whether it is an alias, which may be moved to another key.
    """

    __slots__ = ("is_alias", "region", "text")

    text: str
    region: str | None
    is_alias: bool

    def __init__(self, text: str, *, region: str | None, is_alias: bool) -> None:
        self._fill(text=text, region=region, is_alias=is_alias)

    @classmethod
    def parse(cls, text: object) -> KeyReference:
        """Read a key's name.

        Raises:
            ConfigError: it is none of the four forms.
        """
        if not isinstance(text, str) or not text:
            raise ConfigError(
                f"the KMS key is {shown(text)}, expected an id, ARN, alias/NAME or alias ARN",
                code="key_reference",
            )
        arn = _ARN.fullmatch(text)
        region, name = (arn[2], arn[4]) if arn else (None, text)
        if _ALIAS.fullmatch(name):
            return cls(text, region=region, is_alias=True)
        if _KEY_ID.fullmatch(_after_key(name) if arn else name):
            return cls(text, region=region, is_alias=False)
        raise _unreadable(text)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"KeyReference({self.text!r})"


def key_id(arn: str) -> str:
    """Return the key id at the end of a key ARN."""
    return arn.rpartition("/")[2]


def _after_key(resource: str) -> str:
    return resource.removeprefix("key/") if resource.startswith("key/") else ""


def _unreadable(text: str) -> ConfigError:
    bare_alias = re.fullmatch(r"[A-Za-z0-9/_-]{1,250}", text) and not text.startswith("alias/")
    return ConfigError(
        f"the KMS key is {shown(text)}, expected an id, ARN, alias/NAME or alias ARN",
        code="key_reference",
        fix=f"an alias is written alias/{text}" if bare_alias else None,
    )
