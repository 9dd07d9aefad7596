"""A part of one processor: what Lambda gives a function of little memory.

The Linux kernel shares out CPU time by control groups. One is made here, if this process may, in
either of the two ways in which systems lay them out.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path("/sys/fs/cgroup")
_PERIOD = 20_000
"""Microseconds after which a group that has used up its part may go on."""


class NoShare(Exception):
    """No control group can be made by this process."""


@contextlib.contextmanager
def cpu_share(process: int, share: float) -> Iterator[None]:
    """Hold a process, and all that it starts meanwhile, to a part of one processor.

    Raises:
        NoShare: it cannot be.
    """
    version_2 = (_ROOT / "cgroup.controllers").exists()
    parent = _ROOT if version_2 else _ROOT / "cpu"
    group = parent / f"kmsjwt-benchmark-{os.getpid()}"
    quota = round(_PERIOD * share)
    try:
        group.mkdir()
        if version_2:
            (group / "cpu.max").write_text(f"{quota} {_PERIOD}")
        else:
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        (group / "cgroup.procs").write_text(str(process))
    except OSError as error:
        with contextlib.suppress(OSError):
            group.rmdir()
        raise NoShare(f"{group}: {error.strerror}") from error
    try:
        yield
    finally:
        (parent / "cgroup.procs").write_text(str(process))
        group.rmdir()
