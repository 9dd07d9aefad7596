"""Every common mistake in a token is found and named, by what it is and not by its looks."""

from __future__ import annotations

import base64
import json
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jwt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.cli import forge
from tests.cli.forge import CLAIMS, HEADER, NOW, b64url, segment, signing_input, without

from kmsjwt import KeySet
from kmsjwt.cli.inspection import CATALOGUE, diagnose
from kmsjwt.cli.inspection.render import as_json, as_text

ALIAS_ARN = "arn:aws:kms:eu-central-1:111122223333:alias/auth"
KEY_ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SIGNATURE = b64url(b"\x01" * 256)


def codes(text, keys=None) -> Any:
    return [finding.code for finding in diagnose(text, now=NOW + 10, keys=keys).findings]


def with_header(**members) -> Any:
    return f"{signing_input(members)}.{SIGNATURE}"


def with_claims(claims) -> Any:
    return f"{signing_input(claims=claims)}.{SIGNATURE}"


def raw_payload(payload) -> Any:
    return f"{segment(HEADER)}.{segment(payload)}.{SIGNATURE}"


GOOD = with_claims(CLAIMS)
STANDARD = base64.b64encode(b"\xfb\xff" * 128).decode()
DER = b64url(bytes.fromhex("3006020101020102"))

# What each needs no key for: the text, and the one finding it must cause.
SEEN = {
    "nothing": ("  \n ", "empty"),
    "a word": ("hello", "not_a_token"),
    "HTML": ("<html>no</html>", "not_a_token"),
    "PEM": ("-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----", "not_a_token"),
    "JSON without a token": ('{"error": "no"}', "not_a_token"),
    "host name": ("www.example.com.au", "not_a_token"),
    "two segments": (GOOD.rpartition(".")[0], "signature_missing"),
    "empty signature": (GOOD.rpartition(".")[0] + ".", "signature_missing"),
    "four segments": (GOOD + ".abcd", "segments"),
    "JWE": (f"{segment({'alg': 'RSA-OAEP', 'enc': 'A256GCM'})}.a.b.c.d", "jwe"),
    "JSON serialization": (
        json.dumps(dict(zip(("protected", "payload", "signature"), GOOD.split("."), strict=True))),
        "json_form",
    ),
    "1 MB": (with_claims({**CLAIMS, "x": "y" * 750_000}), "too_long"),
    "Bearer": (f"Bearer {GOOD}", "bearer_prefix"),
    "whole header": (f"Authorization: bearer {GOOD}", "authorization_header"),
    "quotes": (f'"{GOOD}"', "quotes"),
    "escaped quotes": (f'\\"{GOOD}\\"', "quotes"),
    "line breaks": (f"{GOOD[:40]}\n{GOOD[40:]}", "white_space"),
    "zero-width space": ("\u200b" + GOOD, "white_space"),
    "token response": (json.dumps({"access_token": GOOD, "expires_in": 9}), "wrapped"),
    "the article's response": (json.dumps({"statusCode": 200, "body": f'"{GOOD}"'}), "wrapped"),
    "redirect URL": (f"https://app.example/cb#access_token={GOOD}&state=1", "wrapped"),
    "two tokens": (f"{GOOD}\n{with_header(kid='k2')}", "several"),
    "percent-encoded": (quote(GOOD.replace(".", "%2E"), safe="%"), "percent_encoded"),
    "standard base64": (f"{signing_input()}.{STANDARD}", "base64_standard"),
    "padding": (f"{signing_input()}.{SIGNATURE}==", "base64_padding"),
    "foreign characters": (f"{signing_input()}.{SIGNATURE[:-4]}$%*!", "base64_characters"),
    "cut off": (f"{signing_input()}.{SIGNATURE[:-1]}", "base64_length"),
    "unused bits": (f"{signing_input()}.{SIGNATURE[:-1]}R", "base64_unused_bits"),
    "payload not UTF-8": (raw_payload(b'{"sub":"\xff"}'), "not_utf8"),
    "payload not JSON": (raw_payload(b"ala"), "not_json"),
    "payload a list": (raw_payload(b"[1]"), "not_object"),
    "NaN": (raw_payload(b'{"exp":NaN}'), "not_json"),
    "huge number": (raw_payload(b'{"exp":1e999}'), "not_json"),
    "half a surrogate pair": (raw_payload(b'{"sub":"\\ud800"}'), "not_json"),
    "exp twice": (raw_payload(b'{"exp":1,"exp":2}'), "duplicate_member"),
    "deep": (raw_payload(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"), "json_depth"),
    "no alg": (f"{segment(without(HEADER, 'alg'))}.{segment(CLAIMS)}.{SIGNATURE}", "alg_missing"),
    "alg none": (with_header(alg="none"), "alg_none"),
    "alg nOnE": (with_header(alg="nOnE"), "alg_none"),
    "HS256": (with_header(alg="HS256"), "alg_hmac"),
    "rs256": (with_header(alg="rs256"), "alg_case"),
    "alg of KMS": (with_header(alg="RSASSA_PKCS1_V1_5_SHA_256"), "alg_unknown"),
    "EdDSA": (with_header(alg="EdDSA"), "alg_eddsa"),
    "no kid": (f"{segment(without(HEADER, 'kid'))}.{segment(CLAIMS)}.{SIGNATURE}", "kid_missing"),
    "kid a number": (with_header(kid=1), "kid_type"),
    "kid an ARN": (with_header(kid=KEY_ARN), "kid_arn"),
    "kid an alias": (with_header(kid="alias/auth"), "kid_alias"),
    "kid an alias ARN": (with_header(kid=ALIAS_ARN), "kid_alias"),
    "kid a key id": (with_header(kid=KEY_ARN.rpartition("/")[2]), "kid_key_id"),
    "kid of a multi-Region key": (with_header(kid="mrk-" + "0a" * 16), "kid_key_id"),
    "no typ": (f"{segment(without(HEADER, 'typ'))}.{segment(CLAIMS)}.{SIGNATURE}", "typ_missing"),
    "typ of another": (with_header(typ="dpop+jwt"), "typ_other"),
    "crit": (with_header(crit=["exp"]), "crit"),
    "b64": (with_header(b64=False), "unencoded_payload"),
    "zip": (with_header(zip="DEF"), "compressed"),
    "jku": (with_header(jku="https://evil.example"), "key_in_header"),
    "no iss": (with_claims(without(CLAIMS, "iss")), "iss_missing"),
    "no aud": (with_claims(without(CLAIMS, "aud")), "aud_missing"),
    "no sub": (with_claims(without(CLAIMS, "sub")), "sub_missing"),
    "no exp": (with_claims(without(CLAIMS, "exp")), "exp_missing"),
    "exp in milliseconds": (with_claims({**CLAIMS, "exp": NOW * 1000}), "exp_milliseconds"),
    "iat in milliseconds": (with_claims({**CLAIMS, "iat": NOW * 1000}), "iat_milliseconds"),
    "nbf in milliseconds": (with_claims({**CLAIMS, "nbf": NOW * 1000}), "nbf_milliseconds"),
    "exp as text": (with_claims({**CLAIMS, "exp": str(NOW)}), "claim_type"),
    "aud a number": (with_claims({**CLAIMS, "aud": 1}), "claim_type"),
    "expired": (with_claims({**CLAIMS, "iat": NOW - 900, "exp": NOW - 1}), "expired"),
    "nbf ahead": (with_claims({**CLAIMS, "nbf": NOW + 100}), "not_yet_valid"),
    "exp before iat": (with_claims({**CLAIMS, "iat": NOW, "exp": NOW - 9}), "exp_before_iat"),
    "lives a month": (with_claims({**CLAIMS, "exp": NOW + 2_600_000}), "lifetime_too_long"),
    "DER": (f"{signing_input({'alg': 'ES256'})}.{DER}", "signature_der"),
    "RS256 of 64 bytes": (f"{signing_input()}.{b64url(bytes(64))}", "signature_length"),
    "signature in base64 twice": (
        f"{signing_input()}.{b64url(base64.b64encode(bytes(range(256))))}",
        "signature_encoded_twice",
    ),
    "signature in hex": (f"{signing_input()}.{b64url(bytes(256).hex().encode())}", "signature_hex"),
}


@pytest.mark.parametrize(("text", "code"), SEEN.values(), ids=SEEN)
def test_a_mistake_is_found_without_any_key(text, code):
    found = diagnose(text, now=NOW + 10)

    assert code in [finding.code for finding in found.findings]
    assert all("\n" not in line for line in as_text(found, NOW))
    assert as_json(found) == json.loads(json.dumps(as_json(found), allow_nan=False))


def test_a_token_without_a_mistake_has_no_finding():
    assert codes(GOOD) == []


def test_what_was_around_the_token_is_told_and_then_out_of_the_way():
    wrapped = diagnose(f'"Bearer  {GOOD}\r\n"', now=NOW)

    assert wrapped.claims == CLAIMS
    assert {finding.severity for finding in wrapped.findings} == {"note"}
    assert not wrapped.failed


API_EVENT = {
    "version": "2.0",
    "rawPath": "/orders/42",
    "headers": {"accept": "*/*", "authorization": f"Bearer {GOOD}", "x-forwarded-for": "192.0.2.1"},
    "requestContext": {"http": {"method": "GET"}, "requestId": "JKJaXmPLvHcESHA="},
}
REST_EVENT = {"type": "TOKEN", "authorizationToken": f"Bearer {GOOD}", "methodArn": "arn:aws:x"}
MULTI_VALUE = {"multiValueHeaders": {"Authorization": [f"bearer {GOOD}"]}, "body": None}
STANDARD_SIGNED = f"{signing_input()}.{STANDARD}"
AROUND = {
    "HTTP API event": (json.dumps(API_EVENT, indent=2), GOOD),
    "REST event": (json.dumps(REST_EVENT), GOOD),
    "multi-value headers": (json.dumps(MULTI_VALUE), GOOD),
    "list of events": (json.dumps([{"Records": [API_EVENT]}]), GOOD),
    "JSON in JSON": (json.dumps({"body": json.dumps({"access_token": GOOD})}), GOOD),
    "the same token twice": (json.dumps({"a": GOOD, "b": f"Bearer {GOOD}"}), GOOD),
    "Python's repr": (str(API_EVENT), GOOD),
    "JSON log line": (f'2026-11-22T09:00:00Z INFO {{"auth":"Bearer {GOOD}","n":1}}', GOOD),
    "curl command": (f"curl -sS -H 'Authorization: Bearer {GOOD}' https://api.example/a%20b", GOOD),
    "curl, token in the query": (f'curl "https://api.example/x?token={GOOD}&page=2"', GOOD),
    "Cookie line": (f"Cookie: theme=dark; session={GOOD}; lang=en", GOOD),
    "Set-Cookie line": (f"set-cookie: session={GOOD};Path=/;HttpOnly", GOOD),
    "header and more": (f"Authorization: Bearer {GOOD}\nHost: api.example", GOOD),
    "curl -i": (
        f'HTTP/2 200\r\ncontent-type: application/json\r\n\r\n{{"access_token":"{GOOD}"}}',
        GOOD,
    ),
    "stderr before it": (f"kid k1 · RS256 · jti 1 · expires in 900 s\n{GOOD}", GOOD),
    "plain words before it": (f"here it is\n{GOOD}\n", GOOD),
    "part of a path": (f"GET /verify/{GOOD}/now HTTP/1.1", GOOD),
    "end of a sentence": (f"It says {GOOD}. Why?", GOOD),
    "trailing comma": (f'"{GOOD}",', GOOD),
    "JSON member": (f'  "id_token": "{GOOD}",', GOOD),
    "standard base64 in an event": (
        json.dumps({"headers": {"x": STANDARD_SIGNED}}),
        STANDARD_SIGNED,
    ),
    "lines of 64": ("\n".join(GOOD[at : at + 64] for at in range(0, len(GOOD), 64)), GOOD),
    "a line for each segment": (GOOD.replace(".", ".\n"), GOOD),
    "wide lines": (f"{GOOD[:400]}\n{GOOD[400:]}", GOOD),
}


@pytest.mark.parametrize(("text", "token"), AROUND.values(), ids=AROUND)
def test_a_token_is_found_in_whatever_was_pasted_with_it(text, token):
    found = diagnose(text, now=NOW + 10)
    bare = diagnose(token, now=NOW + 10)

    assert (found.header, found.claims) == (HEADER, CLAIMS)
    assert found.signature == bare.signature
    told = [each for each in found.findings if each.severity != "note"]
    assert told == bare.findings
    assert len(told) < len(found.findings)


def test_of_several_tokens_the_places_are_told_and_the_first_is_read():
    other = with_header(kid="k2")
    event = {"headers": {"authorization": f"Bearer {GOOD}", "cookie": f"id={other}"}}

    for text, places in (
        (json.dumps(event), ("member headers.authorization", "member headers.cookie")),
        (f"{GOOD}\n{other}\n{GOOD}", ("line 1", "line 2")),
    ):
        found = diagnose(text, now=NOW + 10)
        (note,) = [each for each in found.findings if each.code == "several"]

        assert found.header == HEADER
        assert note.fact.startswith("2 tokens in ")
        assert all(place in note.fact for place in places)
        assert not found.failed


@pytest.mark.parametrize(
    "piece", ["=eyJ", "/eyJ", "eyJ.", "eyJ.a.b ", '"eyJ.a', "[", '{"a":', "eyJa.b.c\n"]
)
def test_a_long_text_is_searched_in_no_time(piece):
    """A search that tried every place anew would take hours for each of these."""
    started = time.process_time()

    diagnose(piece * (1_000_000 // len(piece)), now=NOW)

    assert time.process_time() - started < 5


def test_what_pyjwt_does_with_a_token_that_never_expires_is_told(rsa_key):
    token = forge.good(rsa_key, claims=without(CLAIMS, "exp", "iat"))

    assert jwt.decode(token, rsa_key.public_key(), ["RS256"], audience="orders")["sub"] == "ala"
    assert "PyJWT accepts it" in CATALOGUE["exp_missing"].consequence


def signed(header, sign, key) -> Any:
    text = signing_input(header)
    return f"{text}.{b64url(sign(key, text))}"


def forged(case, rsa_key, ec_key) -> Any:
    """Return a token with that mistake, and the JWKS it is to be checked with."""
    rs, es = forge.jwks(forge.jwk(rsa_key)), forge.jwks(forge.jwk(ec_key))
    ps = forge.jwks(forge.jwk(rsa_key, alg="PS256"))
    text, other = signing_input(), forge.rsa_key() if case.startswith("other key") else None
    es_text = signing_input({"alg": "ES256"})
    cases: dict[str, Any] = {
        "other key, same kid": lambda: (forge.good(other), rs),
        "other key, other kid": lambda: (forge.good(other, {"kid": "k2"}), rs),
        "right key, other kid": lambda: (forge.good(rsa_key, {"kid": "k2"}), rs),
        "payload changed": lambda: (
            f"{signing_input(claims={'sub': 'eve'})}.{b64url(forge.rs256(rsa_key, text))}",
            rs,
        ),
        "PSS, longest salt": lambda: (
            signed({"alg": "PS256"}, lambda k, t: forge.ps256(k, t, salt=222), rsa_key),
            ps,
        ),
        "PSS, no salt": lambda: (
            signed({"alg": "PS256"}, lambda k, t: forge.ps256(k, t, salt=0), rsa_key),
            ps,
        ),
        "PSS under RS256": lambda: (signed({}, forge.ps256, rsa_key), rs),
        "RS512 under RS256": lambda: (signed({}, forge.rs512, rsa_key), rs),
        "digest hashed again": lambda: (
            signed({}, lambda k, t: forge.rs256(k, t, data=forge.digest(t)), rsa_key),
            rs,
        ),
        "hex digest": lambda: (
            signed(
                {}, lambda k, t: forge.rs256(k, t, data=forge.digest(t).hex().encode()), rsa_key
            ),
            rs,
        ),
        "ES256 in DER": lambda: (signed({"alg": "ES256"}, forge.es256_der, ec_key), es),
        "ES256, digest hashed again": lambda: (
            f"{es_text}.{b64url(forge.es256(ec_key, es_text, data=forge.digest(es_text)))}",
            es,
        ),
        "EC signature under RS256": lambda: (signed({}, forge.es256, ec_key), es),
        "PS256 for an RS256 key": lambda: (signed({"alg": "PS256"}, forge.ps256, rsa_key), rs),
        "standard base64": lambda: (
            f"{text}.{base64.b64encode(forge.rs256(rsa_key, text)).decode()}",
            rs,
        ),
        "public key as HMAC secret": lambda: (
            signed({"alg": "HS256"}, lambda k, t: forge.hs256(forge.pem(k), t), rsa_key),
            rs,
        ),
        "base64 twice": lambda: (
            f"{text}.{b64url(base64.b64encode(forge.rs256(rsa_key, text)))}",
            rs,
        ),
        "hex": lambda: (f"{text}.{b64url(forge.rs256(rsa_key, text).hex().encode())}", rs),
    }
    return cases[case]()


JUDGED = {
    "other key, same kid": ("signature_wrong", "wrong"),
    "other key, other kid": ("kid_unknown", "wrong"),
    "right key, other kid": ("kid_wrong", "mendable"),
    "payload changed": ("signature_wrong", "wrong"),
    "PSS, longest salt": ("pss_salt", "mendable"),
    "PSS, no salt": ("pss_salt", "mendable"),
    "PSS under RS256": ("signed_as_other", "mendable"),
    "RS512 under RS256": ("signed_as_other", "mendable"),
    "digest hashed again": ("double_hash", "mendable"),
    "hex digest": ("hex_digest", "mendable"),
    "ES256 in DER": ("signature_der", "mendable"),
    "ES256, digest hashed again": ("double_hash", "mendable"),
    "EC signature under RS256": ("alg_contradicts_key", "mendable"),
    "PS256 for an RS256 key": ("alg_contradicts_key", "mendable"),
    "standard base64": ("base64_standard", "mendable"),
    "public key as HMAC secret": ("hmac_with_public_key", "wrong"),
    "base64 twice": ("signature_encoded_twice", "mendable"),
    "hex": ("signature_hex", "mendable"),
}


@pytest.mark.parametrize(("case", "code", "verdict"), [(c, *e) for c, e in JUDGED.items()])
def test_with_keys_the_signature_is_judged_and_the_mistake_named(
    case, code, verdict, rsa_key, ec_key
):
    token, jwks = forged(case, rsa_key, ec_key)

    found = diagnose(token, now=NOW + 10, keys=KeySet.from_jwks(jwks))

    assert code in [finding.code for finding in found.findings]
    assert found.verdict == verdict
    assert found.failed


@pytest.mark.parametrize(
    ("header", "sign", "key"),
    [
        ({}, forge.rs256, "rsa"),
        ({"alg": "PS256"}, forge.ps256, "rsa"),
        ({"alg": "ES256"}, forge.es256, "ec"),
        ({"alg": "Ed25519"}, lambda key, text: key.sign(text.encode()), "ed"),
    ],
    ids=["RS256", "PS256", "ES256", "Ed25519"],
)
def test_a_right_signature_is_verified(header, sign, key, rsa_key, ec_key):
    key = {"rsa": rsa_key, "ec": ec_key, "ed": forge.ed_key()}[key]
    jwk = forge.jwk(key, alg=header.get("alg"))

    found = diagnose(signed(header, sign, key), now=NOW, keys=KeySet.from_jwks(forge.jwks(jwk)))

    assert (found.verdict, found.findings) == ("verified", [])


def test_a_signature_without_its_leading_zero_is_told_as_such(rsa_key):
    for number in range(3000):
        text = signing_input({"kid": "k1"}, {**CLAIMS, "jti": str(number)})
        signature = forge.rs256(rsa_key, text)
        if signature[0] == 0:
            break
    else:
        pytest.fail("no signature with a leading zero in 3000")

    found = diagnose(
        f"{text}.{b64url(signature[1:])}",
        now=NOW,
        keys=KeySet.from_jwks(forge.jwks(forge.jwk(rsa_key))),
    )

    assert "leading_zero" in [finding.code for finding in found.findings]


def test_the_page_about_it_lists_every_finding():
    page = (Path(__file__).parents[2] / "docs/how-to/inspect-a-token.md").read_text("utf-8")

    rows = [f"| `{code}` | {kind.severity} |" for code, kind in CATALOGUE.items()]
    assert re.findall(r"^\| `\w+` \| \w+ \|", page, re.MULTILINE) == rows
    told = page.replace("\\|", "|")
    assert [code for code, kind in CATALOGUE.items() if kind.consequence not in told] == []


def test_every_kind_of_finding_has_an_example_here():
    """A finding that no token causes would be a promise nobody keeps."""
    shown = {code for _, code in SEEN.values()} | {code for code, _ in JUDGED.values()}

    assert set(CATALOGUE) - shown == {"leading_zero", "segments_rewritten"}


def test_segments_in_standard_base64_that_were_signed_otherwise(rsa_key):
    text = signing_input(claims={**CLAIMS, "name": "ab"})
    sent = text.replace(".", "=.") + "="
    keys = KeySet.from_jwks(forge.jwks(forge.jwk(rsa_key)))

    found = diagnose(f"{sent}.{b64url(forge.rs256(rsa_key, text))}", now=NOW, keys=keys)

    assert {"base64_padding", "segments_rewritten"} <= {each.code for each in found.findings}


@given(st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape"))))
@example("." * 5)
@example("=.=.=")
@example("eyJ" + "." * 2)
@example("\ud800.\ud800.\ud800")
@example('{"payload": "x", "signatures": [1]}')
@example('{"payload": "é", "signature": null}')
@example('"' * 100)
@example("eyJ.a.b\neyJ.c.d")
@example('[[{"a": ["eyJ.a.b", "eyJ.c.d"]}]]')
@example("[" * 900 + "]" * 900)
def test_any_text_at_all_is_diagnosed(text):
    _never_crashes(text)


@given(
    st.dictionaries(
        st.sampled_from(["alg", "kid", "typ", "crit", "enc", "jwk", "b64"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=4,
        ),
    ),
    st.dictionaries(
        st.sampled_from(["iss", "aud", "exp", "nbf", "iat", "x"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    ),
    st.binary(max_size=300),
)
def test_any_header_claims_and_signature_are_diagnosed(header, claims, signature):
    _never_crashes(f"{segment(header)}.{segment(claims)}.{b64url(signature)}")


KEYS = KeySet.from_jwks(forge.jwks(forge.jwk(forge.rsa_key()), forge.jwk(forge.ec_key(), kid="k2")))


def _never_crashes(text) -> Any:
    for keys in (None, KEYS):
        found = diagnose(text, now=NOW, keys=keys)
        lines = "".join(as_text(found, NOW))
        assert lines.isprintable()
        assert json.dumps(as_json(found))
        assert found.failed or found.kind == "jws"
