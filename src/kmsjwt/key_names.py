"""How KMS keys are named: one by its id, its ARN, an alias or an alias's ARN; a ring as a ring.

Nothing is compiled on import: the cold start of an authorizer with a bundled JWKS reads no name.
"""

from __future__ import annotations

import re

from kmsjwt._immutable import Immutable
from kmsjwt.errors import ConfigError, shown

_KEY_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}"
_ALIAS_NAME = r"[A-Za-z0-9/_-]{1,250}"
_ARN = r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):[0-9]{12}:(?P<resource>.+)"
RING_PREFIX = "ring:"
"""What tells a ring's name from a key's: ``ring:auth``."""
# 256 characters of an alias, less "alias/" and "/" with a generation of up to nine digits.
RING_NAME = r"[A-Za-z0-9_-]{1,240}"
RING_NUMBER = r"[1-9][0-9]{0,8}"
_TELLS_ACCOUNT = r"(?i)arn:|alias/|(?<![0-9A-Za-z])[0-9]{12}(?![0-9A-Za-z])"


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
            raise _unreadable(text)
        arn = re.fullmatch(_ARN, text)
        region, name = (arn["region"], arn["resource"]) if arn else (None, text)
        if re.fullmatch(f"alias/{_ALIAS_NAME}", name):
            return cls(text, region=region, is_alias=True)
        if is_key_id(_after_key(name) if arn else name):
            return cls(text, region=region, is_alias=False)
        raise _unreadable(text)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"KeyReference({self.text!r})"


def key_id(name: str) -> str:
    """Return the key id in a key's ARN or id."""
    return name.rpartition("/")[2]


def is_key_id(text: str) -> bool:
    """Tell whether it is a key id, of one Region or of several (``mrk-``)."""
    return re.fullmatch(_KEY_ID, text) is not None


def is_multi_region(arn: str) -> bool:
    """Tell whether a key has its like in other Regions, under the same id (KMS guide)."""
    return key_id(arn).startswith("mrk-")


def is_alias(text: str) -> bool:
    """Tell whether it is meant as an alias or an alias's ARN, well-formed or not."""
    return text.startswith("alias/") or ":alias/" in text


def mentions_alias(text: str) -> bool:
    """Tell whether an alias stands anywhere in a text that somebody else wrote."""
    return "alias/" in text


def tells_account(text: str) -> bool:
    """Tell whether publishing it would give away an AWS account, an ARN or an alias.

    A key id is random: twelve digits at its end are no account.
    """
    return re.search(_TELLS_ACCOUNT, text) is not None and not is_key_id(text)


def is_ring(text: object) -> bool:
    """Tell whether it is meant as a ring's name: ``ring:NAME``, well-formed or not."""
    return isinstance(text, str) and text.startswith(RING_PREFIX)


def ring_name(text: object) -> str:
    """Return a ring's name, given plainly or as ``alias/NAME`` or ``ring:NAME``.

    Raises:
        ConfigError: it cannot be one: a ring's aliases are ``alias/NAME`` and ``alias/NAME/1``,
            so its name has no ``/``.
    """
    name = text.removeprefix("alias/").removeprefix(RING_PREFIX) if isinstance(text, str) else ""
    if not re.fullmatch(RING_NAME, name) or name == "aws":
        raise ConfigError(
            f"the key's name is {shown(text)}, expected letters, digits, '-' and '_'",
            code="ring_name",
            fix="give a plain name such as auth; its aliases become alias/auth and alias/auth/1",
        )
    return name


def _after_key(resource: str) -> str:
    return resource.removeprefix("key/") if resource.startswith("key/") else ""


def _unreadable(text: object) -> ConfigError:
    is_bare_alias = (
        isinstance(text, str)
        and re.fullmatch(_ALIAS_NAME, text) is not None
        and not text.startswith("alias/")
    )
    return ConfigError(
        f"the KMS key is {shown(text)}, expected an id, ARN, alias/NAME or alias ARN",
        code="key_reference",
        fix=f"an alias is written alias/{text}" if is_bare_alias else None,
    )
