from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.jwks.servers import Server
from tests.publish.goods import ISSUER, no_pause
from tests.publish.s3 import MemoryS3

from kmsjwt.publish import S3, Publisher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def s3() -> MemoryS3:
    return MemoryS3()


@pytest.fixture
def publisher_of() -> Callable[..., Publisher]:
    """Return the publisher of a client of the bucket."""

    def make(client: MemoryS3, **settings: object) -> Publisher:
        make_publisher = partial(Publisher, S3("bucket", client=client), pause=no_pause)
        return make_publisher(**{"issuer": ISSUER, **settings})  # type: ignore[arg-type]  # settings of many types

    return make


@pytest.fixture
def publisher(s3: MemoryS3, publisher_of: Callable[..., Publisher]) -> Publisher:
    return publisher_of(s3)


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.stop()
