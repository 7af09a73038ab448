"""How a server stands: what `/status` tells, and what the supervisor tells the desk whenever it changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from proxy.edge.verdict import Verdict


class Stage(StrEnum):
    """How far a server is."""

    STARTING = "starting"
    SERVING = "serving"
    STOPPING = "stopping"


class Age(StrEnum):
    """How far a generation of workers is."""

    COMING = "coming"
    CURRENT = "current"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One worker. `restarts` counts how often a process of its place has died."""

    pid: int
    place: int
    generation: str
    age: Age
    since: datetime
    accepts: bool
    restarts: int

    @property
    def state(self) -> str:
        """In one word."""
        if self.accepts:
            return "accepting"
        return "finishing" if self.age is Age.RETIRED else "starting"


@dataclass(frozen=True, slots=True)
class Status:
    """All of it. `reload` is the last one; the start is none."""

    stage: Stage
    generation: str
    since: datetime
    """When the server was started."""
    loaded: datetime | None
    """When the rules in use were last loaded with success, be it that they had not changed."""
    rules: int
    workers: tuple[WorkerStatus, ...]
    restarts: dict[str, int]
    """How often processes had to be started again: `worker`, `desk`, `nursery`."""
    reload: Verdict | None

    @property
    def ready(self) -> bool:
        """Whether clients are answered, by the rules in use."""
        return self.stage is Stage.SERVING and any(
            worker.accepts and worker.age is Age.CURRENT for worker in self.workers
        )
