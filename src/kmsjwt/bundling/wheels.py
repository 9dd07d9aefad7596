"""The wheels that run on the target, by the pip of the Python that runs this."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from kmsjwt.errors import ConfigError, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from kmsjwt.bundling.target import Target

_OF_THE_NETWORK = re.compile(
    r"ConnectTimeout|ConnectionError|ReadTimeout|Max retries|NewConnection"
)
_MINUTES = 10


def install(folder: Path, target: Target, *, requirements: Path | None, scratch: Path) -> None:
    """Fill a folder with what kmsjwt depends on.

    Without a file of requirements the versions are those installed here, with which a project's
    tests ran. With one, everything comes from it, and each of its lines must have a hash.

    Args:
        folder: where to put the packages.
        target: what they must run on.
        requirements: a locked file, as ``pip-compile --generate-hashes`` or ``uv pip compile
            --generate-hashes`` writes it.
        scratch: a folder for files in between.

    Raises:
        ConfigError: pip is missing, or there is no such wheel, or a hash is missing or wrong.
    """
    _require_pip()
    needed = own_requirements()
    if requirements is None:
        installed = _installed_versions()
        limits = [f"{name}=={version}" for name, version in installed.items()]
        what = [_pinned(line, installed) for line in needed]
    else:
        limits = needed
        what = ["--require-hashes", "-r", str(requirements)]
    constraints = scratch / "constraints.txt"
    constraints.write_text("".join(f"{line}\n" for line in limits), "utf-8")
    _pip("install", *_for(target), "--target", str(folder), "-c", str(constraints), *what)
    _require_all(needed, folder, requirements)


def copy_installed(folder: Path) -> None:
    """Put what kmsjwt depends on into a folder, as it is installed here, for this machine.

    Raises:
        ConfigError: something of it is not installed here as files that are known.
    """
    wanted, found = [_name(line) for line in own_requirements()], set[str]()
    while wanted:
        name = wanted.pop()
        if _plain(name) in found:
            continue
        found.add(_plain(name))
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # of a condition that does not hold here
        lines = distribution.requires or []
        wanted += [_name(line) for line in lines if "extra ==" not in line]
        for file in distribution.files or []:
            if file.suffix != ".pyc" and ".." not in file.parts:
                there = folder / file
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file.locate(), there)


def own_requirements() -> list[str]:
    """Return what kmsjwt depends on, without its extras: ``["cryptography>=49"]``.

    Raises:
        ConfigError: kmsjwt is not installed as a distribution.
    """
    try:
        lines = importlib.metadata.requires("kmsjwt") or []
    except importlib.metadata.PackageNotFoundError:
        raise ConfigError(
            "kmsjwt runs here without being installed, so what it depends on is not known",
            code="bundle_kmsjwt",
            fix="pip install kmsjwt, or pip install -e . in a clone",
        ) from None
    return [line for line in lines if "extra ==" not in line]


def _require_pip() -> None:
    if importlib.util.find_spec("pip") is None:
        raise ConfigError(
            f"pip is not in the Python that runs kmsjwt, {shown(sys.executable)}",
            code="bundle_pip",
            fix="python -m ensurepip, or uv pip install pip; then try again",
        )


def _installed_versions() -> dict[str, str]:
    found = {
        _plain(name): each.version
        for each in importlib.metadata.distributions()
        if (name := each.metadata["Name"]) and name != "kmsjwt"
    }
    # A version with a + was built locally: no wheel of it is to be had for another machine.
    return {name: version for name, version in sorted(found.items()) if "+" not in version}


def _pinned(line: str, installed: Mapping[str, str]) -> str:
    name = _plain(_name(line))
    return f"{name}=={installed[name]}" if name in installed else line


def _for(target: Target) -> Iterable[str]:
    yield from ("--only-binary=:all:", "--no-compile", "--implementation", "cp")
    yield from ("--python-version", target.python)
    for platform in target.platforms:
        yield from ("--platform", platform)


def _pip(*words: str) -> None:
    done = subprocess.run(  # noqa: S603  the words are ours and file names
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=_MINUTES * 60,
    )
    if done.returncode != 0:
        raise _failure(done.stderr, done.stdout)


def _failure(told: str, printed: str) -> ConfigError:
    lines = [line.removeprefix("ERROR: ") for line in told.splitlines() if "ERROR:" in line]
    lines += told.splitlines()[-1:] or ["nothing"]
    said = " ".join(lines[0].split())
    if _OF_THE_NETWORK.search(told):
        return ConfigError(
            f"pip could not reach the package index: {said}",
            code="bundle_wheels",
            fix="try again, or give pip an index or a folder of wheels (PIP_INDEX_URL,"
            " PIP_FIND_LINKS)",
            retryable=True,
        )
    if "hash" in told.lower():
        return ConfigError(
            f"pip took no wheel that is not as the requirements say: {said}",
            code="bundle_hashes",
            fix="lock them with hashes for all platforms, such as uv pip compile --universal"
            " --generate-hashes",
        )
    conflict = printed.partition("The conflict is caused by:")[2].strip().partition("\n\n")[0]
    why = ", ".join(line.strip() for line in conflict.splitlines())
    return ConfigError(
        f"pip found no wheels for this runtime: {said}{why and f' {why}'}",
        code="bundle_wheels",
        fix="choose versions that have wheels for it, by --requirements or by what is installed"
        " here; nothing is compiled",
    )


def _require_all(needed: list[str], folder: Path, requirements: Path | None) -> None:
    there = {
        _plain(each.metadata["Name"])
        for each in importlib.metadata.distributions(path=[str(folder)])
    }
    missing = [name for name in map(_name, needed) if _plain(name) not in there]
    if missing:
        raise ConfigError(
            f"{shown(str(requirements))} has no {', '.join(missing)}, which kmsjwt needs",
            code="bundle_requirements",
            fix=f"add {' '.join(needed)} and lock it with hashes",
        )


def _name(line: str) -> str:
    return re.split(r"[^\w.-]", line, maxsplit=1)[0]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
