"""Static pods out of what ``ovsnet kubernetes render`` prints."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import yaml

from ovsnet.sandbox import suite
from ovsnet.sandbox.node import Sandbox
from tests.kubelet.kubelet import free_port
from tests.system.image import RELEASE
from tests.system.three_way import merged

IMAGE = "localhost/ovsnet:test"


def rendered(piece: str, node: Sandbox, *flags: str) -> Any:
    """The document, for this node's run directory."""
    argv = [sys.executable, "-m", "ovsnet", "kubernetes", "render", piece, f"--image={IMAGE}", "--local-image", *flags]
    argv += [f"--rundir={node.rundir}", f"--ovn-rundir={node.rundir}", f"--listen=127.0.0.1:{free_port()}"]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return yaml.safe_load(done.stdout)


def agent(node: Sandbox) -> Mapping[str, Any]:
    """The pod that the DaemonSet would put on this node."""
    document = rendered("daemonset", node)
    return static(document["metadata"], document["spec"]["template"]["spec"])


def beside_switch(node: Sandbox) -> Mapping[str, Any]:
    """A pod as Kube-OVN's with our patch, whose own container runs the switch of this node: stop the node's first.

    The switch is killed after a minute of failures, not after six: an agent that was started again answers sooner.
    """
    patch = rendered("kube-ovn", node, "--user=0", "--dead-after=6")
    chart = {"containers": [_switch(node)], "volumes": _volumes(node), "hostNetwork": True, "hostPID": True}
    spec = merged({}, patch["spec"]["template"]["spec"], chart | {"terminationGracePeriodSeconds": 1})
    liveness = spec["containers"][0]["livenessProbe"]
    liveness["failureThreshold"] = 60 // liveness["periodSeconds"]
    return static(patch["metadata"], spec)


def _switch(node: Sandbox) -> Mapping[str, Any]:
    """The container of the chart, with the programs of this machine's cache."""
    daemon = node.daemons["ovs-vswitchd"]
    programs = suite.programs(RELEASE)
    command = [str(programs / daemon.program), *daemon.arguments, f"--pidfile={node.rundir / daemon.pidfile}"]
    script = {"exec": {"command": ["bash", "/kube-ovn/ovs-healthcheck.sh"]}, "periodSeconds": 5}
    return {
        "name": "openvswitch",
        "image": IMAGE,
        "command": command,
        "env": [{"name": "OVS_RUNDIR", "value": str(node.rundir)}],
        "securityContext": {"runAsUser": 0},
        "readinessProbe": {**script, "initialDelaySeconds": 10},
        "livenessProbe": {**script, "initialDelaySeconds": 60, "failureThreshold": 5},
        "volumeMounts": [
            {"name": "host-run-ovs", "mountPath": str(node.rundir)},
            {"name": "programs", "mountPath": str(programs.parent), "readOnly": True},
        ],
    }


def _volumes(node: Sandbox) -> list[Mapping[str, Any]]:
    places = {"host-run-ovs": node.rundir, "host-run-ovn": node.rundir, "programs": suite.programs(RELEASE).parent}
    return [{"name": name, "hostPath": {"path": str(path)}} for name, path in places.items()]


def static(metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """A pod of this specification, as a kubelet reads it from a file."""
    named = {key: metadata[key] for key in ("name", "namespace")}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": named, "spec": spec}
