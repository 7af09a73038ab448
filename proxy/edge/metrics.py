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

    from proxy.edge.counts import Counts
    from proxy.edge.house import House


class Scrape(Collector):
    """Reads counts and how the server stands when it is asked."""

    def __init__(self, counts: Counts, house: House) -> None:
        self._counts = counts
        self._house = house

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: names are those that `collect` gives."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every metric of Sunset's own."""
        yield from self._counters()
        yield self._durations()
        yield from self._sites()
        yield from self._rulebook()
        yield from self._processes()
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
        lost = CounterMetricFamily(
            "sunset_access_log_lines_lost", "Requests whose line of the access log was not written.", labels=("reason",)
        )
        for reason, count in sorted(counts.lines_lost.items()):
            lost.add_metric((reason,), count)
        yield lost

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

    def _sites(self) -> Iterator[Metric]:
        phases = GaugeMetricFamily("sunset_phase", "1 for the phase that a site is in.", labels=("site", "phase"))
        cutovers = GaugeMetricFamily(
            "sunset_cutover_timestamp_seconds", "When a site's redirects begin, or began.", labels=("site",)
        )
        outline, now = self._house.outline, self._house.clock.now()
        for site in () if outline is None else outline.sites:
            current = site.phase_at(now)
            for phase in Phase:
                phases.add_metric((site.name, phase), float(current is phase))
            if site.schedule.cutover is not None:
                cutovers.add_metric((site.name,), site.schedule.cutover.timestamp())
        yield phases
        yield cutovers

    def _rulebook(self) -> Iterator[Metric]:
        status = self._house.status
        rulebook = GaugeMetricFamily("sunset_rulebook_info", "Which rulebook is in use.", labels=("generation",))
        if status.generation:
            rulebook.add_metric((status.generation,), 1.0)
        yield rulebook
        yield GaugeMetricFamily(
            "sunset_rulebook_rules", "Rules and rows of mappings, of all sites.", value=float(status.rules)
        )
        yield GaugeMetricFamily(
            "sunset_rulebook_last_reload_successful",
            "0 where the last reload was refused, so that older rules are still in use.",
            value=float(status.reload is None or status.reload.ok),
        )
        yield GaugeMetricFamily(
            "sunset_rulebook_last_reload_success_timestamp_seconds",
            "When rules were last loaded with success.",
            value=0.0 if status.loaded is None else status.loaded.timestamp(),
        )

    def _processes(self) -> Iterator[Metric]:
        status = self._house.status
        workers = GaugeMetricFamily("sunset_workers", "Processes that answer clients.", labels=("state",))
        states = [worker.state for worker in status.workers]
        for state in ("accepting", "starting", "finishing"):
            workers.add_metric((state,), states.count(state))
        yield workers
        yield CounterMetricFamily(
            "sunset_worker_restarts", "Workers that died and were replaced.", value=status.restarts["worker"]
        )
        yield GaugeMetricFamily(
            "sunset_connections", "Clients that are connected.", value=sum(self._house.connections.values())
        )
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
        if (certificates := self._house.certificates) is not None:
            for name, ends in sorted(certificates.expiries().items()):
                expiries.add_metric((name,), ends)
            for severity in Severity:
                problems.add_metric((severity,), sum(fault.severity is severity for fault in certificates.faults))
            outline = self._house.outline
            hosts = {host for site in (() if outline is None else outline.sites) for host in site.hosts}
            lacking.add_metric((), len(certificates.lacking(hosts)))
        yield from (expiries, problems, lacking)


class Metrics:
    """The document that Prometheus reads."""

    def __init__(self, counts: Counts, house: House) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(Scrape(counts, house))
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def document(self, accept: str = "") -> tuple[bytes, str]:
        """The document and its content type, in the newest format that an Accept header asks for."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type
