"""Which language a visitor reads, of those that there are (RFC 9110 section 12.5.4, by lookup, RFC 4647 section 3.4).

Lookup takes the longest part of a wanted tag that is there. Where none is, another variety of the same language is
taken, `en-GB` for `en` and for `en-US`: its reader understands that better than any other language.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from babel import Locale, UnknownLocaleError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_RANGE = re.compile(
    r"(?P<range>[a-z]{1,8}(?:-[a-z0-9]{1,8})*|\*)"
    r"(?:[ \t]*;[ \t]*q[ \t]*=[ \t]*(?P<quality>0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?",
    re.ASCII,
)
_ANY: Final = "*"


def lookup(wanted: str, languages: Collection[str]) -> str | None:
    """The one of `languages` that is best for the language tag `wanted`; `None` where none is of that language."""
    known = {language.lower(): language for language in reversed(tuple(languages))}
    for part in _parts(wanted.lower()):
        if part in known:
            return known[part]
    primary = primary_subtag(wanted)
    return next((language for language in languages if primary_subtag(language) == primary), None)


def accepted(field: bytes, languages: Collection[str]) -> str | None:
    """The one of `languages` that is best by an Accept-Language field; `None` where it leaves the choice to us.

    What of the field cannot be read is passed over.
    """
    qualities: dict[str, float] = {}
    for item in field.decode("latin-1").lower().split(","):
        if (read := _RANGE.fullmatch(item.strip(" \t"))) is not None:
            qualities.setdefault(read["range"], float(read["quality"] or 1))
    left = [language for language in languages if not _is_refused(language.lower(), qualities)]
    for wanted, quality in sorted(qualities.items(), key=lambda item: -item[1]):
        if quality:
            found = next(iter(left), None) if wanted == _ANY else lookup(wanted, left)
            if found is not None:
                return found
    return next(iter(left), None)


def primary_subtag(language: str) -> str:
    """`en` for `en-GB`."""
    return language.lower().partition("-")[0]


def own_name(language: str, *, whole: bool) -> str:
    """A language as its readers call it, as in `Français`; `whole` with region and script."""
    for part in _parts(language):
        try:
            locale = Locale.parse(part, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
        name = locale.get_display_name() if whole else locale.language_name
        if name:
            return name[0].upper() + name[1:]
    return language


def _parts(tag: str) -> Iterator[str]:
    """The tag, then ever shorter parts of it."""
    while tag:
        yield tag
        tag = tag.rpartition("-")[0]


def _is_refused(language: str, qualities: dict[str, float]) -> bool:
    """Whether the longest range that the tag is in has the quality 0."""
    return next((qualities[part] == 0 for part in _parts(language) if part in qualities), False)
