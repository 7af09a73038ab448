"""What was counted, and how Prometheus reads it.

On the way of a request there is nothing but an addition to an int in a dict. Everything else (names, labels, buckets
that add up) is made when somebody scrapes. Labels come from rule files alone: whatever a client sends, however often,
adds no series. Every rule has its series from the start, so that one that is never hit can be seen.
"""

from __future__ import annotations

import platform
from bisect import bisect_left
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from proxy import __version__
from proxy.core.decision import Cause, Outcome
from proxy.core.kind import WRITTEN, Kind
from proxy.core.mapping import MAPPINGS
from proxy.core.schedule import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proxy.core.rulebook import Rulebook
    from proxy.edge.live import LiveTable

OTHER = "other"
"""The `site` of requests that belong to none."""

BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds in seconds: a redirect takes well below a millisecond, an origin may take many."""

_UNMAPPED = frozenset({Kind.KEEP_PATH, Kind.FALLBACK})


class Counts:
    """What a server has done since it was started."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.requests: dict[tuple[str, Outcome, int], int] = {}
        """By site, outcome and status."""
        self.hits: dict[tuple[str, str], int] = {}
        """By site and rule."""
        self.unmapped: dict[str, int] = {}
        """By site."""
        self.upstream_errors: dict[tuple[str, str], int] = {}
        """By site and reason."""
        self.notices: dict[tuple[str, str], int] = {}
        """By site and what became of the notice."""
        self.durations = {outcome: [0] * (len(BUCKETS) + 1) for outcome in Outcome}
        """By outcome: how many fell between one bound and the next."""
        self.seconds = dict.fromkeys(Outcome, 0.0)
        """By outcome: the sum of all durations."""
        self.expect(rulebook)

    def expect(self, rulebook: Rulebook) -> None:
        """Begin the series of every site and rule with 0."""
        for site in rulebook.sites:
            if site.pass_through:
                continue
            self.unmapped.setdefault(site.name, 0)
            for rule in site.rules:
                self.hits.setdefault((site.name, MAPPINGS if rule.mapped else rule.name), 0)
            if site.mappings:
                self.hits.setdefault((site.name, MAPPINGS), 0)

    def answered(self, cause: Cause | None, outcome: Outcome, status: int, seconds: float) -> None:
        """One request was answered with `status` after `seconds`."""
        site = OTHER
        if cause is not None:
            site = cause.site.name
            if cause.kind in WRITTEN:
                hit = (site, MAPPINGS if cause.kind is Kind.MAPPING else cause.rule)
                self.hits[hit] = self.hits.get(hit, 0) + 1
            elif cause.kind in _UNMAPPED:
                self.unmapped[site] = self.unmapped.get(site, 0) + 1
        key = (site, outcome, status)
        self.requests[key] = self.requests.get(key, 0) + 1
        self.durations[outcome][bisect_left(BUCKETS, seconds)] += 1
        self.seconds[outcome] += seconds

    def upstream_failed(self, site: str, reason: str) -> None:
        """An origin did not do its part."""
        key = (site, reason)
        self.upstream_errors[key] = self.upstream_errors.get(key, 0) + 1

    def noticed(self, site: str, outcome: str) -> None:
        """An answer of the phase `notice` took the notice, or did not."""
        key = (site, outcome)
        self.notices[key] = self.notices.get(key, 0) + 1


class Scrape(Collector):
    """Reads counts and the live table when it is asked."""

    def __init__(self, counts: Counts, live: LiveTable) -> None:
        self._counts = counts
        self._live = live

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: names are those that `collect` gives."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every metric of Sunset's own."""
        yield from self._counters()
        yield self._durations()
        yield from self._state()

    def _counters(self) -> Iterator[Metric]:
        counts = self._counts
        requests = CounterMetricFamily(
            "sunset_requests", "Requests answered, by site, outcome and status.", labels=("site", "outcome", "code")
        )
        for (site, outcome, status), count in sorted(counts.requests.items()):
            requests.add_metric((site, outcome, str(status)), count)
        yield requests
        hits = CounterMetricFamily(
            "sunset_rule_hits", "Requests that a rule answered; all rows of mappings together.", labels=("site", "rule")
        )
        for hit, count in sorted(counts.hits.items()):
            hits.add_metric(hit, count)
        yield hits
        unmapped = CounterMetricFamily(
            "sunset_unmapped_requests", "Requests after the cutover that no rule matched.", labels=("site",)
        )
        for site, count in sorted(counts.unmapped.items()):
            unmapped.add_metric((site,), count)
        yield unmapped
        errors = CounterMetricFamily(
            "sunset_upstream_errors", "Requests that an origin failed to answer.", labels=("site", "reason")
        )
        for failure, count in sorted(counts.upstream_errors.items()):
            errors.add_metric(failure, count)
        yield errors
        notices = CounterMetricFamily(
            "sunset_notices", "Forwarded answers in the phase notice, by what became of it.", labels=("site", "outcome")
        )
        for noticed, count in sorted(counts.notices.items()):
            notices.add_metric(noticed, count)
        yield notices

    def _durations(self) -> Metric:
        durations = HistogramMetricFamily(
            "sunset_request_duration_seconds",
            "From the head of a request to the end of its answer.",
            labels=("outcome",),
        )
        bounds = [*map(str, BUCKETS), "+Inf"]
        for outcome, numbers in self._counts.durations.items():
            total = 0
            buckets = []
            for bound, number in zip(bounds, numbers, strict=True):
                total += number
                buckets.append((bound, float(total)))
            durations.add_metric((outcome,), buckets, self._counts.seconds[outcome])
        return durations

    def _state(self) -> Iterator[Metric]:
        phases = GaugeMetricFamily("sunset_phase", "1 for the phase that a site is in.", labels=("site", "phase"))
        cutovers = GaugeMetricFamily(
            "sunset_cutover_timestamp_seconds", "When a site's redirects begin, or began.", labels=("site",)
        )
        for table in self._live.table.sites:
            for phase in Phase:
                phases.add_metric((table.site.name, phase), float(table.phase is phase))
            if table.site.schedule.cutover is not None:
                cutovers.add_metric((table.site.name,), table.site.schedule.cutover.timestamp())
        yield phases
        yield cutovers
        rulebook = GaugeMetricFamily("sunset_rulebook_info", "Which rulebook is in use.", labels=("generation",))
        rulebook.add_metric((self._live.rulebook.generation,), 1.0)
        yield rulebook
        build = GaugeMetricFamily("sunset_build_info", "Which Sunset this is.", labels=("version", "python"))
        build.add_metric((__version__, platform.python_version()), 1.0)
        yield build


class Metrics:
    """The document that Prometheus reads."""

    def __init__(self, counts: Counts, live: LiveTable) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(Scrape(counts, live))
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def document(self, accept: str = "") -> tuple[bytes, str]:
        """The document and its content type, in the newest format that an Accept header asks for."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type
