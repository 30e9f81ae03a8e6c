"""Whether a server is the right one: it serves the database, with a copy that is not behind, and leads if it must.

The server says so itself, in its database ``_Server`` (ovsdb-server(5)). ovsdb-server before 2.9 has none, and no
clusters either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ovsnet.errors import OvsdbError
from ovsnet.ovsdb.changes import Changes
from ovsnet.ovsdb.errors import ClusterFailed, NotLeader, StaleServer, UnknownDatabase, UnknownMethod
from ovsnet.ovsdb.monitor import LONGEST, Monitor
from ovsnet.ovsdb.session import Session

COLUMNS = ("name", "model", "connected", "leader", "cid", "index")

NOT_SERVED: Mapping[str, Any] = {"model": "", "connected": False, "leader": False, "cid": None, "index": None}


class Membership:
    """What is asked of every server of ``database``, and what was seen of its cluster.

    ``index`` counts the log entries that a server has applied. A server that has fewer than another had would take a
    copy back in time, so it is left (lib/ovsdb-cs.c, ``ovsdb_cs_check_server_db``).
    """

    def __init__(self, database: str, *, leader_only: bool) -> None:
        self._database = database
        self._leader_only = leader_only
        self._newest: dict[str, int] = {}

    def forget(self) -> None:
        """Take an older copy too: the cluster was restored from a backup, for instance."""
        self._newest.clear()

    async def require(self, session: Session, *, timeout: float, watch: bool) -> None:
        """Return when the server is the right one; with ``watch`` the session ends as soon as it is not any more.

        Raises the error that says why not.
        """

        def judge(changes: Changes) -> None:
            if monitor is not None and (error := self.fault(str(session.address), _row(monitor))) is not None:
                session.fail(error)

        monitor: Monitor | None = None
        where = {"Database": [("name", "==", self._database)]}
        try:
            monitor = await session.monitor(
                "_Server", {"Database": COLUMNS}, where=where, on_change=judge, timeout=timeout, longest=LONGEST
            )
        except (UnknownDatabase, UnknownMethod):
            return
        if (error := self.fault(str(session.address), _row(monitor))) is not None:
            raise error
        if not watch:
            await monitor.cancel(timeout=timeout)

    def fault(self, server: str, row: Mapping[str, Any]) -> OvsdbError | None:
        """Why a server that says this is not the right one."""
        model, cluster, index = row["model"], str(row["cid"] or ""), row["index"] or 0
        if not model:
            return UnknownDatabase(f"{server} does not serve {self._database}.")
        if model == "standalone":
            return None
        if not row["connected"]:
            return ClusterFailed(f"{server} has lost the other servers of {self._database}.")
        if self._leader_only and not row["leader"]:
            return NotLeader(f"{server} does not lead the cluster of {self._database}.")
        if index < self._newest.get(cluster, 0):
            return StaleServer(
                f"{server} has an older copy of {self._database} than was seen: it has applied {index} log entries, "
                f"and another had {self._newest[cluster]}."
            )
        self._newest[cluster] = index
        return None


def _row(monitor: Monitor) -> Mapping[str, Any]:
    row: Mapping[str, Any] = next(iter(monitor.tables.get("Database", {}).values()), {})
    return {**NOT_SERVED, **row}
