"""The commonest mistakes: the exact error, its code, cause and fix in three lines, no token."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.mistakes import of_aws, of_functions, of_tokens
from tests.mistakes.table import MISTAKES, Mistake

from kmsjwt.errors import CannotKnow, KmsJwtError, TokenError
from kmsjwt.gateway import Unauthorized

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mistakes.world import World

LINE = 240
RETRYABLE = {"kms_throttled", "kms_unavailable", "jwks_status", "jwks_connection"}
TABLES = (of_aws, of_tokens, of_functions)


@pytest.mark.parametrize("row", MISTAKES.values(), ids=MISTAKES)
def test_a_common_mistake(row: Mistake, world: World, capfd: pytest.CaptureFixture[str]):
    with pytest.raises(KmsJwtError) as raised:
        row.act(world)
    error = raised.value

    assert type(error) is row.error
    text, code = told(error, world)
    assert code == row.code
    for part in row.says:
        assert part in text
    assert len(text.splitlines()) <= 3
    assert len(text) <= 3 * LINE
    assert error.retryable is (row.code in RETRYABLE)
    printed = "".join(capfd.readouterr())
    require_no_token(world, [*chain(error), *world.logged, printed, text, code])


def test_there_are_more_than_25():
    assert len(MISTAKES) > 25
    assert {row.act.__module__ for row in MISTAKES.values()} == {each.__name__ for each in TABLES}


def told(error: KmsJwtError, world: World) -> tuple[str, str]:
    """Return text and code: of a gateway's refusal, what its one log line says."""
    if not isinstance(error, Unauthorized):
        return str(error), error.code
    (line,) = world.logged
    _, _, fields = json.loads(line)
    assert str(error) == "Unauthorized"
    return fields["message"], fields["reason"]


def chain(error: BaseException | None) -> Iterator[str]:
    """Yield all that a traceback of this error would print, and all its attributes."""
    while error is not None:
        yield f"{error} {error!r} {vars(error)}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def require_no_token(world: World, texts: list[str]) -> None:
    pieces = world.secrets()
    assert pieces
    for text in texts:
        assert not [piece for piece in pieces if piece in text]


@pytest.mark.parametrize("row", MISTAKES.values(), ids=MISTAKES)
def test_only_a_bad_token_is_a_token_error(row: Mistake):
    """Whoever catches TokenError to answer 401 must catch no trouble of ours along with it."""
    assert not (issubclass(row.error, TokenError) and issubclass(row.error, CannotKnow))
