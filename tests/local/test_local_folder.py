"""Keys kept in a folder."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from kmsjwt.errors import ConfigError
from kmsjwt.local import LocalKms

if TYPE_CHECKING:
    from pathlib import Path

SPECS = (
    "RSA_2048",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    "ECC_NIST_EDWARDS25519",
    "ML_DSA_44",
)
DAY = 86_400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.mark.parametrize("spec", SPECS)
def test_a_key_signs_the_same_after_a_restart(folder: Path, new_key: Any, spec: str) -> None:
    with LocalKms(folder=folder) as kms:
        key = new_key(kms, spec)
        public = kms.get_public_key(KeyId=key)
        request = {
            "KeyId": key,
            "Message": b"m",
            "SigningAlgorithm": public["SigningAlgorithms"][0],
        }
        signature = kms.sign(**request)["Signature"]
    with LocalKms(folder=folder) as kms:
        assert kms.get_public_key(KeyId=key)["PublicKey"] == public["PublicKey"]
        assert kms.verify(Signature=signature, **request)["SignatureValid"]


def test_a_mac_is_the_same_after_a_restart(folder: Path, new_key: Any) -> None:
    macs = []
    key = None
    for _ in range(2):
        with LocalKms(folder=folder) as kms:
            key = key or new_key(kms, "HMAC_384", "GENERATE_VERIFY_MAC")
            macs.append(kms.generate_mac(KeyId=key, MacAlgorithm="HMAC_SHA_384", Message=b"m"))
    assert macs[0]["Mac"] == macs[1]["Mac"]


def test_everything_about_a_key_comes_back(folder: Path, new_key: Any, sign: Any) -> None:
    def all_about(kms: LocalKms) -> list[Any]:
        there = kms.in_region("eu-west-1")
        return [
            kms.describe_key(KeyId=key),
            kms.describe_key(KeyId="alias/a"),
            kms.list_aliases(),
            kms.list_resource_tags(KeyId=key),
            kms.get_key_policy(KeyId=key),
            kms.get_key_last_usage(KeyId=key),
            there.list_keys(),
            there.describe_key(KeyId=key.replace("eu-central-1", "eu-west-1")),
        ]

    with LocalKms(folder=folder) as kms:
        tags = [{"TagKey": "a", "TagValue": "ż"}]
        key = new_key(kms, MultiRegion=True, Tags=tags, Description="d")
        kms.create_alias(AliasName="alias/a", TargetKeyId=key)
        kms.create_alias(AliasName="alias/b", TargetKeyId=key)
        kms.delete_alias(AliasName="alias/b")
        kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")
        sign(kms, key)
        kms.disable_key(KeyId=key)
        before = all_about(kms)
    with LocalKms(folder=folder) as kms:
        after = all_about(kms)
    for answer in (*before, *after):
        del answer["ResponseMetadata"]
    assert before == after


def test_files_are_for_this_user_alone_one_a_key(folder: Path, new_key: Any) -> None:
    with LocalKms(folder=folder) as kms:
        keys = {new_key(kms).rpartition("/")[2] for _ in range(2)}
        kms.create_alias(AliasName="alias/a", TargetKeyId=min(keys))
    files = {path.name: path for path in folder.rglob("*") if path.is_file()}
    assert files.keys() == {".lock", "aliases.json", *(f"{key}.json" for key in keys)}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files.values()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "eu-central-1").stat().st_mode) == 0o700


def test_a_deleted_keys_file_goes(folder: Path, clock: Any, new_key: Any) -> None:
    with LocalKms(folder=folder, clock=clock) as kms:
        kms.create_alias(AliasName="alias/a", TargetKeyId=(key := new_key(kms)))
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        clock.forward(7 * DAY)
        assert kms.list_keys()["Keys"] == []
    assert "BEGIN" not in "".join(path.read_text() for path in folder.rglob("*.json"))


def test_a_key_whose_time_came_between_runs_is_gone(folder: Path, clock: Any, new_key: Any) -> None:
    with LocalKms(folder=folder, clock=clock) as kms:
        kms.schedule_key_deletion(KeyId=new_key(kms), PendingWindowInDays=7)
    clock.forward(8 * DAY)
    with LocalKms(folder=folder, clock=clock) as kms:
        assert kms.list_keys()["Keys"] == []


def test_a_folder_has_one_user_at_a_time(folder: Path) -> None:
    with LocalKms(folder=folder):
        with pytest.raises(ConfigError) as error:
            LocalKms(folder=folder)
        assert error.value.code == "key_folder_in_use"
        script = f"from kmsjwt.local import LocalKms; LocalKms(folder={str(folder)!r})"
        other = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=False
        )
        assert "is in use by another local KMS" in other.stderr
    with LocalKms(folder=folder):
        pass


WRITER = """
import sys
from kmsjwt.local import LocalKms
kms = LocalKms(folder=sys.argv[1])
while True:
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=f"alias/{key}", TargetKeyId=key)
    print(key, flush=True)
"""


def test_a_killed_process_leaves_whole_files_and_no_lock(folder: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        keys = [process.stdout.readline().strip() for _ in range(20)]
        process.send_signal(signal.SIGKILL)
    with LocalKms(folder=folder) as kms:
        for key in keys:
            assert kms.describe_key(KeyId=f"alias/{key}")["KeyMetadata"]["KeyId"] == key


def key_file(folder: Path) -> Path:
    return next(path for path in folder.rglob("*.json") if path.name != "aliases.json")


def replaced(**members: Any) -> Any:
    def change(text: str) -> str:
        content = json.loads(text)
        content.update(members)
        return json.dumps({name: value for name, value in content.items() if value != "gone"})

    return change


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        (lambda text: text[: len(text) // 2], "can't be read"),
        (lambda _: "[]", "can't be read"),
        (lambda _: "", "can't be read"),
        (replaced(format=2), "format is 2, expected 1"),
        (replaced(material="gone"), "material is missing"),
        (replaced(material="-----BEGIN PRIVATE KEY-----\nAAAA\n"), "can't be read"),
        (replaced(material=5), "can't be read"),
        (lambda _: "[" * 100_000, "can't be read"),
        (replaced(spec="RSA_1024"), "RSA_1024 is missing or unknown"),
        (replaced(account_id="444455556666"), "account 444455556666"),
        (replaced(last_usage={"a": 1}), "can't be read"),
    ],
    ids=[
        "cut",
        "list",
        "empty",
        "format",
        "no key",
        "bad key",
        "key no text",
        "nested",
        "spec",
        "account",
        "usage",
    ],
)
def test_a_corrupt_file_is_named_and_nothing_of_it_shown(
    folder: Path, new_key: Any, change: Any, fact: str
) -> None:
    with LocalKms(folder=folder) as kms:
        new_key(kms)
    path = key_file(folder)
    secret = json.loads(path.read_text())["material"].splitlines()[1]
    path.write_text(change(path.read_text()))
    with pytest.raises(ConfigError) as error:
        LocalKms(folder=folder)
    assert error.value.code == "key_file_corrupt"
    assert str(path) in str(error.value)
    assert fact in str(error.value)
    assert secret not in str(error.value)
    path.unlink()
    with LocalKms(folder=folder) as kms:  # the failed start has let go of the folder
        assert kms.list_keys()["Keys"] == []


def test_a_folder_that_cannot_be_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError) as error:
        LocalKms(folder=tmp_path / "file")
    assert error.value.code == "key_folder_unusable"


def test_a_key_that_cannot_be_kept_is_not_made(folder: Path, new_key: Any) -> None:
    with LocalKms(folder=folder) as kms:
        (folder / "eu-central-1").write_text("in the way")
        with pytest.raises(kms.exceptions.KMSInternalException):
            new_key(kms)
        assert kms.list_keys()["Keys"] == []


def test_a_closed_folder_is_not_written_to(folder: Path, new_key: Any, sign: Any) -> None:
    kms = LocalKms(folder=folder)
    key = new_key(kms)
    kms.close()
    kms.close()
    with pytest.raises(kms.exceptions.KMSInternalException, match="closed"):
        kms.disable_key(KeyId=key)
    assert sign(kms, key)
