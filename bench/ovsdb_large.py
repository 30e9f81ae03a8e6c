"""What does a copy of 100 000 and of 1 000 000 rows cost, beside ``ovs.db.idl``, and how long does it hold up the loop?

CPU and memory are those of the copy alone. The longest block is our thread's CPU between two passes of the event loop;
the row without the garbage collector says what of it is ours.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence

from bench.comparison import Row, Target
from bench.laps.tables import LARGE, LARGE_DATABASE
from bench.processes import figures
from bench.runner import alone
from ovsnet.ovsdb import Client
from ovsnet.ovsdb.operations import Operation, insert
from ovsnet.sandbox import binaries
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.supervisor import die_with_parent

ROUNDS = 3
ROWS, MOST = 100_000, 1_000_000
UPDATES = 5000
NEEDED = 8 << 30
"""Bytes of memory for MOST rows: the server's, those of its answer, and ours."""

PATIENCE = 900.0
AT_ONCE = 5000
"""Rows of one transaction."""

IDL = "ovs.db.idl"

Figures = Mapping[str, float]


async def measure(_node: Sandbox) -> list[Row]:
    schema = str(binaries.find().schema("ovn-sb.ovsschema"))
    with serving(schema) as address:
        await fill(address, 0, ROWS)
        ours: list[Figures] = []
        peers: list[Figures] = []
        for _ in range(ROUNDS):
            ours.append(our_figures(address, ROWS))
            peers.append(figures("ovs_idl_large", address, ROWS, schema, timeout=PATIENCE))
        found = rows(ROWS, ours, peers)
        if os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") > NEEDED:
            await fill(address, ROWS, MOST)
            found += rows_of_most(MOST, [our_figures(address, MOST)])
    return found


def rows(count: int, ours: Sequence[Figures], peers: Sequence[Figures]) -> list[Row]:
    """The targets are those of a library that people choose for large databases."""
    title = f"Copy of {count} rows"

    def beside(name: str, figure: str, unit: str, at_most: float) -> Row:
        mine, theirs = ([each[figure] for each in these] for these in (ours, peers))
        return Row(f"{title}: {name}", unit, mine, theirs, IDL, Target("ratio", at_most=at_most))

    def bounded(name: str, figure: str, unit: str, at_most: float) -> Row:
        return Row(f"{title}: {name}", unit, [each[figure] for each in ours], target=Target("ours", at_most=at_most))

    return [
        beside("CPU", "sync_cpu_s", "s", 1 / 15),
        beside("memory", "memory_mb", "MB", 0.4),
        bounded("longest block", "longest_ms", "ms", 50.0),
        _without_collector(title, ours),
        bounded("resume, nothing missed: CPU", "resume_cpu_ms", "ms", 20.0),
        bounded("1000 updates a second", "share_of_a_core", "cores", 0.1),
    ]


def rows_of_most(count: int, ours: Sequence[Figures]) -> list[Row]:
    title = f"Copy of {count} rows"
    return [
        Row(f"{title}: CPU", "s", [each["sync_cpu_s"] for each in ours]),
        Row(f"{title}: memory", "MB", [each["memory_mb"] for each in ours], target=Target("ours", at_most=1200.0)),
        Row(f"{title}: longest block", "ms", [each["longest_ms"] for each in ours], target=Target("ours", at_most=100)),
        _without_collector(title, ours),
    ]


def _without_collector(title: str, ours: Sequence[Figures]) -> Row:
    name = "longest block without the garbage collector"
    return Row(f"{title}: {name}", "ms", [each["longest_without_collector_ms"] for each in ours])


def our_figures(address: str, count: int) -> Figures:
    """Of two processes: the loop that is watched never sleeps, and so its CPU says nothing."""
    laps = [figures("ovsdb_large", address, work, count, UPDATES, timeout=PATIENCE) for work in ("sync", "follow")]
    return {name: figure for lap in laps for name, figure in lap.items()}


@contextlib.contextmanager
def serving(schema: str) -> Iterator[str]:
    """The address of an ovsdb-server alone: ovn-northd would remove our rows. Its database is a cluster of one, because
    no other keeps a history (ovsdb/transaction.c, ``ovsdb_txn_history_init``)."""
    programs = binaries.find()
    with tempfile.TemporaryDirectory(prefix="large-") as directory:
        file, socket = f"{directory}/db", f"{directory}/sock"
        environment = dict(programs.environment(), OVS_RUNDIR=directory)
        create = [str(programs.path("ovsdb-tool")), "create-cluster", file, schema, f"unix:{directory}/raft"]
        subprocess.run(create, check=True, env=environment)
        serve = [str(programs.path("ovsdb-server")), f"--remote=punix:{socket}", f"--unixctl={directory}/ctl", file]
        with subprocess.Popen([*die_with_parent(), *serve], env=environment, stderr=subprocess.DEVNULL) as server:
            try:
                yield f"unix:{socket}"
            finally:
                server.kill()


async def fill(address: str, start: int, end: int) -> None:
    """Rows as OVN writes them. A server that is busy with the last thousands answers no echo."""
    async with Client(address, probe=None) as client:
        for at in range(start, end, AT_ONCE):
            flows = [flow(number) for number in range(at, min(at + AT_ONCE, end))]
            await client.transact(LARGE_DATABASE, *flows, timeout=PATIENCE)


def flow(number: int) -> Operation:
    """Those of priority 0 are few: they are updated."""
    return insert(
        LARGE,
        {
            "pipeline": "ingress",
            "table_id": number % 30,
            "priority": 0 if number < 100 else 100,
            "match": f"ip4.dst == 10.{number >> 16}.{number >> 8 & 255}.{number & 255} && reg14 == {number % 200:#x}",
            "actions": "next;",
            "external_ids": {"source": f"northd.c:{number % 9000}", "stage-name": "ls_in_l2_lkup"},
        },
    )


if __name__ == "__main__":
    alone(measure)
