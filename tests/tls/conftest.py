"""Handshakes over loopback, on both event loops that Sunset runs on: each has a TLS of its own."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import uvloop

from tests.edge.conftest import originating, scripting, serving

__all__ = ["originating", "scripting", "serving"]


def pytest_asyncio_loop_factories(
    config: pytest.Config,  # noqa: ARG001 - the hook's own names
    item: pytest.Item,  # noqa: ARG001
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


@pytest.fixture
def certs(tmp_path: Path) -> Path:
    """A folder for certificates."""
    folder = tmp_path / "certs"
    folder.mkdir()
    return folder
