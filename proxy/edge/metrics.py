"""How Prometheus reads what was counted: names, labels, and buckets that add up are made when somebody scrapes."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from proxy import __version__
from proxy.core.decision import Outcome
from proxy.core.schedule import Phase
from proxy.edge.counts import BUCKETS
from proxy.errors import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proxy.edge.certificates import Certificates
    from proxy.edge.counts import Counts
    from proxy.edge.live import LiveTable


class Scrape(Collector):
    """Reads counts and the live table when it is asked."""

    def __init__(self, counts: Counts, live: LiveTable, certificates: Certificates | None = None) -> None:
        self._counts = counts
        self._live = live
        self._certificates = certificates

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: names are those that `collect` gives."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every metric of Sunset's own."""
        yield from self._counters()
        yield self._durations()
        yield from self._state()
        yield from self._tls()

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
        refused = CounterMetricFamily(
            "sunset_connections_refused", "Connections of clients that were closed unheard.", labels=("reason",)
        )
        for reason, count in sorted(counts.refused.items()):
            refused.add_metric((reason,), count)
        yield refused

    def _durations(self) -> Metric:
        durations = HistogramMetricFamily(
            "sunset_request_duration_seconds",
            "From the head of a request to the end of its answer.",
            labels=("outcome",),
        )
        bounds = [*map(str, BUCKETS), "+Inf"]
        for outcome in Outcome:
            total = 0
            buckets = []
            for index, bound in enumerate(bounds):
                total += self._counts.durations[outcome, index]
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

    def _tls(self) -> Iterator[Metric]:
        expiries = GaugeMetricFamily(
            "sunset_certificate_expiry_timestamp_seconds",
            "When the certificate that is presented for a name expires.",
            labels=("name",),
        )
        problems = GaugeMetricFamily(
            "sunset_certificate_problems", "What is wrong with the files of certificates.", labels=("severity",)
        )
        lacking = GaugeMetricFamily("sunset_hosts_without_certificate", "Hosts that no certificate is for.")
        if (certificates := self._certificates) is not None:
            for name, ends in sorted(certificates.expiries().items()):
                expiries.add_metric((name,), ends)
            for severity in Severity:
                problems.add_metric((severity,), sum(fault.severity is severity for fault in certificates.faults))
            hosts = {host for site in self._live.rulebook.sites for host in site.hosts}
            lacking.add_metric((), len(certificates.lacking(hosts)))
        yield from (expiries, problems, lacking)


class Metrics:
    """The document that Prometheus reads."""

    def __init__(self, counts: Counts, live: LiveTable, certificates: Certificates | None = None) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(Scrape(counts, live, certificates))
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def document(self, accept: str = "") -> tuple[bytes, str]:
        """The document and its content type, in the newest format that an Accept header asks for."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type
