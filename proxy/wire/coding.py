"""Content codings, undone and done again as a stream (RFC 9110 section 8.4): gzip, deflate, br, zstd.

A page whose origin compresses it although it was asked not to is inflated piece by piece, the notice goes in, and what
comes out is coded anew as the client likes it. A coding is a promise of the origin about sizes nobody knows: 50 MiB of
zeros are 80 bytes of Brotli. So a decoder never makes more than a piece at a time, however little went in, and gives up
where its caps say that no page is like that.
"""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, assert_never

import brotli

from proxy.errors import SunsetError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIECE_BYTES = 64 * 1024
"""How much a decoder makes at a time; Brotli's may make up to three times as much."""

MAX_ZSTD_WINDOW_LOG = 23
"""8 MiB: the window that a reader has to have, and more than which no sender may ask for (RFC 9659).

Brotli's windows end at 16 MiB, those of gzip and deflate at 32 KiB.
"""


_MOST_MEMBERS = 4096
"""Of one answer. Each takes a decoder of its own, also where it has eight bytes and nothing in it."""


class CodingError(SunsetError):
    """The origin's answer is not in the coding that it names, is cut off, or makes more of itself than a page would."""


class Coding(StrEnum):
    """A content coding, by its name in the registry of HTTP."""

    IDENTITY = "identity"
    GZIP = "gzip"
    DEFLATE = "deflate"
    BROTLI = "br"
    ZSTD = "zstd"


_CODINGS = {coding.encode(): coding for coding in Coding} | {b"x-gzip": Coding.GZIP}


def coding_of(content_encoding: bytes) -> Coding | None:
    """The coding that a Content-Encoding field names; `None` where it is not known, or one on top of another."""
    names = [part.strip(b"\t ").lower() for part in content_encoding.split(b",")]
    names = [name for name in names if name not in {b"", b"identity"}]
    if len(names) > 1:
        return None
    return _CODINGS.get(names[0]) if names else Coding.IDENTITY


_WEIGHTED = re.compile(
    rb"[\t ]*+([!#$%&'*+.^_`|~0-9A-Za-z-]++)[\t ]*+(?:;[\t ]*+[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[\t ]*+)?",
)
_BY_COST = (Coding.ZSTD, Coding.BROTLI, Coding.GZIP, Coding.DEFLATE, Coding.IDENTITY)
"""Cheapest first: a page of 20 KB costs 60, 60 and 150 microseconds at the levels below, for much the same size."""


def coding_for(accept_encoding: bytes | None) -> Coding:
    """The coding to answer in (RFC 9110 section 12.5.3): of those that the client likes best, the cheapest.

    Without the field, with an empty one, and where a client wants nothing that there is, it is `IDENTITY`. What a `*`
    promises is taken up by gzip, which every client knows.
    """
    weights: dict[bytes, float] = {}
    for part in (accept_encoding or b"").split(b","):
        if weighted := _WEIGHTED.fullmatch(part):
            name = b"gzip" if weighted[1].lower() == b"x-gzip" else weighted[1].lower()
            weights.setdefault(name, float(weighted[2] or 1))
    anything = weights.get(b"*", 0.0)
    weights.setdefault(b"gzip", anything)
    weights.setdefault(b"identity", anything if b"*" in weights else 0.0001)  # always there, unless ruled out
    best = max(_BY_COST, key=lambda coding: weights.get(coding.encode(), 0.0))
    return best if weights.get(best.encode()) else Coding.IDENTITY


# ----------------------------------------------------------------------------------------------------------- undone


@dataclass(frozen=True, slots=True)
class Caps:
    """What a decoder puts up with."""

    output_bytes: int = 256 * 1024 * 1024
    """In all."""
    ratio: int = 256
    """Bytes out for a byte in. Pages are at 4 to 20, and long tables of much the same at 100."""
    ratio_from_bytes: int = 8 * 1024 * 1024
    """Below so much output the ratio is not looked at."""


CAPS = Caps()


class Decoder:
    """Undoes a coding: `feed` what comes, then `finish`. After a `CodingError` there is no more to be had."""

    def __init__(self, coding: Coding, caps: Caps = CAPS) -> None:
        self._stream = _STREAMS[coding]()
        self._coding = coding
        self._caps = caps
        self._bytes_in = 0
        self._bytes_out = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What `data` decodes to, piece by piece; all of them are to be taken before the next feed.

        Raises `CodingError` where the data is not in that coding, or makes more than the caps allow.
        """
        self._bytes_in += len(data)
        while True:
            try:
                piece = self._stream.decode(data)
            except (zlib.error, brotli.error, zstd.ZstdError) as error:
                raise CodingError(f"the answer is not {self._coding}: {error}") from error
            self._bytes_out += len(piece)
            self._look_at_caps()
            if piece:
                yield piece
            if self._stream.is_hungry:
                break
            data = b""

    def finish(self) -> None:
        """The answer ends. Raises `CodingError` where it is cut off; an answer of no bytes at all is complete."""
        if self._bytes_in and not self._stream.is_complete:
            raise CodingError(f"the answer ends in the middle of its {self._coding}")

    def _look_at_caps(self) -> None:
        caps, out = self._caps, self._bytes_out
        if out > caps.output_bytes:
            raise CodingError(f"the answer is {self._coding} of more than {caps.output_bytes} bytes")
        if out > max(caps.ratio_from_bytes, caps.ratio * self._bytes_in):
            raise CodingError(f"the answer is {self._coding} of more than {caps.ratio} times its size")


class _Stream(Protocol):
    is_hungry: bool  # nothing more comes without more input
    is_complete: bool  # the answer may end here

    def decode(self, data: bytes) -> bytes:
        """At most about a piece; what it does not come to is kept."""


class _Identity:
    is_hungry = True
    is_complete = True

    def decode(self, data: bytes) -> bytes:
        return data


class _Brotli:
    """One stream; anything behind it is an error."""

    def __init__(self) -> None:
        self.is_hungry = True
        self.is_complete = False
        self._decompressor = brotli.Decompressor()

    def decode(self, data: bytes) -> bytes:
        piece: bytes = self._decompressor.process(data, output_buffer_limit=PIECE_BYTES)
        self.is_complete = self._decompressor.is_finished()
        self.is_hungry = self._decompressor.can_accept_more_data() and len(piece) < PIECE_BYTES
        return piece


class _Decompressor(Protocol):
    """The way in which the standard library's newer decompressors are used."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Inflater:
    """The standard library's oldest decompressor, in the way of the newer ones."""

    def __init__(self, window_bits: int) -> None:
        self.eof = False
        self.needs_input = True
        self.unused_data = b""
        self._inflater = zlib.decompressobj(window_bits)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        piece = self._inflater.decompress(self._inflater.unconsumed_tail + data, max_length)
        self.eof = self._inflater.eof
        self.needs_input = not self._inflater.unconsumed_tail and len(piece) < max_length
        self.unused_data = self._inflater.unused_data
        return piece


class _Members:
    """One coded member behind another, each begun anew. As everywhere, other bytes behind the last one do not count."""

    def __init__(self, begin: Callable[[bytes], _Decompressor], next_member: bytes, shortest: int) -> None:
        self.is_hungry = True
        self.is_complete = False
        self._begin = begin
        self._next_member = re.compile(next_member, re.DOTALL)
        self._shortest = shortest  # of what tells what a member is
        self._rest = b""
        self._member: _Decompressor | None = None
        self._members = 0
        self._is_over = False

    def decode(self, data: bytes) -> bytes:
        if self._member is None:
            self.is_hungry = True
            if self._is_over:
                return b""
            self._rest += data
            if len(self._rest) < self._shortest:
                return b""
            if self.is_complete and not self._next_member.match(self._rest):
                self._is_over = True
                return b""
            self._members += 1
            if self._members > _MOST_MEMBERS:
                raise CodingError("the answer has more members than a page would")
            self._member = self._begin(self._rest)
            self.is_complete = False
            data, self._rest = self._rest, b""
        piece = self._member.decompress(data, PIECE_BYTES)
        self.is_hungry = self._member.needs_input
        if self._member.eof:
            self._rest = self._member.unused_data
            self._member = None
            self.is_complete = True
            self.is_hungry = not self._rest
        return piece


def _begin_gzip(_: bytes) -> _Decompressor:
    return _Inflater(16 + zlib.MAX_WBITS)


def _begin_deflate(opening: bytes) -> _Decompressor:
    """With the frame of zlib, as the standard says, or without one, as many send it and all browsers take it."""
    framed = opening[0] & 0x0F == zlib.DEFLATED and int.from_bytes(opening[:2]) % 31 == 0
    return _Inflater(zlib.MAX_WBITS if framed else -zlib.MAX_WBITS)


def _begin_zstd(_: bytes) -> _Decompressor:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: MAX_ZSTD_WINDOW_LOG})


_STREAMS: dict[Coding, Callable[[], _Stream]] = {
    Coding.IDENTITY: _Identity,
    Coding.GZIP: lambda: _Members(_begin_gzip, rb"\x1f\x8b", 2),
    Coding.DEFLATE: lambda: _Members(_begin_deflate, rb"(?!)", 2),
    Coding.BROTLI: _Brotli,
    Coding.ZSTD: lambda: _Members(_begin_zstd, rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", 4),
}


# ------------------------------------------------------------------------------------------------------------- done


class Encoder(Protocol):
    """Does a coding: `feed` it, `flush` for all of that to be readable at the other end, and `finish`."""

    def feed(self, data: bytes) -> bytes:
        """What is ready of the coded stream, maybe nothing."""

    def flush(self) -> bytes:
        """What makes all that was fed readable."""

    def finish(self) -> bytes:
        """The end of the coded stream."""


def encoder(coding: Coding) -> Encoder:
    """A new encoder, at a level that is cheap."""
    match coding:
        case Coding.IDENTITY:
            return _IdentityEncoder()
        case Coding.GZIP:
            return _ZlibEncoder(16 + zlib.MAX_WBITS)
        case Coding.DEFLATE:
            return _ZlibEncoder(zlib.MAX_WBITS)
        case Coding.BROTLI:
            return _BrotliEncoder()
        case Coding.ZSTD:
            return _ZstdEncoder()
        case _:
            assert_never(coding)


class _IdentityEncoder:
    def feed(self, data: bytes) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""

    def finish(self) -> bytes:
        return b""


class _ZlibEncoder:
    def __init__(self, window_bits: int) -> None:
        self._deflater = zlib.compressobj(1, zlib.DEFLATED, window_bits)

    def feed(self, data: bytes) -> bytes:
        return self._deflater.compress(data)

    def flush(self) -> bytes:
        return self._deflater.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        return self._deflater.flush()


class _BrotliEncoder:
    def __init__(self) -> None:
        self._compressor = brotli.Compressor(quality=1, lgwin=18)

    def feed(self, data: bytes) -> bytes:
        coded: bytes = self._compressor.process(data)
        return coded

    def flush(self) -> bytes:
        coded: bytes = self._compressor.flush()
        return coded

    def finish(self) -> bytes:
        coded: bytes = self._compressor.finish()
        return coded


class _ZstdEncoder:
    def __init__(self) -> None:
        self._compressor = zstd.ZstdCompressor(
            options={zstd.CompressionParameter.compression_level: 1, zstd.CompressionParameter.window_log: 18},
        )

    def feed(self, data: bytes) -> bytes:
        return self._compressor.compress(data)

    def flush(self) -> bytes:
        return self._compressor.flush(self._compressor.FLUSH_BLOCK)

    def finish(self) -> bytes:
        return self._compressor.flush()
