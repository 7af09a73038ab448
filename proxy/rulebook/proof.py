"""Examples and tests: what rule files say about themselves, asked of the decider.

An example is asked at an instant at which its rule holds: the cutover if it does then, else when it begins. A test says
its instant itself; without an offset it is local to whichever site is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from proxy.core.decision import cause_of
from proxy.rulebook.address import Address, AddressError, parse_address, parse_origin_form
from proxy.rulebook.expectation import describe, parse_expectation
from proxy.rulebook.host import WILDCARD
from proxy.rulebook.moment import Moment
from proxy.rulebook.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.core.decision import Decision
    from proxy.core.model import Rule, Site
    from proxy.errors import Problem
    from proxy.rulebook.excerpt import Excerpts
    from proxy.rulebook.filled import Filled
    from proxy.rulebook.form import CaseForm, SiteForm
    from proxy.rulebook.site import Built

_ARROW = " -> "
_ANY_INSTANT = datetime(2000, 1, 1, tzinfo=UTC)
_MOMENT_BEFORE = timedelta(microseconds=1)


@dataclass(slots=True)
class Proved:
    """How many examples and tests were run, and what is wrong with some."""

    examples: int = 0
    tests: int = 0


def prove(built: Iterable[Built], excerpts: Excerpts, problems: list[Problem]) -> Proved:
    """Run all examples and tests, adding to `problems` those that do not hold."""
    proved = Proved()
    for one in built:
        rules = {rule.order: rule for rule in one.site.rules}
        for at, form in enumerate(one.own.form.rules):
            if form.example is not None:
                proved.examples += 1
                _prove_example(form.example, rules[at], one, excerpts, problems)
        for at, case in enumerate(one.own.form.tests):
            proved.tests += 1
            _prove_test(at, case, one, excerpts, problems)
    return proved


def example_address(text: str, site: Site) -> Address:
    """The address on the left of an example; a path is on the first host of the site. Raises `AddressError`."""
    written = text.partition(_ARROW)[0].strip()
    if not written.startswith("/"):
        return parse_address(written)
    host = site.hosts[0]
    if host.startswith(WILDCARD):
        host = "www" + host[1:]
    return Address(host.encode(), parse_origin_form(written), secure=True)


def instant_of(rule: Rule, site: Site) -> datetime | None:
    """An instant at which a rule holds; `None` if there is none."""
    cutover, end = site.schedule.cutover, site.schedule.end
    candidates = [cutover, rule.window.since]
    candidates += [edge - _MOMENT_BEFORE for edge in (rule.window.until, end) if edge is not None]
    for instant in (*candidates, _ANY_INSTANT):
        if instant is not None and instant in rule.window and (end is None or instant < end):
            return instant
    return None


def _prove_example(text: str, rule: Rule, one: Built, excerpts: Excerpts, problems: list[Problem]) -> None:
    own, loc = one.own, ("rules", rule.order, "example")
    _, arrow, expected = text.partition(_ARROW)
    if not arrow:
        problems.append(own.problem("bad-expectation", 'an example is written as "address -> address"', *loc))
        return
    try:
        expectation = parse_expectation(expected, bare_location=True)
        address = example_address(text, one.site)
    except (Refusal, AddressError) as error:
        problems.append(_unreadable(own, error, *loc))
        return
    instant = instant_of(rule, one.site)
    if instant is None:
        problems.append(own.problem("example-failed", "this rule never holds, so its example cannot", *loc))
        return
    method = b"GET" if rule.methods is None or b"GET" in rule.methods else min(rule.methods)
    decision = excerpts.ask(instant, *address[:2], method, secure=address.secure)
    if not expectation.holds(decision):
        message = f"at {instant:%Y-%m-%d %H:%M} UTC the answer is {_told(decision)}"
        problems.append(own.problem("example-failed", message, *loc))
        return
    cause = cause_of(decision)
    if cause is None or cause.place != rule.place:
        problems.append(own.problem("example-elsewhere", f"the answer is right, but it is {_told(decision)}", *loc))


def _prove_test(at: int, case: CaseForm, one: Built, excerpts: Excerpts, problems: list[Problem]) -> None:
    own = one.own
    key = "url"
    try:
        address = parse_address(case.url)
        key = "expect"
        expectation = parse_expectation(case.expect)
        key = "at"
        instant = _instant_of_test(case.at, one)
    except (Refusal, AddressError) as error:
        problems.append(_unreadable(own, error, "tests", at, key))
        return
    decision = excerpts.ask(instant, *address[:2], case.method, secure=address.secure)
    if not expectation.holds(decision):
        message = f"{case.url} at {own.document.written(('tests', at, 'at'))}: the answer is {_told(decision)}"
        problems.append(own.problem("test-failed", message, "tests", at, "expect"))


def _instant_of_test(value: Moment | str, one: Built) -> datetime:
    """An instant, or a datetime without offset for a local time. Raises `Refusal`."""
    if isinstance(value, Moment):
        return value.wall if value.offset is None else value.wall.replace(tzinfo=value.offset).astimezone(UTC)
    instant, _ = one.calendar.when(value)
    if instant is None:
        raise Refusal("unknown-milestone", "a test is made at one instant: a date, a time, or a milestone")
    return instant


def _unreadable(own: Filled[SiteForm], error: Refusal | AddressError, *loc: int | str) -> Problem:
    if isinstance(error, Refusal):
        return own.refused(error, *loc)
    return own.problem("bad-address", str(error), *loc)


def _told(decision: Decision) -> str:
    """What was answered, and by which line."""
    cause = cause_of(decision)
    place = getattr(decision, "place", None) or (cause.place if cause is not None else None)
    return describe(decision) if place is None else f"{describe(decision)} ({place})"
