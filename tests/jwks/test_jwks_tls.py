"""https with a certificate authority of our own, made by `cryptography`."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from typing import TYPE_CHECKING, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.jwks.servers import Server, body, jwks

from kmsjwt.errors import JwksInvalid, JwksUnavailable
from kmsjwt.jwks import JwksUrl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.jwks.servers import Clock

DAY = dt.timedelta(days=1)


class Authority(NamedTuple):
    certificate: Path
    good: Path
    expired: Path
    elsewhere: Path


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("tls")
    now = dt.datetime.now(dt.UTC)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])

    def certificate(
        name: x509.Name, key: ec.EllipticCurvePrivateKey, until: dt.datetime
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(ca_name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 9 * DAY)
            .not_valid_after(until)
            # Python 3.13 asks for what RFC 5280 does: the signing key named in each certificate.
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()),
                critical=False,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        )

    def server(file: str, host: str, until: dt.datetime) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        alternative = x509.IPAddress(ipaddress.ip_address(host))
        signed = (
            certificate(x509.Name([]), key, until)
            .add_extension(x509.SubjectAlternativeName([alternative]), critical=True)
            .sign(ca_key, hashes.SHA256())
        )
        path = folder / file
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + signed.public_bytes(serialization.Encoding.PEM)
        )
        return path

    root = (
        certificate(ca_name, ca_key, now + DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=False,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(ca_key, hashes.SHA256())
    )
    (folder / "ca.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
    return Authority(
        folder / "ca.pem",
        good=server("good.pem", "127.0.0.1", now + DAY),
        expired=server("expired.pem", "127.0.0.1", now - DAY),
        elsewhere=server("elsewhere.pem", "127.0.0.2", now + DAY),
    )


class TlsServer(Server):
    """The handshake is the handler thread's, so that a failed one stops nobody else."""

    scheme = "https"

    def __init__(self, certificate: Path) -> None:
        super().__init__()
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate)

    def finish_request(self, request, client_address):
        with self._context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)


@pytest.fixture
def tls(request: pytest.FixtureRequest, authority: Authority) -> Iterator[TlsServer]:
    running = TlsServer(getattr(authority, getattr(request, "param", "good")))
    yield running
    running.stop()


def test_a_trusted_server(
    tls: TlsServer, clock: Clock, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    assert JwksUrl(tls.url, clock=clock).key("a").kid == "a"
    assert tls.last_headers["Host"] == f"127.0.0.1:{tls.server_port}"


@pytest.mark.parametrize(
    ("tls", "trusted", "says"),
    [
        pytest.param("good", False, "certificate", id="unknown authority"),
        pytest.param("expired", True, "expired", id="expired"),
        pytest.param("elsewhere", True, "127.0.0.1", id="another host"),
    ],
    indirect=["tls"],
)
def test_a_server_that_is_not_to_be_trusted(
    tls: TlsServer,
    clock: Clock,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    *,
    trusted: bool,
    says: str,
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    with pytest.raises(JwksUnavailable) as caught:
        JwksUrl(tls.url, clock=clock).key("a")
    assert caught.value.code == "jwks_connection"
    assert says in str(caught.value)
    assert tls.requests == []


def test_https_to_a_server_that_speaks_http(server: Server, clock: Clock) -> None:
    with pytest.raises(JwksUnavailable):
        JwksUrl(server.url.replace("http:", "https:"), timeout=0.5, clock=clock).key("a")


def test_a_proxy_that_is_set_is_named_when_the_connection_fails(
    server: Server, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://u:hunter2@proxy.example:3128")
    with pytest.raises(JwksUnavailable, match="HTTPS_PROXY is set") as caught:
        JwksUrl(server.url.replace("http:", "https:"), timeout=0.5, clock=clock).key("a")
    assert "hunter2" not in str(caught.value)


def test_a_handshake_that_never_ends(server: Server, clock: Clock) -> None:
    def mute(*_: object) -> None:
        server.released.wait(10)

    server.finish_request = mute  # type: ignore[method-assign,assignment]  # meddled with
    source = JwksUrl(server.url.replace("http:", "https:"), timeout=0.2, clock=clock)
    with pytest.raises(JwksUnavailable) as caught:
        source.key("a")
    assert caught.value.code == "jwks_timeout"


def test_a_secure_issuer_does_not_lead_to_plain_http(
    tls: TlsServer,
    server: Server,
    clock: Clock,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    tls.answer = body({"issuer": tls.origin, "jwks_uri": server.url})
    with pytest.raises(JwksInvalid, match="expected https") as caught:
        JwksUrl.from_issuer(tls.origin, clock=clock).key("a")
    assert caught.value.code == "discovery_malformed"
    assert server.requests == []
    tls.answers["/keys"] = body(jwks("a"))
    tls.answer = body({"issuer": tls.origin, "jwks_uri": f"{tls.origin}/keys"})
    clock.now += 5
    assert JwksUrl.from_issuer(tls.origin, clock=clock).key("a").kid == "a"
