"""The same by ovsdbapp: ``python -m bench.laps.ovsdbapp_rows ADDRESS copy|write COUNT``, on its interpreter."""

from __future__ import annotations

import sys

from ovsdbapp.backend.ovs_idl import connection
from ovsdbapp.schema.open_vswitch import impl_idl

from bench.laps.report import Cost, Stopwatch, tell
from bench.laps.tables import DATABASE, TABLES

TIMEOUT = 30
"""Seconds."""


def started(address: str) -> connection.Connection:
    """A connection, and its thread, when all rows are there."""
    replica = connection.OvsdbIdl.from_server(address, DATABASE, helper_tables=TABLES)
    made = connection.Connection(replica, TIMEOUT)
    made.start()
    return made


def copy(address: str, count: int) -> Cost:
    watch = Stopwatch()
    for _ in range(count):
        made = started(address)
        assert len(made.idl.tables["Interface"].rows) > 1
        made.stop(TIMEOUT)
    return watch.cost(count)


def write(address: str, count: int) -> Cost:
    made = started(address)
    api = impl_idl.OvsdbIdl(made)
    watch = Stopwatch()
    for number in range(count):
        api.db_set("Open_vSwitch", ".", ("system_version", f"ovsdbapp {number}")).execute(check_error=True)
    cost = watch.cost(count)
    made.stop(TIMEOUT)
    return cost


WORK = {"copy": copy, "write": write}


if __name__ == "__main__":
    address, work, number = sys.argv[1:]
    tell([WORK[work](address, int(number))])
