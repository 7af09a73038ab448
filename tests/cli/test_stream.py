"""`sunset explain -` as a stream: what is in, what is out, and when, without any rulebook."""

from collections.abc import Iterator

import pytest

from proxy.cli.stream import answer_lines

INPUTS = {
    "nothing": b"",
    "one line": b"a\n",
    "a last line without its newline": b"a\nb",
    "an empty line has its answer": b"a\n\nb\n",
    "one newline": b"\n",
    "a line longer than any block": b"x" * 300_000 + b"\ny\n",
    "carriage returns": b"a\r\nb\r\n",
}


def shout(line: bytes) -> bytes:
    return line.upper() + b"!\n"


def run(blocks: Iterator[bytes]) -> list[bytes]:
    written: list[bytes] = []
    answer_lines(lambda _size: next(blocks, b""), written.append, shout)
    return written


def whole(data: bytes) -> Iterator[bytes]:
    return iter([data] if data else [])


def byte_by_byte(data: bytes) -> Iterator[bytes]:
    return (data[at : at + 1] for at in range(len(data)))


def in_odd_blocks(data: bytes) -> Iterator[bytes]:
    return (data[at : at + 7919] for at in range(0, len(data), 7919))


@pytest.mark.parametrize("cut", [whole, byte_by_byte, in_odd_blocks])
@pytest.mark.parametrize("data", INPUTS.values(), ids=INPUTS)
def test_each_line_has_one_answer_in_order_however_it_arrives(data: bytes, cut: object) -> None:
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    assert callable(cut)
    assert b"".join(run(cut(data))) == b"".join(map(shout, lines))


def test_what_has_arrived_is_answered_before_more_is_read() -> None:
    written: list[bytes] = []
    seen: list[bytes] = []
    blocks = iter([b"a\nb", b"c\n", b"d\ne\n", b""])

    def read(_size: int) -> bytes:
        seen.append(b"".join(written))
        return next(blocks)

    answer_lines(read, written.append, shout)
    assert seen == [b"", b"A!\n", b"A!\nBC!\n", b"A!\nBC!\nD!\nE!\n"]


def test_lines_of_one_block_are_written_at_once() -> None:
    assert run(iter([b"a\nb\nc\n"])) == [b"A!\nB!\nC!\n"]
