"""Where the time goes: rows that add up one step after the other, each of them proven."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import harness, issuing, issuing_steps, steps, table

COLD = Path(steps.__file__).parent / "cold"


def test_a_step_is_the_median_of_its_differences_to_the_row_above():
    """A round in which the machine was slow is no step, and the first row is one of its own."""
    timings = harness.Timings({"one": [1.0, 51.0, 1.0], "two": [3.0, 53.0, 4.0]})
    medians = {name: timings.median(name) for name in timings.by_name}

    rows = table.step_rows(medians, timings.step, str.upper)

    assert rows == [("one", "1.0", "1.0", "ONE"), ("two", "4.0", "2.0", "TWO")]


def test_figures_are_set_right_and_names_left():
    """Names may begin with a digit."""
    drawn = table.Table("A title", "", ("input", "ms"), [("200 arrays", "1.0")]).markdown()

    assert "| --- | ---: |" in drawn


@pytest.mark.parametrize("alg", steps.ALGORITHMS)
def test_steps_lead_from_the_signature_alone_to_the_whole(monkeypatch, alg):
    """Each algorithm has a table of its own, whose base is the bare check."""
    monkeypatch.setattr(steps, "QUICK_ROUNDS", 1)
    monkeypatch.setattr(steps, "ALGORITHMS", (alg,))

    (made,) = steps.tables(quick=True)

    assert made.title.endswith(alg)
    assert made.rows[0][0] == "the signature, `cryptography` alone"
    assert made.rows[0][-1] == "1.00"
    assert "Verifier.verify" in made.rows[-1][0]


def test_issuing_by_hand_is_proven_and_measured(monkeypatch):
    """Every row issues a token that PyJWT accepts, as long as ours, or the run would stop."""
    monkeypatch.setattr(issuing_steps, "QUICK_ROUNDS", 1)

    made = issuing_steps.tables(quick=True)

    assert [each.title.rpartition(" ")[-1] for each in made] == ["RS256", "ES256"]
    assert {each.rows[0][-1] for each in made} == {"0.0%"}


def test_who_hands_out_a_wrong_signature_stops_the_run():
    """A row that is said to check what came back does check it."""
    with pytest.raises(harness.Unfit, match="wrong signature"):
        issuing.prove_wary(lambda: None, "ES256", ValueError)


def test_a_process_tells_its_modules_and_another_imports_them(tmp_path):
    """What a step imports is what the whole process loads, and a lost module is an error."""
    script = tmp_path / "whole.py"
    script.write_text("import os, sys\nimport json\nprint(sys.argv[1:])\nos._exit(0)\n")

    told, loaded = _run("modules.py", str(script), "token").splitlines()

    assert told == "['token']"
    assert {"json", "json.decoder"} <= set(loaded.split())
    assert not {"os.path", "__main__"} & set(loaded.split())
    assert _run("imports.py", str(script), "token", modules=loaded) == f"{told}\n"
    with pytest.raises(subprocess.CalledProcessError):
        _run("imports.py", str(script), modules=f"{loaded} no.such.module")


def _run(script: str, *arguments: str, modules: str = "") -> str:
    return subprocess.run(
        [sys.executable, str(COLD / script), *arguments],
        env={**os.environ, "MODULES": modules},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
