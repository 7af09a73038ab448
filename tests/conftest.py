"""For all tests: how hypothesis searches, and that what was measured is shown at the end."""

import os
import signal

import pytest
from hypothesis import settings

# Shared machines stall: how long an example takes is for bench/ to say. In CI the same examples come every time, so
# that a change is judged by what it changed; on other machines each run looks at new ones.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

# A shell that runs something in the background has it ignore Ctrl-C, and every process that it starts does so too; what
# tests start is to be interrupted all the same.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the figures that tests have noted, as `tests/threats` does."""
    figures = sorted(
        str(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, value in report.user_properties
        if name == "figure"
    )
    if figures:
        terminalreporter.section("figures")
        terminalreporter.write_line("\n".join(figures))
