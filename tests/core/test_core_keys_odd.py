"""Keys made by hand out of odd objects: refused in our words, and no code of theirs decides.

JSON never holds such objects. A program that builds a JWK or passes a signature itself may.
"""

from __future__ import annotations

from collections import OrderedDict, UserDict
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.core import helpers
from tests.core.awkward import Awkward, EqualToAll, raises
from tests.core.jwks_cases import jwk

from kmsjwt import ConfigError, KeySet, PublicKey
from kmsjwt.errors import BadSignature, shown
from kmsjwt.jwks import StaticKeys

if TYPE_CHECKING:
    from collections.abc import Callable


class Text(str):
    """Text whose own code raises, or says that it is equal to anything."""

    __slots__ = ()
    encode = isascii = __getitem__ = __len__ = __bool__ = __str__ = __repr__ = raises
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


class Unhashable(str):
    """Text that cannot be looked up."""

    __slots__ = ()
    __eq__ = __ne__ = __hash__ = raises


class HashedAs:
    """Found where a name is looked up, and then it raises."""

    def __init__(self, name: str) -> None:
        self._hash = hash(name)

    def __hash__(self) -> int:
        return self._hash

    __eq__ = raises


ODD: dict[str, Callable[[str], Any]] = {
    "text of another class": Text,
    "text without a hash": Unhashable,
    "what raises": lambda _: Awkward(),
    "what is equal to all": lambda _: EqualToAll(),
}
MEMBERS = {
    "RS256": ("kty", "alg", "use", "kid", "n", "e"),
    "ES256": ("kty", "alg", "use", "kid", "crv", "x", "y"),
    "Ed25519": ("kty", "alg", "use", "kid", "crv", "x"),
    "ML-DSA-44": ("kty", "alg", "use", "kid", "pub"),
}
CODES = {"kty": "jwk_kty", "alg": "jwk_alg", "crv": "jwk_alg", "use": "jwk_use", "kid": "jwk_kid"}


def complete(alg: str) -> dict[str, Any]:
    return {**jwk(alg), "use": "sig", "kid": "a"}


def require_refused(hostile: Any, code: str) -> str:
    """Require that a JWK is refused alone, and skipped in a set for the same reason."""
    with pytest.raises(ConfigError) as alone:
        PublicKey.from_jwk(hostile)
    assert alone.value.code == code
    assert len(str(alone.value)) < 200

    trusted = helpers.held("Ed25519").public
    keys = KeySet.from_jwks({"keys": [hostile, trusted.to_jwk()]})

    assert keys.skipped == (f"key 0: {alone.value.message}",)
    assert [key.kid for key in keys] == [trusted.kid]
    return alone.value.message


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    ("alg", "name"), [(alg, name) for alg, names in MEMBERS.items() for name in names]
)
def test_a_member_that_only_looks_like_text_is_refused(alg: str, name: str, odd: str):
    good = complete(alg)
    assert PublicKey.from_jwk(good).alg.name == alg

    told = require_refused({**good, name: ODD[odd](good[name])}, CODES.get(name, "jwk_malformed"))

    assert told.startswith(f"{name} is of type ") or name == "crv"


@pytest.mark.parametrize("odd", ODD)
def test_a_curve_that_only_looks_like_text_stands_for_no_algorithm(odd: str):
    good = complete("ES256")
    del good["alg"]

    require_refused({**good, "crv": ODD[odd]("P-256")}, "jwk_alg")


@pytest.mark.parametrize("odd", ODD)
def test_an_operation_that_only_looks_like_text_is_refused(odd: str):
    for operations in ([ODD[odd]("verify")], ["verify", ODD[odd]("verify")]):
        require_refused({**complete("ES256"), "key_ops": operations}, "jwk_use")


class Listed(list[Any]):
    """A list whose own code raises."""

    __len__ = __iter__ = __contains__ = __getitem__ = __bool__ = raises


class InTuple(tuple[Any, ...]):
    """A tuple whose own code raises."""

    __slots__ = ()
    __len__ = __iter__ = __contains__ = __getitem__ = __bool__ = raises


class SaysItIsAList:
    __class__ = list  # type: ignore[assignment]  # a lie, to be caught


@pytest.mark.parametrize("kind", [Listed, InTuple])
def test_what_stands_in_a_list_counts_whatever_its_own_code_says(kind: Any):
    read = PublicKey.from_jwk({**complete("ES256"), "key_ops": kind(["verify"])})

    assert [key.kid for key in KeySet.from_jwks({"keys": kind([read.to_jwk()])})] == ["a"]
    require_refused({**complete("ES256"), "key_ops": kind(["sign"])}, "jwk_use")


def test_what_says_that_it_is_a_list_is_none():
    require_refused({**complete("ES256"), "key_ops": SaysItIsAList()}, "jwk_use")
    with pytest.raises(ConfigError, match="keys of type SaysItIsAList, expected a list") as caught:
        KeySet.from_jwks({"keys": SaysItIsAList()})
    assert caught.value.code == "jwks_malformed"


class Hiding(dict[str, Any]):
    """A dict that shows nothing else than its items."""

    get = keys = values = copy = __getitem__ = __iter__ = __len__ = __contains__ = raises
    __bool__ = __repr__ = __eq__ = raises
    __hash__ = None


class NoItems(dict[str, Any]):
    items = raises


class WrongItems(dict[str, Any]):
    def items(self) -> Any:
        return [5]


class LateItems(dict[str, Any]):
    def items(self) -> Any:
        yield "kty", "RSA"
        raises()


class SaysItIsADict:
    __class__ = dict  # type: ignore[assignment]  # a lie, to be caught


KINDS: tuple[Callable[[dict[str, Any]], Any], ...] = (
    Hiding,
    OrderedDict,
    UserDict,
    MappingProxyType,
    lambda members: MappingProxyType(Hiding(members)),
)


def test_a_mapping_is_asked_for_its_items_alone():
    members = complete("ES256")
    for kind in KINDS:
        one = kind(members)
        assert PublicKey.from_jwk(one) == PublicKey.from_jwk(members)
        assert KeySet.from_jwks(kind({"keys": [one]})).skipped == ()


UNREADABLE: dict[str, Any] = {
    "no items": NoItems(complete("ES256")),
    "items that are none": WrongItems(complete("ES256")),
    "items that break off": LateItems(complete("ES256")),
    "behind a proxy": MappingProxyType(NoItems(complete("ES256"))),
    "says it is a dict": SaysItIsADict(),
    "raises": Awkward(),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_mapping_that_shows_no_items_is_no_key(name: str):
    told = require_refused(UNREADABLE[name], "jwk_malformed")

    assert told == f"the JWK is {shown(UNREADABLE[name])}, expected an object"


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_mapping_that_shows_no_items_is_no_set(name: str):
    with pytest.raises(ConfigError, match=r"the JWKS is of type .*, expected an object") as caught:
        KeySet.from_jwks(UNREADABLE[name])
    assert caught.value.code == "jwks_malformed"


def test_why_a_mapping_showed_nothing_can_be_traced():
    for read in (PublicKey.from_jwk, KeySet.from_jwks):
        with pytest.raises(ConfigError) as caught:
            read(NoItems(kty="RSA"))
        assert str(caught.value.__cause__) == "an object's own code ran"


@pytest.mark.parametrize(
    "name",
    [Text("d"), HashedAs("d"), HashedAs("alg"), 5, None],
    ids=["text of another class", "found as d", "found as alg", "number", "None"],
)
def test_a_name_that_is_no_text_is_refused(name: Any):
    members = complete("ES256")
    del members["alg"]

    told = require_refused({**members, name: "x"}, "jwk_malformed")

    assert told == f"a member's name is {shown(name)}, expected text"


def test_a_name_that_cannot_be_looked_up_is_refused():
    class Pairs(dict[Any, Any]):
        def items(self) -> Any:
            return [*dict.items(self), (Unhashable("d"), "x")]

    require_refused(Pairs(complete("ES256")), "jwk_malformed")


def test_a_private_member_refuses_the_set_whatever_holds_it():
    private = {**complete("ES256"), "d": Awkward()}
    for kind in KINDS:
        with pytest.raises(ConfigError) as alone:
            PublicKey.from_jwk(kind(private))
        with pytest.raises(ConfigError) as in_set:
            StaticKeys({"keys": [complete("RS256"), kind(private)]})
        assert (alone.value.code, in_set.value.code) == ("jwk_private", "jwks_private")


@pytest.mark.parametrize("odd", ODD)
def test_a_kid_of_the_caller_s_own_must_be_text_itself(odd: str):
    with pytest.raises(ConfigError, match=r"kid is of type .*, expected a non-empty") as caught:
        PublicKey(helpers.private_key("ES256").public_key(), "ES256", kid=ODD[odd]("a"))
    assert caught.value.code == "jwk_kid"


class Chosen(StrEnum):
    """As programs name algorithms that may be configured."""

    PS384 = "PS384"


class ChosenRaising(StrEnum):
    PS384 = "PS384"
    __hash__ = __eq__ = encode = raises


@pytest.mark.parametrize("alg", [Chosen.PS384, ChosenRaising.PS384], ids=["plain", "raises"])
def test_an_algorithm_of_the_caller_s_own_may_come_from_an_enumeration(alg: Any):
    unnamed = jwk("RS256", "alg")

    assert PublicKey.from_jwk(unnamed, alg=alg).alg.name == "PS384"
    assert StaticKeys({"keys": [unnamed]}, alg=alg).key(None).alg.name == "PS384"


# --- DER ---


def der_of(alg: str) -> bytes:
    public = helpers.private_key(alg).public_key()
    return bytes(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def released(octets: bytes) -> memoryview:
    view = memoryview(octets)
    view.release()
    return view


@pytest.mark.parametrize(
    "der",
    [memoryview(b"abcd")[::2], released(b"abcd"), None, 5, "text", [48], Awkward()],
    ids=["every other octet", "released", "None", "number", "text", "list", "what raises"],
)
@pytest.mark.parametrize("alg", ["RS256", "ES256", "Ed25519", "ML-DSA-44"])
def test_what_holds_no_octets_in_a_row_is_no_spki(der: Any, alg: str):
    with pytest.raises(ConfigError) as caught:
        PublicKey.from_spki(der, alg)
    assert caught.value.code == "spki"


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_octets_in_a_row_are_read(kind: Any):
    der = der_of("ES256")

    assert PublicKey.from_spki(kind(der), "ES256") == PublicKey.from_spki(der, "ES256")


# --- signatures ---


def signatures(length: int) -> dict[str, Any]:
    return {
        "None": None,
        "number": 5,
        "text": "\0" * length,
        "list": [0] * length,
        "set": set(range(length)),
        "every other octet": memoryview(bytes(2 * length))[::2],
        "released": released(bytes(length)),
    }


@pytest.mark.parametrize("alg", helpers.ALGS)
def test_a_signature_that_is_no_bytes_verifies_nothing(alg: str):
    key = PublicKey(helpers.private_key(alg).public_key(), alg)
    for name, signature in signatures(key.signature_length).items():
        with pytest.raises(BadSignature) as caught:
            key.verify(signature, b"a.b")
        assert caught.value.code in ("bad_signature", "signature_length"), name
        assert "\\x00" not in str(caught.value)


@pytest.mark.parametrize("alg", helpers.ALGS)
@pytest.mark.parametrize("signed", [None, 5, "a.b", [97], memoryview(b"a_._b")[::2]], ids=shown)
def test_nothing_but_bytes_was_signed(alg: str, signed: Any):
    key = PublicKey(helpers.private_key(alg).public_key(), alg)

    with pytest.raises(BadSignature, match=r"what was signed is .*, expected bytes") as caught:
        key.verify(helpers.jose_sign(helpers.private_key(alg), alg, b"a.b"), signed)
    assert caught.value.code == "bad_signature"


def test_no_signature_is_told_as_such():
    key = helpers.held("RS256").public

    with pytest.raises(BadSignature, match="the signature is None, expected bytes"):
        key.verify(None, None)  # type: ignore[arg-type]  # wrong on purpose


def test_what_fails_on_bytes_is_not_told_as_a_bad_signature(monkeypatch: pytest.MonkeyPatch):
    """Then the library is at fault, and nobody is to be told that the token is."""
    key = PublicKey(helpers.private_key("RS256").public_key(), "RS256")
    for error in (TypeError, ValueError, BufferError):

        def broken(*_: object, error: type[Exception] = error) -> None:
            raise error("the library's own fault")

        object.__setattr__(key, "_verify", broken)
        with pytest.raises(error, match="the library's own fault"):
            key.verify(bytes(256), b"a.b")
