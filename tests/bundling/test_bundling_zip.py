"""What is in a bundle, and that it is the same each time."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import marshal
import os
import platform
import re
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from tests.bundling import wheelhouse
from tests.runtime.environments import HERE

from kmsjwt.bundling import elf

MACHINE = os.uname().machine
ARCH = {"x86_64": "x86_64", "aarch64": "arm64"}[MACHINE]


@pytest.fixture(scope="module")
def layer(built) -> dict[str, Any]:
    """A layer for the other processor and another Python than this one."""
    other = "3.13" if HERE != "3.13" else "3.12"
    bundle: dict[str, Any] = built("layer", "--arch", "arm64", "--python", other, "--layer")
    return bundle


def names(bundle: dict[str, Any], shared: Path) -> list[str]:
    with zipfile.ZipFile(path_of(bundle, shared)) as archive:
        return archive.namelist()


def path_of(bundle: dict[str, Any], shared: Path) -> Path:
    return shared / Path(bundle["path"]).name


def test_two_builds_give_the_same_bytes(for_here, make, app, seed, tmp_path):
    """Made in another folder, with other times, another mask and another seed of hashes."""
    again = tmp_path / "elsewhere"
    again.mkdir()
    copy = again / "app.py"
    copy.write_bytes(app.read_bytes())
    os.utime(copy, (1_000_000_000, 1_000_000_000))
    mask = os.umask(0o077)
    try:
        made = make(
            again / "second.zip",
            *("--arch", ARCH, "--python", HERE, "--with", "app.py", "--jwks", str(seed)),
            PYTHONHASHSEED="12345",
            TZ="Asia/Tokyo",
            TMPDIR=str(again),
        )
    finally:
        os.umask(mask)

    assert made["sha256"] == for_here["sha256"]
    assert made["sha256"] == hashlib.sha256((again / "second.zip").read_bytes()).hexdigest()
    assert sorted(path.name for path in again.iterdir()) == ["app.py", "second.zip"]


def test_all_may_read_what_is_in_it_and_it_says_no_time(for_here, shared):
    with zipfile.ZipFile(path_of(for_here, shared)) as archive:
        entries = archive.infolist()

    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert sum(entry.file_size for entry in entries) == for_here["unpacked_bytes"]
    assert path_of(for_here, shared).stat().st_size == for_here["bytes"]


def test_the_published_keys_are_in_it_with_the_time_of_their_reading(for_here, seed, shared):
    with zipfile.ZipFile(path_of(for_here, shared)) as archive:
        put = json.loads(archive.read("jwks-seed.json"))

    read = json.loads(seed.read_text())
    assert (put["read_at"], put["read_from"]) == (read["read_at"], read["read_from"])
    [given], [found] = read["keys"], put["keys"]
    assert jwt.PyJWK(found).key == jwt.PyJWK(given).key
    assert (found["kid"], found["alg"]) == ("k1", "ES256")
    told = for_here["seed"]
    assert told["kids"] == ["k1"]
    assert datetime.fromisoformat(told["read_at"]).timestamp() == read["read_at"]
    assert datetime.fromisoformat(told["until"]).timestamp() == read["read_at"] + 7 * 86_400
    assert "KMSJWT_JWKS_SEED=jwks-seed.json" in for_here["told"]


def test_without_being_asked_none_are(layer, shared):
    assert layer["seed"] is None
    assert not [name for name in names(layer, shared) if name.endswith("jwks-seed.json")]


def test_what_a_function_never_reads_is_not_in_it(for_here, shared):
    there = names(for_here, shared)
    top = {name.partition("/")[0] for name in there}
    rooms = {name.split("/")[1] for name in there if name.startswith("kmsjwt/")}

    assert {"kmsjwt", "cryptography", "app.py"} <= top
    assert not top & {"bin", "tests", "boto3", "botocore", "pip"}
    assert {"handlers", "gateway", "kms", "authority", "publish", "web", "verifier.py"} <= rooms
    assert not rooms & {"cli", "cdk", "deploy", "local", "testing", "bundling", "__main__.py"}
    endings = {Path(name).suffix for name in there}
    assert not endings & {".pyi", ".h", ".c", ".exe"}
    assert not [name for name in there if name.endswith(("RECORD", "direct_url.json", "INSTALLER"))]
    # Scanners look for what is in it by name and version.
    assert any(name.endswith("dist-info/METADATA") and "cryptography" in name for name in there)
    assert any(name.endswith("dist-info/METADATA") and "kmsjwt" in name for name in there)


def test_nothing_in_it_names_a_folder_of_this_machine(for_here, shared):
    own = {str(wheelhouse.ROOT).encode(), str(Path.home()).encode() + b"/", b"kmsjwt-bundle-"}
    with zipfile.ZipFile(path_of(for_here, shared)) as archive:
        telling = [
            name
            for name in archive.namelist()
            if not name.endswith(".so") and any(each in archive.read(name) for each in own)
        ]

    assert telling == []


def test_every_source_file_is_compiled_and_its_code_is_used_whatever_its_time(for_here, shared):
    with zipfile.ZipFile(path_of(for_here, shared)) as archive:
        there = set(archive.namelist())
        sources = [name for name in there if name.endswith(".py")]
        compiled = {name: archive.read(cached(name)) for name in sources if cached(name) in there}

    assert for_here["compiled"]
    assert sorted(compiled) == sorted(sources)
    for name, contents in compiled.items():
        assert contents[:4] == importlib.util.MAGIC_NUMBER
        assert contents[4:8] == (1).to_bytes(4, "little")  # PEP 552: by hash, and unchecked
        code = marshal.loads(contents[16:])
        assert code.co_filename == f"/var/task/{name}"


def cached(name: str) -> str:
    path = Path(name)
    tag = f"cpython-{HERE.replace('.', '')}"
    return str(path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc")


def test_a_layer_for_the_other_processor(layer, shared):
    there = names(layer, shared)

    assert all(name.startswith("python/") for name in there)
    assert "python/kmsjwt/handlers/authorizer.py" in there
    with zipfile.ZipFile(path_of(layer, shared)) as archive:
        libraries = [elf.read(archive.read(name)) for name in there if name.endswith(".so")]
    assert [each.machine for each in libraries] == ["aarch64", "aarch64"]
    assert all(each.glibc <= 34 for each in libraries)
    # ELF's e_machine of AArch64 is 183 (0xb7), as its processor supplement says.
    with zipfile.ZipFile(path_of(layer, shared)) as archive:
        heads = {archive.read(name)[18:20] for name in there if name.endswith(".so")}
    assert heads == {b"\xb7\x00"}


def test_what_cannot_be_compiled_here_is_said(layer, shared):
    assert layer["compiled"] == any(name.endswith(".pyc") for name in names(layer, shared))
    assert ("has no .pyc files" in layer["told"]) == (not layer["compiled"])


def test_what_that_costs_is_measured_by_the_python_at_hand(make, tmp_path):
    """The bundle itself does not run here, where no other Python is on the PATH."""
    other = "3.13" if HERE != "3.13" else "3.12"
    made = make(tmp_path / "a.zip", "--arch", ARCH, "--python", other, PATH=str(tmp_path))
    told = made["told"]

    version, without, compiled = re.findall(
        r"measured with Python (\S+) and .* here: (\d+) ms of CPU .*, and (\d+) ms with them", told
    )[0]
    assert version == platform.python_version()
    assert 1.2 * int(compiled) < int(without)
    assert "its cold start was not measured: python" in told
    assert "cold_start_cpu_ms" not in made


def test_nothing_is_measured_for_whoever_does_not_want_it(make, tmp_path):
    made = make(tmp_path / "a.zip", "--arch", ARCH, "--python", HERE, "--no-measure")

    assert "cold_start_cpu_ms" not in made
    assert "cold start" not in made["told"]


def test_what_it_tells(for_here):
    told = for_here["told"]

    assert f"a function for python{HERE} on {ARCH}" in told
    assert f"{for_here['bytes'] / 1e6:.1f} MB" in told
    assert "cryptography" in told
    cost = for_here["cold_start_cpu_ms"]
    assert 0 < cost["python_alone"] < cost["as_built"] < cost["without_compiled"]
    assert f"{cost['as_built']:.1f} ms of CPU" in told
    assert told.splitlines()[-1] == f"sha256 {for_here['sha256']}"
