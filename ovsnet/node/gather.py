"""Ask the daemons what the examinations want to know. Each that does not answer is noted with the reason."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

from ovsnet import ovsdb, unixctl
from ovsnet.errors import OvsnetError, ProtocolError, SocketMissing
from ovsnet.io.address import Address
from ovsnet.io.tls import Tls
from ovsnet.node.facts import DatabaseFacts, Live, Silence
from ovsnet.node.rundir import Rundir
from ovsnet.ovsdb import operations

ROOT_COLUMNS = ("ovs_version", "other_config", "external_ids", "datapath_types")
CONTROLLED = ("ovs-vswitchd", "ovn-controller")


async def gather(rundir: Rundir, *, database: str = "", tls: Tls | None = None, timeout: float = 1.0) -> Live:
    """One connection to each daemon, closed again. ``timeout`` is in seconds for each step. Raises nothing of ours."""
    silences: dict[str, Silence] = {}
    versions: dict[str, str] = {}
    pids: dict[str, int] = {}

    async def ask_database() -> DatabaseFacts | None:
        try:
            address = Address.parse(database) if database else rundir.database
            return await _database_facts(address, tls, timeout, pids)
        except OvsnetError as error:
            silences["ovsdb-server"] = _silence("ovsdb-server", error)
            return None

    async def ask_version(daemon: str) -> None:
        try:
            versions[daemon] = await _version(rundir, daemon, timeout, pids)
        except OvsnetError as error:
            silences[daemon] = _silence(daemon, error)

    facts, *_ = await asyncio.gather(ask_database(), *map(ask_version, CONTROLLED))
    return Live(facts, versions, pids, silences)


def _silence(daemon: str, error: OvsnetError) -> Silence:
    return Silence(str(error), error.remedy or f"See with `ovsnet check` what ails {daemon}.")


async def _database_facts(address: Address, tls: Tls | None, timeout: float, pids: dict[str, int]) -> DatabaseFacts:
    async with await ovsdb.connect(address, timeout=timeout, tls=tls) as session:
        if session.peer_pid:
            pids["ovsdb-server"] = session.peer_pid
        # One transaction, so that the three tables are of one moment.
        schema = await session.get_schema("Open_vSwitch", timeout=timeout)
        found = await session.transact(
            "Open_vSwitch",
            operations.select("Open_vSwitch", columns=ROOT_COLUMNS),
            operations.select("Bridge", columns=("name", "datapath_type")),
            operations.select("Interface", columns=("name",)),
            timeout=timeout,
        )
    root, bridges, interfaces = (
        [schema.table(table).row(row) for row in result.get("rows", [])]
        for table, result in zip(("Open_vSwitch", "Bridge", "Interface"), found, strict=True)
    )
    if not root:
        raise ProtocolError("The database has no Open_vSwitch row.", remedy="Initialise it: ovs-vsctl --no-wait init.")
    return _facts(root[0], bridges, len(interfaces))


def _facts(root: Mapping[str, Any], bridges: list[Any], interfaces: int) -> DatabaseFacts:
    return DatabaseFacts(
        ovs_version=str(root["ovs_version"] or ""),
        other_config=cast("Mapping[str, str]", root["other_config"]),
        external_ids=cast("Mapping[str, str]", root["external_ids"]),
        bridges={str(bridge["name"]): str(bridge["datapath_type"]) for bridge in bridges},
        offered_datapaths=frozenset(map(str, root["datapath_types"])),
        interfaces=interfaces,
    )


async def _version(rundir: Rundir, daemon: str, timeout: float, pids: dict[str, int]) -> str:
    """The first line of ``version``: ``ovn-controller 23.03.1``; the second names the OVS library."""
    why: OvsnetError = SocketMissing(f"There is no control socket of {daemon} in {rundir.pidfile(daemon).parent}.")
    for address in rundir.control_sockets(daemon):
        try:
            async with await unixctl.connect(address, timeout=timeout) as session:
                if session.peer_pid:
                    pids[daemon] = session.peer_pid
                return (await session.call("version", timeout=timeout)).partition("\n")[0]
        except OvsnetError as error:
            why = error
    raise why
