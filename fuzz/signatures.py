"""ECDSA signatures, DER and JOSE: strict DER alone is read, and both ways agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from fuzz.draw import Draw
from fuzz.promises import promise
from fuzz.reference import No, demand
from kmsjwt.algorithms import ecdsa_der_to_jose, ecdsa_jose_to_der

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDTHS = (32, 48, 66)


def one_input(data: bytes) -> None:
    """Read the bytes as DER, as r || s, or as choices that make DER."""
    draw = Draw(data)
    mode, width = draw.below(3), draw.choose(_WIDTHS)
    if mode == 0:
        _from_der(draw.rest(), width)
    elif mode == 1:
        _from_jose(draw.rest()[: 2 * width].rjust(2 * width, b"\0"), width)
    else:
        _from_der(_nearly_der(draw), width)


def seeds() -> Iterator[bytes]:
    """Return inputs to begin with."""
    for at, width in enumerate(_WIDTHS):
        for r, s in ((1, 1), (127, 128), (2 ** (8 * width) - 1, 2 ** (8 * width - 1)), (0, 5)):
            yield bytes((0, at)) + encode_dss_signature(r, s)
            yield bytes((1, at)) + r.to_bytes(width, "big") + s.to_bytes(width, "big")
            yield bytes((2, at, 2, r % 100, 1, 2, s % 100, 1))


def _nearly_der(draw: Draw) -> bytes:
    body = b"".join(_element(draw, 0x02, draw.take(draw.below(70))) for _ in range(draw.below(4)))
    return _element(draw, 0x30, body) + draw.choose((b"", b"", b"", b"\0"))


def _element(draw: Draw, tag: int, content: bytes) -> bytes:
    length = len(content)
    short = bytes((min(length, 255),))
    lengths: tuple[bytes, ...] = (
        short,
        short,
        short,
        b"\x81" + short,
        b"\x82\0" + short,
        b"\x80",
        b"\x7f",
    )
    if length > 127:
        lengths = (b"\x81" + short, *lengths)
    return bytes((draw.choose((tag, tag, tag, tag ^ 0x20, 0x03)),)) + draw.choose(lengths) + content


def _from_der(der: bytes, width: int) -> None:
    try:
        expected = _two_numbers(der)
        demand(all(0 < number < 1 << 8 * width for number in expected))
    except No:
        expected = ()
    try:
        jose = ecdsa_der_to_jose(der, 2 * width)
    except ValueError:
        promise(not expected, "refused strict DER")
        return
    numbers = int.from_bytes(jose[:width], "big"), int.from_bytes(jose[width:], "big")
    promise(len(jose) == 2 * width, "another width")
    promise(numbers == expected == decode_dss_signature(der), "read what is not strict DER")
    promise(ecdsa_jose_to_der(jose) == der, "the way back leads elsewhere")


def _from_jose(jose: bytes, width: int) -> None:
    numbers = int.from_bytes(jose[:width], "big"), int.from_bytes(jose[width:], "big")
    der = ecdsa_jose_to_der(jose)
    promise(decode_dss_signature(der) == numbers, "wrote other numbers")
    promise(der == encode_dss_signature(*numbers), "wrote other DER")
    try:
        promise(ecdsa_der_to_jose(der, 2 * width) == jose, "the way back leads elsewhere")
    except ValueError:
        promise(0 in numbers, "refused its own DER")
    else:
        promise(0 not in numbers, "took a zero")


def _two_numbers(der: bytes) -> tuple[int, ...]:
    """Return r and s of ``SEQUENCE { INTEGER, INTEGER }`` in DER (X.690), or raise No."""
    body, rest = _read(der, 0x30)
    demand(not rest)
    first, body = _read(body, 0x02)
    second, body = _read(body, 0x02)
    demand(not body)
    for number in (first, second):
        demand(number)
        # X.690 section 8.3.2: no more octets than it takes.
        demand(len(number) == 1 or number[0] not in (0, 255) or (number[0] ^ number[1]) & 0x80)
    return tuple(int.from_bytes(number, "big", signed=True) for number in (first, second))


def _read(data: bytes, tag: int) -> tuple[bytes, bytes]:
    demand(len(data) >= 2 and data[0] == tag)
    length, start = data[1], 2
    if length > 127:
        start = 2 + length - 128
        digits = data[2:start]
        demand(digits and len(digits) == length - 128 and digits[0])
        length = int.from_bytes(digits, "big")
        demand(length > 127)  # X.690 section 10.1: the shortest form
    demand(len(data) >= start + length)
    return data[start : start + length], data[start + length :]
