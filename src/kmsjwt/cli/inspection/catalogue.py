"""Everything that `kmsjwt inspect` finds: code, how bad it is, what follows, how to mend it."""

from __future__ import annotations

from dataclasses import dataclass

FAIL, WARN, NOTE = "FAIL", "warn", "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding.

    Attributes:
        code: its stable name.
        severity: ``FAIL``: kmsjwt and strict verifiers refuse the token; what lenient ones do, the
            consequence says. ``warn``: it is unsafe, or depends on the verifier's settings.
            ``note``: about what was pasted.
        fact: what is.
        consequence: what follows from it.
        fix: what to do; empty where there is nothing.
    """

    code: str
    severity: str
    fact: str
    consequence: str
    fix: str


@dataclass(frozen=True, slots=True)
class Kind:
    """What is the same about every finding of one code."""

    severity: str
    consequence: str
    fix: str = ""


_SIGNATURE_BASE64 = 'base64.urlsafe_b64encode(data).rstrip(b"=")'
_CHANGE_KID = "use the key's thumbprint: kmsjwt jwks --key KEY shows it"
_SECONDS = "int(time.time()), not Date.now(): seconds since 1970"

CATALOGUE: dict[str, Kind] = {
    # What was pasted.
    "empty": Kind(FAIL, "there is no token", "paste header.payload.signature"),
    "authorization_header": Kind(NOTE, "left out here", "a verifier takes the token alone"),
    "bearer_prefix": Kind(
        NOTE, "left out here; a verifier takes the token alone", 'header.removeprefix("Bearer ")'
    ),
    "quotes": Kind(NOTE, "left out here; a token has none", "json.loads(body), or jq -r"),
    "white_space": Kind(
        NOTE, "left out here; strict verifiers refuse it", "paste or send the token on one line"
    ),
    "wrapped": Kind(NOTE, "taken out here", "send the token alone"),
    "several": Kind(NOTE, "the first is read here", "give the one that is meant alone"),
    "percent_encoded": Kind(NOTE, "decoded here", "decode it where the URL is read"),
    # Structure.
    "not_a_token": Kind(FAIL, "no JWT of any kind", "a JWT is header.payload.signature"),
    "segments": Kind(FAIL, "no compact JWS", "a signed JWT is header.payload.signature"),
    "jwe": Kind(
        FAIL,
        "an encrypted token (JWE): whoever verifies signatures cannot read it",
        "ask its issuer for a signed token (JWS), or decrypt it first",
    ),
    "json_form": Kind(
        FAIL, "JWTs are compact (RFC 7519 section 3)", 'join protected, payload, signature by "."'
    ),
    "signature_missing": Kind(
        FAIL, "anybody can write such a token", "never accept it; sign with a real algorithm"
    ),
    "too_long": Kind(
        FAIL,
        "kmsjwt reads 16,384 characters, API Gateway 10,240 bytes of all headers",
        "fewer claims",
    ),
    "base64_standard": Kind(FAIL, "PyJWT, joserfc and jose refuse it", _SIGNATURE_BASE64),
    "base64_padding": Kind(FAIL, "strict verifiers refuse it", _SIGNATURE_BASE64),
    "base64_characters": Kind(FAIL, "it is no base64url", _SIGNATURE_BASE64),
    "base64_length": Kind(
        FAIL, "no base64url text has that length", "something was cut off: copy it again"
    ),
    "base64_unused_bits": Kind(
        FAIL,
        "strict verifiers refuse a second spelling",
        "copy it again: its last character was changed",
    ),
    "not_utf8": Kind(FAIL, "JWTs are UTF-8 (RFC 7519 section 7.2)", "json.dumps(…).encode()"),
    "not_json": Kind(FAIL, "strict verifiers refuse it", "json.dumps(…).encode()"),
    "not_object": Kind(FAIL, "every JWT verifier refuses it", "write a JSON object"),
    "duplicate_member": Kind(
        FAIL, "readers differ on which counts (RFC 7519 section 4)", "write each member once"
    ),
    "json_depth": Kind(FAIL, "kmsjwt reads 32 levels", "flatten the claims"),
    # Header.
    "alg_missing": Kind(FAIL, "every verifier refuses it", "name the algorithm, such as RS256"),
    "alg_none": Kind(
        FAIL, "unsigned: anybody can write such a token", "sign it; verifiers must not allow none"
    ),
    "alg_hmac": Kind(
        WARN,
        "a shared secret: whoever checks such tokens can make them",
        "sign with RS256 or ES256 and publish the public key",
    ),
    "alg_case": Kind(FAIL, "names of algorithms are case-sensitive", "write it as RFC 7518 does"),
    "alg_unknown": Kind(
        FAIL, "kmsjwt does not know it, nor do most libraries", "use RS256 or ES256"
    ),
    "alg_eddsa": Kind(WARN, "deprecated by RFC 9864", "write Ed25519 where verifiers know it"),
    "kid_missing": Kind(
        WARN, "with more than one key verifiers cannot choose", "name the key by its thumbprint"
    ),
    "kid_type": Kind(FAIL, "kid must be text (RFC 7515 section 4.1.4)", _CHANGE_KID),
    "kid_arn": Kind(WARN, "tells everybody account and Region; many JWKS lack it", _CHANGE_KID),
    "kid_alias": Kind(
        WARN, "once the alias moves, it names another key than the one that signed", _CHANGE_KID
    ),
    "kid_key_id": Kind(WARN, "good only if the JWKS uses key ids too", _CHANGE_KID),
    "typ_missing": Kind(
        WARN, "may be taken for another kind of token; kmsjwt refuses it", 'typ "JWT" or "at+jwt"'
    ),
    "typ_other": Kind(
        WARN, "kmsjwt accepts JWT and at+jwt unless told otherwise", "Verifier(…, typ=…)"
    ),
    "crit": Kind(FAIL, "verifiers must refuse what they do not know", "leave crit out"),
    "unencoded_payload": Kind(FAIL, "RFC 7797; JWTs must not use it", "leave b64 out"),
    "compressed": Kind(FAIL, "only encrypted tokens may be", "leave zip out"),
    "key_in_header": Kind(
        WARN, "a verifier that used it would trust anybody", "verify with keys you chose, by kid"
    ),
    # Claims.
    "iss_missing": Kind(WARN, "good for any service that trusts the key", "set iss to your issuer"),
    "aud_missing": Kind(
        WARN, "meant for nobody, so taken by anybody", "set aud to the service it is for"
    ),
    "sub_missing": Kind(WARN, "it speaks for nobody", "set sub"),
    "exp_missing": Kind(
        FAIL,
        "it never expires: kmsjwt and strict verifiers refuse it, PyJWT accepts it",
        "set exp, such as iat + 900",
    ),
    "exp_milliseconds": Kind(
        FAIL, "lives for thousands of years: refused, or never ends", _SECONDS
    ),
    "iat_milliseconds": Kind(FAIL, "lies thousands of years ahead", _SECONDS),
    "nbf_milliseconds": Kind(FAIL, "lies thousands of years ahead", _SECONDS),
    "claim_type": Kind(FAIL, "strict verifiers refuse it", "write it as RFC 7519 section 4.1 says"),
    "expired": Kind(
        FAIL, "refused, by some only 30 s or more later", "get a new token, or check the clock"
    ),
    "not_yet_valid": Kind(FAIL, "refused until then", "wait, or check the issuer's clock"),
    "exp_before_iat": Kind(
        FAIL, "kmsjwt refuses it, others look at exp alone", "exp is iat plus the lifetime"
    ),
    "lifetime_too_long": Kind(
        WARN, "kmsjwt accepts 24 h at most unless told otherwise", "15 minutes are usual"
    ),
    # Signature.
    "signature_der": Kind(
        FAIL,
        "KMS answers DER, JOSE wants r || s: all libraries refuse it",
        "kmsjwt issue, or algorithms.ecdsa_der_to_jose(signature, 64)",
    ),
    "signature_length": Kind(
        FAIL, "it cannot be verified", "was it cut off, or made by another key?"
    ),
    "signature_encoded_twice": Kind(
        FAIL, "the signature is text of a signature", "encode the bytes, once, as base64url"
    ),
    "signature_hex": Kind(
        FAIL, "the signature is text of a signature", "bytes.fromhex(…), then base64url"
    ),
    "leading_zero": Kind(
        FAIL, "strict verifiers refuse it (RFC 8017 section 8.2.2)", "pad it to the key's length"
    ),
    "kid_unknown": Kind(
        FAIL, "wrong key, or it is not published yet", "compare: kmsjwt jwks --key KEY"
    ),
    "kid_wrong": Kind(FAIL, "verifiers choose by kid and find the wrong key", _CHANGE_KID),
    "alg_contradicts_key": Kind(
        FAIL,
        "the algorithm belongs to the key: kmsjwt and strict verifiers refuse it",
        "make header and JWK name the same alg",
    ),
    "signed_as_other": Kind(
        FAIL, "verifiers check it by the header's alg", "make alg say what was signed with"
    ),
    "pss_salt": Kind(
        FAIL,
        "JOSE's salt is as long as the hash (RFC 7518 section 3.5)",
        "padding.PSS(MGF1(hash), salt_length=hash.digest_size)",
    ),
    "double_hash": Kind(
        FAIL,
        "the digest was hashed again; kms:Verify passes if it is asked the same wrong way",
        'send the digest with MessageType="DIGEST", or the signing input with "RAW"',
    ),
    "hex_digest": Kind(
        FAIL, "the digest's hex text was signed", "use hashlib's digest(), not hexdigest()"
    ),
    "segments_rewritten": Kind(
        FAIL, "what was signed is not what was sent", "sign the very text that you send"
    ),
    "hmac_with_public_key": Kind(
        FAIL,
        "an attack: it was made with the public key as the secret",
        "make sure that your verifier allows the key's own alg alone",
    ),
    "signature_wrong": Kind(
        FAIL,
        "changed after signing, or signed by another key",
        "get it again; check which key signs: kmsjwt jwks --key KEY",
    ),
}
"""By code."""


def finding(code: str, fact: str, *, consequence: str = "", fix: str = "") -> Finding:
    """Return a finding; what is not given is the catalogue's."""
    kind = CATALOGUE[code]
    return Finding(
        code=code,
        severity=kind.severity,
        fact=fact,
        consequence=consequence or kind.consequence,
        fix=fix or kind.fix,
    )
