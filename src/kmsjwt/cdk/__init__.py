"""The stack of `kmsjwt.deploy` as a construct of the AWS CDK: ``pip install 'kmsjwt[cdk]'``.

>>> from kmsjwt.cdk import TokenAuthority
>>> TokenAuthority(stack, "Authority", audience="orders")  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kmsjwt.cdk.authority import TokenAuthority

__all__ = ["TokenAuthority"]


def __getattr__(name: str) -> Any:
    """Return the construct, importing the CDK only now: it takes seconds and may be missing.

    Raises:
        ConfigError: the CDK is not installed.
    """
    if name != "TokenAuthority":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kmsjwt.cdk.authority import TokenAuthority

    return TokenAuthority
