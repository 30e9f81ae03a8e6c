"""Kube-OVN: the agent beside Open vSwitch in the pods of ``ovs-ovn``, whose probes ask it instead of running a script.

Names are those of charts/kube-ovn/templates/ovsovn-ds.yaml: the container ``openvswitch``, the volumes
``host-run-ovs`` and ``host-run-ovn``, and the user 65534 (``kubeovn.runAsUser``; 0 with IPsec). The pods of
``ovs-ovn-dpdk`` (ovsovn-dpdk-ds.yaml, with HYBRID_DPDK) have the same names and a switch that root runs.
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

NOBODY, ROOT = 65534, 0

REPLACED: Probe = {"exec": None, "initialDelaySeconds": None}

SELECTOR = {"matchExpressions": [{"key": "app", "operator": "In", "values": ["ovs", "ovs-dpdk"]}]}
"""Of the pods of either DaemonSet."""

DAEMONSET, DPDK = "ovs-ovn", "ovs-ovn-dpdk"

EITHER = "ovs-ovn(-dpdk)?"
"""As a regular expression, which kustomize anchors."""

VOLUMES = ("host-run-ovs", "host-run-ovn")


def dpdk_patch(deployment: Deployment) -> Document:
    """As ``patch``, for the DaemonSet whose switch uses DPDK."""
    return patch(deployment, DPDK)


def patch(deployment: Deployment, name: str = DAEMONSET) -> Document:
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
        "metadata": {"name": name, "namespace": deployment.namespace},
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
cat > "$place/dpdk.yaml" <<'PATCH'
{dpdk}PATCH
# The agent is the user who runs Open vSwitch: root in 1.12, with IPsec and with DPDK, 65534 else.
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
        # A patch whose target the chart lacks is no error to kustomize; a replacement without its source is one.
        "patches": [
            {"path": "patch.yaml", "target": target},
            {"path": "dpdk.yaml", "target": {**target, "name": DPDK}},
        ],
        "replacements": [{"source": source, "targets": [{"select": target, "fieldPaths": users}]}],
    }
    return POST_RENDERER.format(
        patch=dumps(patch(deployment)),
        dpdk=dumps(dpdk_patch(replace(deployment, user=ROOT))),
        kustomization=dumps(kustomization),
    )


def _security(container: str, key: str) -> str:
    """A field's path, as kustomize writes it."""
    return f"spec.template.spec.containers.[name={container}].securityContext.{key}"
