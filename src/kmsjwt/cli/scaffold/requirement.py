"""How a project names the kmsjwt that wrote it, so that it can be installed again."""

from __future__ import annotations

import importlib.metadata
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "kmsjwt"


def installed() -> tuple[str, str | None]:
    """Return the version that runs, and what its installer wrote of where it came from.

    That is the text of ``direct_url.json`` (PyPA, "Recording the Direct URL Origin"); None where
    it came from an index.
    """
    distribution = importlib.metadata.distribution(NAME)
    return distribution.version, distribution.read_text("direct_url.json")


def requirement(extras: str, version: str, direct_url: str | None) -> str:
    """Return the requirement, for a line of ``requirements.txt``.

    Args:
        extras: such as ``aws,cdk``.
        version: the version that runs.
        direct_url: the text of its ``direct_url.json``, if it has one.
    """
    place = origin(direct_url)
    return f"{NAME}[{extras}] @ {place}" if place else f"{NAME}[{extras}]=={version}"


def origin(direct_url: str | None) -> str | None:
    """Return what it was installed from, as pip takes it; None for an index."""
    if direct_url is None:
        return None
    told: Mapping[str, Any] = json.loads(direct_url)
    url, part = str(told["url"]), told.get("subdirectory")
    if "vcs_info" in told:
        version_control = told["vcs_info"]
        url = f"{version_control['vcs']}+{url}@{version_control['commit_id']}"
    fragment = f"subdirectory={part}" if part else _hash(told.get("archive_info") or {})
    return f"{url}#{fragment}" if fragment else url


def _hash(archive: Mapping[str, Any]) -> str:
    digest = (archive.get("hashes") or {}).get("sha256")
    return f"sha256={digest}" if digest else ""
