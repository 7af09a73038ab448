"""Content codings as streams: undone within caps, done again as the client likes it."""

import gzip
import random
import sys
import zlib
from itertools import pairwise

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.wire.coding import CAPS, PIECE_BYTES, Caps, Coding, CodingError, Decoder, coding_for, coding_of, encoder

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

REAL = [Coding.GZIP, Coding.DEFLATE, Coding.BROTLI, Coding.ZSTD]
PAGE = "".join(f"<tr><td>{number}</td><td>é {number * 7919 % 104729}</td></tr>\n" for number in range(5000)).encode()
SKIPPED_FRAME = b"\x50\x2a\x4d\x18" + bytes(4)
ZEROS = bytes(50 * 1024 * 1024)


def deflated(data: bytes, window_bits: int) -> bytes:
    deflater = zlib.compressobj(wbits=window_bits)
    return deflater.compress(data) + deflater.flush()


CODED = {
    "gzip": (Coding.GZIP, gzip.compress(PAGE)),
    "gzip with a name": (
        Coding.GZIP,
        b"\x1f\x8b\x08\x08\0\0\0\0\0\xffpage.html\0" + deflated(PAGE, -15) + gzip.compress(PAGE)[-8:],
    ),
    "gzip of two members": (Coding.GZIP, gzip.compress(PAGE[:1000]) + gzip.compress(PAGE[1000:])),
    "gzip with an empty member": (Coding.GZIP, gzip.compress(b"") + gzip.compress(PAGE)),
    "gzip, padded with zeros": (Coding.GZIP, gzip.compress(PAGE) + bytes(100)),
    "gzip, and something else": (Coding.GZIP, gzip.compress(PAGE) + b"<!-- served in 3 ms -->"),
    "gzip, and half a magic": (Coding.GZIP, gzip.compress(PAGE) + b"\x1f"),
    "deflate in its frame": (Coding.DEFLATE, zlib.compress(PAGE)),
    "deflate in a frame, best": (Coding.DEFLATE, zlib.compress(PAGE, 9)),
    "deflate without a frame": (Coding.DEFLATE, deflated(PAGE, -15)),
    "deflate with a small window": (Coding.DEFLATE, deflated(PAGE, 9)),
    "deflate, stored": (Coding.DEFLATE, zlib.compress(PAGE, 0)),
    "deflate, and something else": (Coding.DEFLATE, zlib.compress(PAGE) + b"x"),
    "br": (Coding.BROTLI, brotli.compress(PAGE)),
    "br with the largest window": (Coding.BROTLI, brotli.compress(PAGE, lgwin=24)),
    "zstd": (Coding.ZSTD, zstd.compress(PAGE)),
    "zstd of two frames": (Coding.ZSTD, zstd.compress(PAGE[:1000]) + zstd.compress(PAGE[1000:])),
    "zstd with a skippable frame": (Coding.ZSTD, b"\x5a\x2a\x4d\x18\x03\0\0\0abc" + zstd.compress(PAGE)),
    "zstd, and something else": (Coding.ZSTD, zstd.compress(PAGE) + b"else"),
    "identity": (Coding.IDENTITY, PAGE),
}
WHOLE = ["gzip", "gzip of two members", "deflate in its frame", "deflate without a frame", "br", "zstd"]


def decoded(coding: Coding, data: bytes, *cuts: int, caps: Caps = CAPS) -> bytes:
    decoder = Decoder(coding, caps)
    places = [0, *sorted(cuts), len(data)]
    out = b"".join(piece for start, end in pairwise(places) for piece in decoder.feed(data[start:end]))
    decoder.finish()
    return out


@pytest.mark.parametrize("name", CODED)
def test_a_coding_is_undone_wherever_it_is_cut(name: str) -> None:
    coding, data = CODED[name]
    assert decoded(coding, data) == PAGE
    assert decoded(coding, data, *range(1, len(data), 1 + len(data) // 5000)) == PAGE
    chance = random.Random(name)
    for _ in range(10):
        assert decoded(coding, data, *chance.choices(range(len(data)), k=4)) == PAGE


@pytest.mark.parametrize("coding", [Coding.IDENTITY, *REAL])
@settings(deadline=None)
@given(data=st.binary(max_size=3000), cuts=st.lists(st.integers(min_value=0, max_value=3000), max_size=4))
def test_what_is_coded_here_is_undone_here(coding: Coding, data: bytes, cuts: list[int]) -> None:
    coder = encoder(coding)
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    coded = b"".join(coder.feed(data[start:end]) for start, end in pairwise(places)) + coder.finish()
    assert decoded(coding, coded) == data


@pytest.mark.parametrize("coding", [Coding.IDENTITY, *REAL])
def test_after_a_flush_all_can_be_read(coding: Coding) -> None:
    coder, decoder = encoder(coding), Decoder(coding)
    for number in range(5):
        text = b"part %d " % number
        assert b"".join(decoder.feed(coder.feed(text) + coder.flush())) == text
    assert b"".join(decoder.feed(coder.finish())) == b""
    decoder.finish()


@pytest.mark.parametrize("coding", [Coding.IDENTITY, *REAL])
def test_an_answer_of_no_bytes_is_complete(coding: Coding) -> None:
    assert decoded(coding, b"") == b""


@pytest.mark.parametrize("name", WHOLE)
def test_an_answer_that_is_cut_off_is_an_error(name: str) -> None:
    coding, data = CODED[name]
    # A file of members may end where one of them does.
    for length in (1, 2, 3, 10, len(data) // 2, len(data) - 9, len(data) - 1):
        with pytest.raises(CodingError):
            decoded(coding, data[:length])


@pytest.mark.parametrize("coding", REAL)
@pytest.mark.parametrize("data", [b"<!doctype html><p>x", b"\0" * 100, b"\xff" * 100, b'{"a": 1}'])
def test_what_is_not_coded_as_it_says_is_an_error(coding: Coding, data: bytes) -> None:
    with pytest.raises(CodingError):
        decoded(coding, data)


@pytest.mark.parametrize("name", ["gzip", "deflate in its frame", "zstd"])
def test_a_wrong_checksum_is_an_error(name: str) -> None:
    coding, data = CODED[name]
    if coding is Coding.ZSTD:
        data = zstd.compress(PAGE, options={zstd.CompressionParameter.checksum_flag: 1})
    at = len(data) - 6 if coding is Coding.GZIP else len(data) - 2
    broken = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
    with pytest.raises(CodingError):
        decoded(coding, broken)


def test_behind_the_end_of_brotli_nothing_may_follow() -> None:
    data = brotli.compress(PAGE)
    for cuts in ((), (len(data),)):
        with pytest.raises(CodingError):
            decoded(Coding.BROTLI, data + b"x", *cuts)


@pytest.mark.parametrize("coding", REAL)
@settings(deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_undone_or_are_an_error(coding: Coding, data: bytes) -> None:
    try:
        whole = decoded(coding, data)
    except CodingError:
        return
    assert decoded(coding, data, *range(1, len(data))) == whole


BOMBS = {
    Coding.GZIP: gzip.compress(ZEROS),
    Coding.DEFLATE: zlib.compress(ZEROS, 9),
    Coding.BROTLI: brotli.compress(ZEROS, quality=9),
    Coding.ZSTD: zstd.compress(ZEROS),
}


@pytest.mark.parametrize("coding", REAL)
def test_a_bomb_is_given_up_early(coding: Coding) -> None:
    made: list[int] = []

    def set_off() -> None:
        made.extend(len(piece) for piece in Decoder(coding).feed(BOMBS[coding]))

    with pytest.raises(CodingError, match="times its size"):
        set_off()
    assert sum(made) <= max(CAPS.ratio_from_bytes, CAPS.ratio * len(BOMBS[coding]))


@pytest.mark.parametrize("coding", REAL)
def test_a_bomb_goes_off_in_pieces(coding: Coding) -> None:
    caps = Caps(ratio=10**9)
    sizes = [len(piece) for piece in Decoder(coding, caps).feed(BOMBS[coding])]
    assert sum(sizes) == len(ZEROS)
    assert max(sizes) <= 3 * PIECE_BYTES


@pytest.mark.parametrize("coding", [Coding.IDENTITY, *REAL])
def test_an_answer_may_be_too_long_in_all(coding: Coding) -> None:
    coder = encoder(coding)
    data = coder.feed(PAGE) + coder.finish()
    assert decoded(coding, data, caps=Caps(output_bytes=len(PAGE))) == PAGE
    with pytest.raises(CodingError, match="more than"):
        decoded(coding, data, caps=Caps(output_bytes=len(PAGE) - 1))


def test_members_of_nothing_are_no_bomb() -> None:
    assert decoded(Coding.GZIP, gzip.compress(b"") * 2000) == b""
    assert decoded(Coding.ZSTD, zstd.compress(b"") * 2000) == b""


@pytest.mark.parametrize(("coding", "member"), [(Coding.GZIP, gzip.compress(b"")), (Coding.ZSTD, SKIPPED_FRAME)])
def test_members_without_end_are_given_up(coding: Coding, member: bytes) -> None:
    with pytest.raises(CodingError, match="more members"):
        decoded(coding, member * 5000)


def test_a_window_of_more_than_8_mib_is_refused() -> None:
    for window_log, is_fine in ((23, True), (24, False)):
        compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: window_log})
        data = compressor.compress(PAGE) + compressor.flush()
        if is_fine:
            assert decoded(Coding.ZSTD, data) == PAGE
        else:
            with pytest.raises(CodingError):
                decoded(Coding.ZSTD, data)


@pytest.mark.parametrize(
    ("field", "coding"),
    [
        (b"", Coding.IDENTITY),
        (b"identity", Coding.IDENTITY),
        (b" , identity", Coding.IDENTITY),
        (b"gzip", Coding.GZIP),
        (b"GZip", Coding.GZIP),
        (b"x-gzip", Coding.GZIP),
        (b"identity, gzip", Coding.GZIP),
        (b"deflate", Coding.DEFLATE),
        (b"br", Coding.BROTLI),
        (b"zstd", Coding.ZSTD),
        (b"gzip, gzip", None),
        (b"gzip, br", None),
        (b"compress", None),
        (b"dcb", None),
        (b"gzip;q=1", None),
    ],
)
def test_the_coding_of_a_content_encoding(field: bytes, coding: Coding | None) -> None:
    assert coding_of(field) is coding


@pytest.mark.parametrize(
    ("field", "coding"),
    [
        (None, Coding.IDENTITY),
        (b"", Coding.IDENTITY),
        (b"gzip", Coding.GZIP),
        (b"x-gzip", Coding.GZIP),
        (b"GZIP", Coding.GZIP),
        (b"deflate", Coding.DEFLATE),
        (b"br", Coding.BROTLI),
        (b"gzip, deflate", Coding.GZIP),
        (b"gzip, deflate, br, zstd", Coding.ZSTD),
        (b"gzip, deflate, br", Coding.BROTLI),
        (b"gzip;q=1.0, br;q=0.5", Coding.GZIP),
        (b"gzip ; Q=0.5 , br ; q=0.8", Coding.BROTLI),
        (b"gzip;q=0", Coding.IDENTITY),
        (b"gzip;q=0.000, br;q=0", Coding.IDENTITY),
        (b"gzip;q=0.001", Coding.GZIP),
        (b"identity", Coding.IDENTITY),
        (b"identity;q=0.5, gzip;q=0.5", Coding.GZIP),
        (b"identity;q=1, gzip;q=0.5", Coding.IDENTITY),
        (b"identity;q=0", Coding.IDENTITY),
        (b"identity;q=0, gzip;q=0.1", Coding.GZIP),
        (b"*", Coding.GZIP),
        (b"*;q=0", Coding.IDENTITY),
        (b"*;q=0, br", Coding.BROTLI),
        (b"gzip;q=0, *", Coding.IDENTITY),
        (b"compress, sdch", Coding.IDENTITY),
        (b"gzip;q=2", Coding.IDENTITY),
        (b"gzip;q=0.1234", Coding.IDENTITY),
        (b"gzip;level=9", Coding.IDENTITY),
        (b"gzip;q=0, gzip", Coding.IDENTITY),
        (b",,gzip,,", Coding.GZIP),
        (b"gzip\0", Coding.IDENTITY),
    ],
)
def test_the_coding_for_an_accept_encoding(field: bytes | None, coding: Coding) -> None:
    assert coding_for(field) is coding
