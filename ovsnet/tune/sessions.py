"""The databases to tune: a session with each, held while we read, plan and write; and what is read over them."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from msgspec.structs import replace

from ovsnet import ovsdb
from ovsnet.errors import PeerError, UnfitEnvironment
from ovsnet.io.address import Address
from ovsnet.io.tls import Tls
from ovsnet.node.components import CONTROLLER
from ovsnet.node.facts import Live
from ovsnet.node.gather import REPORTING, election_timer, gather, read_rows
from ovsnet.node.host_files import Host
from ovsnet.node.own_chassis import chassis_of_process
from ovsnet.node.rundir import Rundir
from ovsnet.node.vswitchd_threads import per_cpu_dispatch, usable_cpus, why_handlers_are_fixed
from ovsnet.ovsdb import Session
from ovsnet.tune.facts import Facts, FoundRow, columns_read, written_versions

SWITCH_DATABASE, SOUTHBOUND = "Open_vSwitch", "OVN_Southbound"


@asynccontextmanager
async def opened(
    remotes: Mapping[str, Sequence[Address]],
    *,
    timeout: float,
    tls: Tls | None = None,
    rng: random.Random | None = None,
) -> AsyncIterator[dict[str, Session]]:
    """A session by database. ``timeout`` is in seconds for each connect, and for each server's word on its role.

    Of several remotes the leader of the cluster is taken, and they are tried in random order, as OVN's clients do
    (lib/ovsdb-cs.c, ``ovsdb_cs_set_remotes`` and ``ovsdb_cs_check_server_db__``). Without a leader it is a follower
    that is in touch with its cluster: it hands on what is written. Raises the
    PeerError that says why none will do.
    """
    async with AsyncExitStack() as stack:
        sessions = {}
        for database, addresses in remotes.items():
            order = list(addresses)
            (rng or random.Random()).shuffle(order)
            chosen = await _chosen(database, order, timeout, tls)
            sessions[database] = await stack.enter_async_context(chosen)
        yield sessions


async def _chosen(database: str, addresses: Sequence[Address], timeout: float, tls: Tls | None) -> Session:
    if len(addresses) == 1:
        return await ovsdb.connect(*addresses, timeout=timeout, tls=tls)
    try:
        return await ovsdb.connect(*addresses, database=database, leader_only=True, timeout=timeout, tls=tls)
    except PeerError:
        return await ovsdb.connect(*addresses, database=database, timeout=timeout, tls=tls)


async def read_facts(sessions: Mapping[str, Session], rundir: Rundir | None = None, *, timeout: float = 1.0) -> Facts:
    """``sessions`` are by database; without ``rundir`` no daemon is asked. ``timeout`` is in seconds for each answer.

    Raises what the databases' sessions raise; a daemon that does not answer leaves its version unknown.
    """
    tables: dict[tuple[str, str], tuple[FoundRow, ...]] = {}
    for database, session in sessions.items():
        found = await read_rows(session, database, columns_read(database), timeout=timeout)
        tables |= {(database, table): tuple(FoundRow.of(table, row) for row in rows) for table, rows in found.items()}
    versions = written_versions(tables)
    if rundir is None:
        return Facts(versions, tables)
    live = await gather(rundir, session=sessions.get(SWITCH_DATABASE), timeout=timeout)
    versions |= {daemon: version for daemon in REPORTING if (version := live.version(daemon)) is not None}
    cores, overridden, doubts = _threads(Host(rundir=rundir), live)
    timer = await election_timer(rundir, SOUTHBOUND, timeout=timeout) if SOUTHBOUND in sessions else None
    facts = Facts(versions, tables, cores, overridden, timer, at_the_node=cores is not None, doubts=doubts)
    controller = live.pids.get(CONTROLLER.daemon)
    name = None if controller is None else chassis_of_process(controller, facts.external_ids)
    return replace(facts, chassis=name or "")


def _threads(host: Host, live: Live) -> tuple[int | None, dict[str, str], dict[str, str]]:
    """The cores of ovs-vswitchd, and why n-handler-threads does nothing, or may do nothing, if that is so."""
    try:
        cores, why, dispatch = usable_cpus(host, live), why_handlers_are_fixed(host, live), per_cpu_dispatch(host, live)
    except UnfitEnvironment:
        return None, {}, {}
    if why:
        return cores, {"n-handler-threads": why}, {}
    return cores, {}, {"n-handler-threads": UNTOLD} if dispatch is None and live.kernel_datapath else {}


UNTOLD = (
    "The handlers that run do not show whether the kernel dispatches per CPU, where it has no effect: ovs-vswitchd "
    "would log `Overriding n-handler-threads`."
)
