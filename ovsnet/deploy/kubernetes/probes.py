"""The kubelet's probes. Each period and threshold follows from a deadline of the agent's own.

The kubelet opens a connection for each probe, counts consecutive failures, and takes no answer in ``timeoutSeconds``
for one (pkg/kubelet/prober). The agent answers from memory, so a late answer means that it is short of CPU.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ovsnet.deadlines import STALLED
from ovsnet.deploy.kubernetes.deployment import Deployment

Probe = Mapping[str, object]

BOOT = 60
"""Seconds that Python may take to start on a node that is short of CPU. On an idle one it takes one."""

LONGEST_BACKOFF = 300
"""Seconds that the kubelet lets a container that crashes again and again wait (MaxContainerBackOff, kubelet.go)."""

NEVER = 2**31 - 1
"""A threshold that is never reached: such a probe only holds others back."""


def agent_probes(deployment: Deployment) -> dict[str, Probe]:
    """Of the agent's own container: it is restarted for a blocked loop, and for nothing else."""
    return {
        "startupProbe": _probe(deployment, "/livez", period=1, failures=BOOT),
        "livenessProbe": _probe(
            deployment, "/livez", period=math.ceil(2 * STALLED), timeout=math.ceil(STALLED), failures=3
        ),
    }


def answers(deployment: Deployment) -> Probe:
    """The readiness of an agent that tells of another container's. A kubelet that knows no readiness probe of a
    container takes it for ready only at its next look at the whole pod, 90 s after its restart (1.20, measured)."""
    return _probe(deployment, "/livez", period=math.ceil(STALLED), timeout=math.ceil(STALLED), failures=3)


def readiness(deployment: Deployment) -> Probe:
    """The agent has weighed a fault for ``fall`` intervals already; asking more often would see nothing new. A second
    failure only makes up for one probe that got lost."""
    settings = deployment.settings
    period = max(1, math.ceil(settings.fall * settings.interval))
    return _probe(deployment, "/readyz", period=period, timeout=min(period, math.ceil(STALLED)), failures=2)


def switch_probes(deployment: Deployment) -> dict[str, Probe]:
    """Of the container that runs Open vSwitch, which is killed on proof alone.

    Nobody kills a start: however long it takes, the first probe does no more than hold the liveness back. After that
    ``/ovs/livez`` reports a death. But the kubelet takes silence of the agent's for a failure, too, so the threshold
    outlasts the longest wait for an agent that crashes: its death must not become the switch's.
    """
    settings = deployment.settings
    period = max(1, math.ceil(settings.dead_after / 3))
    return {
        "startupProbe": _probe(deployment, "/startupz", period=max(1, math.ceil(settings.interval)), failures=NEVER),
        "readinessProbe": readiness(deployment),
        "livenessProbe": _probe(
            deployment,
            "/ovs/livez",
            period=period,
            timeout=min(period, math.ceil(STALLED)),
            failures=math.ceil((LONGEST_BACKOFF + BOOT) / period),
        ),
    }


def _probe(deployment: Deployment, path: str, *, period: int, failures: int, timeout: int = 1) -> Probe:
    return {
        "httpGet": {"path": path, **deployment.target},
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "failureThreshold": failures,
    }
