"""Run the targets: ``python -m fuzz [--target NAME] [--seconds N | --executions N]``.

Each target runs in a process of its own. What comes of it stays in ``.fuzz``: ``corpus/NAME``,
``crashes/NAME-...``, and ``executions.json``, which adds up what libFuzzer says it executed, for
each state of the code under test.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

from fuzz import TARGETS

ROOT = Path(__file__).resolve().parent.parent
CODE = ROOT / "src" / "kmsjwt"
HOME = ROOT / ".fuzz"
TOTALS = HOME / "executions.json"
# libFuzzer's own counter, in its lines of progress and in its last word.
COUNTER = re.compile(r"(?:#|stat::number_of_executed_units: +)([0-9]+)\b")
FLAGS = ("-max_len=2048", "-timeout=5", "-print_final_stats=1", "-verbosity=1")


def main() -> int:
    """Run what was asked for; the exit code is 0 if nothing was found."""
    options = _options()
    clean = [_run(name, options) for name in options.target or TARGETS]
    print(_totals())
    return int(not all(clean))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Fuzz kmsjwt.")
    parser.add_argument("--target", action="append", choices=TARGETS, help="default: each")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--seconds", type=int, default=60, help="for each target; default: 60")
    budget.add_argument("--executions", type=int, help="for each target")
    return parser.parse_args()


def _run(name: str, options: argparse.Namespace) -> bool:
    """Fuzz one target, count what it executed, and tell whether nothing was found."""
    corpus, seeds, crashes = (HOME / kind / name for kind in ("corpus", "seeds", "crashes"))
    for folder in (corpus, seeds, crashes):
        folder.mkdir(parents=True, exist_ok=True)
    budget = f"-max_total_time={options.seconds}"
    if options.executions:
        budget = f"-runs={options.executions}"
    engine = [sys.executable, "-m", "fuzz.engine", name, str(seeds), *FLAGS, budget]
    known, code, started = set(crashes.iterdir()), _digest(), _processor_seconds()
    with subprocess.Popen(
        [*engine, f"-artifact_prefix={crashes}/", str(corpus), str(seeds)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        executed, told = _follow(process)
    _add(code, name, executed)
    spent = _processor_seconds() - started
    rate = f"{executed / spent:,.0f} a second of {spent:,.0f} s of processor time"
    print(f"{name:<12}{executed:>12,} executions, {rate}", flush=True)
    if process.returncode:
        print(told, f"{name} stopped early", sep="\n", flush=True)
    for file in sorted(set(crashes.iterdir()) - known):
        kept = f"tests/fuzz/regressions/{name}-WHAT_IT_SHOWS"
        print(f"to keep what was found: cp {file.relative_to(ROOT)} {kept}", flush=True)
    return process.returncode == 0


def _follow(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Return how many inputs were executed, and the last that was said of any length."""
    executed, lines = 0, [""]
    for line in process.stdout or ():
        counted = COUNTER.match(line)
        if counted:
            executed = max(executed, int(counted[1]))
        else:
            lines.append(line)
    return executed, "".join(lines[-60:])


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _digest() -> str:
    """Return what tells one state of the code under test from another."""
    digest = hashlib.sha256()
    for file in sorted(CODE.rglob("*.py")):
        digest.update(f"{file.relative_to(CODE)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def _add(code: str, name: str, executed: int) -> None:
    with TOTALS.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        counts = json.loads(file.read() or "{}")
        of_code = counts.setdefault(code, {})
        of_code[name] = of_code.get(name, 0) + executed
        file.truncate(0)
        file.write(json.dumps(counts, indent=1) + "\n")


def _totals() -> str:
    counts = json.loads(TOTALS.read_text(encoding="utf-8"))
    now = counts.get(_digest(), {})
    lines = [f"{'in all':<12}{'executions':>14}{'on this code':>14}"]
    for name in TARGETS:
        ever = sum(of_code.get(name, 0) for of_code in counts.values())
        lines.append(f"{name:<12}{ever:>14,}{now.get(name, 0):>14,}")
    ever = sum(sum(of_code.values()) for of_code in counts.values())
    lines.append(f"{'sum':<12}{ever:>14,}{sum(now.values()):>14,}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
