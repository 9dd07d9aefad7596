"""P-256 Sign over HTTP: the local KMS beside ministack, the quickest other stand-in.

    python benchmarks/local_kms.py [--ministack FOLDER-OF-ITS-VENV] [--rounds 20] [--signs 50]

Both servers run at the same time, and the same boto3 client code asks them by turns, so that a
busy machine is as unfair to one as to the other. Without ministack it measures ours alone. Ours is
also measured without the network.
"""

from __future__ import annotations

import argparse
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

from kmsjwt.local import LocalKms

OURS = """
from kmsjwt.local import LocalKms
from kmsjwt.local.http import serve
import sys
serve(LocalKms(), port=int(sys.argv[1]))
"""
Signer = Callable[[], Any]


def main() -> int:
    """Measure and print a table; 1 if ours is the slower one."""
    options = _options()
    with contextlib.ExitStack() as stack:
        signers: dict[str, Signer] = {}
        port = _free_port()
        ours = [sys.executable, "-c", OURS, str(port)]
        stack.enter_context(_server(ours, port, {}))
        signers["kmsjwt over HTTP"] = _signer(_client(port))
        ministack = _ministack(options.ministack)
        if ministack:
            port = _free_port()
            env = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)}
            stack.enter_context(_server([str(ministack)], port, env))
            signers["ministack over HTTP"] = _signer(_client(port))
        kms = LocalKms()
        signers["kmsjwt, boto3 in process"] = _signer(kms.attach(_client(port)))
        signers["kmsjwt, LocalKms itself"] = _signer(kms)
        medians = _measure(signers, options.rounds, options.signs)
    return _report(medians)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ministack", type=Path, help="the folder of its virtual environment")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--signs", type=int, default=50, help="signatures a round")
    return parser.parse_args()


def _ministack(folder: Path | None) -> Path | None:
    if folder is not None:
        return folder.resolve() / "bin" / "ministack"
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


def _measure(signers: dict[str, Signer], rounds: int, signs: int) -> dict[str, float]:
    """Return the median of each in milliseconds, all of them asked by turns."""
    times: dict[str, list[float]] = {name: [] for name in signers}
    for _ in range(rounds):
        for name, sign in signers.items():
            sign()  # wakes the connection up
            for _ in range(signs):
                begun = time.perf_counter()
                sign()
                times[name].append((time.perf_counter() - begun) * 1000)
    return {name: statistics.median(taken) for name, taken in times.items()}


def _report(medians: dict[str, float]) -> int:
    print(f"{'P-256 Sign, median':28} {'ms':>7}")
    for name, median in medians.items():
        print(f"{name:28} {median:7.3f}")
    theirs = medians.get("ministack over HTTP")
    if theirs is None:
        print("ministack is not here: name the folder of its virtual environment with --ministack")
        return 0
    ratio = medians["kmsjwt over HTTP"] / theirs
    print(f"{'ours / ministack':28} {ratio:7.2f}")
    return int(ratio > 1)


if __name__ == "__main__":
    raise SystemExit(main())
