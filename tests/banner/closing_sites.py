"""Sites that are about to close, in several languages."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from proxy.core.model import Notice, Site
from proxy.core.schedule import Schedule
from proxy.errors import Place

MESSAGE = "This site closes on {cutover}."
NOTICE = Notice(MESSAGE, link="What changes for you", pages={"en": "# All of it"}, dismissible=True)


def closing_site(language: str = "en-GB", zone: str = "Europe/London", **more: Any) -> Site:
    """A site that closes with the year 2024, by its own clocks."""
    timezone = ZoneInfo(zone)
    milestones = {"notice": datetime(2024, 10, 9, tzinfo=timezone), "cutover": datetime(2024, 12, 31, tzinfo=timezone)}
    site = Site(
        "poco-uk",
        ("po.co",),
        Place("poco-uk.yaml", 1, 1),
        base=b"/uk",
        language=language,
        timezone=timezone,
        schedule=Schedule({name: instant.astimezone(UTC) for name, instant in milestones.items()}),
        notice=NOTICE,
    )
    return replace(site, **more)
