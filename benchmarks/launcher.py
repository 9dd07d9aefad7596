"""Starts measured processes from a process so small that its own memory does not show.

A child's peak memory (``ru_maxrss``) counts what it shared with its parent before ``exec``. Run as
``python -I -S launcher.py`` this parent is smaller than any interpreter it measures. One request a
line, its parts separated by NUL: the file for what the process prints, how many arguments, the
arguments, and ``NAME=value`` for each variable. One answer a line: exit status, CPU seconds, wall
seconds, peak memory in KiB.
"""

import os
import signal
import sys
from time import perf_counter

_LONGEST = 60  # seconds; a process that hangs is ended by SIGALRM, which outlives exec


def _run(printed: str, arguments: list[str], variables: list[str]) -> str:
    begun = perf_counter()
    child = os.fork()
    if child == 0:
        _become(printed, arguments, dict(variable.split("=", 1) for variable in variables))
    _, status, used = os.wait4(child, 0)
    wall = perf_counter() - begun
    cpu = used.ru_utime + used.ru_stime
    return f"{os.waitstatus_to_exitcode(status)} {cpu} {wall} {used.ru_maxrss}"


def _become(printed: str, arguments: list[str], environment: dict[str, str]) -> None:
    try:
        output = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        signal.alarm(_LONGEST)
        os.execve(arguments[0], arguments, environment)
    finally:
        os._exit(127)


for line in sys.stdin:
    where, count, *parts = line.rstrip("\n").split("\0")
    sys.stdout.write(_run(where, parts[: int(count)], parts[int(count) :]) + "\n")
    sys.stdout.flush()
