"""Every mistake that the loader knows, by its code: what it means, and what to do.

Codes are stable: scripts match on them, and docs/errors.md, which is written by `manual`, has a section for each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from proxy.errors import Place, Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of mistake. `meaning` and `remedy` are Markdown, one or two sentences each."""

    name: str
    meaning: str
    remedy: str
    severity: Severity = Severity.ERROR


def problem(place: Place, code: str, message: str, source: str = "") -> Problem:
    """A problem with the severity of its code; `source` is the line of the file as it stands."""
    return Problem(place, code, message, CODES[code].severity, source)


_SECTIONS: Final[Mapping[str, tuple[Code, ...]]] = {
    "Files": (
        Code(
            "folder-missing",
            "There is no folder at the path that was given as the rule folder.",
            "Check the path; it names the folder, not one of its files.",
        ),
        Code(
            "folder-empty",
            "The rule folder holds no site file.",
            "Put one `*.yaml` file for each site directly into the folder; subfolders and hidden files are not read.",
        ),
        Code(
            "file-missing",
            "A rule file names a file that is not there.",
            "Paths are relative to the rule folder. Add the file, or mend the path.",
        ),
        Code(
            "file-outside",
            "A rule file names a file outside the rule folder, perhaps by way of a symbolic link.",
            "Copy the file into the rule folder, and name it by its path in there.",
        ),
        Code(
            "file-unreadable",
            "A file cannot be read: it is a folder or a device, or whoever runs Sunset may not read it.",
            "Mend its permissions.",
        ),
        Code(
            "file-too-large",
            "A file is larger than any of its kind may be; a page and a well-known file may have 1 MiB.",
            "Check that it is the right file.",
        ),
        Code(
            "file-empty",
            "A file has nothing in it. Often a copy broke off.",
            "Copy it again, or remove it.",
        ),
        Code(
            "not-utf8",
            "A file is not UTF-8.",
            "Save it as UTF-8; in a spreadsheet choose “CSV UTF-8”.",
        ),
        Code(
            "cut-off",
            "The last line of a file has no end, as when a copy breaks off. The rest of an address may be missing, "
            "so that it would lead elsewhere.",
            "Copy the file again. If it is whole, add a line end behind its last line.",
        ),
    ),
    "YAML": (
        Code(
            "yaml-syntax",
            "The file is not YAML at this place.",
            "Look for a lacking quote, colon, bracket or blank here or just before. Text with `: `, ` #`, or with "
            "`{`, `[`, `*`, `&`, `%`, `@` at its beginning needs quotes.",
        ),
        Code("yaml-documents", "The file holds a second document, behind `---`.", "Give each site a file of its own."),
        Code(
            "yaml-tag",
            "A tag such as `!!binary` or `!mine`, which is not one of YAML's core, or does not suit its value.",
            "Remove it; a value in quotes is text.",
        ),
        Code(
            "yaml-alias",
            "An alias (`*name`) stands inside of what it repeats, or aliases repeat so much that the file explodes.",
            "Write out what was meant.",
        ),
        Code("yaml-depth", "The file nests deeper than any rule file does.", "Look for a lacking bracket."),
        Code("yaml-key", "A key is a list or a mapping instead of a word.", "Quote it if it begins with `[` or `{`."),
        Code(
            "duplicate-key",
            "A key stands twice in one mapping. In most programs the second would silently win.",
            "Remove one of the two.",
        ),
        Code(
            "multi-line",
            "An address, a date or a name runs over several lines. Cut between two of them the file would say "
            "something else, and nobody would notice.",
            "Write it on one line. Only `message`, `link`, `timeline` and `why` may have more.",
        ),
    ),
    "Keys and values": (
        Code("unknown-key", "A key that means nothing here.", "Mend its spelling, or its indentation."),
        Code("missing-key", "A key that has to be there is not.", "Add it."),
        Code(
            "conflicting-keys",
            "Two keys that exclude each other, or one that has no effect beside another.",
            "Keep the one that you mean.",
        ),
        Code(
            "not-a-default",
            "A key under `defaults` of `rulebook.yaml` that belongs to one site alone.",
            "Move it into the file of the site.",
        ),
        Code(
            "wrong-type",
            "A value of the wrong kind: text where a list is needed, a number where text is needed, nothing at all.",
            "Write what the message asks for. A number or `true` that is meant as text needs quotes.",
        ),
        Code("wrong-value", "A value of the right kind that is none of those allowed here.", "Take one that is."),
        Code(
            "bad-duration",
            "A length of time that cannot be read.",
            "Write whole seconds (`3600`), or a number with its unit: `90s`, `30m`, `12h`, `30d`, `1w`.",
        ),
    ),
    "Time": (
        Code(
            "bad-date",
            "A date or time that cannot be read, or that no calendar has.",
            "Write `2024-12-31`, `2024-12-31T10:00` or `2024-12-31T10:00:30`, with `Z` or `+01:00` behind it where it "
            "is not the site's own time.",
        ),
        Code(
            "no-timezone",
            "A date or time without an offset, and no `timezone` says whose it is.",
            "Set `timezone` in the site's file or in the defaults of `rulebook.yaml`, or give the time an offset.",
        ),
        Code("unknown-timezone", "A time zone that the IANA database does not have.", "Write it as `Europe/London`."),
        Code(
            "time-skipped",
            "A local time that never comes, because clocks are put forward over it.",
            "Take an earlier or later one, or give it an offset.",
        ),
        Code(
            "time-twice",
            "A local time that comes twice, because clocks are put back. The first of the two is taken.",
            "Give it an offset, which says which of the two is meant.",
            Severity.WARNING,
        ),
        Code(
            "unknown-milestone",
            "A milestone that the site's `schedule` does not have, in `from`, `until`, `at`, or in braces in a notice.",
            "Mend its name, or add it to the `schedule` of the site or of the defaults.",
        ),
        Code(
            "milestones-disordered",
            "`notice`, `cutover` and `end` do not come in this order.",
            "Mend the dates; look for one in `rulebook.yaml` that the site's own file does not replace.",
        ),
        Code(
            "window-empty",
            "A rule that can never hold: its `until` is not after its `from`, which is the cutover where nothing else "
            "is said.",
            "Mend the two; `from: always` begins before everything.",
        ),
    ),
    "Sites": (
        Code(
            "bad-host",
            "Something that is not a host name.",
            "Write it as in `www.example.com`: no scheme, no port, no slash; `*.` only in front; names that are not "
            "ASCII in their punycode form (`xn--…`).",
        ),
        Code("host-repeated", "A host stands twice in one list.", "Remove one of the two."),
        Code("bad-base", "A `base` that is not a path.", "Write it as in `/uk`, without `?`, `#`, `*` and captures."),
        Code(
            "base-claimed-twice",
            "Two sites own the same base path on the same host, so that a request would have two owners.",
            "Give one of them another `base` or other `hosts`.",
        ),
        Code("site-repeated", "Two files give their sites the same name.", "Rename one; reports and metrics go by it."),
        Code(
            "bad-origin",
            "An `origin` that is not the address of a server.",
            "Write scheme, host and perhaps port, as in `https://legacy.example:8443`; every path is kept as it is.",
        ),
        Code(
            "origin-missing",
            "The site is forwarded at some time, and nothing says where to.",
            "Add `origin`; a site that only redirects has no schedule at all.",
        ),
        Code(
            "origin-is-own-host",
            "The `origin` is a host that this rulebook itself answers for. Where that name leads to Sunset, Sunset "
            "would forward to itself.",
            "Give the old server a name of its own, unless it is another machine's view of the same name.",
            Severity.WARNING,
        ),
        Code(
            "bad-ca",
            "The file that `ca` of `origin_tls` names holds no certificate in PEM, or a damaged one.",
            "Export the certificates of the authority as PEM; they begin with `-----BEGIN CERTIFICATE-----`.",
        ),
        Code(
            "bad-network", "An entry of `origin_networks` is not a network.", "Write it as `10.0.0.0/8` or `fd00::/8`."
        ),
        Code(
            "needs-root-base",
            "`robots` and `well_known` are files at the root of a host, which a site below a `base` does not own.",
            "Move the key to the site whose `base` is `/`.",
        ),
        Code(
            "bad-header",
            "A header name or value that HTTP does not allow.",
            "Names are letters, digits and `-`; values are one line of Latin-1 text.",
        ),
        Code(
            "header-reserved",
            "An extra header that frames, caches, redirects, sets cookies, or that Sunset writes itself.",
            "Remove it; `cache`, `hsts` and `to` are the keys for what may be said.",
        ),
        Code(
            "bad-well-known-name",
            "A name under `well_known` that is no file name, or that ACME needs for its challenges.",
            "Write the name behind `/.well-known/`, as in `security.txt`.",
        ),
    ),
    "Patterns": (
        Code("bad-pattern", "A `path` that cannot be one.", "The message says what is wrong with it."),
        Code(
            "regex-refused",
            "A regular expression that RE2 does not take. It has no look-around and no back-references, so that no "
            "address can ever make it slow.",
            "Write it without them; write what is not ASCII as the percent-escapes that browsers send.",
        ),
        Code(
            "regex-never-matches",
            "A regular expression with a percent-escape in a form that no compared path has: lower-case digits, or an "
            "escape of a letter, digit, `-`, `.`, `_` or `~`.",
            "Write escapes in upper case (`%C3%A9`), and plain characters as they are.",
            Severity.WARNING,
        ),
        Code(
            "outside-base",
            "A path that does not lie in the site's base, so that the site is never asked for it.",
            "Write paths from the root of the host, with the base in front; a regex begins with `^` and the base.",
        ),
        Code(
            "bad-query",
            "A condition under `query` that cannot be one.",
            'Write a value, `"*"`, or a capture `"{name}"`.',
        ),
        Code("capture-repeated", "Two captures of one rule have the same name.", "Give one of them another."),
        Code("bad-method", "An entry of `methods` is not a method.", "Write `GET`, `POST`, …, in upper case."),
        Code(
            "rule-repeated",
            "Two rules, or a rule and a mapping row, with the same pattern, the same conditions, and windows that "
            "overlap: nothing says which one wins.",
            "Remove one, or give them windows or conditions that differ.",
        ),
        Code(
            "rule-never-asked",
            "A rule that never holds, because on every host of its site another site with a longer base owns its path.",
            "Move it into the file of that site.",
            Severity.WARNING,
        ),
    ),
    "Targets": (
        Code(
            "bad-target",
            "A `to`, `moves_to`, `unmapped` or `new` that cannot be a target.",
            "Write a path that begins with `/`, or a whole URL; the message says what is wrong with this one.",
        ),
        Code(
            "target-not-listed",
            "A redirect leads to a host that `targets` in `rulebook.yaml` does not list.",
            "Mend the host; or list it, if visitors may be sent there.",
        ),
        Code(
            "targets-missing",
            "Something redirects, and `rulebook.yaml` does not say which hosts redirects may lead to.",
            "Add `targets: [www.example.com]` to `rulebook.yaml`.",
        ),
        Code(
            "moves-to-missing",
            "A target that is a path, or `unmapped: keep-path`, at a site that moves nowhere.",
            "Add `moves_to`, or write a whole URL.",
        ),
        Code(
            "unknown-capture",
            "A target uses a capture that its pattern and query do not have.",
            "Mend the name; `{*}` needs a path that ends in `/*`, and groups of a regex are `{1}`, `{2}`, …",
        ),
        Code(
            "host-capture",
            "A target uses `{*host}`, and not every host of the site begins with `*.`.",
            "Split the site in two, or write the target's host out.",
        ),
        Code(
            "loop",
            "Redirects lead in a circle, perhaps over several sites: a visitor never arrives.",
            "Break the circle at one of the places that the message names.",
        ),
        Code(
            "chain",
            "A redirect leads to an address that redirects again: visitors wait twice, search engines pass on less.",
            "Let the first lead to where the second does.",
            Severity.WARNING,
        ),
    ),
    "Mappings": (
        Code(
            "mapping-header",
            "The first line of a mapping does not name the columns `old` and `new`.",
            "Make the first line `old,new` or `old,new,status`; `;` and tabs separate as well.",
        ),
        Code(
            "mapping-row",
            "A row of a mapping lacks a field, or a quote in it never ends.",
            "Give each row as many fields as the first line has; a field with a separator in it needs quotes.",
        ),
        Code(
            "mapping-old",
            "An old address that is not a path, nor a URL on one of the site's hosts.",
            "Write it as people call it: `/uk/old.html`, or `https://po.co/uk/old.html`.",
        ),
        Code("mapping-status", "A status of a row is not 301, 302, 303, 307 or 308.", "Mend it, or leave it empty."),
        Code(
            "mapping-repeated",
            "An old address that another row of the site's mappings has already.",
            "Remove one of the two. Without `match_slash` `/a` and `/a/` are the same.",
        ),
    ),
    "Examples and tests": (
        Code(
            "bad-address",
            "An address in an `example` or a test that cannot be one.",
            "Write it as in `https://po.co/uk/`; an example may also begin with `/`.",
        ),
        Code(
            "bad-expectation",
            "What an `example` or a test expects cannot be read.",
            "Write `forward`, `forward+notice`, `local`, a status (`410`), or a status and the whole address (`301 "
            "https://…`). An example is `address -> address`.",
        ),
        Code(
            "example-failed",
            "The `example` of a rule does not hold.",
            "Mend the rule or the example; the message says what is answered instead.",
        ),
        Code(
            "example-elsewhere",
            "The `example` of a rule holds, but another rule answers it, so it shows nothing about this one.",
            "Take an address that only this rule answers.",
            Severity.WARNING,
        ),
        Code("test-failed", "A test does not hold.", "Mend the rules or the test; the message says what is answered."),
    ),
}

CODES: Final[Mapping[str, Code]] = {code.name: code for codes in _SECTIONS.values() for code in codes}
"""All codes by name."""

_PREFACE = """\
# Errors and warnings

What `sunset check` says about rule files, as `file:line:col: CODE message`. An error keeps the rulebook from being
used; a warning does not, unless `check --strict` makes it one. All problems of all files are reported at once.

This page is made from `proxy/rulebook/codes.py`.
"""


def manual() -> str:
    """docs/errors.md."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _PREFACE
    for title, codes in _SECTIONS.items():
        yield f"## {title}\n"
        for code in codes:
            warning = " This is a warning." if code.severity is Severity.WARNING else ""
            yield f"### {code.name}\n\n{code.meaning}{warning}\n\n*What to do:* {code.remedy}\n"
