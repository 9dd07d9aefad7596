"""What is no bytes was signed by nobody: KMS is not asked about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.kms.support import ALGS, Through

from kmsjwt import PublicKey
from kmsjwt.errors import BadSignature
from kmsjwt.kms import KmsVerify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kmsjwt.local import LocalKms


@pytest.mark.parametrize("alg", ALGS)
def test_what_is_no_bytes_is_not_sent_to_be_verified(
    alg: str, house: LocalKms, arns: Mapping[str, str]
):
    wire = Through(house)
    key = KmsVerify(arns[alg], client=wire, alg=alg).key(None)
    length = PublicKey.from_spki(
        house.get_public_key(KeyId=arns[alg])["PublicKey"], alg
    ).signature_length
    for signature, signed in (
        (None, None),
        (5, b"a.b"),
        ("\0" * length, b"a.b"),
        ([0] * length, b"a.b"),
        (memoryview(bytes(2 * length))[::2], b"a.b"),
        (bytes(length), None),
        (bytes(length), "a.b"),
        (bytes(length), memoryview(b"a_._b")[::2]),
    ):
        with pytest.raises(BadSignature, match="expected bytes"):
            key.verify(signature, signed)  # type: ignore[arg-type]  # wrong on purpose
    assert wire.count("verify") == 0
