"""Sitemaps, indexes of sitemaps, packed files, and what tries to make the reader burst."""

import gzip
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from proxy.audit import OldAddress, Skipped, read_addresses, source
from proxy.errors import SunsetError

A, B = "https://old.example/uk/a", "https://old.example/uk/b?x=1&y=2"
NS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
Read = Callable[[str, bytes | str], list[tuple[str, int]]]


def urlset(*addresses: str) -> str:
    urls = "\n".join(f"<url><loc>{one.replace('&', '&amp;')}</loc></url>" for one in addresses)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset {NS}>\n{urls}\n</urlset>'


def index(*locs: str) -> str:
    parts = "\n".join(f"<sitemap><loc>{loc}</loc></sitemap>" for loc in locs)
    return f"<sitemapindex {NS}>\n{parts}\n</sitemapindex>"


SITEMAPS = {
    "as it should be": urlset(A, B),
    "blank lines first": "\n  " + urlset(A, B).split("?>\n")[1],
    "without a namespace": urlset(A, B).replace(f" {NS}", ""),
    "with a prefix": f"<s:urlset {NS.replace('xmlns', 'xmlns:s')}><s:url><s:loc>{A}</s:loc></s:url><s:url>"
    f"<s:loc>{B.replace('&', '&amp;')}</s:loc></s:url></s:urlset>",
    "blanks around an address": urlset(f"\n   {A}\n ", B),
    "CDATA": urlset(A, B).replace(f"<loc>{A}</loc>", f"<loc><![CDATA[{A}]]></loc>"),
    "with images and languages": urlset(A, B).replace(
        "</url>",
        '<i:image xmlns:i="http://www.google.com/schemas/sitemap-image/1.1"><i:loc>https://cdn.example/x.png</i:loc>'
        '</i:image><x:link xmlns:x="http://www.w3.org/1999/xhtml" href="https://old.example/fr/"/></url>',
    ),
}


@pytest.mark.parametrize("text", SITEMAPS.values(), ids=SITEMAPS)
@pytest.mark.parametrize("name", ["sitemap.xml", "sitemap.txt", "old"])
def test_a_sitemap_is_known_by_its_contents(read: Read, name: str, text: str) -> None:
    assert read(name, text) == [(A, 0), (B, 0)]


@pytest.mark.parametrize("name", ["sitemap.xml.gz", "sitemap.xml", "old"])
@pytest.mark.parametrize("text", [urlset(A, B), f"{A}\n{B}\n", f"url\n{A}\n{B}\n"])
def test_a_packed_file_is_known_by_its_first_bytes(read: Read, name: str, text: str) -> None:
    assert read(name, gzip.compress(text.encode())) == [(A, 0), (B, 0)]


def test_a_file_packed_in_parts_is_read_whole(read: Read) -> None:
    assert read("x.gz", gzip.compress(f"{A}\n".encode()) + gzip.compress(B.encode())) == [(A, 0), (B, 0)]


def test_a_sitemap_in_utf_16_is_read(read: Read) -> None:
    assert read("x.xml", urlset(A, B).replace("UTF-8", "UTF-16").encode("utf-16")) == [(A, 0), (B, 0)]


def test_every_address_of_a_sitemap_knows_its_line(tmp_path: Path) -> None:
    path = tmp_path / "sitemap.xml"
    path.write_text(urlset(*(f"{A}/{number}" for number in range(5000))))
    found = [one for one in read_addresses([path]) if isinstance(one, OldAddress)]
    assert [(one.text, one.line) for one in found] == [(f"{A}/{number}", number + 3) for number in range(5000)]


def test_an_index_leads_to_the_files_beside_it(tmp_path: Path) -> None:
    base = "https://old.example/maps/"
    (tmp_path / "one.xml").write_text(urlset(A))
    (tmp_path / "two.xml.gz").write_bytes(gzip.compress(urlset(B).encode()))
    (tmp_path / "three.xml").write_text(urlset(f"{A}/3"))  # unpacked by a browser
    (tmp_path / "four.php?page=2").write_text(urlset(f"{A}/4"))  # as wget names it
    (tmp_path / "five six.xml").write_text(urlset(f"{A}/5"))
    parts = ("one.xml", "two.xml.gz", "three.xml.gz", "four.php?page=2", "five%20six.xml")
    (tmp_path / "index.xml").write_text(index(*(base + part for part in parts)))
    found = list(read_addresses([tmp_path / "index.xml"]))
    assert [one.text for one in found if isinstance(one, OldAddress)] == [A, B, f"{A}/3", f"{A}/4", f"{A}/5"]
    assert len(found) == len(parts)


def test_a_part_that_is_missing_is_reported_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "one.xml").write_text(urlset(A))
    (tmp_path / "index.xml").write_text(index("https://old.example/gone.xml", "https://old.example/one.xml"))
    missing, found = list(read_addresses([tmp_path / "index.xml"]))
    assert isinstance(missing, Skipped)
    assert str(missing) == (
        f'{tmp_path}/index.xml:2: "gone.xml" is not in {tmp_path}: '
        "download https://old.example/gone.xml to there; nothing is fetched"
    )
    assert isinstance(found, OldAddress)


@pytest.mark.parametrize(
    "loc",
    [
        "https://old.example/",
        "https://old.example/..%2fsecret.txt",
        "https://old.example/%2e%2e",
        "https://old.example/..%5csecret.txt",
        "https://old.example/x%00",
        "https://old.example/.env",
        "https://old.example/" + "x" * 5000,
        "https://[::1/x.xml",
        "",
    ],
)
def test_an_index_reaches_no_file_outside_of_its_folder(tmp_path: Path, loc: str) -> None:
    (tmp_path / "secret.txt").write_text(A)
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / ".env").write_text(A)
    (tmp_path / "maps" / "index.xml").write_text(index(loc))
    (found,) = read_addresses([tmp_path / "maps" / "index.xml"])
    assert isinstance(found, Skipped)
    assert "download" in found.message


def test_indexes_that_name_each_other_come_to_an_end(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(index("https://old.example/b.xml", "https://old.example/a.xml"))
    (tmp_path / "b.xml").write_text(index("https://old.example/a.xml", "https://old.example/c.xml"))
    (tmp_path / "c.xml").write_text(urlset(A))
    found = list(read_addresses([tmp_path / "a.xml", tmp_path / "c.xml"]))
    assert [one.text for one in found if isinstance(one, OldAddress)] == [A]
    assert len(found) == 1


def test_the_parts_of_an_index_count_towards_the_size(tmp_path: Path) -> None:
    (tmp_path / "index.xml").write_text(index("https://old.example/one.xml"))
    (tmp_path / "one.xml").write_text(urlset(A))
    told: list[tuple[int, int, int | None]] = []
    list(read_addresses([tmp_path / "index.xml"], progress=lambda *now: told.append(now)))
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert told[-1] == (1, size, size)


LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>\n' + urlset("&b;").split("?>\n")[1]
EXTERNAL = '<!DOCTYPE u [<!ENTITY x SYSTEM "file:///etc/hostname">]>\n' + urlset(A).split("?>\n")[1]
ERRORS = {
    "entities": (LAUGHS, ":1: declares a document type"),
    "an external entity": (EXTERNAL, ":1: declares a document type"),
    "an HTML page": ("<!doctype html><title>404</title>", "this is no well-formed XML"),
    "another kind of XML": ("<rss><channel/></rss>", ":1: this is XML, but its root is <rss>"),
    "cut off": (urlset(A, B)[:-20], "this is no well-formed XML (unclosed token)"),
    "an unknown entity": (urlset(A).replace("/a", "/&nbsp;"), ":3:34: this is no well-formed XML (undefined entity"),
    "a loc without end": (urlset("x" * 100_000), ":3: an address of more than 64 KiB"),
}


@pytest.mark.parametrize(("text", "said"), ERRORS.values(), ids=ERRORS)
def test_what_is_no_sitemap_is_an_error_with_its_place(read: Read, text: str, said: str) -> None:
    with pytest.raises(SunsetError) as caught:
        read("sitemap.xml", text)
    assert "sitemap.xml" in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize("line", [f"{A}\n".encode(), b" \n", b"x" * 60])
def test_a_packed_bomb_is_refused_while_it_is_unpacked(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "bomb.gz"
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    path.write_bytes(b"".join(pack.compress(line * 100_000) for _ in range(100)) + pack.flush())
    # How far it is unpacked depends on how much gzip reads at once, which differs between versions of Python.
    with pytest.raises(SunsetError, match=r"unpacks to over [12]\d MiB|a line of more than"):
        list(read_addresses([path]))


def test_what_is_unpacked_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_UNPACKED", 1 << 20)
    path = tmp_path / "long.gz"
    path.write_bytes(gzip.compress(b"".join(b"https://old.example/%d\n" % (number * 7919) for number in range(60_000))))
    with pytest.raises(SunsetError, match="unpack it and audit the parts"):
        list(read_addresses([path]))


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(f"{A}\n".encode() * 1000, mtime=0)[:-20],
        gzip.compress(A.encode(), mtime=0)[:-8] + b"\0" * 8,
        b"\x1f\x8b",
        b"\x1f\x8bplain text",
    ],
)
def test_a_damaged_packed_file_is_an_error(packed: bytes) -> None:
    with pytest.raises(SunsetError, match="is damaged"):
        list(read_addresses(["-"], stdin=BytesIO(packed)))
