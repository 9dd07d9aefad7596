"""Hostile tokens, generated per algorithm. Each names the ``code`` it must be refused with.

The groups follow the threats: structure, base64, JSON, header, claims; signatures are forged in
`tests.core.forgeries`. What only the holder of the key can make is signed with the trusted key.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.core import helpers
from tests.core.forgeries import forged
from tests.core.helpers import AUD, ISS, NOW, Forge, b64, dumps
from tests.core.oracles import public_pem

from kmsjwt.algorithms import ALGORITHMS
from kmsjwt.compact import MAX_LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Attack(NamedTuple):
    name: str
    code: str
    build: Any  # takes a Forge, returns what is to be verified


class SubclassedText(str):
    """Its methods could be anything."""

    __slots__ = ()


ARGUMENTS: dict[str, object] = {
    "None": None,
    "int": 5,
    "float": 1.5,
    "bool": True,
    "list": ["a.b.c"],
    "dict": {"token": "a.b.c"},
    "object": object(),
}

_UNSPEAKABLE = {  # wrapped around a good token, or put inside a segment
    "space": " ",
    "tab": "\t",
    "newline": "\n",
    "carriage-return": "\r",
    "nul": "\0",
    "quote": '"',
    "semicolon": ";",
    "comma": ",",
    "question-mark": "?",
    "star": "*",
    "percent": "%3D",
    "plus": "+",
    "slash": "/",
    "padding": "=",
}
_BEYOND_ASCII = {
    "nbsp": "\u00a0",
    "zero-width-space": "\u200b",
    "bom": "\ufeff",
    "line-separator": "\u2028",
    "fullwidth-A": "\uff21",
    "cyrillic-a": "\u0430",
    "lone-surrogate": "\ud800",
    "emoji": "\U0001f511",
}


_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def structure() -> Iterator[Attack]:
    for name, value in ARGUMENTS.items():
        yield Attack(f"argument-{name}", "not_text", lambda _, value=value: value)
    yield Attack("argument-bytes", "not_text", lambda f: f.good.encode())
    yield Attack("argument-bytearray", "not_text", lambda f: bytearray(f.good.encode()))
    yield Attack("argument-tuple", "not_text", lambda f: tuple(f.segments))
    yield Attack("argument-str-subclass", "not_text", lambda f: SubclassedText(f.good))
    shapes: dict[str, Callable[[Forge], str]] = {
        "empty": lambda _: "",
        "one-dot": lambda _: ".",
        "two-dots": lambda _: "..",
        "three-dots": lambda _: "...",
        "one-segment": lambda f: f.segments[0],
        "two-segments": lambda f: ".".join(f.segments[:2]),
        "four-segments": lambda f: f.good + ".AAAA",
        "jwe-of-five": lambda f: f.good + ".AAAA.AAAA",
        "twice": lambda f: f.good + "." + f.good,
        "comma-joined": lambda f: f"{f.good},{f.good}",
        "leading-dot": lambda f: "." + f.good,
        "trailing-dot": lambda f: f.good + ".",
        "no-header": lambda f: f.replaced(0, ""),
        "no-payload": lambda f: f.replaced(1, ""),
        "no-signature": lambda f: f.replaced(2, ""),
        "detached": lambda f: f"{f.segments[0]}..{f.segments[2]}",
        "ideographic-stops": lambda f: f.good.replace(".", "\u3002"),
        "fullwidth-stops": lambda f: f.good.replace(".", "\uff0e"),
        "thousands-of-dots": lambda _: "." * MAX_LENGTH,
        "dots-and-letters": lambda _: "a." * (MAX_LENGTH // 2),
        "json-flattened": lambda f: json.dumps(
            dict(zip(("protected", "payload", "signature"), f.segments, strict=True))
        ),
        "json-general": lambda f: json.dumps({"payload": f.segments[1], "signatures": [{}]}),
    }
    for name, build in shapes.items():
        yield Attack(f"shape-{name}", "not_compact", build)
    yield Attack("shape-json-polyglot", "header_base64", lambda f: '{"token":"' + f.good + '"}')
    yield Attack("shape-bearer", "not_compact", lambda f: "Bearer " + f.good)
    yield Attack("too-long-by-one", "too_long", lambda _: "a" * (MAX_LENGTH + 1))
    yield Attack("too-long-megabytes", "too_long", lambda f: f.good + "A" * 2_000_000)
    yield Attack("too-long-padding", "too_long", lambda f: f.good + "=" * MAX_LENGTH)
    for name, text in _UNSPEAKABLE.items():
        yield Attack(f"before-{name}", "header_base64", lambda f, t=text: t + f.good)
        yield Attack(f"after-{name}", "signature_base64", lambda f, t=text: f.good + t)
    for name, text in _BEYOND_ASCII.items():
        yield Attack(f"before-{name}", "not_compact", lambda f, t=text: t + f.good)
        yield Attack(f"after-{name}", "not_compact", lambda f, t=text: f.good + t)
        yield Attack(f"inside-{name}", "not_compact", lambda f, t=text: f.good[:9] + t + f.good[9:])


def encodings() -> Iterator[Attack]:
    """Every segment re-spelt by whoever holds a token, and (payload) signed as re-spelt."""
    names = ("header", "payload", "signature")
    for position, segment in enumerate(names):
        code = f"{segment}_base64"
        for name, text in _UNSPEAKABLE.items():
            yield Attack(
                f"{segment}-inside-{name}",
                code,
                lambda f, p=position, t=text: f.replaced(p, _inside(f.segments[p], t)),
            )
        yield Attack(
            f"{segment}-impossible-length",
            code,
            lambda f, p=position: f.replaced(p, _impossible(f.segments[p])),
        )
    for name, text in _UNSPEAKABLE.items():
        yield Attack(
            f"payload-signed-inside-{name}",
            "payload_base64",
            lambda f, t=text: f.sealed(f.segments[0], _inside(f.segments[1], t)),
        )
        yield Attack(
            f"header-signed-inside-{name}",
            "header_base64",
            lambda f, t=text: f.sealed(_inside(f.segments[0], t), f.segments[1]),
        )
    for padding in ("=", "==", "===", "===="):
        yield Attack(
            f"payload-signed-padded-{len(padding)}",
            "payload_base64",
            lambda f, t=padding: f.sealed(f.segments[0], f.segments[1] + t),
        )
    for extra in (1, 2):  # so that the segment's last character carries unused bits
        yield Attack(
            f"header-unused-bits-{extra}", "header_base64", lambda f, n=extra: _loose(f, 0, n)
        )
        yield Attack(
            f"payload-unused-bits-{extra}", "payload_base64", lambda f, n=extra: _loose(f, 1, n)
        )
    yield Attack(
        "payload-impossible-length-signed",
        "payload_base64",
        lambda f: f.sealed(f.segments[0], _impossible(f.segments[1])),
    )
    yield Attack("signature-standard-base64", "signature_base64", _standard_base64)


def signature_spellings(alg: str) -> Iterator[Attack]:
    """Every other last character that decodes to the same signature where bits are left over."""
    length = ALGORITHMS[alg].signature_length or 256
    for more in range(1, (1, 16, 4)[length % 3]):
        yield Attack(
            f"signature-unused-bits-{more}",
            "signature_base64",
            lambda f, n=more: f.good[:-1] + _ALPHABET[_ALPHABET.index(f.good[-1]) + n],
        )


def _inside(segment: str, text: str) -> str:
    return segment[:7] + text + segment[7:]


def _impossible(segment: str) -> str:
    return segment + "A" * ((1 - len(segment)) % 4 or 4)


def _loose(forge: Forge, position: int, extra: int) -> str:
    """Sign a segment of 3k + extra bytes whose last character has an unused bit set."""
    member = "n" if position == 0 else "pad"
    parts: list[dict[str, Any]] = [forge.header(), forge.claims()]
    filler = ""
    while len(dumps({**parts[position], member: filler})) % 3 != extra:
        filler += "x"
    texts = [b64(dumps(part)) for part in parts]
    text = b64(dumps({**parts[position], member: filler}))
    texts[position] = text[:-1] + _ALPHABET[_ALPHABET.index(text[-1]) + 1]
    return forge.sealed(*texts)


def _standard_base64(forge: Forge) -> str:
    """Do as the article does: base64 with '+', '/' and '=' for the signature."""
    while True:
        text = forge.segments[2]
        if "-" in text or "_" in text or len(text) % 4:
            break
        forge = Forge(forge.alg)
    text = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
    return forge.replaced(2, text)


_NOT_OBJECTS = {
    "array": b"[]",
    "text": b'"x"',
    "number": b"1",
    "null": b"null",
    "true": b"true",
    "array-of-object": b'[{"alg":"RS256"}]',
}


def _spoilt(good: bytes) -> dict[str, tuple[str, bytes]]:
    """Return the JSON object ``good`` spoilt in many ways, by name, with the code expected."""
    inner = good[1:-1]

    def also(members: str) -> bytes:
        return b"{" + inner + b"," + members.encode() + b"}"

    return {
        "empty-text": ("json", b" "),
        "garbage": ("json", b"garbage"),
        "cut-short": ("json", good[:-1]),
        "cut-in-name": ("json", good[:4]),
        "trailing-brace": ("json", good + b"}"),
        "trailing-text": ("json", good + b"x"),
        "trailing-nul": ("json", good + b"\0"),
        "two-objects": ("json", good + good),
        "trailing-comma": ("json", good[:-1] + b",}"),
        "comment": ("json", b"/* */" + good),
        "line-comment": ("json", good + b"//"),
        "single-quotes": ("json", good.replace(b'"', b"'")),
        "form-feed": ("json", b"\x0c" + good),
        "vertical-tab": ("json", good + b"\x0b"),
        "nbsp": ("json", b"\xc2\xa0" + good),
        "bom": ("json", b"\xef\xbb\xbf" + good),
        "utf-16": ("utf8", good.decode().encode("utf-16")),
        "utf-16-le": ("json", good.decode().encode("utf-16-le")),
        "utf-16-be": ("json", good.decode().encode("utf-16-be")),
        "utf-32": ("utf8", good.decode().encode("utf-32")),
        "utf-32-be": ("json", good.decode().encode("utf-32-be")),
        "utf-7": ("json", b"+AHs-" + good[1:]),
        "latin-1": ("utf8", b"{" + inner + b',"x":"\xe9"}'),
        "overlong": ("utf8", b"{" + inner + b',"x":"\xc0\xaf"}'),
        "overlong-nul": ("utf8", b"{" + inner + b',"x":"\xc0\x80"}'),
        "cesu-surrogate": ("utf8", b"{" + inner + b',"x":"\xed\xa0\x80"}'),
        "cesu-pair": ("utf8", b"{" + inner + b',"x":"\xed\xa0\xbd\xed\xb4\x91"}'),
        "utf-8-cut": ("utf8", b"{" + inner + b',"x":"\xe2\x82"}'),
        "beyond-unicode": ("utf8", b"{" + inner + b',"x":"\xf4\x90\x80\x80"}'),
        "nan": ("json", also('"x":NaN')),
        "infinity": ("json", also('"x":Infinity')),
        "minus-infinity": ("json", also('"x":-Infinity')),
        "overflowing": ("json", also('"x":1e400')),
        "overflowing-below": ("json", also('"x":-1e400')),
        "overflowing-digits": ("json", also('"x":' + "9" * 400 + ".0")),
        "int-of-5000-digits": ("json", also('"x":' + "9" * 5000)),
        "leading-zero": ("json", also('"x":01')),
        "leading-plus": ("json", also('"x":+1')),
        "bare-point": ("json", also('"x":.5')),
        "trailing-point": ("json", also('"x":1.')),
        "hexadecimal": ("json", also('"x":0x10')),
        "underscored": ("json", also('"x":1_000')),
        "arabic-digits": ("json", also('"x":١٢')),
        "undefined": ("json", also('"x":undefined')),
        "python-none": ("json", also('"x":None')),
        "bad-escape": ("json", also('"x":"\\x41"')),
        "cut-escape": ("json", also('"x":"\\u00"')),
        "raw-newline": ("json", also('"x":"\n"')),
        "raw-nul": ("json", also('"x":"\0"')),
        "number-as-name": ("json", also("1:1")),
        "no-value": ("json", also('"x":')),
        "high-surrogate": ("json", also('"x":"\\ud800"')),
        "low-surrogate": ("json", also('"x":"\\udc00"')),
        "surrogates-swapped": ("json", also('"x":"\\udc00\\ud800"')),
        "surrogate-nested": ("json", also('"x":[{"y":["\\uDBFF"]}]')),
        "surrogate-in-name": ("json", also('"\\ud800":1')),
        "surrogate-in-name-nested": ("json", also('"x":{"\\udfff":1}')),
        "twice-unknown": ("duplicate_member", also('"x":1,"x":1')),
        "twice-escaped": ("duplicate_member", also('"x":1,"\\u0078":1')),
        "twice-nested": ("duplicate_member", also('"x":{"y":1,"y":1}')),
        "twice-nested-in-array": ("duplicate_member", also('"x":[[{"y":1,"z":2,"y":3}]]')),
        "twice-empty-name": ("duplicate_member", also('"":1,"":2')),
        "deep-33": ("depth", also('"x":' + "[" * 32 + "]" * 32)),
        "deep-objects": ("depth", also('"x":' + '{"a":' * 40 + "1" + "}" * 40)),
        "deep-1000": ("depth", also('"x":' + "[" * 1000 + "]" * 1000)),
        "deep-unclosed": ("depth", b"[" * 5000),
        "deep-behind-quotes": ("depth", also('"x":"\\"",' + '"y":' + "[" * 99 + "]" * 99)),
        "deep-after-string": ("depth", also('"x":"]]]]\\\\","y":' + "[" * 99 + "]" * 99)),
    }


def documents() -> Iterator[Attack]:
    """JSON that is not the strict kind, in a header or payload signed with the trusted key."""
    for segment in ("header", "payload"):
        for name, (code, _) in _spoilt(b"{}").items():
            yield Attack(
                f"{segment}-json-{name}",
                f"{segment}_{code}",
                lambda f, s=segment, n=name: _with_document(f, s, _spoilt(_document(f, s))[n][1]),
            )
        for name, text in _NOT_OBJECTS.items():
            yield Attack(
                f"{segment}-json-is-{name}",
                f"{segment}_not_object",
                lambda f, s=segment, t=text: _with_document(f, s, t),
            )
        for member in (
            ("alg", "kid", "typ") if segment == "header" else ("iss", "aud", "exp", "sub")
        ):
            yield Attack(
                f"{segment}-json-twice-{member}",
                f"{segment}_duplicate_member",
                lambda f, s=segment, m=member: _with_document(f, s, _twice(_document(f, s), m)),
            )


def _document(forge: Forge, segment: str) -> bytes:
    return dumps(forge.header() if segment == "header" else forge.claims())


def _with_document(forge: Forge, segment: str, text: bytes) -> str:
    return forge.token(text) if segment == "header" else forge.token(claims=text)


def _twice(good: bytes, member: str) -> bytes:
    return good[:-1] + b"," + dumps({member: json.loads(good)[member]})[1:]


_FOREIGN_ALGS = {
    "none": "none",
    "None": "None",
    "NONE": "NONE",
    "nOnE": "nOnE",
    "empty": "",
    "HS256": "HS256",
    "HS384": "HS384",
    "HS512": "HS512",
    "RS1": "RS1",
    "ES521": "ES521",
    "Ed448": "Ed448",
    "ES256-R": "ES256-R",
    "dir": "dir",
    "RSA-OAEP": "RSA-OAEP",
    "very-long": "A" * 2000,
}
_WRONG_TYPES: dict[str, Any] = {
    "null": None,
    "int": 1,
    "float": 1.5,
    "true": True,
    "list": ["RS256"],
    "object": {"alg": "RS256"},
}
_KIDS = {
    "empty": "",
    "unknown": "another",
    "path": "../../../../dev/null",
    "file": "file:///etc/passwd",
    "sql": "x' UNION SELECT 'key'--",
    "shell": "$(id)|sleep 5",
    "url": "https://evil.example/jwks.json",
    "arn": "arn:aws:kms:eu-central-1:666666666666:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "log-injection": "a\r\nlevel=INFO",
    "nul": "\0",
    "very-long": "k" * 4000,
    "unicode": "ключ",
    "none-as-text": "None",
}
_TYPS = {
    "JWS": "JWS",
    "JOSE": "JOSE",
    "dpop": "dpop+jwt",
    "logout": "logout+jwt",
    "secevent": "secevent+jwt",
    "id": "id+jwt",
    "refresh": "rt+jwt",
    "empty": "",
    "leading-space": " JWT",
    "trailing-space": "JWT ",
    "trailing-nul": "JWT\0",
    "prefix-alone": "application/",
    "prefix-twice": "application/application/jwt",
    "other-tree": "text/jwt",
    "parameter": "JWT; charset=utf-8",
    "at-space": "at jwt",
    "fullwidth": "\uff2a\uff37\uff34",
}


_CRITS: list[Any] = [
    [],
    ["exp"],
    ["b64"],
    ["alg"],
    ["unknown"],
    [1],
    [[]],
    None,
    False,
    "exp",
    {},
    0,
    "",
]
_B64S: list[Any] = [True, False, None, "false", 0, []]


def headers(alg: str) -> Iterator[Attack]:  # noqa: C901  a table, in groups
    def signed(name: str, code: str, **members: Any) -> Attack:
        return Attack(f"header-{name}", code, lambda f: f.token(f.header(**members)))

    def without(name: str, code: str) -> Attack:
        return Attack(
            f"header-without-{name}",
            code,
            lambda f: f.token({n: v for n, v in f.header().items() if n != name}),
        )

    spellings = {
        "lower": alg.lower() if alg != alg.lower() else alg.upper(),
        "swapped-case": alg.swapcase(),
        "leading-space": " " + alg,
        "trailing-space": alg + " ",
        "trailing-nul": alg + "\0",
        "cut": alg[:-1],
    }
    others = {f"is-{other}": other for other in ALGORITHMS if other != alg}
    for name, value in {**_FOREIGN_ALGS, **spellings, **others}.items():
        yield signed(f"alg-{name}", "algorithm_not_allowed", alg=value)
    for name, value in _WRONG_TYPES.items():
        yield signed(f"alg-{name}", "header_alg", alg=value)
        yield signed(f"kid-{name}", "header_kid", kid=value)
        yield signed(f"typ-{name}", "wrong_type", typ=value)
    yield without("alg", "header_alg")
    yield without("typ", "wrong_type")
    yield Attack("header-empty-object", "header_alg", lambda f: f.token(b"{}"))
    for name, value in _KIDS.items():
        yield signed(f"kid-{name}", "unknown_key", kid=value)
    for name, respell in _KID_SPELLINGS.items():
        yield Attack(
            f"header-kid-{name}",
            "unknown_key",
            lambda f, r=respell: f.token(f.header(kid=r(f.key.kid))),
        )
    for name, value in _TYPS.items():
        yield signed(f"typ-{name}", "wrong_type", typ=value)
    for position, value in enumerate(_CRITS):
        yield signed(f"crit-{position}", "header_crit", crit=value)
    for position, value in enumerate(_B64S):
        yield signed(f"b64-{position}", "header_b64", b64=value)
    yield signed("enc", "header_enc", enc="A256GCM")
    yield signed("enc-null", "header_enc", enc=None)
    yield signed("zip", "header_zip", zip="DEF")
    yield signed("crit-with-b64", "header_crit", crit=["b64"], b64=False)
    for name, value in {"iss": "https://evil.example", "aud": "billing", "sub": "eve"}.items():
        yield signed(f"replicated-{name}-differs", "invalid_claim", **{name: value})
    yield Attack(
        "header-nested-jwt",
        "payload_json",
        lambda f: f.token(f.header(cty="JWT"), f.good.encode()),
    )
    yield Attack(
        "header-of-a-password",  # PBES2: the sender would choose how long the recipient works
        "algorithm_not_allowed",
        lambda f: f.token(f.header(alg="PBES2-HS256+A128KW", p2c=2**31 - 1, p2s="AAAAAAAA")),
    )
    yield signed("replicated-exp-differs", "invalid_claim", exp=NOW + 601)
    yield signed("replicated-nbf-absent", "invalid_claim", nbf=NOW)
    yield signed("replicated-aud-as-list", "invalid_claim", aud=[AUD])
    for name, (repeated, claim) in _REPLICATED.items():
        yield Attack(
            f"replicated-{name}",
            "invalid_claim",
            lambda f, r=repeated, c=claim: f.token(f.header(x=r), f.claims(x=c)),
        )
    yield from _confusions(alg)
    yield from _header_keys(alg)


_REPLICATED: dict[str, tuple[Any, Any]] = {
    "of-ones-own-differs": ("admin", "user"),
    "true-for-1": (True, 1),
    "1-for-true": (1, True),
    "null-for-false": (None, False),
    "deep-inside": ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}),
    "list-for-text": (["a"], "a"),
}

_KID_SPELLINGS: dict[str, Callable[[str], str]] = {
    "swapped-case": str.swapcase,
    "leading-space": lambda kid: " " + kid,
    "trailing-nul": lambda kid: kid + "\0",
    "cut": lambda kid: kid[:-1],
    "padded": lambda kid: kid + "=",
}


def _confusions(alg: str) -> Iterator[Attack]:
    """The public key in many spellings as the secret of an HMAC."""

    def secrets(f: Forge) -> dict[str, bytes]:
        pem = public_pem(f.key.private.public_key())
        jwk = f.key.public.to_jwk()
        return {
            "pem": pem,
            "pem-stripped": pem.strip(),
            "pem-crlf": pem.replace(b"\n", b"\r\n"),
            "pem-bom": b"\xef\xbb\xbf" + pem,
            "jwk": dumps(jwk),
            "jwks": dumps({"keys": [jwk]}),
            "material": next(iter(jwk.values())).encode(),
            "empty": b"",
        }

    names = ("pem", "pem-stripped", "pem-crlf", "pem-bom", "jwk", "jwks", "material", "empty")
    for name in names:
        for hash_name in ("sha256", "sha512"):
            hs = f"HS{hash_name[3:]}"

            def confused(f: Forge, n: str = name, h: str = hash_name, a: str = hs) -> str:
                signed = f"{b64(dumps(f.header(alg=a)))}.{f.segments[1]}"
                mac = hmac.new(secrets(f)[n], signed.encode(), h).digest()
                return f"{signed}.{b64(mac)}"

            yield Attack(f"confusion-{hs}-{name}", "algorithm_not_allowed", confused)
    yield Attack(
        "confusion-mac-under-own-alg",
        # An Ed25519 or ES256 signature is as long as an HMAC-SHA-512.
        "bad_signature" if ALGORITHMS[alg].signature_length == 64 else "signature_length",
        lambda f: f.with_signature(
            hmac.digest(secrets(f)["pem"], f.signing_input.encode(), "sha512")
        ),
    )
    yield Attack(
        "confusion-hash-as-signature",
        "bad_signature" if ALGORITHMS[alg].signature_length == 64 else "signature_length",
        lambda f: f.with_signature(hashlib.sha512(f.signing_input.encode()).digest()),
    )


def _header_keys(alg: str) -> Iterator[Attack]:
    """Key material or a place to fetch it from, brought along in the header."""
    other = helpers.private_key(alg, "attacker")

    def jwk() -> dict[str, str]:
        return helpers.HeldKey(alg, other).public.to_jwk()

    places: dict[str, Callable[[], Any]] = {
        "jwk": jwk,
        "jku": lambda: "https://evil.example/jwks.json",
        "x5u": lambda: "http://169.254.169.254/latest/meta-data/",
        "x5c": lambda: ["MIIB"],
        "x5t": lambda: "AAAA",
        "x5t#S256": lambda: "AAAA",
        "keys": lambda: [jwk()],
        "epk": jwk,
    }
    for name, value in places.items():
        yield Attack(
            f"header-brings-{name}",
            "bad_signature",
            lambda f, n=name, v=value: f.token(f.header(**{n: v()}), private=other),
        )
        yield Attack(
            f"header-brings-{name}-own-kid",
            "unknown_key",
            lambda f, n=name, v=value: f.token(f.header(**{n: v(), "kid": "evil"}), private=other),
        )


_BAD_TIMES: dict[str, Any] = {
    "null": None,
    "text": str(NOW + 600),
    "text-spaced": f" {NOW + 600} ",
    "true": True,
    "false": False,
    "list": [NOW + 600],
    "object": {"t": NOW + 600},
    "zero": 0,
    "negative": -1,
    "zero-float": 0.0,
    "tiny": 1e-400,
    "beyond-2-53": 2**53,
    "huge-float": 1e300,
    "huge-int": 10**4000,
}
_ISSUERS = {
    "slash": ISS + "/",
    "upper": ISS.upper(),
    "cut": ISS[:-1],
    "longer": ISS + ".evil.example",
    "inner": "id.example",
    "leading-space": " " + ISS,
    "trailing-space": ISS + " ",
    "trailing-nul": ISS + "\0",
    "homoglyph": ISS.replace("e", "\u0435"),
    "http": ISS.replace("https", "http"),
    "port": ISS + ":443",
    "user": "https://id.example@evil.example",
    "query": ISS + "?",
    "letter": "h",
}
_AUDIENCES: dict[str, Any] = {
    "other": "billing",
    "upper": AUD.upper(),
    "cut": AUD[:-1],
    "longer": AUD + "x",
    "two-in-one": f"billing {AUD}",
    "comma": f"{AUD},billing",
    "letters": list(AUD),
    "others": ["billing", "invoices"],
    "star": "*",
    "spaced": f" {AUD}",
    "homoglyph": AUD.replace("o", "\u043e"),
}
_NOT_AUDIENCES: dict[str, Any] = {
    "null": None,
    "empty": "",
    "empty-list": [],
    "int": 1,
    "true": True,
    "object": {AUD: 1},
    "list-of-int": [1],
    "list-with-int": [AUD, 1],
    "list-with-null": [AUD, None],
    "list-with-empty": [AUD, ""],
    "nested-list": [[AUD]],
    "list-of-object": [{AUD: AUD}],
}


def claims() -> Iterator[Attack]:  # noqa: C901  a table, in groups
    def signed(name: str, code: str, **members: Any) -> Attack:
        return Attack(f"claim-{name}", code, lambda f: f.token(claims=f.claims(**members)))

    def without(name: str, code: str = "missing_claim") -> Attack:
        return Attack(
            f"claim-without-{name}",
            code,
            lambda f: f.token(claims={n: v for n, v in f.claims().items() if n != name}),
        )

    for name in ("exp", "nbf", "iat"):
        for kind, value in _BAD_TIMES.items():
            if name == "nbf" and value == 0 and value is not False:
                continue  # good: see goods.py
            yield signed(f"{name}-{kind}", "invalid_claim", **{name: value})
    yield without("exp")
    yield without("iss")
    yield without("aud")
    yield Attack("claim-none-at-all", "missing_claim", lambda f: f.token(claims=b"{}"))
    yield Attack("claim-exp-upper-case", "missing_claim", _upper_case_exp)
    for name, ago in {"at-leeway": 30, "past-leeway": 31, "an-hour-ago": 3600}.items():
        yield signed(f"exp-{name}", "expired", exp=NOW - ago, iat=NOW - 7200)
    yield signed("exp-fraction-past", "expired", exp=NOW - 30.001, iat=NOW - 7200)
    yield signed("exp-in-1970", "expired", exp=1, iat=1)
    yield signed("nbf-ahead", "not_yet_valid", nbf=NOW + 31)
    yield signed("nbf-fraction-ahead", "not_yet_valid", nbf=NOW + 30.001)
    yield signed("iat-ahead", "not_yet_valid", iat=NOW + 31)
    yield signed("iat-milliseconds", "not_yet_valid", iat=NOW * 1000, exp=NOW * 1000 + 600)
    yield signed("exp-milliseconds", "lifetime_too_long", exp=(NOW + 600) * 1000)
    yield signed("lifetime-by-one", "lifetime_too_long", exp=NOW + 86_401)
    yield signed("lifetime-by-a-fraction", "lifetime_too_long", exp=NOW + 86_400.5)
    yield signed("lifetime-backdated", "lifetime_too_long", iat=NOW - 86_000, exp=NOW + 401)
    yield Attack(
        "claim-lifetime-without-iat",
        "lifetime_too_long",
        lambda f: f.token(
            claims={"iss": ISS, "aud": AUD, "exp": NOW + 86_401, "jti": "x", "sub": "ala"}
        ),
    )
    for kind, value in _ISSUERS.items():
        yield signed(f"iss-{kind}", "wrong_issuer", iss=value)
    for kind, value in _AUDIENCES.items():
        yield signed(f"aud-{kind}", "wrong_audience", aud=value)
    for kind, value in _NOT_AUDIENCES.items():
        yield signed(f"aud-{kind}", "invalid_claim", aud=value)
    types = {**_WRONG_TYPES, "list-of-text": ["ala"]}
    for name in ("iss", "sub", "jti", "client_id", "scope"):
        for kind, value in types.items():
            yield signed(f"{name}-{kind}", "invalid_claim", **{name: value})
        if name != "scope":
            yield signed(f"{name}-empty", "invalid_claim", **{name: ""})
    yield signed("iss-list-with-ours", "invalid_claim", iss=[ISS])


def _upper_case_exp(forge: Forge) -> str:
    members = forge.claims()
    members["EXP"] = members.pop("exp")
    return forge.token(claims=members)


def attacks(alg: str) -> list[Attack]:
    """Return the whole table for one algorithm."""
    signatures = [Attack(f"forged-{name}", code, build) for name, code, build in forged(alg)]
    return [
        *structure(),
        *encodings(),
        *signature_spellings(alg),
        *documents(),
        *headers(alg),
        *claims(),
        *signatures,
    ]


@cache
def built(alg: str) -> tuple[tuple[Attack, object], ...]:
    """Return the table with its tokens made, once for all who only read them."""
    forge = helpers.forge(alg)
    return tuple((attack, attack.build(forge)) for attack in attacks(alg))
