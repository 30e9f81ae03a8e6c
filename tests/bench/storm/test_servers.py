"""What a storm knows of the servers that it hits."""

from __future__ import annotations

import subprocess
import sys

from ovsnet.bench.storm.servers import Meter, contents
from ovsnet.io.address import Address
from ovsnet.sandbox.node import Sandbox

BUSY = "import time\nwhile time.process_time() < 0.2: pass\nprint(); input()"


async def test_contents_are_those_of_the_first_server_that_answers(node: Sandbox) -> None:
    remotes = [Address.unix(node.rundir / "none.sock"), Address.parse(node.southbound_servers["ovn-sb"])]
    known = await contents(remotes, None)
    assert "logical_datapath" in known.tables["Logical_Flow"]
    assert len(known.datapaths) == 1


def test_meter_counts_only_what_is_used_while_it_looks_and_through_restarts() -> None:
    meter = Meter()
    for expected in (0.0, 0.2):  # the first process had used all that it uses before we looked
        with subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as busy:
            assert busy.stdout is not None
            busy.stdout.readline()
            meter.read(busy.pid)
            meter.read(busy.pid)
            busy.communicate(b"\n")
        assert meter.cpu_seconds >= expected
        assert expected or meter.cpu_seconds < 0.2
    assert meter.peak_bytes > 1 << 20
