"""What a verifier remembers: headers it accepted and, if asked to, tokens it verified.

Both are bounded and belong to one verifier. Nothing that a trusted key did not sign gets in.
"""

from __future__ import annotations

from _thread import allocate_lock  # all of `threading` that is needed, at no cost to a cold start
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from kmsjwt.compact import Header

_FEW = 64

Key = TypeVar("Key")
Token = TypeVar("Token")


class AcceptedHeaders(dict[bytes, tuple["Header", Key]]):
    """Headers that were accepted, by their encoded segment, with the very key each went with.

    The tokens of a key nearly all have the same header, to the byte. Only what a trusted key
    signed comes in here, so a stranger cannot fill it.
    """

    __slots__ = ()

    def remember(self, segment: bytes, header: Header, key: Key, key_count: int) -> None:
        """Keep a header that was accepted with this key, for the first time.

        At most 64 headers are kept, or two for each of the ``key_count`` keys there are now. All
        are dropped where there is no room, and where the header is here already: then it came
        with another key, and the keys have changed.
        """
        if segment in self or len(self) >= max(_FEW, 2 * key_count):
            self.clear()
        self[segment] = (header, key)


class VerifiedTokens(dict[bytes, tuple["str | None", Key, tuple[float, float], Token]]):
    """Tokens that were verified, by the SHA-256 of all their text.

    With each go the ``kid`` it has, the key it was verified by, from when and until when it is
    good, and what was read from it; its text is not kept. The oldest makes room.
    """

    __slots__ = ("_limit", "_lock", "_sha256")

    def __init__(self, limit: int) -> None:
        # Imported here: a cold start that remembers no token should not pay for it.
        from hashlib import sha256

        super().__init__()
        self._sha256 = sha256
        self._limit = limit
        self._lock = allocate_lock()

    def digest(self, token: object, max_length: int) -> bytes:
        """Return what a token is known by; nothing for what can be none, and is refused later."""
        if type(token) is not str or len(token) > max_length or not token.isascii():
            return b""
        return self._sha256(token.encode("ascii")).digest()

    def remember(
        self,
        digest: bytes,
        kid: str | None,
        key: Key,
        good_times: tuple[float, float],
        token: Token,
    ) -> None:
        """Keep a verified token."""
        with self._lock:
            if len(self) >= self._limit and digest not in self:
                del self[next(iter(self))]
            self[digest] = (kid, key, good_times, token)

    def forget(self, digest: bytes) -> None:
        """Drop a token that is good no longer."""
        with self._lock:
            self.pop(digest, None)
