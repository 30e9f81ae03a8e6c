"""Chassis that take ports from each other. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter

from ovsnet.explain.daemons import CONTROLLER
from ovsnet.explain.event import Event
from ovsnet.explain.history import History
from ovsnet.explain.loops import crowded
from ovsnet.explain.verdicts import Outage, Sure
from ovsnet.explain.view import View

TAKEN, WITHIN = 3, 600.0
"""A port that a chassis takes so often within so many seconds, another one takes in between. One that is migrated comes
once."""
OVER = 60.0
"""Seconds without a further time after which it is over."""


def conflicts(view: View, told: History) -> Iterator[Outage]:
    """Ports that this chassis takes from another one again and again, as one outage."""
    by_port: dict[str, list[Event]] = {}
    for event in told.of("moved") if told.daemon == CONTROLLER else ():
        by_port.setdefault(event.subject, []).append(event)
    runs = [run for each in by_port.values() for run in crowded(each, attrgetter("at"), TAKEN, WITHIN)]
    if runs:
        yield _conflict(view, told, sorted(runs, key=lambda run: run[0].at))


def _conflict(view: View, told: History, runs: Sequence[Sequence[Event]]) -> Outage:
    first, latest = runs[0][0], max((run[-1] for run in runs), key=attrgetter("last"))
    ports = {run[0].subject for run in runs}
    times = sum(1 + event.repeated for run in runs for event in run)
    more = f" and {len(ports) - 1} more" if len(ports) > 1 else ""
    return Outage(
        "chassis-conflict", view.node, told.daemon, first.at, latest.last if told.last - latest.last > OVER else None,
        f"chassis {first.said['own']} took port {first.subject}{more} from {first.said['other']} {times} times, which "
        "took it back each time", [*runs[0][:2], latest], Sure.CERTAIN,
        remedy=f"See which interface of each node claims it (`ovs-vsctl find interface external_ids:iface-id="
        f"{first.subject}`), and remove the one that does not belong there. A machine that was cloned needs a "
        "system-id of its own, too.",
    )  # fmt: skip
