"""What may be written into a rule file, key by key: the manual, the JSON Schema and the first check in one.

A form holds what one value alone can say: its type, and what it reads as. What needs other values (milestones, time
zones, the list of targets, files) is left to `site` and `rule`. Whether a key was written is asked of
`model_fields_set`.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from proxy.core.model import DEFAULT_CACHE_SECONDS
from proxy.core.query import KEEP_ALL
from proxy.rulebook.field import (
    Base,
    Duration,
    Expectation,
    Headers,
    Host,
    Hsts,
    HttpsChoice,
    KeptQuery,
    Language,
    MaybeDuration,
    MaybeKeptQuery,
    MaybePath,
    MaybeStatus,
    MaybeText,
    MaybeTextByLanguage,
    MaybeWhen,
    MaybeZone,
    Meanings,
    Method,
    Milestones,
    Name,
    Network,
    NotNull,
    Origins,
    Path,
    QueryValue,
    Status,
    Text,
    WellKnown,
    When,
    Yes,
)

PROSE: Final = frozenset({"message", "link", "timeline", "why"})
"""The keys whose value is text for people, and may run over several lines."""

PER_SITE: Final = frozenset({"site", "hosts", "base", "pass_through", "rules", "mappings", "tests"})
"""The keys that belong to one site, and so have no default."""

UNTOUCHED: Final = frozenset(
    {
        "site",
        "hosts",
        "base",
        "pass_through",
        "language",
        "timezone",
        "origin",
        "origin_networks",
        "origin_tls",
        "host",
        "match_case",
        "tests",
    }
)
"""The keys that mean something for a site that is passed through; it takes no others from the defaults."""


class Form(BaseModel):
    """What every form has in common: values are taken as they are, and no key goes unnoticed."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, arbitrary_types_allowed=True)


def _one_of(*keys: str) -> list[JsonValue]:
    return [{"required": [key]} for key in keys]


def _pass_through_alone(schema: dict[str, JsonValue]) -> None:
    """Say in the schema of a site what `pass_through` excludes."""
    others = [key for key in SiteForm.model_fields if key not in UNTOUCHED]
    schema["not"] = {"required": ["pass_through"], "anyOf": _one_of(*others)}


class NoticeForm(Form):
    """The banner on every page in the phase `notice`, and the announcement behind it."""

    message: Text = Field(description="The banner's text. `{cutover}`, or any milestone in braces, becomes that date.")
    link: MaybeText = Field(None, description="The text of the link to the announcement.")
    page: MaybeTextByLanguage = Field(
        None,
        description="The announcement: a Markdown file in the rule folder, served at `{base}/.sunset/notice`; or one "
        "for each language, `{en: notice.en.md, fr: notice.fr.md}`. A file alone is in the site's language.",
    )
    timeline: Meanings = Field(
        {},
        description="What milestones mean to visitors, for the announcement's timeline: by milestone a text in the "
        "site's language, or one for each language. `notice`, `cutover` and `end` have texts of their own; any other "
        "milestone is shown if it has one here.",
    )
    dismissible: bool = Field(False, description="Whether visitors can close the banner.")
    skip: list[Path] = Field([], description="No notice on these pages; patterns as in a rule's `path`.")


class OriginTlsForm(Form):
    """How an origin proves who it is."""

    name: Annotated[Host | None, NotNull] = Field(
        None, description="The name to ask for (SNI) and to look for in the certificate, in place of the origin's host."
    )
    ca: MaybeText = Field(
        None, description="A PEM file in the rule folder: the authorities to trust, in place of the machine's."
    )
    verify: bool = Field(True, description="Whether the certificate is looked at; `false` trusts anybody.")


class CaseForm(Form):
    """An address, an instant, and what is answered then. A test that does not hold is an error."""

    url: Text = Field(description="The whole address.")
    at: When = Field(
        description="A date or time, local to the asked site where it names no offset, or a milestone of this site."
    )
    expect: Expectation = Field(
        description="`forward`, `forward+notice`, `local`, a status (`410`), or a status and the whole target "
        "(`301 https://www.example.com/`)."
    )
    method: Method = Field(b"GET", description="The request's method.")


class RuleForm(Form):
    """One line of intent: a pattern, a window, and what is done."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                {"oneOf": _one_of("path", "regex")},
                {"oneOf": _one_of("to", "gone", "not_found", "forward")},
                {"not": {"required": ["regex", "match_slash"]}},
                {"anyOf": [{"required": ["to"]}, {"not": {"anyOf": _one_of("status", "cache", "keep_query")}}]},
            ]
        }
    )

    path: MaybePath = Field(
        None,
        description="A path from the root of the host: exact (`/uk/a`; a trailing slash makes no difference), with "
        "captures of one segment each (`/uk/{topic}/x`), or with all below it (`/uk/cart/*`).",
    )
    regex: MaybeText = Field(
        None, description="An RE2 expression for the whole path, with its trailing slash; begins with `^` and the base."
    )
    query: dict[str, QueryValue] = Field(
        {}, description='Parameters that must be there: a value, `"*"` for any, or a capture `"{name}"`.'
    )
    methods: Annotated[list[Method] | None, NotNull] = Field(
        None, description="The methods that it is for; GET takes HEAD along. Without it: all.", min_length=1
    )
    to: MaybeText = Field(
        None,
        description="Where it leads: a path on the host of `moves_to`, or a whole URL on one of the `targets`. "
        "Captures stand in braces: `{topic}`; `{*}` is what follows the slash of `/*`, `{1}` a group of a regex, "
        "`{*host}` what stood for the `*` of a host.",
    )
    gone: Yes = Field(False, description="Answers 410.")
    not_found: Yes = Field(False, description="Answers 404.")
    forward: Yes = Field(False, description="Forwards to the origin, also after the cutover.")
    since: MaybeWhen = Field(
        None, alias="from", description="When it begins: a milestone, a date, or `always`. Without it: the cutover."
    )
    until: MaybeWhen = Field(None, description="When it ends: a milestone, a date, or `always`. Without it: never.")
    status: MaybeStatus = Field(None, description="What the redirect is, whenever it is in force.")
    cache: MaybeDuration = Field(None, description="For how long the redirect may be kept (max-age).")
    keep_query: MaybeKeptQuery = Field(None, description="As at the site, for this redirect.")
    headers: Headers = Field({}, description="Extra response headers; they replace the site's of the same name.")
    match_slash: Annotated[bool | None, NotNull] = Field(
        None, description="As at the site, for this rule: whether the trailing slash has to be as in `path`."
    )
    why: MaybeText = Field(None, description="For whoever reads the rule in two years.")
    example: MaybeText = Field(
        None, description="`address -> address`, an address and what it leads to while the rule holds; checked at load."
    )


class DefaultsForm(Form):
    """What holds for all sites that do not say otherwise. A schedule is merged by milestone."""

    language: Language = Field("en", description="The language of the pages that Sunset answers (BCP 47).")
    timezone: MaybeZone = Field(
        None, description="An IANA time zone; dates and times that name no offset are local to it."
    )
    origin: Origins = Field(
        (), description="Where the old site still runs: scheme, host, port. Forwarded to until the cutover."
    )
    origin_networks: list[Network] = Field(
        [], description="Networks that the origin's name may resolve into, although they are private."
    )
    origin_tls: Annotated[OriginTlsForm | None, NotNull] = Field(
        None, description="How the origin proves who it is, where it is asked by https."
    )
    host: Literal["keep", "origin"] = Field(
        "keep", description="The Host that the origin is asked for: the client's (`keep`), or the origin's own."
    )
    when_origin_fails: Literal["error", "redirect"] = Field(
        "error",
        description="What visitors get when no origin answers: a page that says so, or, in the phase `notice` and "
        "where the new address of the page is known, a temporary redirect there.",
    )
    moves_to: MaybeText = Field(
        None,
        description="Where the site moves: from the cutover on, what follows the base, and the query, go behind it.",
    )
    schedule: Milestones = Field(
        {},
        description="Milestones by name. `notice`, `cutover` and `end` begin the phases of those names; others are the "
        "site's own. Nothing (`null`) drops one of the defaults. Without any the site is past its cutover, from ever.",
    )
    soak: Duration = Field(0, description="For so long after the cutover redirects are temporary (302).")
    notice: Annotated[NoticeForm | None, NotNull] = Field(None, description="The banner and the announcement.")
    unmapped: MaybeText = Field(
        None,
        description="After the cutover, for what no rule matches: `keep-path`, `gone`, `not-found`, or a URL. Without "
        "it `keep-path`, or `gone` where there is no `moves_to`.",
    )
    keep_query: KeptQuery = Field(
        KEEP_ALL,
        description='What of a query goes along: `true`, `false`, a list of names, or all but `{drop: ["utm_*"]}`.',
    )
    status: Status = Field(301, description="What a redirect is after the cutover.")
    cache: Duration = Field(DEFAULT_CACHE_SECONDS, description="For how long a redirect may be kept (max-age).")
    match_case: bool = Field(True, description="Whether case counts in base, paths and regexes.")
    match_slash: bool = Field(False, description="Whether `/a`, `/a/` and `/a/*` are three things.")
    https: HttpsChoice = Field(
        "allow",
        description="`allow`: a redirect goes straight to its target from either scheme. `redirect`: plain HTTP is "
        "sent to https on the same host first, as HSTS preloading asks.",
    )
    hsts: Hsts = Field(
        b"",
        description="Strict-Transport-Security: max-age, or a mapping of `max_age`, `include_subdomains`, `preload`.",
    )
    well_known: WellKnown = Field(
        {},
        description="Files served below `/.well-known/` as they are, not redirected: name to file in the rule folder.",
    )
    robots: bool = Field(False, description="Whether Sunset serves a robots.txt that allows all, after the cutover.")
    sitemap: bool = Field(False, description="Whether Sunset serves a sitemap of the old addresses, after the cutover.")
    headers: Headers = Field({}, description="Extra response headers; none that frame, cache or redirect.")


class SiteForm(DefaultsForm):
    """One site that is being retired: hosts, a base path, a schedule, rules."""

    model_config = ConfigDict(json_schema_extra=_pass_through_alone)

    site: Name = Field(description="The site's name, in reports and metrics.")
    hosts: list[Host] = Field(
        description="DNS names; `*.po.co` takes every name below po.co. A name goes before a wildcard.", min_length=1
    )
    base: Base = Field(b"", description="The path below which the site owns everything. Of two the longer wins.")
    pass_through: Yes = Field(
        False,
        description="Forwarded untouched, for ever: no notice, no redirect. In place of `moves_to` and `schedule`.",
    )
    rules: list[RuleForm] = Field([], description="What is not simply kept: the more exact pattern wins.")
    mappings: list[Text] = Field(
        [], description="CSV files in the rule folder with the columns old, new and perhaps status."
    )
    tests: list[CaseForm] = Field([], description="Addresses and what is answered; checked at load.")


class RulebookForm(Form):
    """rulebook.yaml: what holds for all sites."""

    targets: Annotated[list[Host] | None, NotNull] = Field(
        None, description="The only hosts that a redirect may lead to; `*.mi.com` lists every name below mi.com."
    )
    defaults: Annotated[DefaultsForm | None, NotNull] = Field(
        None, description="Any key of a site file that does not belong to one site alone; a site's own key wins."
    )
