"""The table that an audit asks when nobody names an instant: every site as it is once its own cutover has come.

An audit is about what will be, and sites cross their cutovers at different instants; no single one would do, as the
first site may have come to its end before the last one moves.
"""

from __future__ import annotations

from datetime import UTC, datetime

from proxy.core.compile import compile_site, compile_table
from proxy.core.rulebook import Rulebook
from proxy.core.schedule import Window
from proxy.core.table import Table

AT_CUTOVER = "each site's own cutover"
"""How a report names this instant."""


def table_at_cutover(rulebook: Rulebook) -> Table:
    """Every site at its cutover; one that names none, as it is when the last of the others has moved.

    The table has no `since` and no `until`, as it is no single instant's.
    """
    cutovers = [site.schedule.cutover for site in rulebook.sites if site.schedule.cutover is not None]
    last = max(cutovers, default=max(rulebook.edges, default=datetime.max.replace(tzinfo=UTC)))
    return compile_table([compile_site(site, site.schedule.cutover or last) for site in rulebook.sites], Window())
