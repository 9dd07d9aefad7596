"""The doctor finds what is broken, says so in one line, and finds nothing where all is well."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from tests.authority.enforcing import Enforcing
from tests.authority.ward import DAY, HOUR, Ward, found, sts, text, verdicts
from tests.jwks.servers import Server, body

from kmsjwt import Issuer
from kmsjwt.authority import iam
from kmsjwt.authority.doctor import Deployment, Use, examine
from kmsjwt.authority.iam_names import Place, Ring
from kmsjwt.cli import main
from kmsjwt.cli.doctor_settings import deployment
from kmsjwt.errors import ConfigError
from kmsjwt.kms import KmsSigner
from kmsjwt.local import LocalKms, Propagation

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL_OK = ("ok", "ok", "ok")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.stop()


@pytest.fixture
def ward(server: Server) -> Ward:
    server.answers.clear()
    return Ward(server)


# ---------------------------------------------------------------- what is well


def test_a_token_function_that_is_well_is_all_ok(ward):
    diagnosis = ward.diagnose("issue")

    assert verdicts(diagnosis) == dict.fromkeys(
        (
            "settings",
            "caller",
            "key",
            "sign",
            "public",
            "ring",
            "rotation",
            "lifetime",
            "published",
            "discovery",
            "max-age",
            "clock",
        ),
        "ok",
    )
    assert diagnosis.verdict == "ok"


@pytest.mark.parametrize(
    ("function", "skipped"),
    [
        ("rotate", set()),
        ("jwks", set()),
        ("authorizer", {"published", "discovery", "max-age"}),  # it has its keys from KMS
    ],
)
def test_the_other_functions_that_are_well(ward, function, skipped):
    diagnosis = ward.diagnose(function)

    told = verdicts(diagnosis)
    assert {check for check, verdict in told.items() if verdict != "ok"} == skipped
    assert {told[check] for check in skipped} <= {"skip"}
    assert diagnosis.verdict == "ok"


def test_an_authorizer_that_reads_a_jwks_asks_kms_nothing(ward):
    ward.client = Enforcing(ward.kms, [])
    diagnosis = ward.diagnose(
        "authorizer", KMSJWT_KEYS="", KMSJWT_JWKS=f"{ward.issuer}/.well-known/jwks.json"
    )

    assert verdicts(diagnosis) == {
        "settings": "ok",
        "caller": "skip",
        "published": "ok",
        "discovery": "skip",
        "max-age": "skip",
        "cache": "ok",
    }
    assert ward.client.asked == []


def test_an_authorizer_that_asks_kms_is_tried_with_a_dry_run(ward):
    diagnosis = ward.diagnose("authorizer", KMSJWT_KEYS=ward.arn(), KMSJWT_VERIFY="kms")

    assert verdicts(diagnosis)["verify"] == "ok"
    assert "ECDSA_SHA_256, DIGEST" in found(diagnosis, "verify")[0].fact


def test_a_rotation_under_way_is_well_at_every_hour(ward):
    ward.forward(31 * DAY)
    for _ in range(12):
        ward.rotate()
        ward.sts = sts("arn:aws:iam::111122223333:user/people/ala")
        assert ward.diagnose("issue").verdict == "ok"
        ward.forward(HOUR)
    assert ward.kms.describe_key(KeyId="alias/auth/2")["KeyMetadata"]["Arn"] == ward.arn()


def test_what_has_been_due_for_less_than_a_day_is_no_fault(ward):
    ward.forward(30 * DAY + 20 * HOUR)

    (said,) = found(ward.diagnose("issue"), "rotation")

    assert said.verdict == "ok"
    assert "due: create" in said.fact


@pytest.mark.parametrize("function", ["issue", "rotate", "jwks", "authorizer"])
def test_the_policies_that_iam_prints_are_enough(ward, function):
    """What `kmsjwt iam` gives a function and the doctor lets it see all."""
    ring = Ring("auth", Place("eu-central-1", "111122223333"))
    roles: dict[str, Any] = {
        "issue": lambda: iam.issue([ring], algs=["ES256"]),
        "rotate": lambda: iam.rotate(ring, specs=["ECC_NIST_P256"]),
        "jwks": lambda: iam.jwks([ring]),
        "authorizer": lambda: iam.authorizer([ring], keys_from="kms"),
    }
    ward.client = Enforcing(ward.kms, [*roles[function](), *iam.doctor([ring])])

    diagnosis = ward.diagnose(function)

    assert diagnosis.verdict == "ok"
    assert ward.client.denied == []


def test_a_token_functions_own_role_sees_all_that_it_uses(ward):
    ring = Ring("auth", Place("eu-central-1", "111122223333"))
    ward.client = Enforcing(ward.kms, iam.issue([ring], algs=["ES256"]))

    diagnosis = ward.diagnose("issue")

    told = {check: verdict for check, verdict in verdicts(diagnosis).items() if verdict != "ok"}
    assert told == {"ring": "skip", "rotation": "skip"}
    assert "kmsjwt iam doctor --key ring:auth" in found(diagnosis, "ring")[0].fact
    assert "needs it not" in found(diagnosis, "key")[0].fact


@pytest.mark.parametrize(
    ("spec", "alg"),
    [
        ("ECC_NIST_P256", None),
        ("ECC_NIST_P521", None),
        ("RSA_2048", "PS384"),
        ("ECC_NIST_EDWARDS25519", None),
        ("ML_DSA_44", None),
    ],
)
def test_what_is_tried_is_what_is_signed_later(spec, alg):
    """Conditions name message type and algorithm, so the dry run has to have the real ones."""
    kms = LocalKms()
    key = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    tried, signed = _Signs(kms), _Signs(kms)
    use = Use(name=key, action="sign")

    diagnosis = examine(
        Deployment(function="issue", uses=(use,), alg=alg),
        kms=tried,
        sts=sts("arn:aws:iam::111122223333:user/ala"),
    )
    Issuer("https://id.example", KmsSigner(key, client=signed, alg=alg)).issue(sub="a", aud="b")

    assert verdicts(diagnosis)["sign"] == "ok"
    assert tried.seen == signed.seen
    assert (tried.dry_runs, signed.dry_runs) == ([True], [None])


class _Signs:
    """Remembers how KMS was asked to sign."""

    def __init__(self, kms: LocalKms) -> None:
        self._kms = kms
        self.meta = kms.meta
        self.seen: list[tuple[str, str, str, int]] = []
        self.dry_runs: list[bool | None] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kms, name)

    def sign(self, **told: Any) -> Any:
        length = 0 if told["MessageType"] == "RAW" else len(told["Message"])
        self.seen.append((told["KeyId"], told["MessageType"], told["SigningAlgorithm"], length))
        self.dry_runs.append(told.get("DryRun"))
        return self._kms.sign(**told)


def test_a_genuine_boto3_client_is_understood(ward):
    """The dry run's good answer is an error of botocore's."""
    config = Config(retries={"total_max_attempts": 1})
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    client = boto3.client("kms", region_name="eu-central-1", config=config, **keys)
    ward.client = ward.kms.attach(client)

    assert ward.diagnose("issue").verdict == "ok"


# ---------------------------------------------------------------- what is broken


def deny(operation: str | None, **more: Any) -> Any:
    return lambda ward: ward.kms.permissions.deny(operation, **more)


def disabled(ward: Ward) -> None:
    ward.kms.disable_key(KeyId=ward.arn())


def leaving(ward: Ward) -> None:
    ward.kms.schedule_key_deletion(KeyId=ward.arn(), PendingWindowInDays=7)


def no_pointer(ward: Ward) -> None:
    ward.kms.delete_alias(AliasName="alias/auth")


def no_ring(ward: Ward) -> None:
    for name in ("alias/auth", "alias/auth/1"):
        ward.kms.delete_alias(AliasName=name)


def pointer_astray(ward: Ward) -> None:
    other = ward.kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    ward.kms.update_alias(AliasName="alias/auth", TargetKeyId=other["KeyId"])


def wrong_usage(ward: Ward) -> None:
    other = ward.kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]
    ward.kms.create_alias(AliasName="alias/other", TargetKeyId=other["KeyId"])


def unread_wrong_usage(ward: Ward) -> None:
    wrong_usage(ward)
    ward.kms.permissions.deny("GetPublicKey")


def tagged(name: str, value: str, alias: str = "alias/auth") -> Any:
    def tag(ward: Ward) -> None:
        tags = [{"TagKey": name, "TagValue": value}]
        ward.kms.tag_resource(KeyId=ward.arn(alias), Tags=tags)

    return tag


def second(ward: Ward) -> None:
    """Have a second key that signs, and the first verify."""
    ward.rotate(start=True)
    ward.forward(3 * HOUR)
    ward.rotate()
    assert ward.arn() == ward.arn("alias/auth/2")


def first_is_missing(ward: Ward) -> None:
    second(ward)
    first = ward.kms.get_public_key(KeyId="alias/auth/1")["PublicKey"]
    assert first
    ward.site.keys.pop(next(iter(ward.site.keys)))
    ward.site.put()


def first_is_retired(ward: Ward) -> None:
    second(ward)
    tagged("kmsjwt:retired", "2026-09-21T14:13:20Z", "alias/auth/1")(ward)


def first_is_compromised(ward: Ward) -> None:
    first_is_retired(ward)
    tagged("kmsjwt:compromised", "2026-09-21T14:13:20Z", "alias/auth/1")(ward)


def first_is_disabled(ward: Ward) -> None:
    second(ward)
    ward.kms.disable_key(KeyId=ward.arn("alias/auth/1"))


def first_lost_its_alias(ward: Ward) -> None:
    second(ward)
    ward.kms.delete_alias(AliasName="alias/auth/1")


def stands_still(ward: Ward) -> None:
    """Make a successor, and let nobody move the pointer for two days."""
    ward.rotate(start=True)
    ward.forward(2 * DAY + 3 * HOUR)


def drains_for_ever(ward: Ward) -> None:
    second(ward)
    ward.forward(3 * DAY)


def bundled(ward: Ward) -> None:
    ward.rotate(start=True)
    tagged("kmsjwt:bundle", "yes", "alias/auth/2")(ward)
    ward.rotate()
    ward.forward(4 * HOUR)


def no_document(ward: Ward) -> None:
    ward.site.server.answer = body(b"", status=404)
    ward.site.server.answers.clear()


def no_discovery(ward: Ward) -> None:
    ward.site.server.answers["/.well-known/openid-configuration"] = body(b"", status=404)


def html_discovery(ward: Ward) -> None:
    answer = body(b"<html>sign in</html>")
    ward.site.server.answers["/.well-known/openid-configuration"] = answer


def not_json(ward: Ward) -> None:
    ward.site.server.answers["/.well-known/jwks.json"] = body(b"<html>sign in</html>")


def stale(ward: Ward) -> None:
    ward.site.keys.clear()
    ward.site.keys["old"] = {**json.loads(OLD)}
    ward.site.put()


OLD = json.dumps(
    {
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        "kid": "old",
        "alg": "ES256",
    }
)


def other_issuer(ward: Ward) -> None:
    ward.site.issuer = f"{ward.issuer}/"
    ward.site.put()


def kept_long(ward: Ward) -> None:
    ward.site.max_age = 86_400
    ward.site.put()


def clock_by(seconds: float) -> Any:
    def shift(ward: Ward) -> None:
        ward.doctor_clock.now += seconds

    return shift


def sts_says(code: str) -> Any:
    def say(ward: Ward) -> None:
        ward.sts = sts(code=code)

    return say


def drop(ward: Ward) -> None:
    ward.kms.faults.add(kind="drop", times=None)


def throttle(ward: Ward) -> None:
    ward.kms.faults.add("Sign", kind="throttle", times=None)


def expired(ward: Ward) -> None:
    ward.kms.faults.add(kind="error_before", code="ExpiredTokenException", times=None)


def forward(seconds: float) -> Any:
    return lambda ward: ward.forward(seconds)


def nothing(ward: Ward) -> None:
    pass


def odd_answer(ward: Ward) -> None:
    class Client:
        meta = ward.kms.meta

        def __getattr__(self, name: str) -> Any:
            return getattr(ward.kms, name)

        def get_public_key(self, **told: Any) -> Any:
            return {**ward.kms.get_public_key(**told), "PublicKey": b"nonsense"}

    ward.client = Client()


def fails_oddly(operation: str, code: str = "OddException") -> Any:
    return lambda ward: ward.kms.faults.add(operation, kind="error_before", code=code, times=None)


ISSUE, AUTH, JWKS, ROTATE = "issue", "authorizer", "jwks", "rotate"
FOREIGN = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
NO_KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
ES_512 = {"KMSJWT_KEY": "alias/auth", "KMSJWT_ALG": "ES512"}
PLAIN = {"KMSJWT_KEY": "alias/auth"}
VERIFY = {"KMSJWT_VERIFY": "kms"}
COMPARED = {"KMSJWT_KEYS": "", "KMSJWT_KEY": "alias/auth", "KMSJWT_JWKS": "{issuer}"}

# What is broken · how · whose environment · what is changed in it · the line: check, verdict, and
# what stands in its fact, consequence or fix.
BROKEN: list[tuple[str, Any, str, dict[str, str], tuple[str, str, str]]] = [
    # settings
    ("misspelt", nothing, ISSUE, {"KMSJWT_ISUER": "x"}, ("settings", "fail", "KMSJWT_ISSUER")),
    ("no issuer", nothing, ISSUE, {"KMSJWT_ISSUER": ""}, ("settings", "fail", "is unset")),
    ("lifetime", nothing, ISSUE, {"KMSJWT_LIFETIME": "x"}, ("settings", "fail", "LIFETIME is 'x'")),
    ("no rules", nothing, AUTH, {"KMSJWT_RULES": "no.toml"}, ("settings", "fail", "no.toml")),
    ("ttl", nothing, AUTH, {"KMSJWT_CACHE_TTL": "2h"}, ("settings", "fail", "0 to 3600")),
    ("alias", nothing, AUTH, {"KMSJWT_KEYS": "alias/auth"}, ("settings", "fail", "cannot verify")),
    ("no ring", nothing, ROTATE, {"KMSJWT_RING": ""}, ("settings", "fail", "KMSJWT_RING is unset")),
    ("bad to", nothing, ROTATE, {"KMSJWT_TO": "s3://"}, ("settings", "fail", "the bucket is")),
    ("alg", nothing, ROTATE, {"KMSJWT_ALG": "RS256"}, ("settings", "fail", "signs ES256")),
    (
        "alg, spec",
        nothing,
        ROTATE,
        {"KMSJWT_ALG": "ES256", "KMSJWT_SPEC": "RSA_2048"},
        ("settings", "fail", "KMSJWT_SPEC"),
    ),
    # caller
    ("sts denied", sts_says("AccessDenied"), ISSUE, {}, ("caller", "warn", "AccessDenied")),
    ("sts fails", sts_says("InternalFailure"), ISSUE, {}, ("caller", "warn", "sts:GetCallerId")),
    ("sts expired", sts_says("ExpiredToken"), ISSUE, {}, ("caller", "fail", "have expired")),
    ("expired", expired, ISSUE, {}, ("caller", "fail", "have expired")),
    # key
    ("no pointer", no_pointer, ISSUE, {}, ("key", "fail", "kmsjwt key create auth")),
    ("no alias", nothing, ISSUE, {"KMSJWT_KEY": "alias/x"}, ("key", "fail", "key create x")),
    ("no key", nothing, ISSUE, {"KMSJWT_KEY": NO_KEY}, ("key", "fail", "is not there")),
    ("other Region", nothing, ISSUE, {"KMSJWT_KEY": FOREIGN}, ("key", "fail", "us-east-1")),
    ("disabled", disabled, ISSUE, {}, ("key", "fail", "is Disabled\nit neither signs nor")),
    ("leaving", leaving, ISSUE, {}, ("key", "fail", "cancel-key-deletion")),
    ("usage", wrong_usage, ISSUE, {"KMSJWT_KEY": "alias/other"}, ("key", "fail", "ENCRYPT_DEC")),
    (
        "usage, unread",
        unread_wrong_usage,
        ISSUE,
        {"KMSJWT_KEY": "alias/other"},
        ("key", "fail", "has usage ENCRYPT_DECRYPT"),
    ),
    ("spec", nothing, ISSUE, ES_512, ("key", "fail", "signs ES256")),
    ("unseen", deny("DescribeKey"), AUTH, {}, ("key", "fail", "kms:DescribeKey on ring:auth")),
    # permissions
    ("Sign", deny("Sign"), ISSUE, {}, ("sign", "fail", "kmsjwt iam issue --key ring:auth")),
    ("role", deny("Sign"), ISSUE, {}, ("sign", "fail", "the role token-fn")),
    ("throttled", throttle, ISSUE, {}, ("sign", "unknown", "throttled")),
    ("read", deny("GetPublicKey"), ISSUE, {}, ("public", "fail", "iam issue --key ring:auth")),
    ("jwks", deny("GetPublicKey"), JWKS, {}, ("public", "fail", "kmsjwt iam jwks --key ring:auth")),
    ("authorizer", deny("GetPublicKey"), AUTH, {}, ("public", "fail", "--keys-from kms")),
    ("tags", deny("ListResourceTags"), AUTH, {}, ("ring", "fail", "ListResourceTags on ring auth")),
    ("its tags", deny("ListResourceTags"), ISSUE, PLAIN, ("ring", "warn", "is not obeyed")),
    ("moment", deny("ListAliases"), ROTATE, {}, ("rotation", "fail", "kmsjwt iam rotate")),
    ("looking", deny("ListAliases"), ISSUE, {}, ("rotation", "skip", "kmsjwt iam doctor")),
    # ring
    ("no ring at all", no_ring, ROTATE, {}, ("key", "fail", "kmsjwt key create auth")),
    ("astray", pointer_astray, ISSUE, {}, ("ring", "fail", "not tagged as a key of ring auth")),
    (
        "retired signs",
        tagged("kmsjwt:retired", "2026-09-21T14:13:20Z"),
        ISSUE,
        {},
        ("ring", "fail", "generation 1 signs, and is retired"),
    ),
    ("garbled", tagged("kmsjwt:published", "soon"), ISSUE, {}, ("ring", "fail", "soon")),
    ("withheld", first_is_disabled, AUTH, {}, ("ring", "fail", "generation 1 gives out no public")),
    # rotation
    ("overdue", forward(41 * DAY), ISSUE, {}, ("rotation", "warn", "41 days since the last")),
    ("planned", forward(41 * DAY), ISSUE, {}, ("rotation", "warn", "planned every 30 days")),
    ("schedule", forward(41 * DAY), ISSUE, {}, ("rotation", "warn", "kmsjwt key rotate auth")),
    (
        "told period",
        forward(3 * DAY),
        ROTATE,
        {"KMSJWT_PERIOD": "1d"},
        ("rotation", "warn", "3 da"),
    ),
    ("stands still", stands_still, ISSUE, {}, ("rotation", "warn", "generation 2 has been due")),
    ("drains", drains_for_ever, ISSUE, {}, ("rotation", "warn", "1 has been due to retire")),
    ("confirm", bundled, ISSUE, {}, ("rotation", "warn", "kmsjwt key confirm auth")),
    # drift
    ("too long", nothing, ISSUE, {"KMSJWT_LIFETIME": "2h"}, ("lifetime", "fail", "1 h at most")),
    ("longest", nothing, ISSUE, {"KMSJWT_MAX_LIFETIME": "2h"}, ("lifetime", "warn", "is 2 h, and")),
    (
        "refresh",
        nothing,
        ROTATE,
        {"KMSJWT_SIGNER_REFRESH": "10m"},
        ("lifetime", "warn", "KMSJWT_SIGNER_REFRESH is 10 min"),
    ),
    ("bundle", nothing, ROTATE, {"KMSJWT_BUNDLE": "yes"}, ("lifetime", "warn", "--bundle")),
    (
        "next spec",
        nothing,
        ROTATE,
        {"KMSJWT_SPEC": "RSA_2048"},
        ("lifetime", "warn", "KMSJWT_SPEC is RSA_2048, and the key that signs has ECC_NIST_P256"),
    ),
    (
        "next alg",
        nothing,
        ROTATE,
        {"KMSJWT_SPEC": "RSA_2048", "KMSJWT_ALG": "PS256"},
        ("lifetime", "warn", "KMSJWT_ALG is PS256, and the key that signs has ES256"),
    ),
    ("kept long", kept_long, ISSUE, {}, ("max-age", "fail", "24 h, ring auth counts on 5 min")),
    ("jwks", nothing, JWKS, {"KMSJWT_DOCUMENT_MAX_AGE": "1h"}, ("max-age", "fail", "kept 1 h")),
    # published
    ("none", no_document, ISSUE, {}, ("published", "fail", "answered 404")),
    ("html", not_json, ISSUE, {}, ("published", "fail", "looks like HTML")),
    ("stale", stale, ISSUE, {}, ("published", "fail", "of ring:auth is not in http://127")),
    ("stale, rotate", stale, ROTATE, {}, ("published", "fail", "kmsjwt key rotate auth --issuer")),
    ("stale, jwks", stale, JWKS, {}, ("published", "fail", "is not in")),
    ("missing", first_is_missing, ISSUE, {}, ("published", "fail", "of generation 1 is not in")),
    ("alias", first_lost_its_alias, JWKS, {}, ("ring", "fail", "alias/auth/1 is not there")),
    ("alias", first_lost_its_alias, JWKS, {}, ("ring", "fail", "aws kms create-alias --alias-n")),
    ("alias", first_lost_its_alias, ISSUE, {}, ("ring", "warn", "alias/auth/1 is not there")),
    ("not gone", first_is_retired, ISSUE, {}, ("published", "warn", "is retired, and still in")),
    ("leaked", first_is_compromised, ISSUE, {}, ("published", "fail", "is compromised, and still")),
    ("no discovery", no_discovery, ISSUE, {}, ("discovery", "warn", "no discovery document")),
    ("no discovery", no_discovery, ROTATE, {}, ("discovery", "warn", "answered 404")),
    ("html discovery", html_discovery, ROTATE, {}, ("discovery", "warn", "looks like HTML")),
    (
        "not looked",
        nothing,
        ROTATE,
        {"KMSJWT_TO": "kms", "KMSJWT_PUBLIC": ""},
        ("discovery", "skip", "KMSJWT_PUBLIC"),
    ),
    ("slash", other_issuer, ISSUE, {}, ("discovery", "fail", "closing slash")),
    ("plain name", nothing, ISSUE, {"KMSJWT_ISSUER": "id"}, ("published", "skip", "no https URL")),
    # the cache and the clock
    ("late", nothing, AUTH, {"KMSJWT_CACHE_TTL": "5m"}, ("cache", "warn", "up to 5 min late")),
    ("too late", nothing, AUTH, {"KMSJWT_CACHE_TTL": "226s"}, ("cache", "warn", "late")),
    (
        "no ttl",
        nothing,
        AUTH,
        {"KMSJWT_CACHE_TTL": ""},
        ("cache", "warn", "KMSJWT_CACHE_TTL is un"),
    ),
    ("short", nothing, AUTH, {"KMSJWT_LIFETIME": "2m"}, ("cache", "warn", "2 min tokens")),
    ("ahead", clock_by(20), ISSUE, {}, ("clock", "warn", "19 s ahead of KMS")),
    ("behind", clock_by(-20), ISSUE, {}, ("clock", "warn", "20 s behind KMS")),
    ("far ahead", clock_by(120), ISSUE, {}, ("clock", "fail", "119 s ahead")),
    # what is no denial and no key's fault
    ("odd", odd_answer, ISSUE, {}, ("public", "fail", "is wrong")),
    ("odd code", fails_oddly("Sign"), ISSUE, {}, ("sign", "fail", "OddException")),
    (
        "busy",
        fails_oddly("GetPublicKey", "KMSInternalException"),
        ISSUE,
        {},
        ("public", "unknown", "failed inside"),
    ),
    (
        "busy tags",
        fails_oddly("ListResourceTags", "KMSInternalException"),
        ISSUE,
        PLAIN,
        ("ring", "unknown", "failed inside"),
    ),
    (
        "busy ring",
        fails_oddly("ListAliases", "KMSInternalException"),
        ISSUE,
        {},
        ("ring", "unknown", "failed inside"),
    ),
    # a key that signs elsewhere, beside a JWKS
    ("compared", stale, AUTH, COMPARED, ("published", "fail", "of alias/auth is not in")),
    ("may not", deny(None), AUTH, COMPARED, ("key", "skip", "needs it not")),
    ("may not read", deny("GetPublicKey"), AUTH, COMPARED, ("public", "skip", "needs it not")),
    (
        "may not tell",
        deny("ListResourceTags"),
        AUTH,
        COMPARED,
        ("ring", "skip", "may not be known"),
    ),
    # nobody answers
    ("silence", drop, ISSUE, {}, ("key", "unknown", "could not be reached")),
]


@pytest.mark.parametrize(
    ("break_it", "function", "changes", "line"),
    [case[1:] for case in BROKEN],
    ids=[f"{case[2]}-{case[0]}" for case in BROKEN],
)
def test_what_is_broken_is_said_in_one_line(ward, break_it, function, changes, line):
    break_it(ward)
    check, verdict, told = line
    jwks = f"{ward.issuer}/.well-known/jwks.json"
    changes = {name: value.replace("{issuer}", jwks) for name, value in changes.items()}

    diagnosis = ward.diagnose(function, **changes)

    said = [
        each
        for each in found(diagnosis, check)
        if each.verdict == verdict and told in f"{each.fact}\n{each.consequence}\n{each.fix}"
    ]
    assert len(said) == 1, verdicts(diagnosis) | {check: str(found(diagnosis, check))}
    assert verdict == "skip" or said[0].fix
    assert verdict in ("skip", "unknown") or said[0].consequence


def test_a_cache_of_a_quarter_of_the_lifetime_is_not_late(ward):
    assert verdicts(ward.diagnose("authorizer", KMSJWT_CACHE_TTL="225s"))["cache"] == "ok"


@pytest.mark.parametrize(
    ("break_it", "elsewhere"),
    [
        (no_pointer, {"sign", "public", "rotation"}),
        (disabled, {"sign", "public"}),
        (drop, {"sign", "public", "ring", "rotation", "clock"}),
        (expired, {"key", "sign", "public", "ring", "rotation"}),
        (no_document, {"discovery", "max-age"}),
    ],
    ids=["no pointer", "disabled", "silence", "expired", "no document"],
)
def test_what_depends_on_what_is_broken_is_skipped_and_says_why(ward, break_it, elsewhere):
    break_it(ward)

    diagnosis = ward.diagnose("issue")

    for check in elsewhere - ({"clock"} if break_it is expired else set()):
        said = found(diagnosis, check)
        assert [each.verdict for each in said] == ["skip"], (check, said)
        assert said[0].fact


def test_silence_is_no_verdict_and_is_not_waited_for_again(ward):
    ward.kms.faults.add(kind="drop", times=None)
    asked = next(iter(ward.kms.faults))

    diagnosis = ward.diagnose("issue", KMSJWT_ISSUER="id")

    assert diagnosis.verdict == "unknown"
    assert asked.hits == 1


@pytest.mark.parametrize("calls", range(1, 12))
def test_a_kms_that_falls_silent_half_way_is_never_taken_for_well(ward, calls):
    class Client:
        def __init__(self) -> None:
            self.meta = ward.kms.meta
            self.left = calls

        def __getattr__(self, name: str) -> Any:
            def call(**told: Any) -> Any:
                self.left -= 1
                if self.left < 0:
                    raise ConnectionResetError
                return getattr(ward.kms, name)(**told)

            return call

    ward.client = Client()

    diagnosis = ward.diagnose("issue")

    assert diagnosis.verdict == ("unknown" if ward.client.left < 0 else "ok")
    assert ward.client.left >= -1
    assert [each.check for each in diagnosis.findings if each.verdict == "unknown"] in (
        ["key"],
        [],
    )


def test_without_a_region_one_line_says_so(ward, monkeypatch):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    diagnosis = examine(deployment(ward.environ("issue")), sts=ward.sts)

    assert [each.check for each in diagnosis.findings if each.verdict == "fail"] == ["caller"]
    assert "no AWS Region is set" in found(diagnosis, "caller")[0].fact


def test_a_place_that_does_not_answer_is_not_known(ward, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")

    diagnosis = ward.diagnose("rotate", KMSJWT_TO="s3://bucket", KMSJWT_PUBLIC="")

    assert verdicts(diagnosis)["published"] == "unknown"


def test_a_failure_outweighs_what_is_not_known(ward):
    drop(ward)

    assert ward.diagnose("issue", KMSJWT_LIFETIME="x").verdict == "fail"


def test_a_right_that_is_not_seen_yet_is_no_fault(server):
    """A new generation's alias lets nobody in for minutes; that is no reason to call anyone."""
    server.answers.clear()
    ward = Ward(server)
    ward.kms = LocalKms(clock=ward.clock, propagation=Propagation(alias=0, permission=300))
    ward.site.keys.clear()
    from kmsjwt.kms.ring.create import create_ring

    create_ring("auth", client=ward.kms, spec="ECC_NIST_P256")
    ward.rotate()
    ward.forward(DAY)
    ward.kms.permissions.deny("GetPublicKey", unless_alias="alias/auth/*", reader="fn")
    ward.forward(DAY)
    ward.rotate(start=True)
    ward.client = ward.kms.reader("fn")

    assert verdicts(ward.diagnose("authorizer"))["ring"] == "ok"

    ward.kms.permissions.deny("GetPublicKey", key=ward.arn("alias/auth/2"), reader="fn")
    ward.sts = sts("arn:aws:iam::111122223333:role/x")
    ward.forward(HOUR)
    assert "generation 2 gives out" in text(ward.diagnose("authorizer"))


@pytest.mark.parametrize(
    ("function", "operation", "changes"),
    [
        ("issue", "Sign", {}),
        ("issue", "GetPublicKey", {"KMSJWT_KEY": "alias/auth"}),
        ("jwks", "GetPublicKey", {}),
        ("authorizer", "GetPublicKey", {}),
        ("authorizer", "Verify", VERIFY),
        ("rotate", "ListAliases", {"KMSJWT_TO": "s3://bucket/docs", "KMSJWT_PUBLIC": ""}),
        ("issue", "ListAliases", {}),
    ],
)
def test_the_iam_command_it_names_prints_a_policy_with_that_right(
    ward, capsys, monkeypatch, function, operation, changes
):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    if operation == "Verify":
        changes = {**changes, "KMSJWT_KEYS": ward.arn()}
    ward.kms.permissions.deny(operation)
    told = text(ward.diagnose(function, **changes))

    command = json.loads('"' + told.split("kmsjwt iam ", 1)[1].split('"', 1)[0] + '"')
    code = main(["iam", *shlex.split(command)])

    assert code == 0
    policy = json.loads(capsys.readouterr().out)
    actions = [action for each in policy["Statement"] for action in each["Action"]]
    assert f"kms:{operation}" in actions
    conditions = json.dumps([each.get("Condition") for each in policy["Statement"]])
    assert operation not in ("Sign", "Verify") or "ECDSA_SHA_256" in conditions


def test_nothing_secret_is_said(ward):
    ward.kms.permissions.deny("Sign")
    diagnosis = ward.diagnose(
        "issue",
        KMSJWT_JWKS="https://ala:hunter2@127.0.0.1:1/jwks.json?token=s3cret",
        AWS_SECRET_ACCESS_KEY="wJalrXUtnFEMI",
        AWS_SESSION_TOKEN="IQoJb3JpZ2lu",
    )

    told = text(diagnosis)
    for secret in ("hunter2", "s3cret", "wJalrXUtnFEMI", "IQoJb3JpZ2lu", "ala@example.com"):
        assert secret not in told


@pytest.mark.parametrize(
    ("changes", "drifts"),
    [
        ({"KMSJWT_ALG": "ES256"}, False),
        ({"KMSJWT_SPEC": "ECC_NIST_P256"}, False),
        ({"KMSJWT_BUNDLE": "no"}, False),
        ({"KMSJWT_MAX_LIFETIME": "1h"}, False),
        ({"KMSJWT_PERIOD": "7d"}, False),  # counts at once
        ({"KMSJWT_SPEC": "ECC_NIST_P384"}, True),
        ({"KMSJWT_CONSUMER_CACHE": "0"}, True),
    ],
)
def test_only_what_the_next_key_will_have_otherwise_is_drift(ward, changes, drifts):
    diagnosis = ward.diagnose("rotate", **changes)

    assert verdicts(diagnosis)["settings"] == "ok"
    assert verdicts(diagnosis)["lifetime"] == ("warn" if drifts else "ok")


def test_the_algorithm_of_an_rsa_ring_is_compared_by_what_it_signs(server):
    server.answers.clear()
    ward = Ward(server, spec="RSA_2048")

    assert ward.diagnose("rotate", KMSJWT_ALG="RS256").verdict == "ok"
    (drift,) = found(ward.diagnose("rotate", KMSJWT_ALG="PS256"), "lifetime")
    assert "KMSJWT_ALG is PS256, and the key that signs has RS256" in drift.fact
    (unfit,) = found(ward.diagnose("rotate", KMSJWT_ALG="ES256"), "settings")
    assert (unfit.verdict, "KMSJWT_ALG is ES256" in unfit.fact) == ("fail", True)
    assert "no key gets a successor" in unfit.consequence


def test_a_ring_that_is_not_there_yet_is_made_of_rsa_keys(ward):
    no_ring(ward)

    (unfit,) = found(ward.diagnose("rotate", KMSJWT_ALG="ES256"), "settings")

    assert (unfit.verdict, "RSA_2048" in unfit.fact) == ("fail", True)


def test_settings_say_what_the_next_key_is_told(ward):
    told = {"KMSJWT_SPEC": "ECC_NIST_P256", "KMSJWT_ALG": "ES256", "KMSJWT_BUNDLE": "no"}

    (said,) = found(ward.diagnose("rotate", **told), "settings")

    for name, value in told.items():
        assert f"{name}={value} (environment)" in said.fact


# ---------------------------------------------------------------- which function it is


@pytest.mark.parametrize(
    ("environ", "function", "why"),
    [
        ({"KMSJWT_KEY": "alias/auth", "KMSJWT_ISSUER": "x"}, "issue", "KMSJWT_KEY and"),
        ({"KMSJWT_KEY": "ring:auth"}, "issue", "KMSJWT_KEY"),
        ({"KMS_KEY_ID": NO_KEY, "KMSJWT_ISSUER": "x"}, "issue", "KMS_KEY_ID"),
        ({"KMSJWT_KEY": NO_KEY}, "jwks", "KMSJWT_KEY"),
        ({"KMSJWT_KEYS": NO_KEY}, "jwks", "KMSJWT_KEYS"),
        ({"KMSJWT_KEYS": NO_KEY, "KMSJWT_AUDIENCE": "x"}, "authorizer", "KMSJWT_AUDIENCE"),
        ({"KMSJWT_JWKS": "x.json", "KMSJWT_AUDIENCE": "x"}, "authorizer", "KMSJWT_JWKS"),
        ({"KMSJWT_KEY": NO_KEY, "KMSJWT_VERIFY": "kms"}, "authorizer", "KMSJWT_VERIFY"),
        ({"KMSJWT_RING": "auth", "KMSJWT_KEY": "alias/auth"}, "rotate", "KMSJWT_RING"),
        ({"KMSJWT_KEY": "alias/auth", "KMSJWT_CALLERS": "iam"}, "issue", "KMSJWT_CALLERS"),
    ],
)
def test_which_function_it_is_is_guessed_and_said(environ, function, why):
    told = deployment(environ)

    assert told.function == function
    assert told.chosen_by.startswith("guessed: ")
    assert why in told.chosen_by


def test_an_option_that_says_where_to_look_does_not_change_the_guess():
    environ = {"KMSJWT_KEY": "alias/auth", "KMSJWT_ISSUER": "x", "KMSJWT_JWKS": "x.json"}

    assert deployment(environ, given={"KMSJWT_JWKS"}).function == "issue"


def test_where_nothing_says_what_to_look_at():
    with pytest.raises(ConfigError, match="neither an option nor the environment"):
        deployment({"PATH": "/bin"})


def test_settings_say_which_variable_decided():
    environ = {"KMSJWT_KEYS": NO_KEY, "KMSJWT_JWKS": "x", "KMSJWT_AUDIENCE": "x"}
    told = deployment({**environ, "KMSJWT_ISSUER": "https://id.example"}, given={"KMSJWT_KEYS"})

    assert [(each.variable, each.by) for each in told.told[:2]] == [
        ("KMSJWT_KEYS", "option"),
        ("KMSJWT_ISSUER", "environment"),
    ]
    assert "KMSJWT_JWKS" not in {each.variable for each in told.told}


@pytest.mark.parametrize("function", ["authorizer", "jwks"])
def test_a_jwks_that_is_set_and_not_read_is_told(ward, function):
    diagnosis = ward.diagnose(
        function, KMSJWT_KEYS="ring:auth", KMSJWT_JWKS=f"{ward.issuer}/.well-known/jwks.json"
    )

    well, ignored = found(diagnosis, "settings")
    assert (well.verdict, ignored.verdict, diagnosis.verdict) == ("ok", "warn", "warn")
    assert ignored.fact == "KMSJWT_JWKS and KMSJWT_KEYS are both set, and KMSJWT_KEYS decides"
    assert "is not read" in ignored.consequence
    assert ignored.fix.startswith("leave KMSJWT_JWKS out, or KMSJWT_KEYS")


def test_and_so_is_one_that_the_command_line_names():
    environ = {"KMSJWT_KEYS": NO_KEY, "KMSJWT_JWKS": "x", "KMSJWT_AUDIENCE": "x"}

    told = deployment(environ, given={"KMSJWT_JWKS"})

    assert (told.ignored, told.decided_by) == ("--jwks", "KMSJWT_KEYS")
    assert deployment({**environ, "KMSJWT_KEYS": ""}).ignored is None


def test_a_function_with_code_of_its_own_that_tells_who_asks_is_no_fault(ward):
    assert verdicts(ward.diagnose("issue", KMSJWT_CALLERS="custom", KMSJWT_AUDIENCE="a"))[
        "settings"
    ] == ("ok")


def test_every_fault_of_an_environment_is_told_once():
    told = deployment(
        {
            "KMSJWT_KEYS": "nonsense",
            "KMSJWT_AUDIENCE": "x",
            "KMSJWT_RULES": "missing.toml",
            "KMSJWT_CACHE_TTL": "9h",
        }
    )

    faults = "\n".join(told.faults)
    for fault in ("nonsense", "missing.toml", "KMSJWT_CACHE_TTL", "KMSJWT_ISSUER"):
        assert faults.count(fault) >= 1, fault
    assert faults.count("KMSJWT_ISSUER is unset") == 1


def test_each_fault_of_an_environment_stands_by_itself():
    told = deployment(
        {
            "KMSJWT_KEYS": "nonsense",
            "KMSJWT_AUDIENCE": "x",
            "KMSJWT_RULES": "missing.toml",
            "KMSJWT_CACHE_TTL": "9h",
        }
    )

    assert [
        [
            name
            for name in ("KMSJWT_ISSUER", "nonsense", "missing.toml", "9h", "32400")
            if name in fault
        ]
        for fault in told.faults
    ] == [["KMSJWT_ISSUER"], ["nonsense"], ["missing.toml"], ["32400"]]


def test_a_file_that_the_function_itself_reads_is_told_of_once(ward):
    """The same file, which the issue function does not read, is a fault of what is published."""
    authorizer = ward.diagnose("authorizer", KMSJWT_KEYS="", KMSJWT_JWKS="no.json")
    issue = ward.diagnose("issue", KMSJWT_JWKS="no.json", KMSJWT_LIFETIME="x")

    assert [each.verdict for each in found(authorizer, "published")] == ["skip"]
    assert "see settings" in found(authorizer, "published")[0].fact
    assert [each.verdict for each in found(issue, "published")] == ["fail"]


def test_a_ring_that_nobody_names_is_published_nowhere(ward):
    (said,) = found(ward.diagnose("rotate", KMSJWT_RING=""), "published")

    assert (said.verdict, said.fact) == ("skip", "no ring is named")


def test_a_fault_that_is_ours_is_not_taken_for_a_ring_without_a_name(ward):
    class Odd:
        """Fails on the last call, which reads back what is published."""

        def __init__(self, calls: int) -> None:
            self.meta = ward.kms.meta
            self.left = calls

        def __getattr__(self, name: str) -> Any:
            self.left -= 1
            if self.left == 0:
                raise IndexError("a fault of ours")
            return getattr(ward.kms, name)

    told = {"KMSJWT_TO": "kms", "KMSJWT_PUBLIC": ""}
    ward.client = counted = Odd(0)
    assert verdicts(ward.diagnose("rotate", **told))["published"] == "ok"

    ward.client = Odd(-counted.left)
    with pytest.raises(IndexError, match="a fault of ours"):
        ward.diagnose("rotate", **told)
