"""Kube-OVN: the agent beside Open vSwitch in the pods of ``ovs-ovn``, whose probes ask it instead of running a script.

Names are those of charts/kube-ovn/templates/ovsovn-ds.yaml: the container ``openvswitch``, the volumes
``host-run-ovs`` and ``host-run-ovn``, and the user 65534 (``kubeovn.runAsUser``; 0 with IPsec).
The pods have ``hostPID``, so the agent can prove a hang. They keep their service links: where ``OVN_DB_IPS`` is not
set, start-ovs.sh learns the databases' address from ``OVN_SB_SERVICE_HOST``.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from ovsnet.deploy.kubernetes import named_files
from ovsnet.deploy.kubernetes.deployment import Deployment
from ovsnet.deploy.kubernetes.probes import Probe, agent_probes, answers, switch_probes
from ovsnet.deploy.kubernetes.workload import Document, container
from ovsnet.deploy.yaml_writer import dumps

NOBODY = 65534

REPLACED: Probe = {"exec": None, "initialDelaySeconds": None}

LABELS = {"app": "ovs"}
"""Of the pods."""

DAEMONSET = "ovs-ovn"

VOLUMES = ("host-run-ovs", "host-run-ovn")


def patch(deployment: Deployment) -> Document:
    """A strategic merge patch. Lists of containers are merged by name, and null takes a key out."""
    # During an update the next pod starts before the old one ends (maxSurge), on the same network.
    shared = replace(deployment, settings=msgspec.structs.replace(deployment.settings, listen_shared=True))
    probes = switch_probes(shared)
    # These two are there, with a command. The API server takes no probe that asks in two ways.
    probes |= {name: {**REPLACED, **probes[name]} for name in ("readinessProbe", "livenessProbe")}
    switch = {"name": "openvswitch", **probes}
    agent = container(shared, VOLUMES, agent_probes(shared) | {"readinessProbe": answers(shared)})
    volumes = named_files.volumes(shared)
    pod = {"containers": [switch, agent], **({"volumes": volumes} if volumes else {})}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": DAEMONSET, "namespace": deployment.namespace},
        "spec": {"template": {"spec": pod}},
    }


POST_RENDERER = """\
#!/bin/sh
# Puts ovsnet beside Open vSwitch into what helm renders of Kube-OVN's chart: helm upgrade ... --post-renderer THIS-FILE
# An upgrade with it keeps ovsnet, for helm then compares a chart that has it with another that has it. One without it
# takes ovsnet out.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cat > "$place/chart.yaml"
cat > "$place/patch.yaml" <<'PATCH'
{patch}PATCH
# The agent is the user who runs Open vSwitch: root in 1.12 and with IPsec, 65534 else.
cat > "$place/kustomization.yaml" <<'KUSTOMIZATION'
{kustomization}KUSTOMIZATION
${{KUSTOMIZE:-kubectl kustomize}} "$place"
"""


def post_renderer(deployment: Deployment) -> str:
    """A program for helm. A patch of the cluster's own object would not outlive the chart's next version: helm merges
    three ways, finds no probe changed between the charts' versions but ours in the cluster, and brings the chart's
    commands back beside it, which the API server refuses."""
    target = {"kind": "DaemonSet", "name": DAEMONSET}
    users = [_security("ovsnet", key) for key in ("runAsUser", "runAsGroup")]
    source = {**target, "fieldPath": _security("openvswitch", "runAsUser")}
    kustomization = {
        "resources": ["chart.yaml"],
        "patches": [{"path": "patch.yaml", "target": target}],
        "replacements": [{"source": source, "targets": [{"select": target, "fieldPaths": users}]}],
    }
    return POST_RENDERER.format(patch=dumps(patch(deployment)), kustomization=dumps(kustomization))


def _security(container: str, key: str) -> str:
    """A field's path, as kustomize writes it."""
    return f"spec.template.spec.containers.[name={container}].securityContext.{key}"
