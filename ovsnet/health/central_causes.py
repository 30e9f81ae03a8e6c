"""What is wrong with the central daemons on this host. The network goes on as it is without them; changes to it are not
carried out, on any node.

They come after what is wrong with this node, which they never explain: only a southbound does.
"""

from __future__ import annotations

from collections.abc import Mapping

from ovsnet.health.cause import ABSENT, Cause, State
from ovsnet.node.components import NB, NORTHD, SB, Component, Socket

BESIDE = (NB.daemon, NORTHD.daemon)
"""Daemons whose failure explains nothing that this node shows."""

BEHIND = (
    Cause(
        code="controller-behind",
        state=State.DEGRADED,
        summary="This node has not applied what the southbound holds, though ovn-controller is connected.",
        remedies=(
            "See what ovn-controller does (its log, and `ovn-appctl -t ovn-controller inc-engine/show-stats`), and "
            "whether another host claims to be chassis {chassis}: each needs a system-id of its own.",
            "See what ovn-controller does: its log, and `ovn-appctl -t ovn-controller inc-engine/show-stats`.",
        ),
        reasons=frozenset({"controller-behind"}),
        in_start=True,
    ),
)
"""What this node shows of it."""

LOST_NAMES = (
    Cause(
        code="database-socket-missing",
        state=State.DEGRADED,
        summary="A database server of OVN runs, and the name of its socket does not lead to it: no new client can "
        "connect.",
        remedies=(
            "Restart process {pid}, which creates the socket; find out what removed it.",
            "Restart the server, which creates the socket; find out what removed it.",
        ),
        reasons=ABSENT,
        socket=Socket.DATABASE,
    ),
    Cause(
        code="database-foreign",
        state=State.DEGRADED,
        summary="The server at the socket of an OVN database does not serve that database.",
        remedies=(
            "Find out who listens there (`ss -xlp`), and start it with the right database file. A member that left its "
            "cluster (`cluster/leave`) serves nothing any more: have it join again (`ovsdb-tool join-cluster`).",
        ),
        reasons=frozenset({"database-foreign"}),
    ),
)


def _of_cluster(component: Component) -> tuple[Cause, ...]:
    """What keeps a server from being a member of its cluster."""
    name, which = component.name, component.database
    return (
        Cause(
            code=f"{name}-joining",
            state=State.DEGRADED,
            summary=f"This host's server of {which} has not joined its cluster, and serves no client.",
            remedies=(
                "See whether it reaches {remotes}, and whether these and the others are up (`cluster/status {database}`"
                " on their control sockets). If their list holds an earlier id of this host, remove that at the leader "
                "(`cluster/kick {database} ID`); then stop this server, move its file away, and have it join again.",
                "See `cluster/status` on the control socket of each member.",
            ),
            reasons=frozenset({f"{name}-joining"}),
        ),
        Cause(
            code=f"{name}-leaderless",
            state=State.DEGRADED,
            summary=f"This host's server of {which} is in touch with no leader: it accepts no change, and "
            "its data may be old.",
            remedies=(
                "More than half of the members must be up and reach each other. This one does not reach {peers}.",
                "More than half of the members must be up and reach each other: see `cluster/status` on each.",
            ),
            reasons=frozenset({f"{name}-leaderless"}),
        ),
    )


def _elections(component: Component) -> Cause:
    """Its clients lose it for a moment at each, and ovn-northd is one of them."""
    name, which = component.name, component.database
    return Cause(
        code=f"{name}-elections",
        state=State.DEGRADED,
        summary=f"The leader of {which} changes again and again, and clients reconnect each time.",
        remedies=(
            "A member is too slow for the election timer of {timer} ms: give the members CPU and a disk that syncs "
            "faster, or raise it at the leader (`cluster/change-election-timer {database} {doubled}`).",
            "A member is too slow: give the members CPU and a disk that syncs faster, or raise the election timer.",
        ),
        reasons=frozenset({f"{name}-elections"}),
    )


ELECTIONS = (_elections(NB), _elections(SB))


def _member_away(component: Component) -> Cause:
    """It harms nobody until more follows."""
    name, which = component.name, component.database
    return Cause(
        code=f"{name}-member-away",
        state=State.DEGRADED,
        summary=f"A member of the cluster of {which} takes no part: one more, and it may stop.",
        remedies=(
            "See whether the member {peer} responds (`cluster/status {database}` there). Start it, or restore its "
            "network. If it is never to come back, have the others forget it (`cluster/kick {database} ID`).",
            "See whether the member responds. Start it, or restore its network.",
        ),
        reasons=frozenset({f"{name}-member-away"}),
    )


CLIENTS = (
    Cause(
        code="client-stalled",
        state=State.DEGRADED,
        summary="A client of a database has stopped reading: it works with old data.",
        remedies=(
            "See what holds up the process at {host} port {port}: it is stopped, hangs, or is gone with its host. With "
            "an `inactivity_probe` above 0 in its row of Connection the server of {database} drops such a client.",
            "See what holds up the process at the other end: it is stopped, hangs, or is gone with its host.",
        ),
        reasons=frozenset({"client-stalled"}),
    ),
)

LAGGARDS = (
    Cause(
        code="chassis-behind",
        state=State.DEGRADED,
        summary="A chassis does not apply what the southbound holds: each `--wait=hv` waits for it.",
        remedies=(
            "See when {chassis} came as far as it has (`ovn-sbctl list Chassis_Private {chassis}`), and what is wrong "
            "with ovn-controller on {host}. If that host is gone for good, remove its chassis: "
            "`ovn-sbctl chassis-del {chassis}`.",
            "{left} is no longer a chassis, and its row of Chassis_Private was left over: "
            "`ovn-sbctl destroy Chassis_Private {left}`.",
            "Find the chassis with the lowest nb_cfg: "
            "`ovn-sbctl --columns=name,nb_cfg,nb_cfg_timestamp list Chassis_Private`.",
        ),
        reasons=frozenset({"chassis-behind"}),
    ),
)

WEAKENED = (_member_away(NB), _member_away(SB), *CLIENTS, *LAGGARDS)

SCHEMA = (
    Cause(
        code="schema-old",
        state=State.DEGRADED,
        summary="A database has an older schema than ovn-northd was made for: what is new is left out, or ovn-northd "
        "refused.",
        remedies=(
            "Convert it, with the schema {wanted} of this OVN: `ovsdb-client convert {address} /usr/share/ovn/{file}`.",
            "Convert it: `ovsdb-client convert ADDRESS /usr/share/ovn/ovn-sb.ovsschema`; of the northbound it is "
            "ovn-nb.ovsschema.",
        ),
        reasons=frozenset({"schema-old"}),
    ),
)
"""Tried with OVN 23.03: an ovn-northd that was connected when a column went asks for it each time it connects again,
and the server refuses that ("ipsec is not a valid column name")."""

NORTHD_CAUSES = (
    Cause(
        code="northd-paused",
        state=State.DEGRADED,
        summary="ovn-northd is paused: nothing that is new in the northbound reaches any node.",
        remedies=("Resume it: `ovn-appctl -t ovn-northd resume`.",),
        reasons=frozenset({"northd-paused"}),
    ),
    *SCHEMA,
    Cause(
        code="northd-not-connected",
        state=State.DEGRADED,
        summary="This host's ovn-northd runs without a database: it can propagate nothing.",
        remedies=(
            "See whether {missing} is up and has a leader, and whether ovn-northd was given its address "
            "(`--ovnnb-db`, `--ovnsb-db`). If its log says that a server has stale data: "
            "`ovn-appctl -t ovn-northd sb-cluster-state-reset` (or `nb-`).",
            "See whether both databases are up and have leaders, and which addresses ovn-northd was given.",
        ),
        reasons=frozenset({"northd-not-connected"}),
    ),
)

NOT_CARRIED = (
    Cause(
        code="northd-behind",
        state=State.DEGRADED,
        summary="No ovn-northd propagates what is new in the northbound: it reaches no node.",
        remedies=(
            "This host's ovn-northd is on {standby}: find the active one (`ovn-appctl -t ovn-northd status` on the "
            "other hosts) and read its log. If there is none, a connection whose client is gone holds the lock "
            "`ovn_northd`: set `inactivity_probe` of the southbound's Connection rows, or restart its server.",
            "This host's ovn-northd is {active}: read its log, and `ovn-appctl -t ovn-northd inc-engine/show-stats`.",
            "Find the active ovn-northd (`ovn-appctl -t ovn-northd status` on each host), and read its log.",
        ),
        reasons=frozenset({"northd-behind"}),
    ),
)
"""What follows from a daemon that is gone, or starts again and again."""

CENTRAL: Mapping[str, tuple[Cause, ...]] = {
    NB.daemon: _of_cluster(NB),
    SB.daemon: _of_cluster(SB),
    NORTHD.daemon: NORTHD_CAUSES,
}
"""The named reasons that belong below a daemon's own rows."""
