"""The banner and the announcement page (rule-file key `notice`): their texts, and the milestones that these name."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from proxy.core.model import Notice
from proxy.errors import Place
from proxy.rulebook.codes import problem
from proxy.rulebook.document import line_of
from proxy.rulebook.folder import MAX_PAGE_BYTES, Folder, decode
from proxy.rulebook.refusal import Refusal, did_you_mean
from proxy.wire.language import lookup

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from proxy.errors import Problem
    from proxy.rulebook.document import Loc
    from proxy.rulebook.filled import Filled
    from proxy.rulebook.form import DefaultsForm, NoticeForm, SiteForm
    from proxy.rulebook.setting import Setting

_PLACEHOLDER = re.compile(r"\{([A-Za-z][A-Za-z0-9_-]*)\}")


def build_notice(
    form: NoticeForm,
    filled: Filled[SiteForm] | Filled[DefaultsForm],
    setting: Setting,
    folder: Folder,
    problems: list[Problem],
) -> Notice:
    """The notice of a site. `filled` is what it is written in: the site's own form or the defaults."""
    builder = _NoticeBuilder(filled, setting, folder, problems)
    builder.check_text(form.message, "message")
    if filled is setting.keys.own:
        for at, pattern in enumerate(form.skip):
            if not setting.lies_in_base(pattern.literal_prefix) and pattern.literal_prefix:
                problems.append(filled.refused(setting.outside_base(f'"{pattern.text}"'), "notice", "skip", at))
    return Notice(
        form.message.strip(),
        (form.link or "").strip(),
        builder.pages(form.page),
        builder.timeline(form.timeline),
        dismissible=form.dismissible,
        skip=tuple(form.skip),
    )


class _NoticeBuilder:
    """What is written under `notice`, with the site that it is for."""

    def __init__(
        self,
        filled: Filled[SiteForm] | Filled[DefaultsForm],
        setting: Setting,
        folder: Folder,
        problems: list[Problem],
    ) -> None:
        self.filled = filled
        self.setting = setting
        self.folder = folder
        self.problems = problems
        self.language = setting.keys.of("language").form.language
        """The site's own."""

    def pages(self, files: str | Mapping[str, str] | None) -> Mapping[str, str]:
        """The Markdown of the announcement by language, that of the site's own language first."""
        pages: dict[str, str] = {}
        for language, file, loc in self.by_language(files or {}, "page"):
            try:
                page = decode(self.folder.read_below(file, MAX_PAGE_BYTES))
            except Refusal as refusal:
                self.problems.append(self.filled.refused(refusal, *loc))
                continue
            if not page.strip():
                self.problems.append(self.filled.problem("file-empty", f'nothing is written in "{file}"', *loc))
                continue
            self.check_page(file, page)
            pages[language] = page
        first = lookup(self.language, pages)
        return MappingProxyType(pages if first is None else {first: pages[first]} | pages)

    def timeline(self, meanings: Mapping[str, str | Mapping[str, str]]) -> Mapping[str, Mapping[str, str]]:
        """What milestones mean, each by language."""
        calendar = self.setting.calendar
        timeline: dict[str, Mapping[str, str]] = {}
        for milestone, texts in meanings.items():
            if milestone not in calendar.milestones and not calendar.unsure:
                site = self.setting.keys.own.form.site
                message = f'"{milestone}" is no milestone of {site}{did_you_mean(milestone, calendar.milestones)}'
                self.problems.append(
                    self.filled.problem("unknown-milestone", message, "notice", "timeline", milestone, key=True)
                )
            meaning: dict[str, str] = {}
            for language, text, loc in self.by_language(texts, "timeline", milestone):
                self.check_text(text, *loc[1:])
                meaning[language] = text.strip()
            timeline[milestone] = MappingProxyType(meaning)
        return MappingProxyType(timeline)

    def by_language(self, texts: str | Mapping[str, str], *key: str) -> Iterator[tuple[str, str, Loc]]:
        """Language, text and place of each text; a text alone is in the site's language."""
        if isinstance(texts, str):
            yield self.language, texts, ("notice", *key)
            return
        for language, text in texts.items():
            yield language, text, ("notice", *key, language)

    def check_text(self, text: str, *key: int | str) -> None:
        """Report words in braces that are no milestones in a text of the rule file."""
        self.problems += [self.filled.refused(refusal, "notice", *key) for refusal in self.unknown_milestones(text)]

    def check_page(self, file: str, page: str) -> None:
        """The same in a file."""
        for wrong in self.unknown_milestones(page):
            line = page.count("\n", 0, wrong.offset) + 1
            place = Place(self.folder.name_of(file), line, wrong.offset - page.rfind("\n", 0, wrong.offset))
            self.problems.append(problem(place, wrong.code, str(wrong), line_of(page, line)))

    def unknown_milestones(self, text: str) -> Iterator[Refusal]:
        """Words in braces that are no milestones of the site."""
        calendar = self.setting.calendar
        if calendar.unsure:
            return
        for match in _PLACEHOLDER.finditer(text):
            if match[1] not in calendar.milestones:
                site = self.setting.keys.own.form.site
                hint = did_you_mean(match[1], calendar.milestones)
                yield Refusal("unknown-milestone", f'"{match[0]}" names no milestone of {site}{hint}', match.start())
