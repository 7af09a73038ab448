"""One rule: from what was written to what is meant, with every reference followed (milestones, captures, targets)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.core.model import Action, AnswerGone, AnswerNotFound, PassOn, RedirectTo, Rule
from proxy.core.pattern import PathPattern, RegexPattern
from proxy.core.schedule import Window
from proxy.errors import Severity
from proxy.rulebook.calendar import TWICE
from proxy.rulebook.moment import Moment
from proxy.rulebook.query import parse_condition
from proxy.rulebook.refusal import Refusal
from proxy.rulebook.regex import parse_regex, unusual_escape

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from proxy.core.query import Condition
    from proxy.errors import Problem
    from proxy.rulebook.filled import Filled
    from proxy.rulebook.form import DefaultsForm, RuleForm, SiteForm
    from proxy.rulebook.setting import Setting

_ACTIONS = ("to", "gone", "not_found", "forward")
_OF_REDIRECTS = ("status", "cache", "keep_query")

Headers = tuple[tuple[bytes, bytes], ...]


def build_rule(at: int, form: RuleForm, setting: Setting, problems: list[Problem]) -> Rule | None:
    """The rule at index `at` of its file; `None` where it has a mistake, which is added to `problems`."""
    return _Builder(at, form, setting, problems).rule()


def header_fields(
    headers: Mapping[str, str],
    filled: Filled[SiteForm] | Filled[DefaultsForm],
    problems: list[Problem],
    *loc: int | str,
) -> Headers:
    """Extra headers as they are sent."""
    seen: dict[str, str] = {}
    for name in headers:
        if (first := seen.setdefault(name.lower(), name)) is not name:
            message = f'this is "{first}" again: case does not count in header names'
            problems.append(filled.problem("duplicate-key", message, *loc, name, key=True))
    return tuple((name.encode(), value.encode("latin-1")) for name, value in headers.items())


def has_errors(problems: list[Problem], before: int = 0) -> bool:
    """Whether something worse than a warning was added to `problems` since there were `before` of them."""
    return any(problem.severity is Severity.ERROR for problem in problems[before:])


@dataclass(slots=True)
class _Builder:
    at: int
    form: RuleForm
    setting: Setting
    problems: list[Problem]

    def rule(self) -> Rule | None:
        form, own = self.form, self.setting.keys.own
        before = len(self.problems)
        pattern = self.pattern()
        conditions = self.conditions(pattern)
        window = self.window()
        names = frozenset(pattern.names) if pattern is not None else frozenset[str]()
        names |= frozenset(condition.capture for condition in conditions if condition.capture)
        action = self.action(names if pattern is not None else None)
        headers = header_fields(form.headers, own, self.problems, "rules", self.at, "headers")
        if pattern is None or action is None or window is None or has_errors(self.problems, before):
            return None
        methods = frozenset(form.methods) if form.methods is not None else None
        if methods is not None and b"GET" in methods:
            methods |= {b"HEAD"}
        return Rule(
            pattern,
            action,
            pattern.text,
            own.document.place(("rules", self.at)),
            self.at,
            window,
            conditions,
            methods,
            headers,
            match_slash=self.setting.match_slash if form.match_slash is None else form.match_slash,
            why=form.why or "",
        )

    def pattern(self) -> PathPattern | RegexPattern | None:
        """What the rule is for."""
        form, setting = self.form, self.setting
        if form.path is not None and form.regex is not None:
            self.wrong("conflicting-keys", 'a rule has a "path" or a "regex", not both', "regex", key=True)
            return None
        if form.path is not None:
            if not setting.lies_in_base(form.path.literal_prefix):
                self.refused(setting.outside_base(f'"{form.path.text}"'), "path")
            return form.path
        if form.regex is None:
            self.wrong("missing-key", 'a rule needs a "path" or a "regex"')
            return None
        if form.match_slash is not None:
            message = 'a regex sees the whole path, with its trailing slash; "match_slash" adds nothing'
            self.wrong("conflicting-keys", message, "match_slash", key=True)
        try:
            pattern = parse_regex(form.regex, match_case=setting.match_case)
        except Refusal as refusal:
            self.refused(refusal, "regex")
            return None
        base = setting.base if setting.match_case else setting.base.lower()
        if not pattern.prefix.startswith(base):
            message = f'this expression does not begin with "^{setting.base.decode()}", the base of this site'
            self.wrong("outside-base", message, "regex")
        if found := unusual_escape(form.regex if setting.match_case else form.regex.upper()):
            escape, offset = found
            message = f'paths are compared in a normal form that has no "{escape}"'
            self.wrong("regex-never-matches", message, "regex", offset=offset)
        return pattern

    def conditions(self, pattern: PathPattern | RegexPattern | None) -> tuple[Condition, ...]:
        """The parameters that have to be there."""
        document = self.setting.keys.own.document
        conditions: list[Condition] = []
        taken = set(pattern.names) if pattern is not None else set[str]()
        for name, value in self.form.query.items():
            text = value if isinstance(value, str) else document.written(("rules", self.at, "query", name))
            try:
                condition = parse_condition(name, text)
            except Refusal as refusal:
                self.refused(refusal, "query", name)
                continue
            if condition.capture in taken:
                self.wrong("capture-repeated", f'"{{{condition.capture}}}" is captured twice', "query", name)
            elif condition.capture:
                taken.add(condition.capture)
            conditions.append(condition)
        return tuple(conditions)

    def window(self) -> Window | None:
        """When the rule holds."""
        form, calendar = self.form, self.setting.calendar
        default = self.setting.schedule.after_cutover
        try:
            since = default.since if form.since is None else self.instant("from", form.since)
            until = None if form.until is None else self.instant("until", form.until)
        except Refusal:
            return None
        window = Window(since, until)
        known = form.since is not None or not calendar.milestones or "cutover" in calendar.milestones
        if window.empty and known and not calendar.unsure and since is not None:
            begins = "" if form.since is not None else ', the cutover, as no "from" is written'
            message = f"this rule can never hold: it begins at {since:%Y-%m-%d %H:%M} UTC{begins}"
            self.wrong("window-empty", message, "until")
            return None
        return window

    def instant(self, key: str, value: Moment | str) -> datetime | None:
        """The instant of `from` or `until`. Raises `Refusal`, which is reported already."""
        try:
            instant, twice = self.setting.calendar.when(value)
        except Refusal as refusal:
            if refusal.code != "unknown-milestone" or not self.setting.calendar.unsure:
                self.refused(refusal, key)
            raise
        if twice:
            self.wrong("time-twice", TWICE, key)
        return instant

    def action(self, captures: frozenset[str] | None) -> Action | None:
        """What is done; without known `captures` a target is not looked at closely."""
        form, own = self.form, self.setting.keys.own
        written = [key for key in _ACTIONS if key in form.model_fields_set]
        if not written:
            self.wrong("missing-key", 'a rule says what is done: "to", "gone", "not_found" or "forward"')
            return None
        if len(written) > 1:
            message = f'"{written[0]}" and "{written[1]}" exclude each other'
            self.wrong("conflicting-keys", message, written[1], key=True)
            return None
        if form.to is not None:
            return self.redirect(form.to, captures)
        for key in _OF_REDIRECTS:
            if key in form.model_fields_set:
                message = f'"{key}" says how a redirect is made, and "{written[0]}" makes none'
                self.problems.append(own.problem("conflicting-keys", message, "rules", self.at, key, key=True))
        if form.gone:
            return AnswerGone()
        return AnswerNotFound() if form.not_found else PassOn()

    def redirect(self, text: str, captures: frozenset[str] | None) -> RedirectTo | None:
        """A redirect to what `text` names."""
        form, setting = self.form, self.setting
        try:
            target = setting.parse_target(text, captures or ())
        except Refusal as refusal:
            if (refusal.code == "moves-to-missing" and not setting.has_no_moves_to) or (
                refusal.code == "unknown-capture" and captures is None
            ):
                return None
            self.refused(refusal, "to")
            return None
        return RedirectTo(target, form.status, form.cache, form.keep_query)

    def wrong(self, code: str, message: str, *loc: int | str, key: bool = False, offset: int = 0) -> None:
        """Note a mistake."""
        own = self.setting.keys.own
        self.problems.append(own.problem(code, message, "rules", self.at, *loc, key=key, offset=offset))

    def refused(self, refusal: Refusal, *loc: int | str) -> None:
        """Note a value that cannot be."""
        self.problems.append(self.setting.keys.own.refused(refusal, "rules", self.at, *loc))
