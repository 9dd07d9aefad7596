"""The handbook's page of figures: the machine, the method, the targets, every table."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.table import Table, Target, target_table
from cryptography.hazmat.backends.openssl import backend

ROOT = Path(__file__).parent.parent
PACKAGES = (
    "cryptography",
    "PyJWT",
    "joserfc",
    "Authlib",
    "python-jose",
    "jwcrypto",
    "oxyjwt",
    "boto3",
    "uvicorn",
)

INTRODUCTION = """\
# Benchmarks

For those who ask what a check costs, and those who change the code and want to know whether it \
still costs that. `make bench` measures all of it and writes this page.

The figures were measured on the one machine described here and nowhere else; none is taken from \
elsewhere, none is from AWS. Ratios carry over to other machines better than microseconds do, \
those over the bare check the least.
"""

METHOD = """\
## Method

- **Same work.** Access tokens of 600 to 900 bytes with twelve claims (`iss`, `aud`, `sub`, \
`client_id`, `scope`, `jti`, `iat`, `nbf`, `exp`, `tenant`, `roles`, `token_use`), 128 different \
ones in turn, so that no memory of a token helps. Every library reads its key beforehand and is \
set up as strictly as it can be. The bare check is \
`cryptography`'s own, with signing input and signature ready and no claim looked at. Ed25519 is \
measured under the name that the peers know, `EdDSA`.
- **Nobody cheats.** Each contender first accepts the good tokens and then refuses a changed \
signature, a changed payload, a wrong `aud`, a wrong `iss`, a past `exp`, a missing `exp` and a \
future `nbf`; else the whole run stops. What a library leaves unchecked beyond that, a future \
`iat` or a foreign `typ`, stands in its row; kmsjwt checks both.
- **Same weather.** In Python all contenders of a table take short turns in random order, round \
after round, and CPU time is counted: a busy machine is as unfair to one as to another. Against \
Node it is wall time, whole blocks of ours and theirs by turns.
- **Medians.** A figure is the median over the rounds, where its table says nothing else; a ratio \
is the median of the ratios inside each round or pair, so it need not be the quotient of two \
figures.
"""

QUICK = """
> Written by a quick run of few rounds: a look, not a measurement.
"""


def page(tables: list[Table], targets: list[Target], *, quick: bool) -> str:
    """Return the page in Markdown."""
    parts = [
        INTRODUCTION + (QUICK if quick else ""),
        _section("## Targets", target_table(targets).markdown().partition("\n\n")[2]),
        METHOD,
        _section("## Machine", _machine().markdown().partition("\n\n")[2]),
        "## Figures\n",
        *(table.markdown() + "\n" for table in tables),
    ]
    return "\n".join(parts)


def _section(head: str, body: str) -> str:
    return f"{head}\n\n{body}\n"


def _machine() -> Table:
    rows = [
        ("processor", _processor()),
        ("processors seen", str(os.cpu_count())),
        ("system", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("OpenSSL of cryptography", backend.openssl_version_text()),
        ("Python packages", ", ".join(_python_versions())),
        ("Node packages", ", ".join(_node_versions()) or "not installed"),
        ("measured on", dt.datetime.now(dt.UTC).date().isoformat()),
        ("commit", _commit()),
    ]
    return Table("Machine", "", ("what", "value"), [*rows])


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    told = cpuinfo.read_text() if cpuinfo.exists() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", told, re.MULTILINE)
    return found[1] if found else platform.processor() or "unknown"


def _python_versions() -> list[str]:
    return [f"{name} {found}" for name in PACKAGES if (found := _version(name))]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _node_versions() -> list[str]:
    folder = ROOT / "tests/js/node_modules"
    names = ("aws-jwt-verify", "fast-jwt", "jose")
    manifests = [folder / name / "package.json" for name in names]
    return [
        f"{name} {json.loads(manifest.read_text())['version']}"
        for name, manifest in zip(names, manifests, strict=True)
        if manifest.exists()
    ]


def _commit() -> str:
    """Return the commit, and whether the code that was measured differs from it."""
    head = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--", "src", "benchmarks")
    return f"{head}, with changes" if changed else head or "unknown"


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
