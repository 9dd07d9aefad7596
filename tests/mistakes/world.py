"""A house where everything works, for one mistake at a time to be made in it."""

from __future__ import annotations

import json
import time
from socket import create_server
from threading import Thread
from typing import TYPE_CHECKING, Any

from tests.kms.support import b64, make_key, unb64

from kmsjwt import Issuer, Verifier
from kmsjwt.gateway import Authorizer
from kmsjwt.kms import KmsKeys, KmsSigner
from kmsjwt.local import LocalKms
from kmsjwt.testing import events

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

ISS, AUD, REGION = "https://id.example", "orders", "eu-central-1"
MISSING = "1234abcd-12ab-34cd-56ef-1234567890ab"


class World:
    """One key, its issuer, its verifier, its authorizer, and all they log."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, kms: LocalKms | None = None
    ) -> None:
        self.folder = folder
        self.monkeypatch = monkeypatch
        self.kms = LocalKms(region=REGION) if kms is None else kms
        self.arn = make_key(self.kms, "ECC_NIST_P256")
        self.signer = KmsSigner(self.arn, client=self.kms)
        self.issuer = Issuer(ISS, self.signer)
        self.keys = KmsKeys(self.arn, client=self.kms)
        self.token = self.issue()
        self.logged: list[str] = []
        self.seen = [self.token]

    def issue(self, **options: Any) -> str:
        return self.issuer.issue(**{"sub": "ala", "aud": AUD, **options}).token

    def verifier(self, **options: Any) -> Verifier:
        keys = options.pop("keys", self.keys)
        return Verifier(keys, **{"issuer": ISS, "audience": AUD, **options})

    def verify(self, token: object, **options: Any) -> object:
        if isinstance(token, str):
            self.seen.append(token)
        return self.verifier(**options).verify(token)

    def forge(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Return a token of this key with any header and claims."""
        key = self.signer.current()
        head = {"alg": "ES256", "kid": key.kid, "typ": "JWT", **(header or {})}
        now = int(time.time())
        body = {"iss": ISS, "aud": AUD, "sub": "ala", "iat": now, "exp": now + 600, **claims}
        signed = ".".join(b64(json.dumps(part).encode()) for part in (head, body))
        return f"{signed}.{b64(key.sign(signed.encode()).value)}"

    def with_signature(self, text: str) -> str:
        return f"{self.token.rpartition('.')[0]}.{text}"

    @property
    def signature(self) -> bytes:
        return unb64(self.token.rpartition(".")[2])

    def log(self, level: str, event: str, **fields: object) -> None:
        self.logged.append(json.dumps([level, event, fields], default=str))

    def knock(self, authorization: str | None = None, event: Any = None, **options: Any) -> object:
        """Ask the authorizer, by a REST TOKEN event unless told otherwise."""
        authorizer = Authorizer(self.verifier(), log=self.log, **options)
        if event is None:
            event = events.rest_token("GET", "/orders/42", authorization=str(authorization))
        return authorizer(event)

    def file(self, content: str, name: str = "jwks.json") -> str:
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        return str(path)

    def serve(self, status: str, body: str) -> str:
        """Answer one request on loopback; return its URL."""
        listening = create_server(("127.0.0.1", 0))

        def answer() -> None:
            with listening:
                connection, _ = listening.accept()
                with connection:
                    connection.recv(65_536)
                    head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n\r\n"
                    connection.sendall((head + body).encode())

        Thread(target=answer, daemon=True).start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}/jwks.json"

    def secrets(self) -> set[str]:
        """Return what must stand in no message: pieces of every token that was about."""
        found = set()
        for token in self.seen:
            for segment in token.split(".")[1:]:
                found |= {segment[i : i + 16] for i in range(0, min(len(segment), 400) - 16, 16)}
        return found
