"""The same by ``ovs.db.idl`` as pip installs it: ``python -m bench.laps.ovs_idl_rows ADDRESS copy|write COUNT SCHEMA``.

It reads the schema from a file, as its users do; ours asks the server for it.
"""

from __future__ import annotations

import sys

from ovs import poller
from ovs.db import idl

from bench.laps.report import Cost, Stopwatch, tell
from bench.laps.tables import TABLES


def synced(address: str, schema: str) -> idl.Idl:
    """A copy, when all rows are there."""
    helper = idl.SchemaHelper(schema)
    for table in TABLES:
        helper.register_table(table)
    replica = idl.Idl(address, helper)
    while not replica.has_ever_connected():
        replica.run()
        if replica.has_ever_connected():
            break
        waiting = poller.Poller()
        replica.wait(waiting)
        waiting.block()
    return replica


def copy(address: str, schema: str, count: int) -> Cost:
    watch = Stopwatch()
    for _ in range(count):
        replica = synced(address, schema)
        assert len(replica.tables["Interface"].rows) > 1
        replica.close()
    return watch.cost(count)


def write(address: str, schema: str, count: int) -> Cost:
    replica = synced(address, schema)
    (row,) = replica.tables["Open_vSwitch"].rows.values()
    watch = Stopwatch()
    for number in range(count):
        transaction = idl.Transaction(replica)
        row.system_version = f"idl {number}"
        status = transaction.commit_block()
        assert status == idl.Transaction.SUCCESS, status
    cost = watch.cost(count)
    replica.close()
    return cost


WORK = {"copy": copy, "write": write}


if __name__ == "__main__":
    address, work, number, file = sys.argv[1:]
    tell([WORK[work](address, file, int(number))])
