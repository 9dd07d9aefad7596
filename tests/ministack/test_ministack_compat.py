"""What ``kmsjwt compat`` says of an HTTP API, held against ministack's own JWT authorizer.

ministack is not AWS: that they agree is evidence, not proof. Where it falls back to another place
than discovery, or does not look at all, is left out.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.authority.compat_cases import jwk, token
from tests.jwks.servers import body
from tests.ministack import deployed

from kmsjwt import ANY, Verifier
from kmsjwt.authority.compat import Timing, TokenFacts, from_issuer, judge
from kmsjwt.jwks import StaticKeys

SCOPE = "orders:read"
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "RS256": ("RS256", {}),
    "two audiences": ("RS256", {"aud": ["billing", "orders"]}),
    "client_id for aud": ("RS256", {"aud": None, "client_id": "orders"}),
    "ES256": ("ES256", {}),
    "EdDSA": ("EdDSA", {}),
    "no aud": ("RS256", {"aud": None}),
    "no kid": ("RS256", {"header": {"kid": None}}),
}


@pytest.fixture(scope="module")
def issuer(website):
    """One issuer that publishes a key of each algorithm."""
    issuer = f"{website.origin}/compat"
    keys = [jwk(alg) for alg in dict.fromkeys(alg for alg, _ in CASES.values())]
    well_known = "/compat/.well-known"
    website.answers[f"{well_known}/jwks.json"] = body({"keys": keys})
    named = {"issuer": issuer, "jwks_uri": f"{issuer}/.well-known/jwks.json"}
    website.answers[f"{well_known}/openid-configuration"] = body(named)
    return issuer


@pytest.fixture(scope="module")
def native(cloud, backend, issuer):
    return deployed.jwt_api(cloud, backend, issuer=issuer, audience="orders", scope=SCOPE)


@pytest.mark.parametrize("case", CASES)
def test_its_native_authorizer_agrees(case, native, issuer, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))
    alg, told = CASES[case]
    text = token(alg, iss=issuer, scope=SCOPE, **told)
    facts: Any = from_issuer(issuer)
    keys = facts.key_set
    if "header" in told:  # which our own verifier lets pass only if there is one key
        keys = [key for key in keys if key.kid == "k-RS256"]
    verified = Verifier(StaticKeys(keys), issuer=issuer, audience=ANY).verify(text)

    [row] = judge(
        facts,
        timing=Timing(),
        token=TokenFacts.of(text, verified),
        consumers=["http-api"],
    )

    status = native.get("/orders", f"Bearer {text}").status
    assert (row.verdict, status) in {("ok", 200), ("no", 401)}
