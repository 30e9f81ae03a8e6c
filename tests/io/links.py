"""Links that have come so far."""

from __future__ import annotations

import random

from ovsnet.errors import ConnectionLost, ConnectionRefused, OvsnetError
from ovsnet.io.link_state import LinkState

LOST = ConnectionLost("gone")
REFUSED = ConnectionRefused("nobody")


def link(seed: int = 1) -> LinkState:
    return LinkState(random.Random(seed))


def waiting(*, failures: int = 1, now: float = 0.0, error: OvsnetError = LOST) -> LinkState:
    """A link after so many failures in a row, the last of them at ``now``."""
    made = link()
    for _ in range(failures):
        assert made.asked(max(now, made.retry_at))
        made.failed(error, now)
    return made


def up() -> LinkState:
    made = link()
    made.asked(0.0)
    made.opened(0.0)
    return made


def chasing() -> LinkState:
    made = link()
    assert made.appeared()
    return made
