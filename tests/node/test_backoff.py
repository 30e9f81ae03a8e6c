"""When OVS's reconnect backoff ends."""

from __future__ import annotations

import pytest

from ovsnet.node.backoff import next_attempt, still_waits


@pytest.mark.parametrize(
    ("elapsed", "wait"),
    [(0.0, 1.0), (0.25, 0.75), (1.0, 2.0), (2.5, 0.5), (3.0, 4.0), (7.0, 8.0), (14.0, 1.0), (15.0, 8.0), (22.5, 0.5)],
)
def test_attempts_come_at_1_3_7_15_23_seconds(elapsed: float, wait: float) -> None:
    assert next_attempt(100.0, 100.0 + elapsed) == pytest.approx(wait)


@pytest.mark.parametrize(
    ("started", "served", "now", "wait"),
    [
        (100.5, 100.6, 100.6, 0.4),
        (104.0, 104.1, 104.1, 2.9),
        (104.0, 104.1, 107.1, None),  # it has tried
        (102.9, 103.1, 103.1, None),  # it tried while the server came up
        (50.0, 104.1, 104.1, None),  # the server never went
    ],
)
def test_client_still_waits_until_its_next_attempt_after_the_server_came_back(
    started: float, served: float, now: float, wait: float | None
) -> None:
    assert still_waits(100.0, started, served, now) == (None if wait is None else pytest.approx(wait))
