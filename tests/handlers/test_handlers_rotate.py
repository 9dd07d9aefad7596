"""The rotate function: what its environment says, what it answers, and what it logs."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from kmsjwt.errors import CannotKnow, ConfigError, KmsAccessDenied, KmsKeyNotFound
from kmsjwt.handlers import rotate
from kmsjwt.local import LocalKms

HOUR, DAY = 3_600, 86_400


@pytest.fixture
def deployed(tmp_path) -> Any:
    """A ring that is not there yet, a folder to publish to, and the function."""
    clock = SimpleNamespace(now=1_800_000_000.0)
    kms = LocalKms(clock=lambda: clock.now)
    log: list[dict[str, Any]] = []
    environ = {
        "KMSJWT_RING": "auth",
        "KMSJWT_ISSUER": "https://id.example/tenant",
        "KMSJWT_TO": str(tmp_path),
        "KMSJWT_SPEC": "ECC_NIST_P256",
        "KMSJWT_CONSUMER_CACHE": "2h",
        "KMSJWT_MAX_LIFETIME": "1h",
    }

    def build(**more) -> Any:
        return rotate.build(
            client=kms,
            environ={**environ, **more},
            log=lambda level, event, **fields: log.append({"at": level, "event": event, **fields}),
            clock=lambda: clock.now,
        )

    return SimpleNamespace(kms=kms, clock=clock, log=log, build=build, folder=tmp_path)


def stages(answer) -> Any:
    return [each["stage"] for each in answer["generations"]]


def test_started_where_there_is_no_ring_it_makes_and_publishes_one(deployed):
    answer = deployed.build()({"start": True})

    assert [step["step"] for step in answer["done"]] == [
        "create",
        "publish",
        "mark-published",
        "point",
    ]
    assert json.loads(json.dumps(answer)) == answer
    base = deployed.folder / "tenant/.well-known"
    kid = answer["generations"][0]["kid"]
    assert [key["kid"] for key in json.loads((base / "jwks.json").read_text())["keys"]] == [kid]
    server = deployed.folder / ".well-known/oauth-authorization-server/tenant"
    assert json.loads(server.read_text())["issuer"] == "https://id.example/tenant"


def test_the_new_key_has_the_settings_of_the_environment(deployed):
    deployed.build()({"start": True})

    arn = deployed.kms.describe_key(KeyId="alias/auth/1")["KeyMetadata"]["Arn"]
    tags = deployed.kms.list_resource_tags(KeyId=arn)["Tags"]
    told = {tag["TagKey"]: tag["TagValue"] for tag in tags}
    assert told["kmsjwt:consumer-cache"] == "7200"
    assert told["kmsjwt:max-lifetime"] == "3600"


@pytest.mark.parametrize("event", [{}, None, {"source": "aws.events"}, "text", []])
def test_any_other_event_takes_what_is_due_and_starts_nothing(deployed, event):
    function = deployed.build()
    function({"start": True})

    answer = function(event)

    assert answer["done"] == []
    assert answer["later"][0]["what"] == "generation 2 is made"


def test_where_there_is_no_ring_a_schedule_makes_none(deployed):
    with pytest.raises(KmsKeyNotFound, match="alias/auth"):
        deployed.build()({})

    assert deployed.kms.list_keys()["Keys"] == []


def test_run_hourly_it_rotates_by_the_times_of_the_ring(deployed):
    function = deployed.build(KMSJWT_PERIOD="30d")
    function({"start": True})
    began = deployed.clock.now
    reached: dict[tuple[str, ...], float] = {}
    for _ in range(24 * 32):
        deployed.clock.now += HOUR
        reached.setdefault(tuple(stages(function({}))), (deployed.clock.now - began) / HOUR)

    # 30 days; 2 h of caches and 10 min; 1 h of refresh, 1 h of tokens and 15 min.
    assert list(reached) == [
        ("signing",),
        ("signing", "published"),
        ("verifying", "signing"),
        ("retired", "signing"),
    ]
    hours = list(reached.values())
    assert hours[1] - 720 in (0, 1)
    assert hours[2] - hours[1] == 3
    assert hours[3] - hours[2] == 3


def test_a_period_in_the_environment_counts_at_once(deployed):
    deployed.build()({"start": True})
    deployed.clock.now += 2 * DAY

    assert stages(deployed.build(KMSJWT_PERIOD="1d")({})) == ["signing", "published"]


def test_a_compromised_key_is_replaced(deployed):
    function = deployed.build()
    kid = function({"start": True})["generations"][0]["kid"]

    answer = function({"compromised": kid})

    assert stages(answer) == ["compromised", "signing"]


@pytest.mark.parametrize("keep", [True, False])
def test_a_compromised_key_stays_enabled_if_that_is_asked_for(deployed, keep):
    function = deployed.build()
    kid = function({"start": True})["generations"][0]["kid"]

    function({"compromised": kid, "keep_enabled": keep})

    state = deployed.kms.describe_key(KeyId="alias/auth/1")["KeyMetadata"]["KeyState"]
    assert state == ("Enabled" if keep else "Disabled")


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"start": "yes"}, "start 'yes'"),
        ({"start": 1}, "start 1"),
        ({"compromised": 7}, "compromised 7"),
        ({"compromised": "1", "keep_enabled": "yes"}, "keep_enabled 'yes'"),
        ({"keep_enabled": True}, "keep_enabled True and no compromised"),
        ({"compromised": "1", "start": True}, "start True and compromised '1'"),
        ({"compromised": "1", "keep-enabled": True}, "keep-enabled"),
        ({"compromised": "1", "dry_run": True}, "dry_run"),
        ({"start": True, "dry_run": True}, "dry_run"),
        ({"Compromised": "1"}, "Compromised"),
        ({"START": True}, "START"),
        ({"KeepEnabled": True}, "KeepEnabled"),
    ],
    ids=repr,
)
def test_an_event_that_asks_in_a_wrong_way_is_refused_and_nothing_done(deployed, event, told):
    function = deployed.build()
    before = function({"start": True})["generations"]

    with pytest.raises(ConfigError, match=told) as refused:
        function(event)

    assert (refused.value.code, bool(refused.value.fix)) == ("rotate_event", True)
    assert function({})["generations"] == before


def test_each_step_is_a_line_in_the_log_and_a_failure_is_one_too(deployed):
    function = deployed.build()
    function({"start": True})
    steps = [each["step"] for each in deployed.log if each["event"] == "step"]
    deployed.kms.faults.add("DescribeKey", kind="access_denied")
    deployed.log.clear()

    with pytest.raises(KmsAccessDenied):
        function({})

    assert steps == ["create", "publish", "mark-published", "point"]
    (line,) = deployed.log
    assert (line["at"], line["reason"], line["ring"]) == ("ERROR", "kms_access_denied", "auth")


def test_every_fault_of_the_environment_is_told_together():
    environ = {
        "KMSJWT_RING": "a/b",
        "KMSJWT_TO": "s3://",
        "KMSJWT_PERIOD": "never",
        "KMSJWT_PUBLIC": "maybe",
        "KMSJWT_RNIG": "auth",
    }
    with pytest.raises(ConfigError) as raised:
        rotate.build(client=LocalKms(), environ=environ)

    for told in ("KMSJWT_PERIOD", "KMSJWT_PUBLIC", "was KMSJWT_RING meant?"):
        assert told in str(raised.value)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"KMSJWT_RING": ""}, "KMSJWT_RING is unset"),
        ({"KMSJWT_RING": "a/b"}, "the key's name is 'a/b'"),
        ({"KMSJWT_ISSUER": ""}, "no issuer is named"),
        ({"KMSJWT_TO": "s3://"}, "the bucket is"),
        ({"KMSJWT_SPEC": "RSA"}, "RSA"),
        ({"KMSJWT_MAX_LIFETIME": "2d"}, "max_lifetime is 172800"),
    ],
    ids=lambda value: " ".join(map("=".join, value.items())) if isinstance(value, dict) else "",
)
def test_a_wrong_environment_fails_at_start(deployed, changed, told):
    with pytest.raises(ConfigError, match=told):
        deployed.build(**changed)


def _disabled(deployed, arn) -> None:
    deployed.kms.disable_key(KeyId=arn)


def _garbled(deployed, arn) -> None:
    deployed.kms.tag_resource(
        KeyId=arn, Tags=[{"TagKey": "kmsjwt:published", "TagValue": "yesterday"}]
    )


def _not_listed(deployed, arn) -> None:
    deployed.kms.faults.add("ListAliases", kind="access_denied", times=None)


def _moved(deployed, arn) -> None:
    made = deployed.kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    deployed.kms.update_alias(AliasName="alias/auth", TargetKeyId=made["KeyMetadata"]["KeyId"])


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        (_disabled, "its key is Disabled, and no token can be issued"),
        (_garbled, "its tag kmsjwt:published is 'yesterday'"),
        (_not_listed, "it is not known since when its predecessor signs"),
        (_moved, "which is not tagged as a key of ring auth"),
    ],
    ids=["disabled by hand", "a tag garbled", "aliases not listed", "pointer moved by hand"],
)
def test_a_ring_that_does_not_go_on_by_itself_fails_the_run(deployed, break_it, told):
    """An alarm on the function's errors is enough."""
    function = deployed.build()
    function({"start": True})
    deployed.clock.now += DAY
    arn = deployed.kms.describe_key(KeyId="alias/auth")["KeyMetadata"]["Arn"]
    break_it(deployed, arn)

    with pytest.raises(CannotKnow, match=told) as raised:
        function({})

    assert raised.value.code == "rotation_stuck"
    assert [each["reason"] for each in deployed.log if each["at"] == "ERROR"] == ["rotation_stuck"]
