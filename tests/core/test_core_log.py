"""Log lines: one line each, ASCII, whatever is in them."""

from __future__ import annotations

import contextlib
import io
import json

from hypothesis import given
from hypothesis import strategies as st

from kmsjwt._log import log_line


@given(st.text(st.characters()) | st.sampled_from(["\ud800", "\x9b31m\u202e", "a\nb\u2028c"]))
def test_any_text_is_one_plain_line_that_reads_back(text):
    """Terminal controls, bidi marks and half surrogate pairs stay escaped; nothing raises."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        log_line("INFO", "test", message=text, absent=None)

    line = out.getvalue()
    assert line.isascii()
    assert line.count("\n") == 1
    assert json.loads(line) == {"level": "INFO", "event": "test", "message": text}
