"""What the rotate function's environment asks of the next key, down to each setting."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.handlers.support import NOW, Recorder
from tests.jwks.servers import Clock

from kmsjwt.errors import ConfigError
from kmsjwt.handlers import rotate
from kmsjwt.handlers._environment import Environment
from kmsjwt.handlers._rotate_settings import RotateSettings
from kmsjwt.local import LocalKms

SPLIT = {
    "KMSJWT_KEY_POLICY": "split",
    "KMSJWT_SPEC": "ECC_NIST_P256",
    "KMSJWT_ACCOUNT": "123456789012",
    "KMSJWT_REGION": "eu-central-1",
}


def read(**variables: str) -> tuple[RotateSettings, list[str]]:
    env = Environment({"KMSJWT_RING": "auth", **variables})
    return RotateSettings(env), env.faults


@pytest.mark.parametrize(
    "name", ["period", "max_lifetime", "signer_refresh", "document_max_age", "consumer_cache"]
)
def test_each_time_of_the_next_key_can_be_set(name):
    settings, faults = read(**{f"KMSJWT_{name.upper()}": "2h"})

    assert (settings.changes, faults) == ({name: 7_200}, [])


@pytest.mark.parametrize(
    ("name", "is_good"),
    [("consumer_cache", True), ("period", False), ("document_max_age", False)],
)
def test_only_a_cache_of_consumers_may_be_none(name, is_good):
    settings, faults = read(**{f"KMSJWT_{name.upper()}": "0"})

    assert settings.changes == ({name: 0} if is_good else {})
    assert bool(faults) is not is_good


@pytest.mark.parametrize(
    ("variables", "changes"),
    [
        ({}, {}),
        ({"KMSJWT_BUNDLE": "yes"}, {"bundle": True}),
        ({"KMSJWT_BUNDLE": "no"}, {"bundle": False}),
        ({"KMSJWT_ALG": "PS256"}, {"alg": "PS256"}),
    ],
    ids=str,
)
def test_what_is_not_set_is_not_changed(variables, changes):
    settings, faults = read(**variables)

    assert (settings.changes, settings.policy, faults) == (changes, None, [])


@pytest.mark.parametrize(("said", "public"), [({}, False), ("yes", True), ("no", False)])
def test_the_issuer_s_url_is_read_back_if_that_is_asked_for(said, public):
    assert read(**({"KMSJWT_PUBLIC": said} if said else {}))[0].public is public


def test_a_policy_of_two_is_rendered_for_the_account_and_who_may_sign():
    role = "arn:aws:iam::123456789012:role/issue"
    settings, faults = read(**SPLIT, KMSJWT_MAY_SIGN=role)

    assert faults == []
    text = str(settings.policy)
    assert role in text
    assert "kms:Sign" in text
    assert any("123456789012" in json.dumps(each) for each in json.loads(text)["Statement"])


@pytest.mark.parametrize(
    ("lacking", "told"),
    [
        ("KMSJWT_SPEC", "KMSJWT_SPEC"),
        ("KMSJWT_ACCOUNT", "KMSJWT_ACCOUNT"),
        ("KMSJWT_REGION", "KMSJWT_REGION (or AWS_REGION)"),
    ],
)
def test_a_policy_of_two_is_not_guessed(lacking, told):
    settings, faults = read(**{**SPLIT, lacking: ""})

    assert settings.policy is None
    assert faults == [f"KMSJWT_KEY_POLICY is split, and unset: {told}"]


def test_all_that_it_lacks_is_told_together():
    _, faults = read(KMSJWT_KEY_POLICY="split")

    (fault,) = faults
    assert fault.count(" and KMSJWT") == 2


@pytest.mark.parametrize("wanted", [{}, {"KMSJWT_KEY_POLICY": "default"}], ids=["unset", "default"])
def test_who_may_sign_is_said_in_no_other_policy(wanted):
    """Or one would think that nobody else may."""
    _, faults = read(**wanted, KMSJWT_MAY_SIGN="arn:aws:iam::123456789012:role/issue")

    assert faults == ["KMSJWT_MAY_SIGN is set, which takes KMSJWT_KEY_POLICY=split"]


@pytest.mark.parametrize("spec", ["RSA", "SYMMETRIC_DEFAULT"])
def test_a_spec_that_signs_no_token_has_no_policy_and_the_variable_is_named(spec: str):
    env = Environment({"KMSJWT_RING": "auth", **SPLIT, "KMSJWT_SPEC": spec})
    settings: Any = RotateSettings(env)

    assert settings.policy is None
    with pytest.raises(ConfigError, match=r"^KMSJWT_KEY_POLICY: ") as caught:
        env.refuse_faults()
    assert spec in caught.value.message


# --- the function

HOUR, DAY = 3_600, 86_400


class Deployed:
    """The function, its KMS and what it logged."""

    def __init__(self, **variables: str) -> None:
        self.clock = Clock(NOW)
        self.log = Recorder()
        kms = LocalKms(clock=self.clock)
        environ = {"KMSJWT_RING": "auth", "KMSJWT_SPEC": "ECC_NIST_P256", **variables}
        self.function = rotate.build(client=kms, environ=environ, log=self.log, clock=self.clock)

    def lines(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.log.lines if line["event"] == event]


KEYS_IN_KMS = {"KMSJWT_TO": "kms"}


def test_the_first_line_says_where_keys_are_published(tmp_path):
    folder = {"KMSJWT_TO": str(tmp_path), "KMSJWT_ISSUER": "https://id.example"}

    assert Deployed(**folder).log.last["to"] == str(tmp_path)
    assert Deployed(**KEYS_IN_KMS).log.last["to"] == "kms"


@pytest.mark.parametrize(
    "event",
    [
        {"start": 1, "keep_enabled": 0},
        {"start": "yes", "keep_enabled": "no"},
        {"start": None, "keep_enabled": None},
        {"keep_enabled": None, "compromised": "1"},
    ],
    ids=str,
)
def test_yes_and_no_are_said_as_such(event):
    deployed = Deployed(**KEYS_IN_KMS)

    with pytest.raises(ConfigError, match="expected start alone") as caught:
        deployed.function(event)
    assert caught.value.code == "rotate_event"
    assert deployed.lines("step") == []


def test_each_run_is_a_line_that_says_what_comes_next():
    deployed = Deployed(**KEYS_IN_KMS)

    answer = deployed.function({"start": True})

    (line,) = deployed.lines("rotate")
    assert (line["level"], line["ring"], line["signing"]) == ("INFO", "auth", 1)
    assert line["steps"] == len(answer["done"]) > 0
    assert (line["next"], line["next_at"]) == ("generation 2 is made", answer["later"][0]["at"])


@pytest.mark.parametrize("event", [None, [], "start", {"source": "aws.events", "detail": {}}])
def test_the_schedule_s_event_asks_for_nothing(event):
    deployed = Deployed(**KEYS_IN_KMS)
    deployed.function({"start": True})

    assert deployed.function(event)["done"] == []


@pytest.mark.parametrize("is_custom", [True, False])
def test_a_function_that_answers_no_stack_takes_its_requests_for_a_schedule_s(is_custom):
    """Who builds it of a rotator of their own may leave the resource out."""
    deployed = Deployed(**KEYS_IN_KMS)
    deployed.function({"start": True})
    function = rotate.RotateFunction(deployed.function._rotator, log=deployed.log)
    event = {"RequestType": "Create"} if is_custom else {}

    assert function(event)["done"] == []
