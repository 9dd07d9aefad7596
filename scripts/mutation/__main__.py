"""Take each security check out in turn, and see some test go red."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scripts.mutation import campaign, forks, page, sites, survivors
from scripts.mutation.kept import Kept

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name("survivors.toml")
PAGE = Path("docs/reference/mutation-check.md")
ROOMS = (".", "gateway", "jwks", "kms", "kms/ring", "rotation", "rules", "web")
ALONE = (
    "authority.adopt",
    "authority.delete",
    "authority.making",
    "authority.taking",
    "authority.unnamed",
    "authority.withdrawing",
    "handlers._authorizer_settings",
    "handlers._callers",
    "handlers._cloudformation",
    "handlers._durations",
    "handlers._environment",
    "handlers._issue_settings",
    "handlers._key_settings",
    "handlers._recipe_settings",
    "handlers._rotate_settings",
    "handlers._sources",
    "handlers.issue",
    "handlers.recipe",
    "handlers.rotate",
    "publish.merge",
    "publish.readback",
    "publish.settle",
)
"""Modules that are examined though the rest of their room is not."""

LEFT_OUT = {
    "__main__": "it starts the command line",
    "authority": "but for what is in the table: `rotate` does what `rotation` decides, and the"
    " crash matrix runs it with each call failing; the rest writes policies and reports for people",
    "aws": "it makes clients and words AWS's errors; what a wrong one leads to is examined above",
    "bundling": "it packs files before anything runs",
    "cdk": "it describes a stack before anything runs",
    "cli": "it takes words from people and shows them answers",
    "deploy": "it describes a stack before anything runs",
    "errors": "it holds the words of refusals and refuses nothing",
    "handlers": "but for what is in the table, it takes Lambda's events to what is examined, and"
    " its answers back",
    "kms.ring.names": "it spells two aliases and refuses nothing",
    "local": "it is a stand-in",
    "publish": "but for what is in the table, it carries bytes to and from where they are kept",
    "rotation.forecast": "it tells people what is to come, and nothing acts on it",
    "testing": "it is a stand-in",
}
"""Modules and rooms that are not examined, and why."""

TESTS = (
    "core",
    "rules",
    "web",
    "vectors",
    "gateway",
    "jwks",
    "kms",
    "kms_ring",
    "rotation",
    "publish",
    "authority",
    "recipe",
    "handlers",
    "mistakes",
)
"""The rooms of tests that are to notice. The others test stand-ins, pages and the terminal."""

_ONLY = {
    "authority": (
        "test_authority_adopt.py",
        "test_authority_compat_reading.py",  # it reads by way of `publish.readback`
        "test_authority_delete.py",
        "test_authority_delete_checks.py",
        "test_authority_finding_checks.py",
        "test_authority_made_checks.py",
        "test_authority_taking_checks.py",
        "test_authority_withdrawal.py",
        "test_authority_withdrawal_checks.py",
    ),
    "rotation": (
        "test_rotation_adopted_late.py",
        "test_rotation_first_key.py",
        "test_rotation_nothing_lost.py",
        "test_rotation_outages.py",
        "test_rotation_plan.py",
        "test_rotation_plan_anything.py",
        "test_rotation_late_views.py",
        "test_rotation_emergencies.py",
        "test_rotation_nothing_jams.py",
        "test_rotation_unread_keys.py",
        "test_rotation_withdrawn.py",
    ),
}
"""Rooms of which some files alone are asked: the others take minutes, or test other things."""

_NEEDS_MORE = ("test_recipe_javascript.py",)  # Node's modules, which the copies do not have


def main() -> int:
    """Run the check; 0 if every survivor is explained and every explanation needed."""
    options = _options()
    root = options.root.resolve()
    known = survivors.read(LIST)
    every = all_mutants(root, known)
    chosen = _chosen(every, options, root)
    if options.page and (len(chosen) < len(every) or options.quick or options.lenient):
        raise SystemExit("--page goes with a whole run")
    if options.list:
        print(*(mutant.id for mutant in chosen), sep="\n")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that all forks are
    forks.preload()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        workers = [forks.Worker(root, Path(folder) / f"copy{n}") for n in range(options.jobs)]
        sources = _sources(workers[0].home)
        kept = Kept(ROOT / ".mutation" / "noticed.jsonl", workers[0].home, sources)
        before = [] if options.afresh else [v for v in map(kept.of, chosen) if v is not None]
        known_already = {verdict.mutant.id for verdict in before}
        passages = campaign.Passages(
            campaign.recorded(
                workers, _test_files(root), ROOT / ".mutation", lenient=options.lenient
            )
        )
        explained = {} if options.thorough else known.reasons
        left = [mutant for mutant in chosen if mutant.id not in known_already]
        progress = _Progress(len(left), kept, verbose=options.verbose)
        verdicts = before + campaign.judged(
            left,
            workers,
            passages,
            sources,
            progress.tell,
            quick={each.id for each in chosen if options.quick or each.id in explained},
        )
    took = time.monotonic() - started
    return _conclude(verdicts, every, known, took, options)


def all_mutants(root: Path, known: survivors.Known) -> list[sites.Mutant]:
    """Return every mutant of a checkout."""
    errors = sites.error_classes((root / "src/kmsjwt/errors.py").read_text("utf-8"))
    return [
        mutant
        for module, source in _sources(root).items()
        for mutant in sites.mutants(
            source,
            module,
            errors=sites.error_classes(source, errors),
            wording=frozenset(known.wording),
        )
    ]


def modules(root: Path) -> list[str]:
    """Return whose checks are taken out: all that a token, a key or a caller passes.

    Raises:
        SystemExit: a module is neither examined nor left out for a reason.
    """
    every = _modules_in(root, "**/*.py")
    of_rooms = [name for room in ROOMS for name in _modules_in(root, f"{room}/*.py")]
    found = [*(name for name in of_rooms if not _is_left_out(name)), *ALONE]
    forgotten = [name for name in every if name not in found and not _is_left_out(name)]
    if forgotten:
        raise SystemExit(f"neither examined nor left out with a reason: {', '.join(forgotten)}")
    return found


def _modules_in(root: Path, pattern: str) -> list[str]:
    package = root / "src/kmsjwt"
    return [
        ".".join(path.relative_to(package).with_suffix("").parts)
        for path in sorted(package.glob(pattern))
        if path.name != "__init__.py"
    ]


def _is_left_out(module: str) -> bool:
    return any(f"{module}.".startswith(f"{name}.") for name in LEFT_OUT)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.mutation", description=__doc__)
    parser.add_argument("--module", action="append", help="only this module, such as jwks.urls")
    parser.add_argument(
        "--only", action="append", help="only this mutant; a part of its id will do"
    )
    parser.add_argument("--again", type=Path, help="only survivors of the run in this --json file")
    parser.add_argument("--changed", action="store_true", help="only modules changed since HEAD")
    parser.add_argument("--list", action="store_true", help="name the mutants and try none")
    parser.add_argument("--page", action="store_true", help="write the docs page (a whole run)")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    parser.add_argument("--quick", action="store_true", help="few tests for each: to find suspects")
    parser.add_argument("--lenient", action="store_true", help="leave out tests that fail anyway")
    parser.add_argument(
        "--thorough", action="store_true", help="every test for mutants explained already, too"
    )
    parser.add_argument(
        "--afresh", action="store_true", help="keep no verdict of an earlier run on the same code"
    )
    parser.add_argument("--verbose", action="store_true", help="tell which test noticed each")
    parser.add_argument("--json", type=Path, help="write every verdict to this file")
    parser.add_argument("--root", type=Path, default=ROOT, help="another checkout to examine")
    return parser.parse_args()


def _chosen(
    every: list[sites.Mutant], options: argparse.Namespace, root: Path
) -> list[sites.Mutant]:
    examined = set(modules(root))
    chosen = set(options.module or examined)
    unknown = chosen - examined
    if unknown:
        raise SystemExit(f"not examined: {', '.join(sorted(unknown))}")
    if options.changed:
        chosen &= _changed(root)
    if options.again:
        alive = {
            row[0] for row in json.loads(options.again.read_text("utf-8")) if row[1] != "killed"
        }
        every = [mutant for mutant in every if mutant.id in alive]
    return [
        mutant
        for mutant in every
        if mutant.module in chosen
        and (not options.only or any(part in mutant.id for part in options.only))
    ]


def _changed(root: Path) -> set[str]:
    command = ["git", "diff", "--name-only", "HEAD", "--", "src/kmsjwt"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return {
        path.removeprefix("src/kmsjwt/").removesuffix(".py").replace("/", ".")
        for path in done.stdout.split()
    }


def _sources(root: Path) -> dict[str, str]:
    package = root / "src/kmsjwt"
    return {
        module: (package / f"{module.replace('.', '/')}.py").read_text("utf-8")
        for module in modules(root)
    }


def _test_files(root: Path) -> list[str]:
    rooms = [
        path
        for room in TESTS
        for path in sorted((root / "tests" / room).glob("test_*.py"))
        if path.name in _ONLY.get(room, (path.name,))
    ]
    rooms.append(root / "tests/test_key_names.py")
    return [str(path.relative_to(root)) for path in rooms if path.name not in _NEEDS_MORE]


class _Progress:
    """One line that counts, and a line for each survivor."""

    def __init__(self, total: int, kept: Kept, *, verbose: bool) -> None:
        self._total, self._kept, self._verbose = total, kept, verbose
        self._done = 0

    def tell(self, verdict: campaign.Verdict) -> None:
        self._done += 1
        self._kept.add(verdict)
        if self._verbose or verdict.outcome != "killed":
            head = f"[{self._done}/{self._total}] {verdict.outcome}, {verdict.seconds:.1f} s"
            print(f"{head}: {verdict.mutant.id} {verdict.by}".rstrip(), flush=True)


def _conclude(
    verdicts: list[campaign.Verdict],
    every: list[sites.Mutant],
    known: survivors.Known,
    took: float,
    options: argparse.Namespace,
) -> int:
    if options.json:
        rows = [[v.mutant.id, v.outcome, v.by, round(v.seconds, 2)] for v in verdicts]
        options.json.write_text(json.dumps(rows, indent=0, ensure_ascii=False))
    alive = {verdict.mutant.id: verdict.alive for verdict in verdicts}
    wrong = [
        f"the machinery failed: {v.mutant.id}: {v.by}" for v in verdicts if v.outcome == "wrong"
    ]
    faults = wrong + survivors.complaints(known, [mutant.id for mutant in every], alive)
    print(*page.table(verdicts), sep="\n")
    print(f"{took:.0f} seconds now, {options.jobs} at a time")
    if options.page:
        (options.root / PAGE).write_text(
            page.written(verdicts, known, rooms=TESTS, left_out=LEFT_OUT),
            "utf-8",
        )
    print(*faults, sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
