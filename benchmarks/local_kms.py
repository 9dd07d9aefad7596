"""P-256 Sign over HTTP: the local KMS beside ministack, the quickest other stand-in.

Both servers run at the same time, and the same boto3 client code asks them by turns, so that a
busy machine is as unfair to one as to the other. Without ministack it measures ours alone. Ours is
also measured without the network.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3  # noqa: TID251 - a client as a user has one
from benchmarks.harness import Timings
from benchmarks.table import Table, Target

from kmsjwt.local import LocalKms

OURS = "kmsjwt over HTTP"
MINISTACK = "ministack over HTTP"
ITS_ENVIRONMENT = Path(__file__).parent.parent / ".venv-bench"
SERVE = """
from kmsjwt.local import LocalKms
from kmsjwt.local.http import serve
import sys
serve(LocalKms(), port=int(sys.argv[1]))
"""
NOTE = (
    "ms of wall time for one Sign by boto3, the median of {signs} in each of {rounds} rounds, "
    "all by turns."
)
Signer = Callable[[], Any]


def tables(quick: bool) -> list[Table]:
    """Return one table; its target is to be no slower than the peer."""
    rounds, signs = (3, 20) if quick else (20, 50)
    with contextlib.ExitStack() as stack:
        timings = _measure(_signers(stack), rounds, signs)
    return [_table(timings, NOTE.format(rounds=rounds, signs=signs))]


def _signers(stack: contextlib.ExitStack) -> dict[str, Signer]:
    signers: dict[str, Signer] = {}
    port = _free_port()
    stack.enter_context(_server([sys.executable, "-c", SERVE, str(port)], port, {}))
    signers[OURS] = _signer(_client(port))
    ministack = _ministack()
    if ministack:
        port = _free_port()
        env = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)}
        stack.enter_context(_server([str(ministack)], port, env))
        signers[MINISTACK] = _signer(_client(port))
    kms = LocalKms()
    signers["kmsjwt, boto3 in process"] = _signer(kms.attach(_client(port)))
    signers["kmsjwt, LocalKms itself"] = _signer(kms)
    return signers


def _ministack() -> Path | None:
    installed = ITS_ENVIRONMENT / "bin" / "ministack"
    if installed.exists():
        return installed
    found = shutil.which("ministack")
    return Path(found) if found else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _server(command: list[str], port: int, env: dict[str, str]) -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            command,
            env={**os.environ, **env},
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(port)
            yield
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port} after {seconds} s")


def _client(port: int) -> Any:
    return boto3.client(
        "kms",
        region_name="eu-central-1",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )


def _signer(client: Any) -> Signer:
    made = client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    key = made["KeyMetadata"]["KeyId"]

    def sign() -> Any:
        return client.sign(KeyId=key, Message=b"m" * 300, SigningAlgorithm="ECDSA_SHA_256")

    return sign


def _measure(signers: dict[str, Signer], rounds: int, signs: int) -> Timings:
    """Return the milliseconds of each, all of them asked by turns."""
    taken: dict[str, list[float]] = {name: [] for name in signers}
    for _ in range(rounds):
        for name, sign in signers.items():
            sign()  # wakes the connection up
            times = []
            for _ in range(signs):
                begun = time.perf_counter()
                sign()
                times.append((time.perf_counter() - begun) * 1000)
            taken[name].append(statistics.median(times))
    return Timings(taken)


def _table(timings: Timings, note: str) -> Table:
    there = MINISTACK in timings.by_name
    return Table(
        title="P-256 Sign by the local KMS",
        note=note if there else f"{note} ministack is not here.",
        columns=("who", "ms", "/ ministack"),
        rows=[_row(name, timings, there=there) for name in timings.by_name],
        targets=[
            Target(
                figure=f"P-256 Sign: {OURS} / {MINISTACK}",
                limit=1,
                measured=timings.ratio(OURS, MINISTACK) if there else None,
                reason="" if there else "ministack is not installed",
            )
        ],
    )


def _row(name: str, timings: Timings, *, there: bool) -> tuple[str, ...]:
    ratio = f"{timings.ratio(name, MINISTACK):.2f}" if there else "-"
    return name, f"{timings.median(name):.3f}", ratio
