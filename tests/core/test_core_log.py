"""Log lines: one line each, ASCII, whatever is in them."""

from __future__ import annotations

import contextlib
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmsjwt._log import CUT, bounded, log_line, message_of


@given(st.text(st.characters()) | st.sampled_from(["\ud800", "\x9b31m\u202e", "a\nb\u2028c"]))
def test_any_text_is_one_plain_line_that_reads_back(text):
    """Terminal controls, bidi marks and half surrogate pairs stay escaped; nothing raises."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        log_line("INFO", "test", message=text, absent=None)

    line = out.getvalue()
    assert line.isascii()
    assert line.count("\n") == 1
    assert json.loads(line) == {"level": "INFO", "event": "test", "message": text}


@pytest.mark.parametrize(
    ("length", "whole"), [(499, True), (500, True), (501, False), (9999, False)]
)
def test_a_message_has_an_end(length: int, whole: bool):
    said = message_of("x" * length)

    assert said == ("x" * length if whole else "x" * 500 + CUT)


@pytest.mark.parametrize(("length", "whole"), [(127, True), (128, True), (129, False)])
def test_a_field_has_an_end(length: int, whole: bool):
    assert bounded("x" * length) == ("x" * length if whole else "x" * 128 + CUT)


@pytest.mark.parametrize(
    ("length", "kept"), [(0, True), (1, True), (15, True), (16, False), (17, False)]
)
def test_a_token_that_is_long_enough_to_be_one_stands_in_no_message(length: int, kept: bool):
    """A short one, such as `x`, would take half the words away, and is nobody's secret."""
    token = "t" * length

    said = message_of(f"before {token} after", token)

    assert said == (f"before {token} after" if kept else f"before {CUT} after")
