"""The DaemonSet's pod under a real kubelet: its probes turn for what they are for, and for nothing else.

A fault of the switch takes the readiness alone, a fault of the agent itself has it started again.
"""

from __future__ import annotations

import os
import signal

from ovsnet.sandbox.node import Sandbox
from tests.kubelet.conftest import Run
from tests.kubelet.containerd import Containerd
from tests.kubelet.kubelet import Kubelet
from tests.kubelet.pods import agent
from tests.system.machine import until

NAME = "ovsnet"
"""Of the container."""


async def test_frozen_switch_takes_readiness_and_nothing_is_restarted(
    node: Sandbox, kubelet: Kubelet, run: Run
) -> None:
    manifest = agent(node)
    pod = run(manifest)
    await node.freeze("ovs-vswitchd")
    pod.until_not_ready()
    # Enough for a restart, had they failed.
    (container,) = manifest["spec"]["containers"]
    alive = kubelet.probes(NAME, "Liveness", "successful")
    enough = alive + container["livenessProbe"]["failureThreshold"]
    until(lambda: kubelet.probes(NAME, "Liveness", "successful") > enough, "probes of the liveness", pod.story)
    assert not pod.ready()
    assert pod.container(NAME).restarts == 0
    assert kubelet.probes(NAME, "Liveness", "failed") == 0
    await node.thaw("ovs-vswitchd")
    pod.until_ready()
    assert pod.container(NAME).restarts == 0


async def test_switch_that_died_takes_readiness_until_it_runs_again(node: Sandbox, run: Run) -> None:
    pod = run(agent(node))
    await node.kill("ovs-vswitchd")
    pod.until_not_ready()
    await node.start("ovs-vswitchd")
    pod.until_ready()
    assert pod.container(NAME).restarts == 0


async def test_killed_agent_is_started_again(node: Sandbox, containerd: Containerd, run: Run) -> None:
    pod = run(agent(node))
    os.kill(containerd.pid(pod.container(NAME).id), signal.SIGKILL)
    pod.until_restarted(NAME, 1)
    pod.until_ready()
    assert node.running("ovs-vswitchd")


async def test_agent_that_answers_no_more_is_started_again(node: Sandbox, containerd: Containerd, run: Run) -> None:
    pod = run(agent(node))
    os.kill(containerd.pid(pod.container(NAME).id), signal.SIGSTOP)
    pod.until_not_ready()
    pod.until_restarted(NAME, 1)
    pod.until_ready()
    assert node.running("ovs-vswitchd")


async def test_agent_in_it_has_no_privilege(node: Sandbox, containerd: Containerd, run: Run) -> None:
    pod = run(agent(node))
    status = containerd.status(pod.container(NAME).id)
    assert (status["CapEff"], status["CapBnd"]) == ("0" * 16, "0" * 16)
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
