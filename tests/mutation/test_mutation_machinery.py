"""The mutation check itself: what it changes, what it notices, and that its list is no older."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from scripts.mutation import __main__ as command
from scripts.mutation import sites, survivors
from scripts.mutation.campaign import Verdict
from scripts.mutation.kept import Kept

ROOT = Path(__file__).resolve().parents[2]

SAMPLE = """\
LIMIT = 7
CLOSED = 1008

def accept(value):
    if value < 0:
        raise ValueError("negative")
    if value == 13:
        raise ValueError("unlucky")
    while value > 5:
        value -= 1
    return value

def never(value):
    if value:
        raise ValueError("truthy")

def is_closed():
    return bool(CLOSED)

async def closed():
    return CLOSED
"""
TESTS = """\
import asyncio
import pytest
from kmsjwt.sample import accept, closed, is_closed

def test_refused():
    with pytest.raises(ValueError, match="negative"):
        accept(-1)

def test_accepted():
    assert accept(5) == 5
    assert accept(6) == 5
    assert accept(0) == 0

def test_closed():
    assert is_closed()

def test_closed_later():
    assert asyncio.run(closed()) == 1008
"""
CAMPAIGN = """\
import json, sys
from pathlib import Path
from scripts.mutation import campaign, forks, sites

root, home = map(Path, sys.argv[1:])
campaign._GRACE = 3.0
worker = forks.Worker(root, home / "copy")
source = worker.source("sample").read_text()
passages = campaign.Passages(campaign.recorded([worker], ["tests/test_sample.py"], home / "cache"))
found = sites.mutants(source, "sample")
verdicts = campaign.judged(found, [worker], passages, {"sample": source}, lambda verdict: None)
assert worker.source("sample").read_text() == source
print(json.dumps({verdict.mutant.id: verdict.outcome for verdict in verdicts}))
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What becomes of each mutant of the sample."""
    home = tmp_path_factory.mktemp("mutation")
    package = home / "sample" / "src" / "kmsjwt"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "sample.py").write_text(SAMPLE)
    (home / "sample" / "tests").mkdir()
    (home / "sample" / "tests" / "test_sample.py").write_text(TESTS)
    (home / "sample" / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    done = subprocess.run(
        [sys.executable, "-c", CAMPAIGN, str(home / "sample"), str(home)],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("mutant", "outcome"),
    [
        ("accept:removed:value < 0", "killed"),
        ("accept:inverted:value < 0", "killed"),
        ("accept:<= instead:value < 0", "killed"),
        ("accept:0 to -1:value < 0", "killed"),
        ("accept:removed:value == 13", "survived"),
        ("accept:inverted:value == 13", "killed"),
        ("accept:inverted:value > 5", "timed out"),
        ("never:removed:value", "unreached"),
        (":+ 1:LIMIT", "survived"),
        (":+ 1:CLOSED", "killed"),
    ],
)
def test_what_becomes_of_a_mutant(outcomes: dict[str, str], mutant: str, outcome: str) -> None:
    """A check with a test is noticed, one without survives."""
    assert outcomes[f"sample:{mutant}"] == outcome


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("if a and b: raise E", {"removed", "inverted", "without a", "without b"}),
        ("if a:\n  pass\nelse:\n  raise E", {"removed", "inverted"}),
        ("return a if b else c", {"always true", "always false"}),
        ("return a is b", {"always true", "always false"}),
        ("return [a for a in b if c]", {"always true", "always false"}),
        ("return f(1 <= a)", {"< instead", "1 to 0"}),
        ("return f(a <= 1)", {"< instead", "1 to 2"}),
        ("return f(a < b < c)", {"<= instead", "only (a) < (b)", "only (b) < (c)"}),
        ("return f(any(a))", {"any to all"}),
        ("_refuse_weak(a)", {"call deleted"}),
        ("try:\n  a()\nexcept B:\n  raise E", {"not caught", "forgotten"}),
        (
            "try:\n  a()\nexcept (B, C):\n  d()",
            {"not caught", "B not caught", "C not caught"},
        ),
        ("raise ValueError(a if b else c)", set()),
        ("return Fault(a if b else c)", set()),
    ],
)
def test_what_is_changed(source: str, expected: set[str]) -> None:
    """Each kind of check has its changes; the words of an error have none."""
    body = "\n".join(f"  {line}" for line in source.splitlines())

    found = sites.mutants(f"def f(a):\n{body}\n", "m", errors=frozenset({"Fault"}))

    assert {mutant.id.split(":")[2] for mutant in found} == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("_MOST = 4 * 1024", {"+ 1", "- 1"}),
        ('_NAMES = ("a", "b")', {"entry 'a' dropped", "entry 'b' dropped"}),
        ('_NAMES = frozenset({"a"})', {"entry 'a' dropped"}),
        ('_BY_NAME = {"a": f}', {"entry 'a' dropped"}),
        ("def f(*, leeway=30): pass", {"+ 1", "- 1"}),
        ('_TEXT = "a"', set()),
    ],
)
def test_which_constants_are_changed(source: str, expected: set[str]) -> None:
    """Numbers are moved, tables lose an entry."""
    found = sites.mutants(f"{source}\n", "m")

    assert {mutant.id.split(":")[2] for mutant in found} == expected


def test_a_mutant_s_name_outlives_edits_elsewhere() -> None:
    """No line numbers, no white space."""
    before = sites.mutants("def f(a):\n    if a<1: raise E\n", "m")
    after = sites.mutants("# new\ndef f(a):\n    b = 2\n    if a < 1:\n        raise E\n", "m")

    assert [mutant.id for mutant in before] == [mutant.id for mutant in after]


def test_every_explained_mutant_exists() -> None:
    """An explanation goes with its check, and says something."""
    known = survivors.read(command.LIST)
    every = command.all_mutants(ROOT, known)
    there = {mutant.id for mutant in every}

    assert len(there) == len(every) > 1500
    assert [mutant for mutant in known.reasons if mutant not in there] == []
    assert [why for why in {**known.reasons, **known.wording}.values() if len(why) < 20] == []


@pytest.mark.parametrize(
    ("outcome", "by", "edited", "kept"),
    [
        ("killed", "tests/test_sample.py::test_refused", {}, True),
        ("killed", "tests/test_sample.py::test_refused", {"module": "LIMIT = 8\n"}, False),
        ("killed", "tests/test_sample.py::test_refused", {"test": "\n"}, False),
        ("killed", "tests/test_gone.py::test_refused", {}, False),
        ("survived", "", {}, False),
        ("timed out", "its time limit", {}, False),
    ],
)
def test_a_verdict_is_kept_while_the_module_and_the_test_are_the_same(
    tmp_path: Path, outcome: str, by: str, edited: dict[str, str], *, kept: bool
) -> None:
    """What a test noticed is not tried again; what none noticed is."""
    test = tmp_path / "tests" / "test_sample.py"
    test.parent.mkdir()
    test.write_text(TESTS)
    mutant = sites.mutants(SAMPLE, "sample")[0]
    verdict = Verdict(mutant=mutant, outcome=outcome, by=by, seconds=1.5)
    file = tmp_path / "kept" / "noticed.jsonl"
    Kept(file, tmp_path, {"sample": SAMPLE}).add(verdict)

    test.write_text(TESTS + edited.get("test", ""))
    later = Kept(file, tmp_path, {"sample": SAMPLE + edited.get("module", "")})

    assert later.of(mutant) == (verdict if kept else None)
