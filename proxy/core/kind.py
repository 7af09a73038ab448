"""The kinds of rules: what reports and metrics tell apart."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """Which kind of rule made a decision."""

    EXACT = "exact"
    MAPPING = "mapping"
    CAPTURES = "captures"
    REGEX = "regex"
    TAIL = "tail"
    KEEP_PATH = "keep-path"
    FALLBACK = "fallback"
    """What `unmapped` says, where that is not to keep the path."""
    HTTPS = "https"
    PHASE = "phase"
    """No rule: the phase alone decides (forwarded before the cutover, 410 after the end)."""
    LOCAL = "local"

    @property
    def is_written(self) -> bool:
        """Whether somebody wrote the rule, or the row of a mapping, down."""
        return self in WRITTEN


WRITTEN = frozenset({Kind.EXACT, Kind.MAPPING, Kind.CAPTURES, Kind.REGEX, Kind.TAIL})
