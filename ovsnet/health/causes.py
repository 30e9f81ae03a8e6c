"""What can be wrong, as a table in causal order: a cause further up explains those below it.

A row matches a daemon and a verdict on it (down, hung, slow), or a named reason. The three rows of each daemon come
from its declaration in ``node.components`` and the texts of ``TEXTS``; the others are written out.

A remedy is a list of templates, from the most specific to the general. The first whose facts were found is given, so
the remedy follows the evidence: ``kill -CONT 11051`` for a process that is stopped, and no word of it for another.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

from ovsnet.health.cause import ABSENT, UNANSWERED, Cause, State
from ovsnet.health.cause_table import ACCESS, CONSEQUENCES, NAMED, UNEXPLAINED
from ovsnet.health.central_causes import (
    BEHIND,
    BESIDE,
    CENTRAL,
    ELECTIONS,
    LOST_NAMES,
    NOT_CARRIED,
    WEAKENED,
)
from ovsnet.health.checks.result import Result, Status
from ovsnet.health.daemon_texts import HELD, INSPECT, STARVED, TEXTS, Texts
from ovsnet.health.datapath_causes import DATAPATH, LOSSES
from ovsnet.health.host_causes import HOST, LATER
from ovsnet.health.own_causes import OURSELVES
from ovsnet.health.peer_causes import PEERS
from ovsnet.health.port_causes import FEW, PORTS
from ovsnet.node.components import COMPONENTS, Component


def texts_of(component: Component) -> Texts:
    """The sentences of ``TEXTS``, or what can be said of any daemon."""
    title = component.title
    return TEXTS.get(component.daemon) or Texts(
        down=(f"{title} is not running.", "Start it and read its log."),
        hung=(f"{title} answers nothing and makes no progress.", *HELD, *INSPECT),
        slow=(
            f"{title} responds slowly but is still making progress, or is starved.",
            *HELD,
            *STARVED,
            "Wait until it has finished.",
        ),
    )


CANNOT_BE_REACHED = ABSENT | {"closed", "unreachable"}
"""All that a daemon shows of its death when it may run on another host."""


def down(component: Component) -> Cause:
    """The daemon's process is gone."""
    summary, *remedies = texts_of(component).down
    return Cause(
        code=f"{component.name}-down",
        state=State.DEGRADED if component.only_degrades else State.NOT_READY,
        summary=summary,
        remedies=tuple(remedies),
        reasons=frozenset({"gone"}) | (CANNOT_BE_REACHED if component.remote else frozenset()),
        daemon=component.daemon,
        in_start=True,
        brief=not component.vital and not component.only_degrades,
        dead=component.vital,
        flows_stay=component.remote,
    )


def hung(component: Component) -> Cause:
    """The daemon is silent, and its process is proven to make no progress."""
    summary, *remedies = texts_of(component).hung
    return Cause(
        code=f"{component.name}-hung",
        state=State.DEGRADED if component.only_degrades else State.NOT_READY,
        summary=summary,
        remedies=tuple(remedy.replace("{title}", component.title) for remedy in remedies),
        reasons=frozenset({"hung"}),
        daemon=component.daemon,
        dead=component.vital,
    )


def restarting(component: Component) -> Cause:
    """The daemon starts again and again, and answers in between."""
    return Cause(
        code=f"{component.name}-restarting",
        state=State.DEGRADED,
        summary=f"{component.title} starts again and again: {texts_of(component).restarting}.",
        remedies=(
            "It dies of: {how}. Save its core dump (`coredumpctl info`) and the end of its log for a bug report.",
            "Read the end of its log and `dmesg`: it crashes (`coredumpctl list`), is killed for lack of memory, or is "
            "restarted by an impatient probe or script.",
        ),
        reasons=frozenset({"restarting"}),
        daemon=component.daemon,
    )


def slow(component: Component) -> Cause:
    """The daemon is late and alive, or nobody can say more than that it is late."""
    summary, *remedies = texts_of(component).slow
    return Cause(
        code=f"{component.name}-slow",
        state=State.DEGRADED,
        summary=summary,
        remedies=tuple(remedies),
        reasons=UNANSWERED,
        daemon=component.daemon,
        slow=True,
    )


SLOWEST_LAST = ("ovs-vswitchd", "ovsdb-server", "southbound", "ovn-controller")
"""Of two that are slow, the one further left is the root."""


def causes() -> tuple[Cause, ...]:
    """All rows in causal order."""
    return _causes(tuple(COMPONENTS.values()))


@functools.cache
def _causes(components: tuple[Component, ...]) -> tuple[Cause, ...]:
    def rows() -> Iterator[Cause]:
        yield from ACCESS
        for component in components:
            if component.daemon not in BESIDE:
                yield from _rows_of(component)
        yield from LOST_NAMES
        yield from PEERS
        yield from HOST
        yield from CONSEQUENCES
        yield from PORTS
        yield from DATAPATH
        yield from BEHIND
        yield from ELECTIONS
        for component in components:
            if component.daemon in BESIDE:
                yield from _rows_of(component)
        yield from NOT_CARRIED
        yield from WEAKENED
        others = [each for each in components if each.daemon not in SLOWEST_LAST]
        yield from (slow(COMPONENTS[daemon]) for daemon in SLOWEST_LAST)
        yield from map(slow, others)
        yield from FEW
        yield from LOSSES
        yield from LATER
        yield from OURSELVES

    return tuple(rows())


def _rows_of(component: Component) -> Iterator[Cause]:
    yield down(component)
    yield hung(component)
    yield from NAMED.get(component.daemon, ())
    yield from CENTRAL.get(component.daemon, ())
    if not component.remote:
        yield restarting(component)


def codes() -> dict[str, Cause]:
    """The first row of each code, in causal order, with what explains nothing at the end."""
    first: dict[str, Cause] = {}
    for cause in (*causes(), UNEXPLAINED):
        first.setdefault(cause.code, cause)
    return first


def explains_unready(cause: Cause) -> bool:
    """Whether a row further down, which this one explains, makes a node unready."""
    rows = causes()
    unready = max(at for at, each in enumerate(rows) if not each.state.serves)
    return cause in rows[:unready]


SHOWS_FAULTS = (Status.FAILED, Status.SLOW, Status.UNKNOWN)
"""The statuses that a cause may explain."""


def cause_of(result: Result) -> Cause | None:
    """The first row that explains ``result``. One that failed and that none explains is ``UNEXPLAINED``; None for a
    result that shows no fault."""
    if result.status not in SHOWS_FAULTS:
        return None
    rows = _rows_for(tuple(COMPONENTS.values()), result.reason, result.status is Status.SLOW)
    found = next((cause for cause in rows if cause.explains(result)), None)
    return UNEXPLAINED if found is None and result.status is Status.FAILED else found


@functools.lru_cache(maxsize=512)
def _rows_for(components: tuple[Component, ...], reason: str, slow: bool) -> tuple[Cause, ...]:
    """The few of all rows that may explain such a result. A node with a fault shows one every few milliseconds."""
    return tuple(cause for cause in _causes(components) if reason in cause.reasons or (slow and cause.slow))


def state_of(cause: Cause, result: Result) -> State:
    """A daemon that may run elsewhere, or serves the whole network, degrades this node, whatever is wrong with it."""
    component = COMPONENTS.get(result.daemon)
    return min(cause.state, State.DEGRADED) if component is not None and component.only_degrades else cause.state
