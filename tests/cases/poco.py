"""The lines of poco.yaml: what the shipped rules must answer, for whoever asks them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import yaml

TOP = Path(__file__).parent.parent.parent
RULES = TOP / "rules"


@dataclass(frozen=True)
class Case:
    """An address, an instant (`at` as it is written, with or without an offset), and what is expected."""

    url: str
    at: str
    method: str
    expect: str

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def target(self) -> str:
        """The request target as a browser sends it: without the fragment."""
        return self.url.split(self.host, 1)[1].partition("#")[0]

    def instant(self, zone: str) -> datetime:
        """`at` as an instant; without an offset it is local to `zone`."""
        moment = datetime.fromisoformat(self.at)
        return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)

    def __str__(self) -> str:
        return f"{self.method} {self.url} at {self.at}"


def cases() -> list[Case]:
    """All lines of the file."""
    return [
        Case(line["url"], _text(line["at"]), line.get("method", "GET"), str(line["expect"]))
        for line in yaml.safe_load((TOP / "tests/cases/poco.yaml").read_text())
    ]


def _text(at: date | str) -> str:
    return at.isoformat() if isinstance(at, date) else at
