"""The kubelet's patience with an agent whose host has no CPU left."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.supervisor import die_with_parent
from tests.serving import serving
from tests.web.kubelet import kubelet

HOGS = 8
PROBES = 20


@contextlib.contextmanager
def hogs(count: int) -> Iterator[None]:
    """Processes that take all the CPU they get, for the length of the block."""
    argv = [*die_with_parent(), sys.executable, "-ISc", "print(flush=True)\nwhile True: pass"]
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            hog = stack.enter_context(subprocess.Popen(argv, stdout=subprocess.PIPE))
            stack.callback(hog.kill)
            assert hog.stdout is not None
            assert hog.stdout.readline() == b"\n"
        yield


async def test_agent_among_eight_hogs_is_neither_restarted_nor_called_unready(node: Sandbox) -> None:
    async with serving(node.rundir) as agent, kubelet(agent.host, agent.port) as watched:
        await watched.until(lambda: watched.readiness.passing)
        with hogs(HOGS):
            asked = len(watched.liveness.results)
            await watched.until(lambda: len(watched.liveness.results) >= asked + PROBES)
        assert not watched.liveness.turns
        assert len(watched.readiness.turns) == 1
