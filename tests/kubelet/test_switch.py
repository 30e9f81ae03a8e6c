"""Open vSwitch in a container of its own, whose probes ask the agent beside it, as in Kube-OVN's pods."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator

import pytest_asyncio

from ovsnet.sandbox.node import Sandbox
from tests.kubelet.conftest import Run
from tests.kubelet.containerd import Containerd
from tests.kubelet.kubelet import Kubelet, Pod
from tests.kubelet.pods import beside_switch
from tests.system.machine import until


@pytest_asyncio.fixture
async def pod(node: Sandbox, run: Run) -> AsyncIterator[Pod]:
    """On a node without a switch but the pod's."""
    await node.stop("ovs-vswitchd")
    yield run(beside_switch(node))


async def test_switch_that_hangs_is_started_again_and_works(pod: Pod, containerd: Containerd) -> None:
    switch = pod.container("openvswitch").id
    os.kill(containerd.pid(switch), signal.SIGSTOP)
    pod.until_not_ready()
    pod.until_restarted("openvswitch", 1)
    pod.until_ready()
    assert pod.restarts() == {"openvswitch": 1, "ovsnet": 0}
    assert pod.container("openvswitch").id != switch


async def test_death_of_the_agent_is_not_the_switch_s(pod: Pod, containerd: Containerd, kubelet: Kubelet) -> None:
    switch = pod.container("openvswitch").id
    os.kill(containerd.pid(pod.container("ovsnet").id), signal.SIGKILL)
    pod.until_restarted("ovsnet", 1)
    pod.until_ready()
    alive = kubelet.probes("openvswitch", "Liveness", "successful")
    until(lambda: kubelet.probes("openvswitch", "Liveness", "successful") > alive, "the liveness", pod.story)
    assert pod.restarts() == {"openvswitch": 0, "ovsnet": 1}
    assert pod.container("openvswitch").id == switch
