"""The rotate function at its edges: the second of an alarm, late views, what it is made of."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from tests.handlers.support import NOW, Recorder
from tests.jwks.servers import Clock, Handler, Server, body

from kmsjwt.errors import CannotKnow
from kmsjwt.handlers import rotate
from kmsjwt.local import LocalKms, Propagation
from kmsjwt.publish import Folder, Publisher

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MINUTE, HOUR, DAY = 60, 3_600, 86_400
ISSUER = "https://id.example"
IN_KMS = {"KMSJWT_TO": "kms"}


class World:
    """KMS, a clock to turn, and what was logged and told to CloudFormation."""

    def __init__(self, propagation: Propagation | None = None) -> None:
        self.clock = Clock(NOW)
        self.kms: Any = LocalKms(clock=self.clock, propagation=propagation or Propagation())
        self.log = Recorder()
        self.told: list[Any] = []

    def build(self, *, publisher: Any = None, **variables: str) -> Any:
        environ = {"KMSJWT_RING": "auth", "KMSJWT_SPEC": "ECC_NIST_P256", **variables}
        return rotate.build(
            client=self.kms, publisher=publisher, environ=environ, log=self.log, clock=self.clock
        )

    def lines(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.log.lines if line["event"] == event]

    def ask(self, function: Any, **properties: str) -> Any:
        """Ask as CloudFormation does, with two minutes left, and return what it is told."""
        resource = function._resource()
        resource._send, resource._pause = self._take, self._wait
        function._resource = lambda: resource
        event = {
            "RequestType": "Create",
            "ResponseURL": "https://cloudformation.example/answer",
            "ResourceProperties": properties,
        }
        function(event, SimpleNamespace(get_remaining_time_in_millis=lambda: 120_000))
        return self.told[-1]

    def key(self, spec: str = "ECC_NIST_P256") -> str:
        usage = {} if spec == "SYMMETRIC_DEFAULT" else {"KeyUsage": "SIGN_VERIFY"}
        return str(self.kms.create_key(KeySpec=spec, **usage)["KeyMetadata"]["Arn"])

    def _take(self, url: str, body: bytes) -> int:
        assert url == "https://cloudformation.example/answer"
        self.told.append(json.loads(body))
        return 200

    def _wait(self, seconds: float) -> None:
        self.clock.now += seconds


@pytest.fixture
def world() -> World:
    return World()


# --- an alarm on a key past its time

PUBLISHED = 5 * MINUTE + 2 * HOUR + 5 * MINUTE
"""The document's max-age, the cache of consumers, and the margin of each wait."""
WAITING = {**IN_KMS, "KMSJWT_CONSUMER_CACHE": "2h", "KMSJWT_BUNDLE": "yes"}
"""The successor waits for a person."""


@pytest.mark.parametrize(("more", "late"), [(0, []), (1, [DAY + 1])], ids=["a day", "and a second"])
def test_a_rotation_may_be_a_day_late_and_then_the_log_says_how_late_it_is(world, more, late):
    function = world.build(**WAITING, KMSJWT_PERIOD="10d")
    function({"start": True})

    world.clock.now += 10 * DAY + PUBLISHED + DAY + more
    function({})

    assert [line["late_seconds"] for line in world.lines("rotation_overdue")] == late


def test_a_period_in_the_environment_is_the_one_that_a_key_outlives(world):
    """The key's own says 30 days."""
    world.build(**WAITING)({"start": True})
    world.clock.now += 12 * DAY

    world.build(**WAITING)({})
    assert world.lines("rotation_overdue") == []

    world.build(**WAITING, KMSJWT_PERIOD="10d")({})
    (line,) = world.lines("rotation_overdue")
    assert line["late_seconds"] == 2 * DAY - PUBLISHED


@pytest.mark.parametrize("period", [{}, {"KMSJWT_PERIOD": "30d"}], ids=["its own", "of the next"])
def test_a_key_whose_times_cannot_be_read_is_told_of_in_our_words_or_not_at_all(world, period):
    world.build(**IN_KMS)({"start": True})
    arn = world.kms.describe_key(KeyId="alias/auth")["KeyMetadata"]["Arn"]
    garbled = {"TagKey": "kmsjwt:consumer-cache", "TagValue": "long"}
    world.kms.tag_resource(KeyId=arn, Tags=[garbled])
    world.clock.now += DAY
    function = world.build(**IN_KMS, **period)

    if period:
        assert function({})["done"] == []
    else:
        with pytest.raises(CannotKnow, match="or for how long") as caught:
            function({})
        assert caught.value.code == "rotation_stuck"


# --- what a run tells


def test_a_run_that_sees_the_ring_late_has_nothing_to_come_and_says_so():
    """The pointer is made and not seen yet: nothing is known of what follows it."""
    world = World(Propagation(alias=5 * MINUTE))
    function = world.build(**IN_KMS)
    world.kms.faults.add("CreateAlias", kind="access_denied", key="alias/auth")
    with pytest.raises(CannotKnow, match="alias/auth"):
        function({"start": True})
    world.clock.now += 5 * MINUTE
    function({})
    world.clock.now += MINUTE

    answer = function({})

    assert [step["told"] for step in answer["done"]] == ["it exists unseen"]
    assert (answer["signing"], answer["later"]) == (None, [])
    assert (world.log.last["next"], world.log.last["next_at"]) == (None, None)


def test_the_line_of_a_step_names_its_generation_if_it_is_of_one(world, tmp_path):
    function = world.build(KMSJWT_TO=str(tmp_path), KMSJWT_ISSUER=ISSUER)

    function({"start": True})

    assert [(line["step"], line["generation"]) for line in world.lines("step")] == [
        ("create", 1),
        ("publish", None),
        ("mark-published", 1),
        ("point", 1),
    ]


# --- what it is made of


def test_it_reads_the_environment_of_its_process(world, monkeypatch):
    for name, value in {"KMSJWT_RING": "of-process", **IN_KMS}.items():
        monkeypatch.setenv(name, value)

    rotate.build(client=world.kms, log=world.log, clock=world.clock)

    assert (world.log.last["ring"], world.log.last["to"]) == ("of-process", "kms")


def test_lambda_finds_the_handler_by_its_name(monkeypatch):
    """Looked up in this very process, as Lambda does; nothing else is there to be found."""
    aws = {
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in {"KMSJWT_RING": "auth", **IN_KMS, **aws}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(vars(rotate), "handler", raising=False)

    assert isinstance(rotate.handler, rotate.RotateFunction)
    assert rotate.handler is rotate.handler
    monkeypatch.delitem(vars(rotate), "handler")
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = rotate.no_such_name


def test_where_nothing_is_written_the_first_line_says_who_publishes(world):
    world.build(KMSJWT_ISSUER=ISSUER)

    assert world.log.last["to"] == "jwks function"


def test_a_publisher_of_ones_own_is_told_the_keys_and_the_environment_names_no_place(
    world, tmp_path
):
    function = world.build(publisher=Publisher(Folder(tmp_path), issuer=ISSUER))

    kid = function({"start": True})["generations"][0]["kid"]

    document = json.loads((tmp_path / ".well-known/jwks.json").read_text())
    assert [key["kid"] for key in document["keys"]] == [kid]


# --- behind a custom resource


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Server]:
    """The issuer's host, which serves the folder that is published to."""
    server = Server()

    def answer(handler: Handler) -> None:
        file = tmp_path / handler.path.lstrip("/")
        found = file.read_bytes() if file.is_file() else None
        return body(found or b"", status=200 if found else 404)(handler)

    server.answer = answer
    yield server
    server.stop()


def test_a_stack_waits_until_the_issuer_shows_the_key_and_is_told_where(world, site, tmp_path):
    function = world.build(KMSJWT_TO=str(tmp_path), KMSJWT_ISSUER=site.origin)

    told = world.ask(function)

    assert (told["Status"], told["Data"]["Issuer"]) == ("SUCCESS", site.origin)
    assert site.requests == ["/.well-known/openid-configuration", "/.well-known/jwks.json"]


def test_an_issuer_whose_keys_are_in_kms_alone_is_not_looked_at(world, site):
    """Its name is in the tokens, and need not be the address of anything."""
    told = world.ask(world.build(**IN_KMS, KMSJWT_ISSUER=site.origin))

    assert (told["Status"], list(told["Data"])) == ("SUCCESS", ["Kid"])
    assert site.requests == []


@pytest.fixture
def adopting(world) -> Any:
    """Begin with a key that is there, rotate it away, and let KMS delete it; with its ARN."""
    short = {"KMSJWT_CONSUMER_CACHE": "2h", "KMSJWT_MAX_LIFETIME": "1h"}
    function = world.build(**IN_KMS, **short)
    arn = world.key()
    assert world.ask(function, ExistingKey=arn)["Status"] == "SUCCESS"
    function({"start": True})
    for _ in range(4):
        world.clock.now += DAY
        stages = [each["stage"] for each in function({})["generations"]]
    assert stages == ["retired", "signing"]
    world.kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)
    world.clock.now += 8 * DAY
    return SimpleNamespace(function=function, arn=arn)


@pytest.mark.parametrize("how", ["not found", "denied"])
def test_a_stack_goes_on_though_the_key_it_began_with_is_gone(world, adopting, how):
    """KMS denies what it cannot find to who may use keys by their tags or aliases alone."""
    if how == "denied":
        world.kms.permissions.deny("DescribeKey", key=adopting.arn)

    assert world.ask(adopting.function, ExistingKey=adopting.arn)["Status"] == "SUCCESS"


def test_a_key_that_is_there_and_could_begin_no_ring_is_told_of_though_the_ring_has_gone_on(
    world, adopting
):
    """The template names a wrong key, which nobody would find out otherwise."""
    told = world.ask(adopting.function, ExistingKey=world.key("SYMMETRIC_DEFAULT"))

    assert told["Status"] == "FAILED"
    assert "signs no JWT" in told["Reason"]
