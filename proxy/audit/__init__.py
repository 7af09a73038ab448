"""The audit: does every old address that has traffic lead to the right new place?

    files -> read_addresses -> audit(table, ...) -> Report -> write_report, show

All is streamed up to the report, which keeps every address once. What a command does with it:

    table = table_at_cutover(rulebook)          # or rulebook.at(...), rulebook.at_local(...)
    addresses = read_addresses(files, progress=told)      # told(addresses, bytes_read, bytes_in_all_or_None)
    report = audit(table, addresses, at=AT_CUTOVER)       # raises SunsetError for a file that cannot be read
    write_report(report, Format.CSV, stream)              # a binary stream; show(report, console) on a terminal
    passed = report.coverage >= fail_under and not report.skipped

What *covered* means is said in `coverage.is_covered`.
"""

from proxy.audit.coverage import Row, Standing, is_covered
from proxy.audit.cutover import AT_CUTOVER, table_at_cutover
from proxy.audit.findings import MANY, Crowd, Example, Finding, FindingKind
from proxy.audit.format_terminal import show
from proxy.audit.formats import Format, write_report
from proxy.audit.old_address import OldAddress, Progress, Skipped
from proxy.audit.readers import STDIN, read_addresses
from proxy.audit.report import COLUMNS, Report, Tally, audit

__all__ = [
    "AT_CUTOVER",
    "COLUMNS",
    "MANY",
    "STDIN",
    "Crowd",
    "Example",
    "Finding",
    "FindingKind",
    "Format",
    "OldAddress",
    "Progress",
    "Report",
    "Row",
    "Skipped",
    "Standing",
    "Tally",
    "audit",
    "is_covered",
    "read_addresses",
    "show",
    "table_at_cutover",
    "write_report",
]
