"""Ask the databases and the daemons what lint, plan and advise want to know. Only reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ovsnet import unixctl
from ovsnet.doctor.threads import per_cpu_dispatch, usable_cpus
from ovsnet.errors import OvsnetError, UnfitEnvironment
from ovsnet.io.address import Address
from ovsnet.io.tls import Tls
from ovsnet.node.facts import Live
from ovsnet.node.gather import gather as gather_live
from ovsnet.node.host_files import Host
from ovsnet.node.rundir import Rundir
from ovsnet.node.version import Version, parse_version
from ovsnet.ovsdb import Session
from ovsnet.ovsdb.operations import select
from ovsnet.ovsdb.schema import Table
from ovsnet.ovsdb.values import Row
from ovsnet.tune.facts import ROOTS, TABLES, Facts, FoundRow

SOUTHBOUND = "OVN_Southbound"

_ELECTION_TIMER = re.compile(r"^Election timer: (\d+)", re.MULTILINE)


async def gather(
    sessions: Mapping[str, Session],
    rundir: Rundir | None = None,
    *,
    root: Path = Path("/"),
    tls: Tls | None = None,
    timeout: float = 1.0,
) -> Facts:
    """``sessions`` are by database; without ``rundir`` no daemon is asked. ``timeout`` is in seconds for each answer.

    Raises what the databases' sessions raise; a daemon that does not answer leaves its version unknown.
    """
    tables: dict[tuple[str, str], tuple[FoundRow, ...]] = {}
    for database, session in sessions.items():
        tables |= await read_tables(session, database, timeout)
    versions = _versions_written(tables)
    if rundir is None:
        return Facts(versions, tables)
    live = await gather_live(rundir, database=_address(sessions), tls=tls, timeout=timeout)
    for daemon in ("ovs-vswitchd", "ovn-controller"):
        if (version := live.version(daemon)) is not None:
            versions[daemon] = version
    cores, overridden = _threads(Host(root), live)
    timer = await _election_timer(rundir, timeout) if SOUTHBOUND in sessions else None
    return Facts(versions, tables, cores, overridden, timer)


async def read_tables(session: Session, database: str, timeout: float) -> dict[tuple[str, str], tuple[FoundRow, ...]]:
    """The tables of one database that tuning reads, at one moment."""
    schema = await session.get_schema(database, timeout=timeout)
    wanted = TABLES[database]
    selects = [select(table, columns=["_uuid", *columns]) for table, columns in wanted.items()]
    found = await session.transact(database, *selects, timeout=timeout)
    return {
        (database, table): tuple(_row(schema.table(table), each) for each in result.get("rows", []))
        for table, result in zip(wanted, found, strict=True)
    }


def _row(table: Table, wired: dict[str, object]) -> FoundRow:
    row: Row = table.row(wired)
    label = "." if table.name in ROOTS else str(row.get("target") or row.get("name") or row["_uuid"])
    return FoundRow(row["_uuid"], label, row)


def _versions_written(tables: Mapping[tuple[str, str], tuple[FoundRow, ...]]) -> dict[str, Version]:
    """What stands in the databases: ovs-ctl and northd write their versions there."""
    versions: dict[str, Version] = {}
    for (_, table), rows in tables.items():
        for row in rows:
            if table == "Open_vSwitch" and (found := parse_version(str(row.columns.get("ovs_version") or ""))):
                versions["ovs-vswitchd"] = found
            # northd_internal_version is OVN's version, the schema's and more: 23.03.1-20.27.0-70.6
            internal = str((row.columns.get("options") or {}).get("northd_internal_version", ""))
            if table in ROOTS and (found := parse_version(internal.partition("-")[0])):
                versions["ovn-northd"] = found
    return versions


def _address(sessions: Mapping[str, Session]) -> str:
    session = sessions.get("Open_vSwitch")
    return str(session.address) if session is not None else ""


NO_USERSPACE_HANDLERS = (3, 4)
"""Since then a userspace datapath makes no handler threads at all (f0d1beca6, lib/dpif-netdev.c)."""


def _threads(host: Host, live: Live) -> tuple[int | None, dict[str, str]]:
    """The cores of ovs-vswitchd, and why n-handler-threads does nothing, if that is so."""
    try:
        cores, per_cpu = usable_cpus(host, live), per_cpu_dispatch(host, live)
    except UnfitEnvironment:
        return None, {}
    if per_cpu:
        why = "The kernel dispatches packets per CPU here, and ovs-vswitchd makes one handler for each of its cores."
    elif live.kernel_datapath is False and (live.version("ovs-vswitchd") or ()) >= NO_USERSPACE_HANDLERS:
        why = "The datapath is in userspace, and makes no handlers."
    else:
        return cores, {}
    return cores, {"n-handler-threads": why}


async def _election_timer(rundir: Rundir, timeout: float) -> int | None:
    """Of the southbound's cluster, when a server of it runs here."""
    path = rundir.ovn / "ovnsb_db.ctl"
    try:
        async with await unixctl.connect(Address.unix(path), timeout=timeout) as session:
            answer = await session.call("cluster/status", SOUTHBOUND, timeout=timeout)
    except OvsnetError:
        return None
    found = _ELECTION_TIMER.search(answer)
    return int(found.group(1)) if found else None
