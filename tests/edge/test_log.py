"""How much the log says: a line of each kind, and how many more like it there were."""

import logging

import pytest

from proxy.edge.log import Sampled


def test_a_kind_has_one_line_in_a_while_and_what_is_held_back_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    sampled = Sampled(lambda: now, every=10.0)
    with caplog.at_level(logging.WARNING, "sunset"):
        for kind in ("one:", "one:", "other:", "one:"):
            sampled.warning(kind, "detail")
        assert caplog.messages == ["one: detail", "other: detail"]
        now = 9.9
        sampled.warning("one:", "detail")
        now = 10.0
        sampled.warning("one:", "detail")
        sampled.warning("other:")
        assert caplog.messages[2:] == ["one: detail (and 3 more like it)", "other:"]
        now = 20.0
        sampled.warning("one:", "detail")
    assert caplog.messages[4:] == ["one: detail"]
