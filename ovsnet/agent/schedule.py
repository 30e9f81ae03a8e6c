"""When a check is asked next. Pure."""

STAGE_PERIOD = 0.025
STAGE_SHARE = 0.005
"""Seconds, and share of the time that a start has taken, between two runs of the check that proves the stage which it
waits for: what is reported is exact to half a percent, and asking takes no CPU from a start that is long."""

SHORTEST_GAP = 0.002
"""Seconds between two runs of one check, however often it is woken."""


def next_turn(first: float, period: float, now: float) -> float:
    """The next of the moments ``first``, ``first + period``, … after ``now``, and not the one that ``now`` is.

    A check that was woken keeps its turns, so that those which ask one daemon stay apart: a daemon that hangs is asked
    soon, whenever that happens. uvloop counts in milliseconds, and a timer of it may ring one too early.
    """
    return first + max((now + SHORTEST_GAP - first) // period + 1, 0) * period
