"""Plain lists and tables, as people write them and tools export them."""

import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from proxy.audit import OldAddress, read_addresses
from proxy.errors import SunsetError

A, B = "https://old.example/uk/a", "https://old.example/uk/b"
Read = Callable[[str, bytes | str], list[tuple[str, int]]]

TEXTS = {
    "a plain list": ("x.txt", f"{A}\n{B}\n", 0),
    "without a last line end": ("x.txt", f"{A}\n{B}", 0),
    "with comments, blank lines and blanks": ("x", f"# old\n\n  {A} \n#{A}\n\t{B}\n", 0),
    "lines end as on Windows": ("x.txt", f"{A}\r\n{B}\r\n", 0),
    "lines end as on old Macs": ("x.txt", f"{A}\r{B}\r", 0),
    "Search Console": (
        "Pages.csv",
        f"Top pages,Clicks,Impressions,CTR,Position\n{A},7,900,0.78%,3.4\n{B},8,10,80%,1\n",
        15,
    ),
    "Search Console in French": (
        "Pages.csv",
        f"Pages les plus populaires,Clics,Impressions,CTR,Position\n{A},7,9,1%,3\n{B},8,1,8%,1\n",
        15,
    ),
    "a header in a language nobody thought of": ("x.csv", f"Oldal,Clicks\n{A},7\n{B},8\n", 15),
    "semicolons": ("x.csv", f"url;clicks\n{A};7\n{B};8\n", 15),
    "tabs": ("x.tsv", f"url\tclicks\n{A}\t7\n{B}\t8\n", 15),
    "quotes around everything": ("x.csv", f'"URL","Clicks"\n"{A}","7"\n"{B}","8"\n', 15),
    "a column that counts the rows": ("x.csv", f"#,URL,Traffic\n1,{A},7\n2,{B},8\n", 15),
    "remarks above the header": ("x.csv", f"# exported\n\nurl,sessions\n{A},7\n{B},8\n", 15),
    "old and new": ("x.csv", f"new url,old url\nhttps://new.example/,{A}\nhttps://new.example/,{B}\n", 0),
    "from and to": ("x.csv", f"from,to\n{A},https://new.example/\n{B},https://new.example/\n", 0),
    "visits before impressions": ("x.csv", f"Page,Impressions,Hits\n{A},900,7\n{B},900,8\n", 15),
    "impressions where there is nothing else": ("x.csv", f"Page,Impressions\n{A},7\n{B},8\n", 15),
    "a single column with a name": ("x.csv", f"url\n{A}\n{B}\n", 0),
    "without a header": ("x.csv", f"1,{A},x\n2,{B},y\n", 0),
    "without a header, with one column of numbers": ("x.csv", f"{A},7\n{B},8\n", 15),
    "without a header and a name": ("x", f"7\t{A}\n8\t{B}\n", 15),
    "pairs of addresses without a header": ("x", f"{A},https://new.example/\n{B},https://new.example/\n", 0),
    "addresses without scheme": ("x.csv", "old.example/uk/a,7\nold.example/uk/b,8\n", 15),
    "numbers as people write them": ("x.csv", f'url,clicks\n{A},"1,234"\n{B},1 000.0\n', 2234),
    "numbers as in Berlin": ("x.csv", f"url;clicks\n{A};1.234\n{B};1\u00a0000,0\n", 2234),
    "no clicks": ("x.csv", f"url,clicks\n{A},\n{B},-\n", 0),
    "a row that ends early": ("x.csv", f"url,position,clicks\n{A},1,7\n{B}\n", 7),
}


@pytest.mark.parametrize(("name", "text", "clicks"), TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_addresses_and_clicks_are_read(read: Read, name: str, text: str, clicks: int, encoding: str) -> None:
    found = read(name, text.encode(encoding))
    assert [address.removeprefix("https://") for address, _ in found] == ["old.example/uk/a", "old.example/uk/b"]
    assert sum(count for _, count in found) == clicks


def test_a_comma_in_an_address_makes_no_table(read: Read) -> None:
    assert read("x.txt", f"{A},b\n{B},c;d\n") == [(f"{A},b", 0), (f"{B},c;d", 0)]
    assert read("z", f"{A},123\n{B},45\n") == [(f"{A},123", 0), (f"{B},45", 0)]
    assert read("y.txt", f"{A}?x=1,2\n") == [(f"{A}?x=1,2", 0)]


def test_a_malformed_address_is_handed_on(read: Read) -> None:
    rows = f"url,clicks\n{A},1\n/uk/no-host,2\n,3\nhttps://,4\n=1+1,5\n"
    assert read("x.csv", rows) == [(A, 1), ("/uk/no-host", 2), ("", 3), ("https://", 4), ("=1+1", 5)]


def test_a_few_malformed_addresses_hide_no_column(read: Read) -> None:
    assert read("x.csv", f"Oldal,N\n{A},x\nTotal,x\n{B},x\n") == [(A, 0), ("Total", 0), (B, 0)]


def test_every_address_knows_its_line(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(f'# exported\nurl,note\n{A},"two\nlines"\n{B},x\n')
    (tmp_path / "y.txt").write_text(f"# list\n\n{A}\n")
    found = [one for one in read_addresses([tmp_path / "x.csv", tmp_path / "y.txt"]) if isinstance(one, OldAddress)]
    assert [(one.text, one.line) for one in found] == [(A, 4), (B, 5), (A, 3)]
    assert str(found[0].place) == f"{tmp_path / 'x.csv'}:4"


def test_a_minus_is_standard_input() -> None:
    found = list(read_addresses(["-"], stdin=BytesIO(f"{A}\n".encode())))
    assert found == [OldAddress(A, 0, "(standard input)", 1)]


ERRORS = {
    "not UTF-8": ("x.txt", f"{A}\n".encode() + b"https://old.example/caf\xe9\n", ":2:24: this is not UTF-8"),
    "not UTF-8, in a table": ("x.csv", b"url,clicks\n\xe9,1\n", ":2:1: this is not UTF-8"),
    "half of UTF-16": ("x.txt", "a".encode("utf-16") + b"x", "begins as UTF-16"),
    "a picture": ("x.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "this is no text"),
    "a spreadsheet": ("x.xlsx", b"PK\x03\x04\x14\0\x06\0", "save the table as CSV"),
    "no number": ("x.csv", f"url,clicks\n{A},1\n{B},many\n".encode(), ':3: "many" is no number of clicks'),
    "a negative number": ("x.csv", f"url,clicks\n{A},-5\n".encode(), ':2: "-5" is no number of clicks'),
    "a number too long": ("x.csv", f"url,clicks\n{A},{'9' * 5000}\n".encode(), ":2: "),
    "a quote without end": ("x.csv", f'url,clicks\n{A},1\n"{B},1\n'.encode(), ":3: this row cannot be read"),
    "a line without end": ("x.txt", b"https://old.example/" + b"x" * 200_000, ":1: a line of more than 64 KiB"),
}


@pytest.mark.parametrize(("name", "content", "said"), ERRORS.values(), ids=ERRORS)
def test_what_cannot_be_read_is_an_error_with_its_line(read: Read, name: str, content: bytes, said: str) -> None:
    with pytest.raises(SunsetError) as caught:
        read(name, content)
    assert name in str(caught.value)
    assert said in str(caught.value)


def test_a_missing_file_is_found_out_before_the_first_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(A)
    with pytest.raises(SunsetError, match="there is no such file"):
        next(read_addresses([tmp_path / "x.txt", tmp_path / "y.txt"]))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SunsetError, match="this is a folder"):
        list(read_addresses([tmp_path]))


@pytest.mark.parametrize("content", ["", "\n\n", "# nothing\n", "url,clicks\n"])
def test_a_file_without_addresses_is_said_to_be_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.csv").write_text(content)
    assert [str(one) for one in read_addresses([tmp_path / "x.csv"])] == [
        f"{tmp_path / 'x.csv'}: holds no address: is it the right file?"
    ]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(A)
    assert len(list(read_addresses([tmp_path / "x.txt", str(tmp_path / "x.txt")]))) == 1


def test_progress_tells_addresses_and_bytes(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(f"{A}\n" * 12_000)
    (tmp_path / "y.txt").write_text(f"{B}\n" * 8_000)
    size = 20_000 * len(f"{A}\n")
    told: list[tuple[int, int, int | None]] = []
    list(read_addresses([tmp_path / "x.txt", tmp_path / "y.txt"], progress=lambda *now: told.append(now)))
    assert told[-1] == (20_000, size, size)
    assert told == sorted(told, key=lambda now: now[:2])
    assert len(told) >= 4


def test_a_pipe_has_no_size() -> None:
    reading, writing = os.pipe()
    try:
        os.write(writing, f"{A}\n".encode())
        os.close(writing)
        told: list[tuple[int, int, int | None]] = []
        list(read_addresses([f"/dev/fd/{reading}"], progress=lambda *now: told.append(now)))
    finally:
        os.close(reading)
    assert told[-1] == (1, len(A) + 1, None)


def test_standard_input_has_no_size() -> None:
    told: list[tuple[int, int, int | None]] = []
    list(read_addresses(["-"], stdin=BytesIO(f"{A}\n".encode()), progress=lambda *now: told.append(now)))
    assert told[-1] == (1, len(A) + 1, None)
