"""The tokens and keys that go to and fro: ours through the local KMS, the others' by jwcrypto."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT

from kmsjwt import Issuer, PublicKey, TokenError, Verifier
from kmsjwt.algorithms import ALGORITHMS
from kmsjwt.jwks import StaticKeys
from kmsjwt.kms import KmsKeys, KmsSigner
from kmsjwt.local import LocalKms

if TYPE_CHECKING:
    from collections.abc import Callable

ISSUER = "https://id.example"
AUDIENCE = "orders"
LIFETIME = 900
OWN_CLAIMS: dict[str, Any] = {
    "scope": "orders:read orders:write",
    "imię": "Żółwia Łąka 龜 🐢",
    "tenant": {"id": 7, "roles": ["admin", "čtenář"], "limits": {"rate": 2.5, "daily": None}},
    "verified": True,
    "many": [1, [2, [3, {"deep": ["‹›", 'a"b\\c/d\n', ""]}]]],
    "big": 2**53 - 1,
}
"""Beside the registered claims: unicode in names and values, every JSON type, nesting."""

_GENERATE: dict[str, Callable[[], Any]] = {
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ES512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ES256K": lambda: ec.generate_private_key(ec.SECP256K1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "ML-DSA-44": mldsa.MLDSA44PrivateKey.generate,
    "ML-DSA-65": mldsa.MLDSA65PrivateKey.generate,
    "ML-DSA-87": mldsa.MLDSA87PrivateKey.generate,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A good token, what is in it, and the public key that goes with it.

    Attributes:
        token: the compact JWS.
        forged: the same token twice: with one signature bit flipped, and with another subject.
        claims: what a reader must find.
        jwk: the public key as a JWK.
        pem: the same as SPKI PEM.
    """

    token: str
    forged: tuple[str, ...]
    claims: dict[str, Any]
    jwk: dict[str, Any]
    pem: str


class OurTokens:
    """Tokens issued with keys in a local KMS, one for each algorithm, made when first wanted."""

    def __init__(self) -> None:
        self._kms = LocalKms()
        self._arns: dict[str, str] = {}
        self._samples: dict[str, Sample] = {}

    def sample(self, alg: str) -> Sample:
        """Return our token of that algorithm."""
        if alg not in self._samples:
            self._samples[alg] = self._issued(alg)
        return self._samples[alg]

    def _issued(self, alg: str) -> Sample:
        arn = self._arn(ALGORITHMS[alg].key_specs[0])
        issuer = Issuer(ISSUER, KmsSigner(arn, client=self._kms, alg=alg))
        not_before = int(time.time())
        own = {**OWN_CLAIMS, "nbf": not_before}
        issued = issuer.issue(sub="ala", aud=AUDIENCE, claims=own, lifetime=LIFETIME)
        registered = {"iss": ISSUER, "sub": "ala", "aud": AUDIENCE, "jti": issued.jti}
        times = {"exp": issued.expires_at, "iat": issued.expires_at - LIFETIME}
        published = KmsKeys(arn, client=self._kms, alg=alg).key(issued.kid).to_jwk()
        return Sample(
            token=issued.token,
            forged=forgeries(issued.token),
            claims={**own, **registered, **times},
            jwk=dict(published),
            pem=public_pem(JWK(**published).get_op_key("verify")),
        )

    def _arn(self, key_spec: str) -> str:
        if key_spec not in self._arns:
            made = self._kms.create_key(KeySpec=key_spec, KeyUsage="SIGN_VERIFY")
            self._arns[key_spec] = made["KeyMetadata"]["Arn"]
        return self._arns[key_spec]


class TheirKey:
    """A key pair for another library to sign with. Nothing of kmsjwt made it."""

    def __init__(self, alg: str, private: Any) -> None:
        self._private = private
        pair = JWK.from_pyca(private)
        named = {"alg": alg, "use": "sig", "kid": pair.thumbprint()}
        self.alg = alg
        self.private_jwk: dict[str, Any] = {**pair.export_private(as_dict=True), **named}
        self.public_jwk: dict[str, Any] = {**pair.export_public(as_dict=True), **named}
        self.kid: str = named["kid"]

    @property
    def private_pem(self) -> str:
        """PKCS #8."""
        pem: bytes = self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return pem.decode()

    @cached_property
    def control(self) -> Sample:
        """A token signed by jwcrypto, to see whose fault a refusal is."""
        claims = their_claims()
        header = {"alg": self.alg, "kid": self.kid, "typ": "JWT"}
        made = JWT(header=header, claims=claims, algs=[self.alg])
        made.make_signed_token(JWK(**self.private_jwk))
        token: str = made.serialize()
        return Sample(
            token=token,
            forged=forgeries(token),
            claims=claims,
            jwk=self.public_jwk,
            pem=public_pem(self._private.public_key()),
        )


class TheirKeys:
    """A key pair for each algorithm, made when first wanted; one RSA key does for six."""

    def __init__(self) -> None:
        self._private: dict[str, Any] = {}
        self._keys: dict[str, TheirKey] = {}

    def key(self, alg: str) -> TheirKey:
        """Return the key pair of that algorithm."""
        if alg not in self._keys:
            kind = "RSA" if alg.startswith(("RS", "PS")) else alg
            if kind not in self._private:
                self._private[kind] = _GENERATE[kind]()
            self._keys[alg] = TheirKey(alg, self._private[kind])
        return self._keys[alg]


def their_claims() -> dict[str, Any]:
    """Return what another library is asked to sign."""
    now = int(time.time())
    times = {"iat": now, "nbf": now, "exp": now + LIFETIME}
    return {"iss": ISSUER, "sub": "ala", "aud": AUDIENCE, "jti": "6f0c2b", **times, **OWN_CLAIMS}


def we_read(token: str, key: TheirKey) -> dict[str, Any]:
    """Return the claims as our verifier reads them. Raises TokenError."""
    source = StaticKeys([PublicKey.from_jwk(key.public_jwk)])
    verifier = Verifier(source, issuer=ISSUER, audience=AUDIENCE)
    claims: dict[str, Any] = verifier.verify(token).to_dict()["claims"]
    return claims


def we_refuse(token: str, key: TheirKey) -> bool:
    """Return whether our verifier refuses the token."""
    try:
        we_read(token, key)
    except TokenError:
        return True
    return False


def forgeries(token: str) -> tuple[str, ...]:
    """Return the token with one signature bit flipped, and with another subject."""
    header, payload, signature = token.split(".")
    changed = bytearray(_unb64(signature))
    changed[len(changed) // 2] ^= 1
    claims = _unb64(payload)
    other = claims.replace(b'"ala"', b'"eve"')
    if other == claims:
        raise ValueError("there is no subject to change")
    return (f"{header}.{payload}.{_b64(bytes(changed))}", f"{header}.{_b64(other)}.{signature}")


def public_pem(public: Any) -> str:
    """Return a public key as SPKI PEM."""
    pem: bytes = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
