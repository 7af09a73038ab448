"""A file that is too long to be held: read once, block by block, and hashed as it goes by."""

from __future__ import annotations

from hashlib import sha256
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from io import FileIO

    from _typeshed import WriteableBuffer

BLOCK_BYTES: Final = 1 << 20


class TooLongError(Exception):
    """The file goes on behind the limit."""


class Stream(BufferedReader):
    """The lines of a file, as bytes."""

    def __init__(self, file: FileIO, limit: int) -> None:
        self._passing = _Passing(file, limit)
        super().__init__(self._passing, BLOCK_BYTES)

    def skip_rest(self) -> None:
        """Read to the end, so that the digest is the whole file's."""
        while self.read(BLOCK_BYTES):
            pass

    def digest(self) -> bytes:
        """SHA-256 of what went by."""
        return self._passing.sha256.digest()

    @property
    def last(self) -> bytes:
        """The last byte that went by."""
        return self._passing.last

    @property
    def line_ends(self) -> int:
        """How many line ends went by."""
        return self._passing.line_ends


class _Passing(RawIOBase):
    """The file itself, with an eye on every block."""

    def __init__(self, file: FileIO, limit: int) -> None:
        self.file = file
        self.left = limit
        self.sha256 = sha256()
        self.last = b""
        self.line_ends = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        count = self.file.readinto(view) or 0
        block = bytes(view[:count])
        self.left -= count
        if self.left < 0:
            raise TooLongError
        self.sha256.update(block)
        self.last = block[-1:] or self.last
        self.line_ends += block.count(b"\n")
        return count
