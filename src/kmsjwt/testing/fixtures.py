"""pytest fixtures, for those whose root ``conftest.py`` says so.

``pytest_plugins = ["kmsjwt.testing"]`` there is enough. This module alone imports pytest, and
nothing here imports it. (PYTEST_DONT_REWRITE: nothing is asserted here.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

from kmsjwt.testing.clock import Clock
from kmsjwt.testing.gateway import Gateway
from kmsjwt.testing.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kmsjwt.local import LocalKms
    from kmsjwt.testing.gateway import Handler


class MakeGateway(Protocol):
    """What `kmsjwt_gateway` is."""

    def __call__(self, authorizer: Handler, **settings: Any) -> Gateway:
        """Return `kmsjwt.testing.Gateway` of those settings, by the test's clock."""


@pytest.fixture
def kmsjwt_clock() -> Clock:
    """Return the test's clock: it begins at the real time and stands still until moved."""
    return Clock()


@pytest.fixture
def kmsjwt_tokens(kmsjwt_clock: Clock) -> Tokens:
    """Return tokens of ``https://id.example`` for ``orders``, by the test's clock."""
    return Tokens(clock=kmsjwt_clock)


@pytest.fixture
def kmsjwt_kms(kmsjwt_clock: Clock) -> Iterator[LocalKms]:
    """Give a local KMS without keys, by the test's clock, used as a boto3 client is."""
    from kmsjwt.local import LocalKms

    kms = LocalKms(clock=kmsjwt_clock)
    yield kms
    kms.close()


@pytest.fixture
def kmsjwt_gateway(kmsjwt_clock: Clock) -> MakeGateway:
    """Return a function that makes gateways by the test's clock: ``(authorizer, kind=…)``."""

    def make(authorizer: Handler, **settings: Any) -> Gateway:
        return Gateway(authorizer, **{"clock": kmsjwt_clock, **settings})

    return make
