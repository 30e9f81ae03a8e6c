"""The agent's container, and the DaemonSet that puts one on each node."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ovsnet.deadlines import DRAIN, SHUTDOWN
from ovsnet.deploy.kubernetes import named_files
from ovsnet.deploy.kubernetes.confinement import security_modules
from ovsnet.deploy.kubernetes.deployment import NAME, Deployment
from ovsnet.deploy.kubernetes.probes import Probe, agent_probes, readiness

Document = Mapping[str, object]

LABELS = {"app.kubernetes.io/name": NAME}

RESOURCES = {"requests": {"cpu": "10m", "memory": "48Mi"}, "limits": {"memory": "256Mi"}}
"""Measured: 47.6 MiB and 0.37 % of a core, probing every second. No limit of CPU: it would throttle the agent,
which is to judge what is throttled."""

SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "privileged": False,
    "readOnlyRootFilesystem": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def container(deployment: Deployment, volumes: Sequence[str], probes: Mapping[str, Probe]) -> Document:
    """``volumes`` are the names of those that hold OVS's and OVN's run directory. A socket on a read-only mount can be
    connected to: that writes nothing to the file system."""
    environment = deployment.environment
    mounts = [*zip(volumes, dict.fromkeys(deployment.rundirs), strict=False)]
    mounts += [(mounts[-1][0], path) for path in deployment.aliases]
    return {
        "name": NAME,
        **deployment.image_keys,
        "args": ["serve"],
        **({"env": environment} if environment else {}),
        **probes,
        "resources": RESOURCES,
        "securityContext": {
            "runAsUser": deployment.user,
            "runAsGroup": deployment.user,
            **SECURITY,
            **security_modules(deployment),
        },
        "volumeMounts": [
            *({"name": volume, "mountPath": path, "readOnly": True} for volume, path in mounts),
            *named_files.mounts(deployment),
        ],
    }


def daemonset(deployment: Deployment) -> Document:
    """It shares the host's network, for it must run where the network of pods does not."""
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": NAME, "namespace": deployment.namespace, "labels": LABELS},
        "spec": {
            "selector": {"matchLabels": LABELS},
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "10%"}},
            "template": {"metadata": {"labels": LABELS}, "spec": _pod(deployment)},
        },
    }


def _pod(deployment: Deployment) -> Document:
    directories = dict(zip(("openvswitch", "ovn"), dict.fromkeys(deployment.rundirs), strict=False))
    probes = agent_probes(deployment) | {"readinessProbe": readiness(deployment)}
    ports = [{"name": "http", "containerPort": deployment.port}]
    return {
        "hostNetwork": True,
        "hostPID": deployment.host_pid,
        "automountServiceAccountToken": False,
        # Else a Service named ovsnet gives variables that look like settings, and an unknown setting is refused.
        "enableServiceLinks": False,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "priorityClassName": "system-node-critical",
        "tolerations": [{"operator": "Exists"}],
        "terminationGracePeriodSeconds": math.ceil(2 * (DRAIN + SHUTDOWN)),
        "containers": [{**container(deployment, tuple(directories), probes), "ports": ports}],
        # Directory: one made here would have the wrong owner for OVS, so the pod waits until it is there.
        "volumes": [
            *({"name": name, "hostPath": {"path": path, "type": "Directory"}} for name, path in directories.items()),
            *named_files.volumes(deployment),
        ],
    }
