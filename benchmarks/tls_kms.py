"""The local KMS over HTTP and TLS in a process of its own, so that its CPU time is not counted.

Its certificate is a leaf below an intermediate below a root, RSA 2048 each, as AWS's endpoints
have it. All of them are made anew for each run and thrown away with its folder.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import json
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate

REGION = "eu-central-1"
JWKS = "/jwks.json"
"""Where the RS256 key is published as well."""
SPECS = {
    "RS256": "RSA_2048",
    "PS256": "RSA_2048",
    "ES256": "ECC_NIST_P256",
    "ES384": "ECC_NIST_P384",
    "EdDSA": "ECC_NIST_EDWARDS25519",
    "ML-DSA-44": "ML_DSA_44",
}
"""The key that is there for each algorithm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kms:
    """A KMS at work.

    Attributes:
        http: Its endpoint without TLS.
        https: Its endpoint with TLS.
        authorities: The file of the certificate authorities: botocore's own and the test's.
        arns: The ARN of a key for each algorithm of `SPECS`.
    """

    http: str
    https: str
    authorities: Path
    arns: dict[str, str]

    def environment(self, *, tls: bool) -> dict[str, str]:
        """Return the variables with which any AWS SDK asks this KMS."""
        return {
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL_KMS": self.https if tls else self.http,
            **({"AWS_CA_BUNDLE": str(self.authorities)} if tls else {}),
        }

    def client(self) -> Any:
        """Return a boto3 client that asks it without TLS."""
        import boto3  # noqa: TID251 - a client as a user has one

        return boto3.client(
            "kms",
            region_name=REGION,
            endpoint_url=self.http,
            aws_access_key_id="any",
            aws_secret_access_key="any",
        )


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Kms]:
    """Serve as long as the block lasts. ``folder`` holds the certificates."""
    authorities = _write_certificates(folder)
    process = subprocess.Popen(
        [sys.executable, __file__, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        told = json.loads(process.stdout.readline() or "null")
        if told is None:
            raise SystemExit("the local KMS did not start")
        yield Kms(authorities=authorities, **told)
    finally:
        process.stdin.close()  # which ends it
        process.wait(20)
        process.stdout.close()


def _write_certificates(folder: Path) -> Path:
    import botocore  # noqa: TID251 - its certificate authorities are what users load
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    root_key, middle_key, leaf_key = (rsa.generate_private_key(65537, 2048) for _ in range(3))
    root = _certificate("benchmark root", root_key, None, root_key)
    middle = _certificate("benchmark intermediate", middle_key, root, root_key)
    leaf = _certificate("127.0.0.1", leaf_key, middle, middle_key, leaf=True)
    chain = b"".join(each.public_bytes(Encoding.PEM) for each in (leaf, middle))
    (folder / "chain.pem").write_bytes(chain)
    (folder / "key.pem").write_bytes(
        leaf_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    authorities = folder / "authorities.pem"
    from pathlib import Path

    known = Path(botocore.__file__).with_name("cacert.pem").read_bytes()
    authorities.write_bytes(known + b"\n" + root.public_bytes(Encoding.PEM))
    return authorities


def _certificate(
    name: str,
    key: RSAPrivateKey,
    issuer: Certificate | None,
    issuer_key: RSAPrivateKey,
    *,
    leaf: bool = False,
) -> Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import NameOID

    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=not leaf, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if leaf:
        here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = builder.add_extension(x509.SubjectAlternativeName([here]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _serve(folder: str) -> None:
    """Serve until standard input ends, which it does when the one who started this is gone."""
    from kmsjwt.local import LocalKms
    from kmsjwt.local.http import application, running

    kms = LocalKms(region=REGION)
    arns = {
        alg: kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
        for alg, spec in SPECS.items()
    }
    app = application(kms, mounts={JWKS: _published(kms, arns["RS256"])})
    with running(kms) as plain, _tls(app, folder) as https:
        told = {"http": plain.endpoint_url, "https": https, "arns": arns}
        print(json.dumps(told), flush=True)
        sys.stdin.read()


def _published(kms: Any, arn: str) -> Any:
    """Return an ASGI application that answers with the key set."""
    from kmsjwt.jwks import jwks_document
    from kmsjwt.kms import KmsKeys

    body = json.dumps(jwks_document(KmsKeys(arn, client=kms).key_set())).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]

    async def answer(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer


@contextlib.contextmanager
def _tls(app: Any, folder: str) -> Iterator[str]:
    import uvicorn

    # asyncio turns Nagle's algorithm off only where the protocol is spelled out.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    with contextlib.closing(listener):
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                ssl_certfile=f"{folder}/chain.pem",
                ssl_keyfile=f"{folder}/key.pem",
            )
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(5)


if __name__ == "__main__":
    _serve(sys.argv[1])
