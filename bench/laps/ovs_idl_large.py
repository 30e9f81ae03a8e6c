"""The first copy by ``ovs.db.idl`` as pip installs it: ``python -m bench.laps.ovs_idl_large ADDRESS ROWS SCHEMA``."""

from __future__ import annotations

import sys
import time

from ovs import poller
from ovs.db import idl

from bench.laps.memory import resident_mb
from bench.laps.report import tell_figures
from bench.laps.tables import LARGE


def follow(address: str, rows: int, schema: str) -> dict[str, float]:
    before, began = resident_mb(), time.process_time()
    helper = idl.SchemaHelper(schema)
    helper.register_table(LARGE)
    replica = idl.Idl(address, helper, probe_interval=0)
    replica.run()
    while not replica.has_ever_connected() or len(replica.tables[LARGE].rows) < rows:
        waiting = poller.Poller()
        replica.wait(waiting)
        waiting.block()
        replica.run()
    spent = time.process_time() - began
    return {"sync_cpu_s": spent, "memory_mb": resident_mb() - before}


if __name__ == "__main__":
    address, number, file = sys.argv[1:]
    tell_figures(follow(address, int(number), file))
