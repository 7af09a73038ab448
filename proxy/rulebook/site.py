"""One site: from its form to what the core compiles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING

from proxy.core.model import (
    Action,
    AnswerGone,
    AnswerNotFound,
    HostSent,
    Https,
    KeepPath,
    LocalFile,
    Notice,
    OriginFailure,
    OriginTls,
    PassOn,
    RedirectTo,
    Rule,
    Site,
)
from proxy.core.pattern import RegexPattern
from proxy.rulebook.calendar import Calendar, build_calendar, build_schedule
from proxy.rulebook.folder import MAX_CSV_BYTES, MAX_PAGE_BYTES, Folder
from proxy.rulebook.form import UNTOUCHED
from proxy.rulebook.keys import Keys
from proxy.rulebook.mapping import Mappings
from proxy.rulebook.notice import build_notice
from proxy.rulebook.origin import parse_authorities
from proxy.rulebook.refusal import Refusal, did_you_mean
from proxy.rulebook.regex import with_families
from proxy.rulebook.rule import Headers, build_rule, header_fields
from proxy.rulebook.setting import Setting, check_captures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proxy.core.schedule import Schedule
    from proxy.core.target import Target
    from proxy.errors import Problem
    from proxy.rulebook.filled import Filled
    from proxy.rulebook.form import SiteForm
    from proxy.rulebook.frame import Frame

_UNMAPPED: Mapping[str, Action] = {"keep-path": KeepPath(), "gone": AnswerGone(), "not-found": AnswerNotFound()}

_CONTENT_TYPES = {
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".xml": "application/xml",
    ".html": "text/html; charset=utf-8",
}
_WITHOUT_SUFFIX = {"apple-app-site-association": "application/json", "openid-configuration": "application/json"}
_UNKNOWN_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Built:
    """A site, the form that it came from, and the hosts that its mappings lead to."""

    site: Site
    own: Filled[SiteForm]
    calendar: Calendar
    mapped_hosts: frozenset[str] = frozenset()


def build_site(own: Filled[SiteForm], frame: Frame, folder: Folder, problems: list[Problem]) -> Built:
    """The site that a form describes. Mistakes are added to `problems`; then the site is not to be used."""
    return _Builder(Keys(own, frame), folder, problems).built()


@dataclass(slots=True)
class _Builder:
    keys: Keys
    folder: Folder
    problems: list[Problem]

    def built(self) -> Built:
        keys, own = self.keys, self.keys.own
        form = own.form
        self.check_pass_through()
        zone = keys.of("timezone").form.timezone
        calendar = Calendar(zone, unsure=not keys.sure("schedule"))
        if not form.pass_through:
            assumed = zone if keys.sure("timezone") else UTC
            calendar = build_calendar(own, keys.frame.defaults, assumed, self.problems, unsure=calendar.unsure)
        schedule = build_schedule(calendar, keys.of("soak").form.soak)
        hosts = self.hosts()
        moves_to = self.moves_to(hosts)
        setting = Setting(
            keys,
            calendar,
            schedule,
            hosts,
            form.base,
            keys.of("match_case").form.match_case,
            keys.of("match_slash").form.match_slash,
            moves_to,
        )
        mappings = self.mappings(setting)
        rules = (*self.rules(setting), *mappings.rules)
        self.check_origin(schedule, rules)
        site = Site(
            form.site,
            hosts,
            own.document.key_place(("site",)),
            base=form.base,
            language=keys.of("language").form.language,
            timezone=zone or UTC,
            schedule=schedule,
            origins=keys.of("origin").form.origin,
            origin_networks=tuple(keys.of("origin_networks").form.origin_networks),
            origin_tls=self.origin_tls(),
            host=HostSent(keys.of("host").form.host),
            when_origin_fails=OriginFailure(keys.of("when_origin_fails").form.when_origin_fails),
            moves_to=moves_to,
            pass_through=form.pass_through,
            rules=rules,
            mappings=mappings.table(self.problems),
            unmapped=self.unmapped(setting),
            status=keys.of("status").form.status,
            cache=keys.of("cache").form.cache,
            keep_query=keys.of("keep_query").form.keep_query,
            match_case=setting.match_case,
            match_slash=setting.match_slash,
            https=Https(keys.of("https").form.https),
            hsts=keys.of("hsts").form.hsts,
            headers=self.headers(),
            well_known=self.well_known(),
            robots=self.robots(),
            sitemap=keys.of("sitemap").form.sitemap,
            notice=self.notice(setting),
        )
        return Built(site, own, calendar, frozenset(mappings.hosts))

    # What the site is

    def check_pass_through(self) -> None:
        """A site that is passed through has no keys for what is done to others."""
        own = self.keys.own
        if own.form.pass_through:
            for key in own.form.model_fields_set - UNTOUCHED:
                message = f'"pass_through" leaves everything as it is, so "{key}" can do nothing'
                self.problems.append(own.problem("conflicting-keys", message, key, key=True))

    def hosts(self) -> tuple[str, ...]:
        """The hosts, each once."""
        own = self.keys.own
        seen: set[str] = set()
        for at, host in enumerate(own.form.hosts):
            if host in seen:
                self.problems.append(own.problem("host-repeated", f'"{host}" stands here already', "hosts", at))
            seen.add(host)
        return tuple(dict.fromkeys(own.form.hosts))

    def moves_to(self, hosts: tuple[str, ...]) -> Target | None:
        """Where the site moves."""
        filled = self.keys.of("moves_to")
        text = filled.form.moves_to
        if text is None:
            return None
        try:
            target = self.keys.frame.parse_target(text)
            check_captures(target, text, (), hosts)
        except Refusal as refusal:
            self.problems.append(filled.refused(refusal, "moves_to"))
            return None
        if target.fragment or any(isinstance(part, bytes) and b"?" in part for part in target.parts):
            offset = min(text.index(mark) for mark in "?#" if mark in text)
            message = "the path is put behind this, so it has no query and no fragment"
            self.problems.append(filled.problem("bad-target", message, "moves_to", offset=offset))
        return target

    def check_origin(self, schedule: Schedule, rules: tuple[Rule, ...]) -> None:
        """Who is forwarded needs an origin."""
        keys, own = self.keys, self.keys.own
        if keys.of("origin").form.origin or not keys.sure("origin") or not keys.sure("schedule"):
            return
        for rule in rules:
            if isinstance(rule.action, PassOn):
                message = 'this rule forwards, and no "origin" says where to'
                self.problems.append(own.problem("origin-missing", message, "rules", rule.order))
                return
        if own.form.pass_through or schedule.milestones:
            when = "for ever" if own.form.pass_through else "before its cutover"
            self.problems.append(
                own.problem("origin-missing", f'this site is forwarded {when}, and no "origin" says where to')
            )

    def origin_tls(self) -> OriginTls:
        """How its origin proves who it is."""
        filled = self.keys.of("origin_tls")
        form = filled.form.origin_tls
        if form is None:
            return OriginTls()
        authorities = ""
        if form.ca is not None:
            try:
                authorities = parse_authorities(self.folder.read_below(form.ca, MAX_PAGE_BYTES))
            except Refusal as refusal:
                self.problems.append(filled.refused(refusal, "origin_tls", "ca"))
        return OriginTls(form.name or "", authorities, form.verify)

    # What it does

    def rules(self, setting: Setting) -> tuple[Rule, ...]:
        """The rules of the file."""
        built = [build_rule(at, rule, setting, self.problems) for at, rule in enumerate(self.keys.own.form.rules)]
        rules = [rule for rule in built if rule is not None]
        regexes = [rule.pattern for rule in rules if isinstance(rule.pattern, RegexPattern)]
        families = with_families(regexes, match_case=setting.match_case)
        return tuple(
            replace(rule, pattern=next(families)) if isinstance(rule.pattern, RegexPattern) else rule for rule in rules
        )

    def mappings(self, setting: Setting) -> Mappings:
        """What its mapping files say."""
        form = self.keys.own.form
        mappings = Mappings(setting, len(form.rules))
        for at, name in enumerate(form.mappings):
            try:
                with self.folder.stream_below(name, MAX_CSV_BYTES) as stream:
                    mappings.read(self.folder.name_of(name), stream, self.problems)
            except Refusal as refusal:
                self.problems.append(self.keys.own.refused(refusal, "mappings", at))
        return mappings

    def unmapped(self, setting: Setting) -> Action:
        """What is done where no rule matches."""
        filled = self.keys.of("unmapped")
        text = filled.form.unmapped
        if text is None:
            return KeepPath() if setting.moves_to is not None else AnswerGone()
        if (known := _UNMAPPED.get(text)) is not None:
            if isinstance(known, KeepPath) and setting.moves_to is None:
                if setting.has_no_moves_to:
                    message = 'a path is kept behind "moves_to", which this site does not have'
                    self.problems.append(filled.problem("moves-to-missing", message, "unmapped"))
                return AnswerGone()
            return known
        if "/" not in text:
            message = f'"{text}" is not a URL, and no word known here{did_you_mean(text, _UNMAPPED)}'
            self.problems.append(filled.problem("wrong-value", message, "unmapped"))
            return AnswerGone()
        try:
            return RedirectTo(setting.parse_target(text))
        except Refusal as refusal:
            if refusal.code != "moves-to-missing" or setting.has_no_moves_to:
                self.problems.append(filled.refused(refusal, "unmapped"))
            return AnswerGone()

    def notice(self, setting: Setting) -> Notice | None:
        """The banner and the announcement."""
        filled = self.keys.of("notice")
        form = filled.form.notice
        return None if form is None else build_notice(form, filled, setting, self.folder, self.problems)

    # What it serves

    def headers(self) -> Headers:
        """The extra headers of all answers."""
        filled = self.keys.of("headers")
        return header_fields(filled.form.headers, filled, self.problems, "headers")

    def robots(self) -> bool:
        """Whether robots.txt is served here: it is the host's, so only the site at the root has one."""
        return self.keys.of("robots").form.robots and self.at_root("robots")

    def well_known(self) -> Mapping[bytes, LocalFile]:
        """The well-known files with their contents."""
        filled = self.keys.of("well_known")
        files: dict[bytes, LocalFile] = {}
        if not filled.form.well_known or not self.at_root("well_known"):
            return MappingProxyType(files)
        for name, path in filled.form.well_known.items():
            try:
                content = self.folder.read_below(path, MAX_PAGE_BYTES)
            except Refusal as refusal:
                self.problems.append(filled.refused(refusal, "well_known", name.decode()))
                continue
            files[name] = LocalFile(content, _content_type(name.decode()))
        return MappingProxyType(files)

    def at_root(self, key: str) -> bool:
        """Whether the site's base is `/`; that it is not is a mistake if the key is the site's own."""
        own = self.keys.own
        if not own.form.base:
            return True
        if own.has(key):
            message = (
                f'"{key}" is about files at the root of a host, and this site begins at "{own.form.base.decode()}"'
            )
            self.problems.append(own.problem("needs-root-base", message, key, key=True))
        return False


def _content_type(name: str) -> str:
    path = PurePosixPath(name)
    return _CONTENT_TYPES.get(path.suffix.lower()) or _WITHOUT_SUFFIX.get(path.name, _UNKNOWN_TYPE)
