"""Who checks tokens in Python: the bare signature check, kmsjwt, and its peers.

One whose library is not installed is left out and named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.harness import SIGNATURE_ONLY, Contender, one_by_one
from benchmarks.peers import PEERS
from benchmarks.work import AUDIENCE, ISSUER, Work, signed_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


BARE = "bare cryptography verify"
OURS = "kmsjwt"


def contenders(work: Work) -> tuple[list[Contender], list[str]]:
    """Return those that can be had for this algorithm, and why the others cannot."""
    found: list[Contender] = []
    missing: list[str] = []
    for make in MAKERS:
        try:
            found += make(work)
        except ImportError as error:
            missing.append(f"{error.name} is not installed")
    return found, missing


def bare(work: Work) -> list[Contender]:
    """Return the floor: signature and signing input are ready, and no claim is looked at."""
    key, alg = work.key, work.alg
    verify = key.public.verify
    if alg.startswith("ES"):
        return [Contender(BARE, _bare_ecdsa(verify, key.hash), _der_parts, SIGNATURE_ONLY)]
    rest = () if alg == "EdDSA" else (key.padding, key.hash)

    def run(pairs: Sequence[tuple[bytes, bytes]]) -> None:
        for signature, data in pairs:
            verify(signature, data, *rest)

    return [Contender(BARE, run, signed_parts, SIGNATURE_ONLY)]


def _bare_ecdsa(verify: Callable[..., None], hash_: Any) -> Callable[..., None]:
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

    ecdsa = ECDSA(hash_)

    def run(pairs: Sequence[tuple[bytes, bytes]]) -> None:
        for signature, data in pairs:
            verify(signature, data, ecdsa)

    return run


def _der_parts(token: str) -> tuple[bytes, bytes]:
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    signature, data = signed_parts(token)
    half = len(signature) // 2
    r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
    return encode_dss_signature(r, s), data


def ours(work: Work) -> list[Contender]:
    from kmsjwt import Verifier
    from kmsjwt.jwks import StaticKeys

    verifier = Verifier(StaticKeys(work.jwks()), issuer=ISSUER, audience=AUDIENCE)
    return [Contender(OURS, one_by_one(verifier.verify))]


MAKERS = (bare, ours, *PEERS)
