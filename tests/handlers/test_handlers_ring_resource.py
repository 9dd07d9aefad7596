"""The rotate function behind a custom resource: what CloudFormation asks, and what it is told."""

from __future__ import annotations

import json
import ssl
from types import SimpleNamespace
from typing import Any

import pytest
from tests.handlers.support import Recorder
from tests.jwks.servers import Handler, body
from tests.ministack import certificate as certificates
from tests.ministack.website import TlsServer

from kmsjwt.errors import ConfigError, KmsUnavailable
from kmsjwt.handlers import rotate
from kmsjwt.handlers._cloudformation import NotAnswered
from kmsjwt.local import LocalKms, Propagation

ACCOUNT = "123456789012"
SIGNED = "/answer?X-Amz-Signature=very-secret"


class CloudFormation(TlsServer):
    """Where answers are PUT."""

    def __init__(self, certificate) -> None:
        self.taken: list[Any] = []
        self.headers: list[Any] = []
        self.statuses: list[int] = []
        super().__init__(certificate)

    def finish_request(self, request, client_address) -> None:
        with self._context.wrap_socket(request, server_side=True) as secured:
            _Put(secured, client_address, self)

    @property
    def last(self) -> Any:
        return self.taken[-1]


class _Put(Handler):
    server: CloudFormation

    def do_PUT(self) -> None:  # noqa: N802  http.server's own name
        length = int(self.headers["Content-Length"])
        self.server.requests.append(self.path)
        self.server.headers.append(dict(self.headers.items()))
        self.server.taken.append(json.loads(self.rfile.read(length)))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Any:
    return certificates.make(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def formation(certificate, monkeypatch) -> Any:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))
    server = CloudFormation(certificate)
    yield server
    server.stop()


@pytest.fixture
def site(certificate, tmp_path) -> Any:
    """The issuer's host, which serves the folder that is published to."""
    server = TlsServer(certificate)

    def answer(handler: Handler) -> None:
        file = tmp_path / handler.path.lstrip("/")
        if not live.is_up or handler.path == live.hidden or not file.is_file():
            return body(b"", status=403)(handler)
        return body(file.read_bytes(), Cache_Control="max-age=300")(handler)

    server.answer = answer
    live = SimpleNamespace(is_up=True, hidden="", origin=server.origin)
    yield live
    server.stop()


@pytest.fixture
def deployed(formation, site, tmp_path) -> Any:
    now = SimpleNamespace(at=1_800_000_000.0)
    kms = LocalKms(clock=lambda: now.at)
    log = Recorder()
    environ = {
        "KMSJWT_RING": "auth",
        "KMSJWT_ISSUER": site.origin,
        "KMSJWT_TO": str(tmp_path),
        "KMSJWT_PUBLIC": "yes",
        "KMSJWT_SPEC": "ECC_NIST_P256",
    }

    def ask(kind: str, *, physical: str | None = None, seconds: float = 60.0, **properties) -> Any:
        event = {
            "RequestType": kind,
            "ResponseURL": formation.origin + SIGNED,
            "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/auth/1",
            "RequestId": "r-1",
            "LogicalResourceId": "Ring",
            "ResourceType": "Custom::KmsJwtRing",
            "ResourceProperties": {"ServiceToken": "arn", **properties},
            **({"PhysicalResourceId": physical} if physical else {}),
        }
        context = SimpleNamespace(get_remaining_time_in_millis=lambda: seconds * 1000)
        return function()(event, context)

    def passed(seconds: float) -> None:
        now.at += seconds

    def function() -> Any:
        return rotate.build(
            client=world.kms,
            environ={**environ, **world.environ},
            log=log,
            clock=lambda: now.at,
            pause=passed,
        )

    world = SimpleNamespace(kms=kms, now=now, log=log, ask=ask, environ={}, function=function)
    return world


def keys(deployed) -> int:
    return len(deployed.kms.list_keys()["Keys"])


def test_create_makes_the_ring_and_answers_once_a_consumer_finds_its_key(deployed, formation, site):
    deployed.ask("Create")

    told = formation.last
    key = deployed.kms.describe_key(KeyId="alias/auth")["KeyMetadata"]["Arn"]
    assert told["Status"] == "SUCCESS"
    assert told["PhysicalResourceId"] == "kmsjwt-ring-auth"
    assert told["StackId"].endswith("stack/auth/1")
    assert (told["RequestId"], told["LogicalResourceId"]) == ("r-1", "Ring")
    assert told["Data"]["Issuer"] == site.origin
    assert told["Data"]["JwksUri"] == f"{site.origin}/.well-known/jwks.json"
    tags = deployed.kms.list_resource_tags(KeyId=key)["Tags"]
    assert {"TagKey": "kmsjwt:kid", "TagValue": told["Data"]["Kid"]} in tags
    assert formation.requests == [SIGNED]
    assert formation.headers[0]["Content-Type"] == ""


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_ring_that_is_there_is_gone_on_with(kind, deployed, formation):
    deployed.ask("Create")
    first = formation.last

    deployed.ask(kind, physical=first["PhysicalResourceId"])

    assert formation.last["Data"] == first["Data"]
    assert formation.last["PhysicalResourceId"] == first["PhysicalResourceId"]
    assert keys(deployed) == 1


def test_update_may_be_the_first_that_a_ring_hears(deployed, formation):
    deployed.ask("Update", physical="kmsjwt-ring-former")

    assert formation.last["PhysicalResourceId"] == "kmsjwt-ring-auth"
    assert keys(deployed) == 1


def test_delete_leaves_everything(deployed, formation, tmp_path):
    deployed.ask("Create")
    published = (tmp_path / ".well-known/jwks.json").read_bytes()

    deployed.ask("Delete", physical="kmsjwt-ring-auth")

    assert formation.last["Status"] == "SUCCESS"
    key = deployed.kms.describe_key(KeyId="alias/auth")["KeyMetadata"]
    assert key["KeyState"] == "Enabled"
    assert (tmp_path / ".well-known/jwks.json").read_bytes() == published


def test_delete_of_what_never_came_about_succeeds(deployed, formation):
    deployed.ask("Delete", physical="2026/11/23/[$LATEST]abc")

    assert formation.last["Status"] == "SUCCESS"
    assert keys(deployed) == 0


def test_an_issuer_that_is_not_live_is_waited_for_and_then_told(deployed, formation, site):
    site.is_up = False

    deployed.ask("Create", seconds=50)  # too few to try again

    assert formation.last["Status"] == "FAILED"
    assert "answered 403" in formation.last["Reason"]
    site.is_up = True
    deployed.ask("Create")
    assert formation.last["Status"] == "SUCCESS"
    assert keys(deployed) == 1


def test_keys_without_a_discovery_document_are_not_enough(deployed, formation, site):
    site.hidden = "/.well-known/openid-configuration"

    deployed.ask("Create", seconds=50)

    assert formation.last["Status"] == "FAILED"
    assert "openid-configuration answered 403" in formation.last["Reason"]


def test_what_kms_refuses_for_now_is_asked_again(deployed, formation):
    deployed.kms.faults.add("CreateAlias", kind="access_denied", times=1)

    waited = waiting(deployed, formation, seconds=120)

    assert formation.last["Status"] == "SUCCESS"
    assert waited == [10]


def waiting(
    deployed: Any, formation: Any, *, seconds: float, kind: str = "Create", **properties: Any
) -> list[float]:
    """Ask for the ring with a clock that waiting moves on, and return how long was waited."""
    waited: list[float] = []

    def wait(pause: float) -> None:
        waited.append(pause)
        deployed.now.at += pause

    function = deployed.function()
    resource = function._resource()
    resource._pause = wait
    function._resource = lambda: resource
    event = {
        "RequestType": kind,
        "ResponseURL": formation.origin + SIGNED,
        "ResourceProperties": properties,
    }
    function(event, SimpleNamespace(get_remaining_time_in_millis=lambda: seconds * 1000))
    return waited


def test_what_is_wrong_for_good_is_told_at_once(deployed, formation, tmp_path):
    (tmp_path / ".well-known").mkdir()
    discovery = {"issuer": "https://other.example", "jwks_uri": "https://other.example/jwks.json"}
    (tmp_path / ".well-known/openid-configuration").write_text(json.dumps(discovery))

    waited = waiting(deployed, formation, seconds=600)

    assert waited == []
    assert formation.last["Status"] == "FAILED"
    assert "has issuer 'https://other.example'" in formation.last["Reason"]


def test_a_right_that_a_new_role_has_not_yet_is_waited_for_no_longer_than_it_takes(
    deployed, formation
):
    """IAM shows a policy within five minutes; what is denied after that is denied."""
    deployed.kms.faults.add("CreateKey", kind="access_denied", times=None)

    waited = waiting(deployed, formation, seconds=600)

    assert 290 <= sum(waited) <= 310
    assert formation.last["Status"] == "FAILED"
    assert "CreateKey" in formation.last["Reason"]


@pytest.mark.parametrize(
    "fault",
    [{"kind": "access_denied"}, {"kind": "throttle"}, {"kind": "error_before"}],
    ids=["denied", "throttled", "failing"],
)
def test_what_may_leave_a_key_behind_is_not_tried_over_and_over(fault, deployed, formation):
    deployed.kms.faults.add("CreateAlias", times=None, **fault)

    waited = waiting(deployed, formation, seconds=600)

    assert formation.last["Status"] == "FAILED"
    assert "CreateAlias" in formation.last["Reason"]
    assert len(waited) <= 7
    assert keys(deployed) <= 8


@pytest.mark.parametrize("late", [20, 280])
@pytest.mark.parametrize("what", [("tag",), ("alias", "tag")], ids="+".join)
@pytest.mark.parametrize("times", [1, 2, 4])
def test_a_key_that_cannot_be_named_yet_is_known_again_before_its_tags_are_seen(
    what, late, times, deployed, formation
):
    """A new role may name keys of its ring once IAM sees whose they are."""
    spread = Propagation(**dict.fromkeys(what, late))
    deployed.kms = LocalKms(clock=lambda: deployed.now.at, propagation=spread)
    deployed.kms.faults.add("CreateAlias", kind="access_denied", times=times)

    waiting(deployed, formation, seconds=900)

    assert formation.last["Status"] == "SUCCESS", formation.last
    assert keys(deployed) == 1


def test_nor_is_a_second_key_made_while_the_first_ones_alias_cannot_be_seen(
    deployed, formation, site
):
    """What comes after it failed for now, and the next trial does not see that there is a ring."""
    spread = Propagation(alias=100, tag=100)
    deployed.kms = LocalKms(clock=lambda: deployed.now.at, propagation=spread)
    deployed.kms.faults.add("GetPublicKey", kind="throttle", times=2)

    waiting(deployed, formation, seconds=900)

    assert formation.last["Status"] == "SUCCESS", formation.last
    assert keys(deployed) == 1


def test_a_first_key_that_is_seen_late_is_the_only_one(deployed, formation):
    deployed.kms = LocalKms(clock=lambda: deployed.now.at, propagation=Propagation(key=120))

    waiting(deployed, formation, seconds=900)

    assert formation.last["Status"] == "SUCCESS", formation.last
    assert keys(deployed) == 1


def test_a_start_that_is_asked_for_again_before_its_key_is_seen_makes_no_other(deployed):
    spread = Propagation(alias=200, tag=200)
    deployed.kms = LocalKms(clock=lambda: deployed.now.at, propagation=spread)
    deployed.ask("Create")
    deployed.now.at += 600
    function = deployed.function()
    function({"start": True})
    deployed.now.at += 60

    with pytest.raises(KmsUnavailable, match="cannot be seen yet"):
        function({"start": True})

    assert keys(deployed) == 2


def test_the_time_that_is_left_is_used_to_its_end(deployed, formation):
    deployed.kms.faults.add("DescribeKey", kind="throttle", times=None)

    assert sum(waiting(deployed, formation, seconds=600)) == 600 - 45


@pytest.mark.parametrize("operation", ["ListResourceTags", "GetPublicKey", "ListAliases"])
@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_what_is_not_found_of_a_ring_that_is_there_makes_no_key(
    kind, operation, deployed, formation
):
    deployed.ask("Create")
    first = formation.last["Data"]
    deployed.kms.faults.add(operation, kind="error_before", code="NotFoundException")

    waited = waiting(deployed, formation, seconds=120, kind=kind)

    assert (formation.last["Status"], formation.last["Data"]) == ("SUCCESS", first)
    assert keys(deployed) == 1
    assert waited == [10]


def test_whatever_goes_wrong_is_told_without_secrets(deployed, formation):
    deployed.kms.faults.add("DescribeKey", kind="access_denied")

    deployed.ask("Create", seconds=1)

    told = formation.last
    assert told["Status"] == "FAILED"
    assert "kms:DescribeKey on alias/auth is denied" in told["Reason"]
    assert len(json.dumps(told)) < 4_096
    assert "very-secret" not in deployed.log.text()


def test_what_is_none_of_our_errors_is_told_by_its_name(deployed, formation, monkeypatch):
    def broken(**_) -> None:
        raise RuntimeError("Bearer eyJhbGciOiJSUzI1NiJ9.e30.AAAA")

    monkeypatch.setattr(deployed.kms, "describe_key", broken)

    deployed.ask("Create", seconds=1)

    assert formation.last["Status"] == "FAILED"
    assert formation.last["Reason"] == "RuntimeError: see the rotate function's log"


def test_a_wrong_key_to_begin_with_is_told_at_once(deployed, formation):
    made = deployed.kms.create_key(KeySpec="SYMMETRIC_DEFAULT")["KeyMetadata"]["Arn"]

    deployed.ask("Create", ExistingKey=made, seconds=900)

    assert formation.last["Status"] == "FAILED"
    assert "signs no JWT" in formation.last["Reason"]


def test_a_key_that_is_there_becomes_the_first(deployed, formation):
    made = deployed.kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    arn = made["KeyMetadata"]["Arn"]
    deployed.environ = {"KMSJWT_ALG": "ES256"}  # of the next one

    deployed.ask("Create", ExistingKey=arn)
    deployed.ask("Update", physical="kmsjwt-ring-auth", ExistingKey=arn)

    assert [each["Status"] for each in formation.taken] == ["SUCCESS", "SUCCESS"]
    for alias in ("alias/auth", "alias/auth/1"):
        assert deployed.kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"] == arn
    assert keys(deployed) == 1
    assert deployed.kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Enabled"


@pytest.mark.parametrize("named", [["x"], [], {}, {"Ref": "Key"}, 7, 0, True, False], ids=repr)
def test_what_names_no_key_to_begin_with_makes_none(named, deployed, formation):
    waited = waiting(deployed, formation, seconds=900, ExistingKey=named)

    assert (formation.last["Status"], waited) == ("FAILED", [])
    assert "expected a key's ARN" in formation.last["Reason"]
    assert keys(deployed) == 0


def test_a_template_may_leave_the_key_to_begin_with_empty(deployed, formation):
    deployed.ask("Create", ExistingKey="")

    assert formation.last["Status"] == "SUCCESS"
    assert keys(deployed) == 1


@pytest.fixture
def gone_on(deployed, formation) -> str:
    """Begin with a key that is there and rotate it away; return its ARN."""
    deployed.environ = {"KMSJWT_CONSUMER_CACHE": "2h", "KMSJWT_MAX_LIFETIME": "1h"}
    made = deployed.kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    arn: str = made["KeyMetadata"]["Arn"]
    deployed.ask("Create", ExistingKey=arn)
    assert formation.last["Status"] == "SUCCESS"
    function = deployed.function()
    function({"start": True})
    for _ in range(4):
        deployed.now.at += 86_400
        stages = [each["stage"] for each in function({})["generations"]]
    assert stages == ["retired", "signing"]
    return arn


def _disabled(kms: LocalKms, arn: str) -> None:
    kms.disable_key(KeyId=arn)


def _leaving(kms: LocalKms, arn: str) -> None:
    kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)


def _leaving_without_its_alias(kms: LocalKms, arn: str) -> None:
    _leaving(kms, arn)
    kms.delete_alias(AliasName="alias/auth/1")


@pytest.mark.parametrize("end", [_disabled, _leaving, _leaving_without_its_alias])
def test_the_key_that_the_ring_began_with_may_end(end, deployed, formation, gone_on):
    end(deployed.kms, gone_on)

    waited = waiting(deployed, formation, seconds=120, kind="Update", ExistingKey=gone_on)

    assert (formation.last["Status"], waited) == ("SUCCESS", []), formation.last


@pytest.mark.parametrize("denied", [False, True], ids=["not found", "denied"])
def test_and_be_gone_for_good(denied, deployed, formation, gone_on):
    _leaving(deployed.kms, gone_on)
    deployed.now.at += 8 * 86_400
    if denied:
        deployed.kms.permissions.deny("DescribeKey", key="alias/auth/1")
    waited = waiting(deployed, formation, seconds=120, kind="Update", ExistingKey=gone_on)

    assert (formation.last["Status"], waited) == ("SUCCESS", []), formation.last


def test_a_key_that_never_was_is_told_of_as_long_as_the_ring_s_first_is_there(
    deployed, formation, gone_on
):
    never = gone_on[:-12] + "0" * 12

    waited = waiting(deployed, formation, seconds=120, kind="Update", ExistingKey=never)

    assert (formation.last["Status"], waited) == ("FAILED", [])
    assert "there is no key" in formation.last["Reason"]


@pytest.mark.parametrize("whose", ["another ring's", "the second"])
def test_a_key_that_cannot_be_the_first_is_refused_and_left_as_it_is(whose, deployed, formation):
    made = deployed.kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    arn = made["KeyMetadata"]["Arn"]
    if whose == "the second":
        deployed.ask("Create")
    else:
        tag = {"TagKey": "kmsjwt:ring", "TagValue": "other"}
        deployed.kms.tag_resource(KeyId=arn, Tags=[tag])

    deployed.ask("Create", ExistingKey=arn)

    assert formation.last["Status"] == "FAILED"
    assert arn in formation.last["Reason"]
    found = deployed.kms.describe_key(KeyId=arn)["KeyMetadata"]
    assert found["KeyState"] == "Enabled"
    assert deployed.kms.list_aliases(KeyId=arn)["Aliases"] == []


@pytest.mark.parametrize(
    "changed",
    [
        {"RequestType": "Replace"},
        {"RequestType": ["Create"]},
        {"ResponseURL": "http://127.0.0.1/answer"},
        {"ResponseURL": None},
        {"ResponseURL": "HTTPS"},
    ],
    ids=repr,
)
def test_what_cannot_be_answered_is_an_error_and_does_nothing(changed, deployed):
    event = {"RequestType": "Create", "ResponseURL": "https://127.0.0.1/answer", **changed}

    with pytest.raises(ConfigError, match="no custom resource's"):
        deployed.function()(event, None)

    assert keys(deployed) == 0


@pytest.mark.parametrize(
    ("statuses", "tried"),
    [([503, 200], 2), ([403], 1), ([500, 500, 500], 3)],
    ids=["once more", "never", "three times"],
)
def test_an_answer_is_given_again_if_it_was_not_taken(statuses, tried, deployed, formation):
    formation.statuses = list(statuses)
    function = deployed.function()
    resource = function._resource()
    resource._pause = lambda _: None
    function._resource = lambda: resource
    event = {"RequestType": "Delete", "ResponseURL": formation.origin + SIGNED}

    if statuses[-1] == 200:
        function(event, None)
    else:
        with pytest.raises(NotAnswered, match=f"HTTP status {statuses[-1]}") as raised:
            function(event, None)
        assert "very-secret" not in str(raised.value)

    assert len(formation.taken) == tried


def test_an_answer_goes_to_nobody_who_cannot_show_a_certificate(deployed, formation, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", ssl.get_default_verify_paths().openssl_cafile)
    function = deployed.function()
    resource = function._resource()
    resource._pause = lambda _: None
    function._resource = lambda: resource

    with pytest.raises(NotAnswered, match="SSLCertVerificationError"):
        function({"RequestType": "Delete", "ResponseURL": formation.origin + SIGNED}, None)

    assert formation.taken == []


def test_keys_get_the_policy_that_keeps_administration_apart(deployed, formation):
    deployed.environ = {
        "KMSJWT_KEY_POLICY": "split",
        "KMSJWT_ACCOUNT": ACCOUNT,
        "KMSJWT_REGION": "eu-central-1",
        "KMSJWT_MAY_SIGN": f"arn:aws:iam::{ACCOUNT}:role/issue",
    }

    deployed.ask("Create")

    key = deployed.kms.describe_key(KeyId="alias/auth")["KeyMetadata"]["Arn"]
    policy = json.loads(deployed.kms.get_key_policy(KeyId=key)["Policy"])
    by_sid = {each["Sid"]: each for each in policy["Statement"]}
    assert "kms:Sign" not in by_sid["Administer"]["Action"]
    assert by_sid["Sign"]["Principal"] == {"AWS": [f"arn:aws:iam::{ACCOUNT}:role/issue"]}
    assert by_sid["Sign"]["Condition"]["StringEquals"]["kms:SigningAlgorithm"] == ["ECDSA_SHA_256"]
    assert not [each for each in policy["Statement"] if each["Principal"] == {"AWS": "*"}]


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"KMSJWT_KEY_POLICY": "split"}, "KMSJWT_ACCOUNT"),
        ({"KMSJWT_KEY_POLICY": "split", "KMSJWT_SPEC": " "}, "unset: KMSJWT_SPEC"),
        ({"KMSJWT_KEY_POLICY": "open"}, "expected default or split"),
        ({"KMSJWT_MAY_SIGN": "arn:aws:iam::1:role/a"}, "takes KMSJWT_KEY_POLICY=split"),
        (
            {
                "KMSJWT_KEY_POLICY": "split",
                "KMSJWT_ACCOUNT": ACCOUNT,
                "KMSJWT_REGION": "eu-central-1",
                "KMSJWT_MAY_SIGN": "*",
            },
            "expected the ARN of an IAM role",
        ),
    ],
    ids=["no account", "no spec", "no such policy", "signers of no policy", "anybody"],
)
def test_a_policy_that_cannot_be_rendered_fails_at_start(environ, told, deployed):
    deployed.environ = environ

    with pytest.raises(ConfigError, match=told.replace("*", "[*]")):
        deployed.function()


def test_a_key_past_its_time_is_a_line_for_an_alarm(deployed):
    """Its successor waits for a person who does not come."""
    told = {"KMSJWT_PERIOD": "10d", "KMSJWT_CONSUMER_CACHE": "2h", "KMSJWT_BUNDLE": "yes"}
    deployed.environ = told
    deployed.ask("Create")
    seen = []
    for days in (9.9, 10.1, 11.0, 11.2):
        deployed.now.at = 1_800_000_000 + days * 86_400
        deployed.log.lines.clear()
        deployed.function()({})
        seen.append(any(each["event"] == "rotation_overdue" for each in deployed.log.lines))

    assert seen == [False, False, False, True]
