"""The banner and the announcement page (rule-file key `notice`): their texts, and the milestones that these name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proxy.core.model import Notice
from proxy.errors import Place
from proxy.rulebook.codes import problem
from proxy.rulebook.document import line_of
from proxy.rulebook.folder import MAX_PAGE_BYTES, Folder, decode
from proxy.rulebook.refusal import Refusal, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.errors import Problem
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
    unknown = _unknown_milestones(form.message, setting)
    problems += [filled.refused(refusal, "notice", "message") for refusal in unknown]
    if filled is setting.keys.own:
        for at, pattern in enumerate(form.skip):
            if not setting.lies_in_base(pattern.literal_prefix) and pattern.literal_prefix:
                problems.append(filled.refused(setting.outside_base(f'"{pattern.text}"'), "notice", "skip", at))
    page = ""
    if form.page is not None:
        try:
            page = decode(folder.read_below(form.page, MAX_PAGE_BYTES))
        except Refusal as refusal:
            problems.append(filled.refused(refusal, "notice", "page"))
        file = folder.name_of(form.page)
        for wrong in _unknown_milestones(page, setting):
            line = page.count("\n", 0, wrong.offset) + 1
            place = Place(file, line, wrong.offset - page.rfind("\n", 0, wrong.offset))
            problems.append(problem(place, wrong.code, str(wrong), line_of(page, line)))
    return Notice(
        form.message.strip(), (form.link or "").strip(), page, dismissible=form.dismissible, skip=tuple(form.skip)
    )


def _unknown_milestones(text: str, setting: Setting) -> Iterator[Refusal]:
    """Words in braces that are no milestones of the site."""
    calendar = setting.calendar
    if calendar.unsure:
        return
    for match in _PLACEHOLDER.finditer(text):
        if match[1] not in calendar.milestones:
            site = setting.keys.own.form.site
            hint = did_you_mean(match[1], calendar.milestones)
            yield Refusal("unknown-milestone", f'"{match[0]}" names no milestone of {site}{hint}', match.start())
