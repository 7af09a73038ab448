"""What the processes of one server say to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from proxy.edge.outline import Outline
from proxy.edge.status import Status, WorkerStatus
from proxy.edge.verdict import Verdict
from proxy.errors import Problem


@dataclass(frozen=True, slots=True)
class Loaded:
    """A nursery has rules that can be used, and starts workers."""

    outline: Outline
    warnings: tuple[Problem, ...]
    kind: Literal["loaded"] = "loaded"


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A nursery has loaded the very rules that are in use, and ends."""

    warnings: tuple[Problem, ...]
    kind: Literal["unchanged"] = "unchanged"


@dataclass(frozen=True, slots=True)
class Refused:
    """A nursery has nothing that can be used, and ends."""

    message: str
    problems: tuple[Problem, ...] = ()
    kind: Literal["refused"] = "refused"


@dataclass(frozen=True, slots=True)
class Staff:
    """The workers of a nursery, whenever there is something new of one."""

    workers: tuple[WorkerStatus, ...]
    kind: Literal["staff"] = "staff"


@dataclass(frozen=True, slots=True)
class Ask:
    """The desk asks for a reload. `number` comes back with the answer."""

    number: int
    allow_shrink: bool = False
    kind: Literal["ask"] = "ask"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a reload that the desk has asked for."""

    number: int
    verdict: Verdict
    kind: Literal["answer"] = "answer"


@dataclass(frozen=True, slots=True)
class Standing:
    """How the server stands now."""

    status: Status
    kind: Literal["standing"] = "standing"


@dataclass(frozen=True, slots=True)
class InUse:
    """Which rules are in use now."""

    outline: Outline
    kind: Literal["in-use"] = "in-use"


@dataclass(frozen=True, slots=True)
class Nothing:
    """What the supervisor has to say to a nursery: it only closes the channel."""

    kind: Literal["nothing"] = "nothing"


FromNursery = Loaded | Unchanged | Refused | Staff
ToDesk = Standing | InUse | Answer

FROM_NURSERY: TypeAdapter[FromNursery] = TypeAdapter(Annotated[FromNursery, Field(discriminator="kind")])
TO_NURSERY: TypeAdapter[Nothing] = TypeAdapter(Nothing)
FROM_DESK: TypeAdapter[Ask] = TypeAdapter(Ask)
TO_DESK: TypeAdapter[ToDesk] = TypeAdapter(Annotated[ToDesk, Field(discriminator="kind")])
