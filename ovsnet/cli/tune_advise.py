"""``ovsnet tune advise``: intervals from what a running agent has measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ovsnet.cli.terminal import styled
from ovsnet.errors import UsageError
from ovsnet.protocol.jsonrpc import BAD_JSON
from ovsnet.tune.advise import Advice, Cost
from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.stalls import Histogram


def read_status(text: str) -> dict[str, Any]:
    """A saved ``/status``. Raises UsageError."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except BAD_JSON as error:
        raise UsageError(f"This is no status document: {error}.", remedy="Save it: curl URL/status.") from error


def measured(document: Mapping[str, Any]) -> tuple[dict[str, Histogram], float]:
    """The stalls in a status document, and the seconds between two questions. Raises UsageError."""
    stalls, every = document.get("stalls"), document.get("interval_seconds")
    if not isinstance(stalls, dict) or not isinstance(every, int | float) or every <= 0:
        raise UsageError("The status document holds no stalls.", remedy="Take it from a running agent of this version.")
    return {daemon: Histogram.from_document(each) for daemon, each in stalls.items()}, float(every)


def advice_lines(advices: list[Advice]) -> Iterator[str]:
    """The arithmetic, the values, and what the present ones would have cost."""
    for advice in advices:
        yield styled(advice.group, bold=True)
        yield f"  {advice.arithmetic}"
        for name, value in advice.values.items():
            yield styled(f"  -> {name}={value}", fg="green")
        for cost in advice.now:
            yield f"  now  {_cost(cost)}"
        for cost in advice.then[:1]:
            yield f"  then {_cost(cost)}"
        if advice.remark:
            yield styled(f"  {advice.remark}", dim=True)


def _cost(cost: Cost) -> str:
    shown = f"{cost.knob}={KNOBS[cost.knob].with_unit(cost.value)}"
    if not cost.possible:
        return f"{shown} would have cost no connection in the observed time."
    return f"{shown} would have cost {cost.certain} to {cost.possible} connections of living peers."
