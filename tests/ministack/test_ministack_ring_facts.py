"""What a ring is made of, aliases, tags and key states: on ministack's KMS and on our local one.

ministack's is no more AWS's than ours: two readings of the same model, made apart. Each row is
done to both, and both must answer alike; where they part, the row says why.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from kmsjwt.authority.delete import delete
from kmsjwt.authority.publishers import publisher_for
from kmsjwt.authority.rotate import Rotator
from kmsjwt.errors import KmsError
from kmsjwt.kms.ring.reading import read
from kmsjwt.local import LocalKms

if TYPE_CHECKING:
    from collections.abc import Callable

_NUMBERS = count()

Step = tuple[str, dict[str, Any]]
KEY, OTHER, ALIAS = "{key}", "{other}", "alias/{ring}"
TAG = {"TagKey": "kmsjwt:ring", "TagValue": "a"}
RETAGGED = {"TagKey": "kmsjwt:ring", "TagValue": "b"}


def claim(key: str = KEY, alias: str = ALIAS) -> Step:
    return "create_alias", {"AliasName": alias, "TargetKeyId": key}


def move(key: str) -> Step:
    return "update_alias", {"AliasName": ALIAS, "TargetKeyId": key}


def look(name: str = ALIAS) -> Step:
    return "describe_key", {"KeyId": name}


def tag(key: str, *tags: Any) -> Step:
    return "tag_resource", {"KeyId": key, "Tags": list(tags)}


ALIKE: dict[str, list[Step]] = {
    "an alias that is not there": [look(), look("alias/{ring}/7"), move(KEY)],
    "a claim, and a second one": [claim(), claim(), claim(OTHER), look()],
    "a pointer that moves": [
        claim(),
        claim(alias=ALIAS + "/1"),
        move(OTHER),
        look(),
        look(ALIAS + "/1"),
        ("list_aliases", {"KeyId": KEY}),
        ("list_aliases", {"KeyId": OTHER}),
    ],
    "a pointer that moves to where it is": [claim(), move(KEY), look()],
    "tags": [
        tag(KEY, TAG),
        tag(KEY, RETAGGED, {"TagKey": "team", "TagValue": ""}),
        ("list_resource_tags", {"KeyId": KEY}),
        ("list_resource_tags", {"KeyId": OTHER}),
    ],
    "a key that is disabled": [
        claim(),
        ("disable_key", {"KeyId": KEY}),
        look(),
        ("sign", {"KeyId": KEY, "Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}),
        tag(KEY, TAG),
        move(KEY),
        ("enable_key", {"KeyId": KEY}),
        look(),
    ],
    "a key that is to be deleted": [
        claim(),
        ("schedule_key_deletion", {"KeyId": KEY, "PendingWindowInDays": 7}),
        look(),
        ("sign", {"KeyId": KEY, "Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}),
    ],
}


class Part(NamedTuple):
    """Where they part.

    Attributes:
        steps: what is done.
        local: what the last of them answers on the local KMS.
        ministack: and on ministack.
        why: the reason, and what it means.
    """

    steps: list[Step]
    local: str
    ministack: str
    why: str


PARTING = {
    "tags by an alias": Part(
        [claim(), tag(ALIAS, TAG)],
        "NotFoundException",
        "ok",
        "the KMS API takes a key id or an ARN here; so we always name the ARN",
    ),
    "the tags of an alias": Part(
        [claim(), ("list_resource_tags", {"KeyId": ALIAS})],
        "NotFoundException",
        "ok",
        "as above",
    ),
    "an alias of an alias": Part(
        [claim(), claim(ALIAS, ALIAS + "/1")],
        "ValidationException",
        "ok",
        "the KMS API takes a key id or an ARN here too",
    ),
    "the public key of a disabled key": Part(
        [("disable_key", {"KeyId": KEY}), ("get_public_key", {"KeyId": KEY})],
        "DisabledException",
        "ok",
        "AWS gives out none; a ring leaves such a key out by its state, whatever is given out",
    ),
    "the last use of a key": Part(
        [("get_key_last_usage", {"KeyId": KEY})],
        "ok",
        "InvalidAction",
        "ministack does not know it; so a key is deleted there only by force",
    ),
}


@pytest.fixture
def kms(cloud) -> Any:
    """Return both, each with two new keys and the name of a ring that is not there."""
    both = {"ministack": cloud.client("kms"), "local": LocalKms()}
    ring = f"facts-{next(_NUMBERS)}"

    def keys(client: Any) -> dict[str, str]:
        made = [
            client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY") for _ in range(2)
        ]
        key, other = (each["KeyMetadata"]["Arn"] for each in made)
        return {"key": key, "other": other, "ring": ring}

    return {name: (client, keys(client)) for name, client in both.items()}


@pytest.mark.parametrize("steps", ALIKE.values(), ids=ALIKE)
def test_what_a_ring_is_made_of_is_the_same(steps, kms):
    ministack, local = (
        [answer(client, names, *step) for step in steps]
        for client, names in (kms["ministack"], kms["local"])
    )

    assert ministack == local


@pytest.mark.parametrize("part", PARTING.values(), ids=PARTING)
def test_where_they_part(part, kms):
    seen = {}
    for name, (client, names) in kms.items():
        answers = [answer(client, names, *step) for step in part.steps]
        seen[name] = answers[-1] if isinstance(answers[-1], str) else "ok"

    assert seen == {"local": part.local, "ministack": part.ministack}, part.why


def test_a_key_is_deleted_by_force_where_its_last_use_is_not_told(cloud):
    kms = cloud.client("kms")
    rotator = Rotator("gone", publisher_for("gone", to="kms", issuer=None, client=kms), client=kms)
    rotator.run(start=True)
    rotator.withdraw("1")

    with pytest.raises(KmsError, match="InvalidAction") as refused:
        delete("gone", 1, client=kms, retired_for=0)
    assert "--force" in str(refused.value.fix)
    deletion = delete("gone", 1, client=kms, retired_for=0, force=True)

    assert deletion.date is not None
    ring = read(kms, "gone", down_to=1).ring
    assert [each.state for each in ring.generations] == ["PendingDeletion", "Enabled"]
    assert [ring.stage(each) for each in ring.generations] == ["compromised", "signing"]


def answer(client: Any, names: dict[str, str], operation: str, parameters: dict[str, Any]) -> Any:
    """Return what can be told apart of an answer, or the code of a refusal."""
    method: Callable[..., Any] = getattr(client, operation)
    filled = {
        name: value.format(**names) if isinstance(value, str) else value
        for name, value in parameters.items()
    }
    try:
        answered = method(**filled)
    except Exception as error:
        response: Any = getattr(error, "response", None)
        if response is None:
            raise
        return response["Error"]["Code"]
    return told(answered, names)


def told(answered: dict[str, Any], names: dict[str, str]) -> Any:
    which = {arn.rpartition("/")[2]: name for name, arn in names.items()}
    if "KeyMetadata" in answered:
        metadata = answered["KeyMetadata"]
        fields = ("KeyState", "Enabled", "KeySpec", "KeyUsage", "MultiRegion")
        return which[metadata["KeyId"]], {name: metadata[name] for name in fields}
    if "Aliases" in answered:
        return sorted(
            (each["AliasName"], which[each["TargetKeyId"]]) for each in answered["Aliases"]
        )
    return {name: answered[name] for name in ("Tags", "Truncated") if name in answered}
