"""rulebook.yaml, which holds for all sites: where redirects may lead, and what a site need not say itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.core.target import Target, TargetError, is_listed, parse_target
from proxy.rulebook.filled import Filled, fill
from proxy.rulebook.form import DefaultsForm, RulebookForm
from proxy.rulebook.refusal import Refusal, did_you_mean

if TYPE_CHECKING:
    from proxy.errors import Problem
    from proxy.rulebook.document import Document

RULEBOOK_FILE = "rulebook.yaml"
OTHER_RULEBOOK_FILE = "rulebook.yml"


EVERY_KEY = frozenset(DefaultsForm.model_fields)


@dataclass(frozen=True, slots=True)
class Frame:
    """`targets` is `None` where nothing names any; `unsure` names the keys in which something was wrong."""

    targets: tuple[str, ...] | None = None
    defaults: Filled[DefaultsForm] | None = None
    unsure: frozenset[str] = frozenset()

    def parse_target(self, text: str, home: Target | None = None) -> Target:
        """A target that visitors may be sent to. Raises `Refusal`."""
        try:
            target = parse_target(text, home)
        except TargetError as error:
            raise Refusal("bad-target", str(error), error.offset) from None
        self.check(target.host)
        return target

    def check(self, host: str) -> None:
        """Refuse a host that is not listed; that there is no list at all is said once for all. Raises `Refusal`."""
        if self.targets is None or "targets" in self.unsure or is_listed(host, self.targets):
            return
        message = f'"{host}" is not one of the targets in {RULEBOOK_FILE}{did_you_mean(host, self.targets)}'
        raise Refusal("target-not-listed", message)


NOTHING_SURE = Frame(unsure=EVERY_KEY | {"targets"})
"""In place of a rulebook.yaml that cannot be read."""


def build_frame(document: Document, problems: list[Problem]) -> Frame:
    """What a rulebook.yaml says."""
    filled = fill(RulebookForm, document, problems)
    if filled is None:
        return NOTHING_SURE
    form = filled.form
    unsure = filled.broken_keys & {"targets"}
    defaults = None
    if form.defaults is not None:
        defaults = Filled(form.defaults, filled.document, ("defaults",), filled.broken)
        unsure |= defaults.broken_keys
    elif "defaults" in filled.broken_keys:
        unsure |= EVERY_KEY
    return Frame(tuple(form.targets) if form.targets is not None else None, defaults, unsure)
