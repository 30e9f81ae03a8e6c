"""Ask the daemons of a node about themselves, once. Each that does not answer is noted with the reason."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from msgspec.structs import replace

from ovsnet import ovsdb, unixctl
from ovsnet.errors import ConfigError, OvsnetError, ProtocolError
from ovsnet.io.address import Address
from ovsnet.io.tls import Tls
from ovsnet.node.control import open_control
from ovsnet.node.facts import DatabaseFacts, Live, NoAnswer
from ovsnet.node.rundir import Rundir
from ovsnet.ovsdb import Database, Session
from ovsnet.ovsdb.schema import parse_schema
from ovsnet.ovsdb.selection import choose
from ovsnet.ovsdb.stored import stored
from ovsnet.ovsdb.values import Row

SWITCH_DATABASE = "Open_vSwitch"
DESCRIBING = {
    "Open_vSwitch": ("ovs_version", "other_config", "external_ids", "datapath_types"),
    "Bridge": ("name", "datapath_type"),
    "Interface": ("name",),
}
"""Tables of the switch's database, and their columns, that DatabaseFacts are made of."""

REPORTING = ("ovs-vswitchd", "ovn-controller")
"""Daemons that are asked for their version."""

_ELECTION_TIMER = re.compile(r"^Election timer: (\d{1,20})\b", re.MULTILINE)


async def gather(
    rundir: Rundir,
    *,
    database: str = "",
    tls: Tls | None = None,
    session: Session | None = None,
    timeout: float = 1.0,
) -> Live:
    """One connection to each daemon, closed again, but that ``session`` with the switch's database, if given, is used.

    ``timeout`` is in seconds for each step. Raises nothing of ours.
    """
    unanswered: dict[str, NoAnswer] = {}
    versions: dict[str, str] = {}
    pids: dict[str, int] = {}

    async def ask_database() -> DatabaseFacts | None:
        try:
            address = Address.parse(database) if database else rundir.database
            async with _held_or_new(session, address, tls, timeout) as held:
                if held.peer_pid:
                    pids["ovsdb-server"] = held.peer_pid
                return _facts(await read_rows(held, SWITCH_DATABASE, DESCRIBING, timeout=timeout))
        except OvsnetError as error:
            unanswered["ovsdb-server"] = _no_answer("ovsdb-server", error)
            return None

    async def ask_version(daemon: str) -> None:
        try:
            versions[daemon] = await _version(rundir, daemon, timeout, pids)
        except OvsnetError as error:
            unanswered[daemon] = _no_answer(daemon, error)

    facts, *_ = await asyncio.gather(ask_database(), *map(ask_version, REPORTING))
    return Live(facts, versions, pids, unanswered)


async def read_rows(
    session: Session, database: str, tables: Mapping[str, Sequence[str]], *, timeout: float
) -> dict[str, list[Row]]:
    """The rows of each table with the given columns, all of one moment. Raises what the session raises.

    What this server's schema lacks is left out: a table without rows, a column missing in each row.
    """
    schema = await session.get_schema(database, timeout=timeout)
    columns = choose(schema, tables).columns
    async with Database(session, database, timeout=timeout).transaction() as t:
        found = {table: t.select(table, columns=chosen) for table, chosen in columns.items()}
    return {table: found[table].rows if table in found else [] for table in tables}


async def election_timer(rundir: Rundir, database: str, *, timeout: float) -> int | None:
    """Milliseconds of the election timer of OVN's clustered ``database``, when a server of it runs here."""
    path = rundir.ovn / CLUSTER_SOCKETS[database]
    try:
        async with unixctl.connect(Address.unix(path), timeout=timeout) as session:
            answer = await session.call("cluster/status", database, timeout=timeout)
    except OvsnetError:
        return None
    found = _ELECTION_TIMER.search(answer)
    return int(found.group(1)) if found else None


CLUSTER_SOCKETS = {"OVN_Northbound": "ovnnb_db.ctl", "OVN_Southbound": "ovnsb_db.ctl"}
"""As ovn-ctl names them."""


@asynccontextmanager
async def _held_or_new(
    session: Session | None, address: Address, tls: Tls | None, timeout: float
) -> AsyncIterator[Session]:
    if session is not None:
        yield session
        return
    async with await ovsdb.connect(address, timeout=timeout, tls=tls) as fresh:
        yield fresh


def _no_answer(daemon: str, error: OvsnetError) -> NoAnswer:
    return NoAnswer(str(error), error.remedy or f"Run `ovsnet check` to see what is wrong with {daemon}.")


def stored_facts(content: bytes) -> DatabaseFacts:
    """What the file of the switch's database holds, as its server would load it. Which Open vSwitch runs is not in
    there, only which ran last. Raises ConfigError, ProtocolError."""
    found = stored(content)
    if found.name != SWITCH_DATABASE:
        raise ConfigError(f"The file holds the database {found.name}.")
    schema = parse_schema(found.schema)
    tables = {
        table: [schema.table(table).row(columns) for columns in found.rows.get(table, {}).values()]
        for table in DESCRIBING
    }
    return replace(_facts(tables), ovs_version="")


def _facts(tables: Mapping[str, list[Row]]) -> DatabaseFacts:
    if not tables["Open_vSwitch"]:
        raise ProtocolError("The database has no Open_vSwitch row.", remedy="Initialise it: ovs-vsctl --no-wait init.")
    root = tables["Open_vSwitch"][0]
    return DatabaseFacts(
        ovs_version=str(root.get("ovs_version") or ""),
        other_config=dict(root.get("other_config") or {}),
        external_ids=dict(root.get("external_ids") or {}),
        bridges={str(bridge["name"]): str(bridge.get("datapath_type", "")) for bridge in tables["Bridge"]},
        offered_datapaths=frozenset(map(str, root.get("datapath_types") or ())),
        interfaces=len(tables["Interface"]),
    )


async def _version(rundir: Rundir, daemon: str, timeout: float, pids: dict[str, int]) -> str:
    """The first line of ``version``: ``ovn-controller 23.03.1``; the second names the OVS library."""
    async with await open_control(rundir, daemon, timeout=timeout) as session:
        if session.peer_pid:
            pids[daemon] = session.peer_pid
        return await session.version(timeout=timeout)
