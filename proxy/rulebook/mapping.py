"""Mapping files: CSV with the columns `old`, `new` and perhaps `status`, for lists too long for YAML.

A row becomes a key (the old path as its site compares it) and a finished Location, and with that a line of the site's
`MappingTable`; the file goes by as a stream. Nearly all rows are plain ASCII and pass two regular expressions; whatever
is unusual takes the same ways as in a rule. A row whose old address has a query becomes a rule.
"""

from __future__ import annotations

import csv
import re
from array import array
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.core.mapping import MAPPINGS, MappingFile, MappingTable
from proxy.core.model import RedirectTo, Rule
from proxy.core.pattern import exact_path
from proxy.core.query import Condition, parameters
from proxy.core.url import normal_form
from proxy.errors import Place
from proxy.rulebook.address import AddressError, parse_address, parse_origin_form
from proxy.rulebook.codes import problem
from proxy.rulebook.columns import Columns, column_of, read_header
from proxy.rulebook.folder import check_end, decode, not_utf8
from proxy.rulebook.refusal import Refusal

if TYPE_CHECKING:
    from _csv import Reader
    from collections.abc import Sequence

    from proxy.core.target import Target
    from proxy.errors import Problem
    from proxy.rulebook.setting import Setting
    from proxy.rulebook.stream import Stream

MAX_PROBLEMS = 1000
"""After so many problems in one file only their number is told."""

_STATUSES = {str(status): status for status in (301, 302, 303, 307, 308)}
_PLAIN_OLD = re.compile(r"(?:https?://([A-Za-z0-9.-]+)(?::80|:443)?)?(/[!\"$-)+->@-z|~]*)")
_PLAIN_NEW = re.compile(r"(https?://[a-z0-9.-]+)?(/(?!/)[!-z|~]*)")
_CAPTURE = re.compile(r"/\*$|\{[A-Za-z_*][A-Za-z0-9_]*\}")


@dataclass(slots=True)
class Mappings:
    """All mapping files of a site, while they are read.

    `order` is the position of the first rule that they make, behind those of the site itself. `rules` are those of old
    addresses with a query, in the order of the files; `hosts` those that new addresses are on.
    """

    setting: Setting
    order: int
    rules: list[Rule] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    text: BytesIO = field(default_factory=BytesIO)
    """The rows, as the table wants them; the buffer of a BytesIO becomes its value without a copy."""
    count: int = 0
    files: list[_File] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.text.write(b"\n")

    def read(self, name: str, stream: Stream, problems: list[Problem]) -> None:
        """One more file."""
        try:
            header = decode(stream.readline()).rstrip("\r\n")
        except Refusal as refusal:
            problems.append(problem(Place(name), refusal.code, str(refusal)))
            return
        try:
            columns = read_header(header)
        except Refusal as refusal:
            problems.append(problem(Place(name, 1, 1 + refusal.offset), refusal.code, str(refusal), header))
            return
        file = _File(name, self, columns, self.count)
        file.read(stream)
        self.files.append(file)
        self.count += len(file.lines)

    def table(self, problems: list[Problem]) -> MappingTable | None:
        """The rows as the core asks for them; with that, everything that is wrong in them."""
        table = None
        if self.count:
            table = MappingTable(self.text.getvalue(), [file.rows() for file in self.files])
            by_name = {file.name: file for file in self.files}
            for at, first in table.repeated:
                by_name[table.place(at).file].refuse_repeated(table.place(at).line, table.place(first))
        self.text.close()
        for file in self.files:
            problems += file.finish()
        return table


@dataclass(slots=True)
class _File:
    name: str
    mappings: Mappings
    columns: Columns
    before: int
    """How many rows were read from other files."""
    problems: list[Problem] = field(default_factory=list)
    suppressed: int = 0
    lines: array[int] = field(default_factory=lambda: array("I"))
    prefixes: dict[str | None, bytes] = field(default_factory=dict)
    """What stands before the path of a new address, by scheme and authority as written; `None`: that of `moves_to`."""
    source: list[bytes] | None = None
    """The lines of the file, read again once there is a problem to show."""
    own_hosts: set[str] = field(default_factory=set)
    """Hosts of old addresses that were found to be the site's."""

    @property
    def setting(self) -> Setting:
        """The site."""
        return self.mappings.setting

    def read(self, stream: Stream) -> None:
        """All rows."""
        rules = len(self.mappings.rules)
        reader = csv.reader(map(bytes.decode, stream), delimiter=self.columns.delimiter, strict=True)
        try:
            self.read_rows(reader)
        except csv.Error as error:
            line = self.lines[-1] + 1 if len(self.lines) else 2
            self.refuse(line, 0, Refusal("mapping-row", f"this row or one of the next cannot be read: {error}"))
        except UnicodeDecodeError as error:
            refusal = not_utf8(error, reader.line_num + 2)
            self.problems.append(problem(Place(self.name), refusal.code, str(refusal)))
        stream.skip_rest()
        try:
            check_end(stream.last)
        except Refusal as refusal:
            self.problems.append(problem(Place(self.name, stream.line_ends + 1), refusal.code, str(refusal)))
        if not (self.lines or self.problems or len(self.mappings.rules) > rules):
            self.refuse(1, 0, Refusal("file-empty", "no row follows the names of the columns"))

    def read_rows(self, reader: Reader) -> None:
        """The rows below the header; the loop that a million rows go through."""
        columns = self.columns
        old_at, new_at, status_at, width = columns.old, columns.new, columns.status, columns.width
        write, lines = self.mappings.text.write, self.lines
        for fields in reader:
            line = reader.line_num + 1
            count = len(fields)
            if not width >= count > old_at or count <= new_at:
                if any(part.strip() for part in fields):
                    self.refuse(line, 0, _wrong_width(count, width))
                continue
            status = None
            if status_at is not None and count > status_at and (written := fields[status_at].strip()):
                status = _STATUSES.get(written)
                if status is None:
                    message = f'"{written}" is not 301, 302, 303, 307 or 308'
                    self.refuse(line, status_at, Refusal("mapping-status", message))
                    continue
            key = self.key(fields[old_at], line)
            if key is None:
                continue
            if b"?" in key:
                self.add_rule(key, fields[new_at], status, line)
                continue
            location = self.location(fields[new_at], line)
            if location is None:
                continue
            write(b"%b %b\n" % (key, location) if status is None else b"%b %d %b\n" % (key, status, location))
            lines.append(line)

    def key(self, text: str, line: int) -> bytes | None:
        """The old address as the site compares it; with `?` and all behind it where it has a query."""
        match = _PLAIN_OLD.fullmatch(text)
        try:
            if match is not None and ((host := match[1]) is None or host in self.own_hosts or self.owns(host)):
                path, query = match[2].encode(), b""
            else:
                path, query = self.unusual_old(text.strip())
            setting = self.setting
            key = normal_form(path)
            if not setting.match_slash and key[-1:] == b"/":
                key = key[:-1]
            if not setting.match_case:
                key = key.lower()
            base = setting.base if setting.match_case else setting.base.lower()
            if base and not (key.startswith(base) and key[len(base) : len(base) + 1] in {b"", b"/"}):
                raise setting.outside_base(f'"{text.strip()}"')
        except Refusal as refusal:
            self.refuse(line, self.columns.old, refusal)
            return None
        return path + query if query else key

    def unusual_old(self, text: str) -> tuple[bytes, bytes]:
        """Path, and query with its `?`, of an old address. Raises `Refusal`."""
        if not text:
            raise Refusal("mapping-old", "the old address is missing")
        if "#" in text:
            raise Refusal(
                "mapping-old", "a fragment is never sent by a browser, so no row can ask for one", text.index("#")
            )
        if found := _CAPTURE.search(text):
            message = f'"{found[0]}" means nothing in a mapping, which lists single addresses; write a rule'
            raise Refusal("mapping-old", message, found.start())
        try:
            if text.startswith("/") and not text.startswith("//"):
                target = parse_origin_form(text)
            elif "://" in text:
                address = parse_address(text)
                self.owns(address.host.decode())
                target = address.raw_target
            else:
                raise Refusal("mapping-old", f'"{text}" is not a path that begins with "/", nor a whole URL')
        except AddressError as error:
            raise Refusal("mapping-old", str(error)) from None
        path, mark, query = target.partition(b"?")
        return path, mark + query if query else b""

    def owns(self, host: str) -> bool:
        """Make sure that a host is one of the site's. Raises `Refusal`."""
        if not self.setting.owns_host(host.lower()):
            raise Refusal("mapping-old", f'"{host}" is not a host of this site: {", ".join(self.setting.hosts)}')
        self.own_hosts.add(host)
        return True

    def location(self, text: str, line: int) -> bytes | None:
        """The finished Location of a new address."""
        match = _PLAIN_NEW.fullmatch(text)
        if match is not None and (prefix := self.prefixes.get(match[1])) is not None:
            return prefix + match[2].encode()
        target = self.target(text, line)
        if target is None:
            return None
        if match is not None:
            self.prefixes[match[1]] = b"".join(part for part in target.authority if isinstance(part, bytes))
        return target.fixed

    def target(self, text: str, line: int) -> Target | None:
        """The target that a new address is."""
        text = text.strip()
        if not text:
            self.refuse(line, self.columns.new, Refusal("bad-target", "the new address is missing"))
            return None
        try:
            target = self.setting.parse_target(text)
        except Refusal as refusal:
            if refusal.code != "moves-to-missing" or self.setting.has_no_moves_to:
                self.refuse(line, self.columns.new, refusal)
            return None
        if target.names:
            message = f'the target of a mapping is fixed, and this one has "{{{min(target.names)}}}"; write a rule'
            self.refuse(line, self.columns.new, Refusal("unknown-capture", message))
            return None
        self.mappings.hosts.add(target.host)
        return target

    def add_rule(self, old: bytes, new: str, status: int | None, line: int) -> None:
        """A row whose old address has a query."""
        target = self.target(new, line)
        if target is None:
            return
        path, _, query = old.partition(b"?")
        self.mappings.rules.append(
            Rule(
                exact_path(path),
                RedirectTo(target, status),
                MAPPINGS,
                Place(self.name, line, 1),
                self.mappings.order + len(self.mappings.rules),
                self.setting.schedule.after_cutover,
                tuple(Condition(name, value) for name, value in parameters(query).items()),
                match_slash=self.setting.match_slash,
                mapped=True,
            )
        )

    def refuse(self, line: int, column: int, refusal: Refusal) -> None:
        """A mistake in a field of a row."""
        if len(self.problems) >= MAX_PROBLEMS:
            self.suppressed += 1
            return
        if self.source is None:
            with suppress(OSError):
                self.source = Path(self.name).read_bytes().split(b"\n")
        source = self.source or []
        text = source[line - 1].decode("utf-8-sig", "replace").rstrip("\r") if line <= len(source) else ""
        at = column_of(text, column, self.columns.delimiter) + refusal.offset
        self.problems.append(problem(Place(self.name, line, at), refusal.code, str(refusal), text))

    def refuse_repeated(self, line: int, first: Place) -> None:
        """A row whose old address another row has already."""
        where = f"in line {first.line}" if first.file == self.name else f"at {first}"
        self.refuse(line, self.columns.old, Refusal("mapping-repeated", f"this old address stands {where} already"))

    def finish(self) -> list[Problem]:
        """Everything that is wrong in it."""
        if self.suppressed:
            message = f"{self.suppressed} more problems in this file are not listed"
            self.problems.append(problem(Place(self.name), "mapping-row", message))
        self.source = None
        return self.problems

    def rows(self) -> MappingFile:
        """Where its rows stand."""
        lines: Sequence[int] = self.lines
        if len(lines) and lines[-1] - lines[0] + 1 == len(lines):
            lines = range(lines[0], lines[-1] + 1)
        return MappingFile(self.name, self.before, lines)


def _wrong_width(count: int, width: int) -> Refusal:
    message = f"fields in this row: {count}; columns in the first line: {width}"
    more = "; a field with the separator in it needs quotes" if count > width else ""
    return Refusal("mapping-row", message + more)
