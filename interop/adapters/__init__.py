"""Libraries of other languages, each behind a small program that answers lines of JSON.

A question is one line on stdin, its answer one line on stdout:

- ``{"op": "about"}`` → ``{"ok": true, "runtime": version, "libraries": {name: version}}``
- ``{"op": "verify", "library", "alg", "token", "jwk", "pem", "issuer", "audience"}`` with the
  public key as JWK and as SPKI PEM → ``{"ok": true, "claims": {…}}``
- ``{"op": "sign", "library", "alg", "claims", "kid", "jwk", "pem"}`` with the private key as JWK
  and as PKCS #8 PEM → ``{"ok": true, "token": "…"}``
- whatever a library refuses or cannot do → ``{"ok": false, "error": what it says}``

A program knows nothing of kmsjwt, and decides nothing: it hands on what the library says.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path


class Missing(Exception):
    """A runtime or its libraries are not on this machine."""


class Adapter:
    """A running adapter program. A context manager: it ends with the block."""

    def __init__(self, command: list[str], folder: Path) -> None:
        """Start the program and ask what it is.

        Args:
            command: the program and its arguments.
            folder: where it runs.

        Raises:
            Missing: it does not start, mostly for want of a library.
        """
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  closed with the program
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            encoding="utf-8",
        )
        try:
            about = self.ask(op="about")
        except Missing:
            self.close()
            raise
        self.runtime: str = about["runtime"]
        self.libraries: dict[str, str] = about["libraries"]

    def ask(self, **question: Any) -> dict[str, Any]:
        """Return the answer to one question.

        Raises:
            Missing: the program has ended instead of answering.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise Missing("it has no pipes")
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise Missing(self._last_words())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the program."""
        self._process.communicate()
        self._said.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _last_words(self) -> str:
        self._process.wait(timeout=10)
        self._said.seek(0)
        lines = self._said.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else f"it ended with exit code {self._process.returncode}"
