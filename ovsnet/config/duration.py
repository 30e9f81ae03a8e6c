"""Durations as people write them. Pure."""

from __future__ import annotations

import re

_DURATION = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+) *(?P<unit>ms|s|m|h|)", re.ASCII)

SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
"""A number alone is in seconds."""

EXAMPLES = "5, 5s, 500ms or 2m"


def seconds(text: str) -> float | None:
    """``5``, ``5s``, ``500ms``, ``2m`` or ``1h`` in seconds; None when it is nothing like that."""
    found = _DURATION.fullmatch(text.strip())
    return None if found is None else float(found["number"]) * SECONDS[found["unit"]]


def written(number: float) -> str:
    """Seconds in the largest unit that needs no fraction, as ``seconds`` reads it: ``500ms``, ``90s``, ``15m``."""
    for unit in ("h", "m", "s"):
        if number and number % SECONDS[unit] == 0:
            return f"{number / SECONDS[unit]:.0f}{unit}"
    return f"{number * 1000:g}ms" if 0 < number < 1 else f"{number:g}s"
