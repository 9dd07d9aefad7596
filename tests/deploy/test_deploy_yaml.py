"""The template as YAML, read by PyYAML, which cfn-lint and SAM read it with."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runtime.environments import environment, python_of

from kmsjwt.deploy import as_yaml, template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_READER = """
import json, sys, yaml
for line in sys.stdin:
    print(json.dumps(yaml.safe_load(json.loads(line))), flush=True)
"""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def read() -> Iterator[Callable[[str], Any]]:
    """Read YAML in the environment that has PyYAML."""
    command = [str(python_of(environment(".venv-deploy"))), "-c", _READER]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        send, lines = reader.stdin, reader.stdout

        def read(text: str) -> Any:
            send.write(json.dumps(text) + "\n")
            send.flush()
            return json.loads(lines.readline())

        yield read
        send.close()


def test_the_template_is_the_same_in_yaml(read):
    assert read(as_yaml(template())) == template()


@given(JSON)
def test_yaml_says_whatever_json_can(read, value):
    assert read(as_yaml(value)) == value


@pytest.mark.parametrize(
    "text",
    ["no", "Yes", "1", "1e3", "0x1f", "2012-10-17", "1:30", "~", "", " a", "a ", "- a", "a: b",
     "#a", "a #b", "*", "&a", "!Ref a", "a\nb", "a\n", "\na", "a\n\n", "  a\nb", "a\n  b\n\nc\n",
     "null", "{a}", "[a]", "'a'", '"a"', "a\tb", "ü", "\x85", "\u2028", "=", "<<", ".5", "a\n \nb",
     "on", "n", "/a/b", "AWS::Region"],
)  # fmt: skip
def test_yaml_keeps_a_text_that_looks_like_something_else(text, read):
    for value in (text, [text], {text: text}, [[text]], [{text: [text]}]):
        assert read(as_yaml(value)) == value
