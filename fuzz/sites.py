"""The rule files that deciders and servers are asked about, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

RULES = Path(__file__).parent / "rules"
LISTED = ("new.example", "*.new.example")
"""The hosts that `RULES` may lead to."""

INSTANTS = (datetime(2024, 6, 1, tzinfo=UTC), datetime(2024, 11, 1, tzinfo=UTC), datetime(2025, 6, 1, tzinfo=UTC))
"""Before the notice, with it, and after the cutover of `RULES`."""
