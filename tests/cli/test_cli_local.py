"""`local` and `local run`: real processes, a folder that outlives them, neighbours in it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.cli.conftest import ISSUER

from kmsjwt.cli import main
from kmsjwt.cli.local import environment
from kmsjwt.cli.neighbours import Neighbours
from kmsjwt.local import LocalKms
from kmsjwt.local.http import running

KMSJWT = [sys.executable, "-m", "kmsjwt"]
ECHO = [
    sys.executable,
    "-c",
    """
import os, json
seen = {k: v for k, v in os.environ.items() if k.startswith("AWS_") or k.lower() == "no_proxy"}
print(json.dumps(seen))
""",
]


@contextlib.contextmanager
def started(*words) -> Any:
    with subprocess.Popen(
        [*KMSJWT, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def line_of(stream) -> Any:
    assert select.select([stream], [], [], 20)[0], "nothing was printed in 20 s"
    return stream.readline().strip()


def keys_at(endpoint_url) -> Any:
    client = boto3.client(
        "kms",
        endpoint_url=endpoint_url,
        region_name="eu-central-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    return client.list_keys()["Keys"]


def test_local_prints_its_url_when_it_can_be_asked_and_says_what_it_is_for():
    with started("local", "--port", "0") as process:
        url = line_of(process.stdout)

        assert keys_at(url) == []
        assert "for development only" in line_of(process.stderr)
        assert "stop with Ctrl-C" in process.stderr.readline()
        pasted = f"{process.stderr.readline()}\nexec python -m kmsjwt key list --json"
        listed = subprocess.run(
            ["sh", "-c", pasted],
            env={"PATH": f"{Path(sys.executable).parent}:{os.defpath}"},
            capture_output=True,
            check=False,
        )
        assert (listed.returncode, json.loads(listed.stdout)) == (0, [])
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_a_port_that_is_taken_is_told(typed, endpoint_url):
    done = typed("local", "--port", endpoint_url.rpartition(":")[2])

    assert done.code == 2
    assert "can't be opened" in done.err


def test_a_command_gets_what_every_sdk_reads(monkeypatch, capfd):
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    monkeypatch.setenv("NO_PROXY", "intra.example")
    env = environment(os.environ, "http://127.0.0.1:9", "eu-west-1")

    child = subprocess.run(ECHO, env=env, check=True, capture_output=True)

    seen = json.loads(child.stdout)
    assert seen.pop("no_proxy") == seen.pop("NO_PROXY") == "intra.example,127.0.0.1,localhost"
    assert seen == {
        "AWS_ENDPOINT_URL_KMS": "http://127.0.0.1:9",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def run_in_shell(script) -> Any:
    return subprocess.run(
        ["bash", "-c", script.replace("kmsjwt ", f"{sys.executable} -m kmsjwt ")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_do_it_yourself(tmp_path):
    """The demo's last lines: a key made in one run signs in the next, and others accept it."""
    verify = f"kmsjwt verify --issuer {ISSUER} --audience orders --key alias/auth -"
    issue = f"kmsjwt issue --key alias/auth --issuer {ISSUER} --audience orders --subject ala"
    made = run_in_shell("kmsjwt local run -- kmsjwt key create auth --spec ECC_NIST_P256 --json")

    # Both ends of the pipe start at once and share the folder.
    done = run_in_shell(f"kmsjwt local run -- {issue} | kmsjwt local run -- {verify}")

    assert set(json.loads(made.stdout)) == {"arn", "alias", "kid"}
    assert json.loads(done.stdout)["sub"] == "ala"
    assert (tmp_path / ".kmsjwt" / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("code", [0, 1, 7])
def test_the_commands_exit_code_is_passed_on(typed, code):
    assert (
        typed("local", "run", "--", sys.executable, "-c", f"raise SystemExit({code})").code == code
    )


@pytest.mark.parametrize(
    "words",
    [
        ["local", "run"],
        ["local", "run", "--"],
        ["local", "run", "--folder", "here"],
        ["local", "run", "--folder=here", "--region", "eu-west-1", "--"],
        ["local", "--folder", "here", "run"],
    ],
    ids=" ".join,
)
def test_the_command_may_follow_without_dashes(words):
    """What belongs to the command is left to it, a `--` of its own too."""
    script = "import sys; print(sys.argv[1:])"

    done = subprocess.run(
        [*KMSJWT, *words, sys.executable, "-c", script, "--json", "--", "x", "run"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0
    assert done.stdout == "['--json', '--', 'x', 'run']\n"


def test_options_stand_before_or_after_run(typed, tmp_path):
    typed("local", "--folder", "one", "run", "--", "true")
    typed("local", "run", "--folder", "two", "--", "true")

    assert (tmp_path / "one").is_dir()
    assert (tmp_path / "two").is_dir()


def test_a_folder_that_is_served_already_is_used_where_it_is(typed, tmp_path):
    folder = tmp_path / ".kmsjwt"
    with LocalKms(folder=folder) as kms, running(kms) as server:
        Neighbours(folder).welcome(server.endpoint_url)

        done = typed("local", "run", "--", "true")

    assert done.code == 0
    assert f"the local KMS at {server.endpoint_url} has {folder.name}/ already" in done.err


def test_whoever_serves_waits_for_those_who_use_it(tmp_path):
    script = (
        "kmsjwt local run -- sh -c 'touch a; while [ ! -e b ]; do sleep 0.05; done' &"
        " while [ ! -e a ]; do sleep 0.05; done;"
        " kmsjwt local run -- sh -c"
        " 'touch b; sleep 0.5; kmsjwt key create late --spec ECC_NIST_P256'; wait"
    )

    done = run_in_shell(script)

    assert "already and is used" in done.stderr
    assert "alias/late is new" in done.stderr


def test_what_a_killed_one_left_behind_misleads_nobody(typed, tmp_path):
    folder = tmp_path / ".kmsjwt"
    folder.mkdir()
    (folder / ".endpoint").write_text("http://127.0.0.1:1")

    done = typed("local", "run", "--", "true")

    assert done.code == 0
    assert "keys in .kmsjwt/" in done.err
    assert not (folder / ".endpoint").exists()


def test_stopping_the_run_stops_the_command(tmp_path):
    with started("local", "run", "--", sys.executable, "-c", SLEEPER) as process:
        pid = int(line_of(process.stdout))
        process.terminate()
        assert process.wait(20) == 143
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
    pytest.fail("the command outlived its run")


SLEEPER = "import os, signal; print(os.getpid(), flush=True); signal.pause()"


def test_links_in_a_cloned_folder_lead_nowhere(tmp_path, monkeypatch):
    """A repository that brings a .kmsjwt/ of its own cannot have files outside it overwritten."""
    victims = [tmp_path / name for name in ("one", "two")]
    for victim in victims:
        victim.write_text("mine")
    folder = tmp_path / "clone" / ".kmsjwt"
    folder.mkdir(parents=True, mode=0o700)
    (folder / ".endpoint.part").symlink_to(victims[0])
    (folder / ".gitignore").symlink_to(victims[1])
    monkeypatch.chdir(folder.parent)

    assert main(["local", "run", "--", sys.executable, "-c", "pass"]) == 0

    assert [victim.read_text() for victim in victims] == ["mine", "mine"]
