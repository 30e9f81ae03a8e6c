"""The real kustomize builds what ``kubernetes/`` holds, and Kubernetes' schema takes the result."""

from __future__ import annotations

import copy
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from ovsnet.deploy.kubernetes.bench_storm import job
from ovsnet.deploy.kubernetes.deployment import Deployment
from ovsnet.deploy.kubernetes.workload import daemonset
from ovsnet.deploy.yaml_writer import dumps
from release.pins import SOURCE
from tests.system import needs

SCRIPT = {"exec": {"command": ["bash", "/kube-ovn/ovs-healthcheck.sh"]}, "periodSeconds": 5, "timeoutSeconds": 45}

OVS_OVN = {
    "apiVersion": "apps/v1",
    "kind": "DaemonSet",
    "metadata": {"name": "ovs-ovn", "namespace": "kube-system"},
    "spec": {
        "selector": {"matchLabels": {"app": "ovs"}},
        "template": {
            "metadata": {"labels": {"app": "ovs"}},
            "spec": {
                "hostNetwork": True,
                "hostPID": True,
                "containers": [
                    {
                        "name": "openvswitch",
                        "image": "kube-ovn",
                        "command": ["/kube-ovn/start-ovs.sh"],
                        "readinessProbe": {**SCRIPT, "initialDelaySeconds": 10},
                        "livenessProbe": {**SCRIPT, "initialDelaySeconds": 60, "failureThreshold": 5},
                        "volumeMounts": [{"name": "host-run-ovs", "mountPath": "/var/run/openvswitch"}],
                    }
                ],
                "volumes": [
                    {"name": "host-run-ovs", "hostPath": {"path": "/run/openvswitch"}},
                    {"name": "host-run-ovn", "hostPath": {"path": "/run/ovn"}},
                ],
            },
        },
    },
}
"""What matters here of the DaemonSet in Kube-OVN's chart."""


def dpdk() -> dict[str, Any]:
    """The same of the one for DPDK (ovsovn-dpdk-ds.yaml): root runs the switch, and its readiness has no delay."""
    document: dict[str, Any] = copy.deepcopy(OVS_OVN)
    document["metadata"]["name"] = "ovs-ovn-dpdk"
    document["spec"]["selector"]["matchLabels"]["app"] = "ovs-dpdk"
    document["spec"]["template"]["metadata"]["labels"]["app"] = "ovs-dpdk"
    (switch,) = document["spec"]["template"]["spec"]["containers"]
    switch["command"] = ["/kube-ovn/start-ovs-dpdk-v2.sh"]
    switch["securityContext"] = {"runAsUser": 0, "privileged": True}
    switch["readinessProbe"] = SCRIPT
    switch["volumeMounts"].append({"name": "hugepage", "mountPath": "/dev/hugepages"})
    document["spec"]["template"]["spec"]["volumes"].append({"name": "hugepage", "emptyDir": {"medium": "HugePages"}})
    return document


@pytest.fixture(scope="session")
def kustomize() -> Path:
    return needs.kustomize()


def build(kustomize: Path, directory: Path) -> dict[tuple[str, str], Any]:
    """What it makes of a directory, by kind and name."""
    done = subprocess.run([kustomize, "build", directory], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    documents: list[Any] = list(yaml.safe_load_all(done.stdout))
    return {(each["kind"], each["metadata"]["name"]): each for each in documents}


def overlay(directory: Path, **fields: object) -> Path:
    """A user's own directory beside a copy of ours: kustomize reads no file outside, and no absolute path."""
    (directory / "kubernetes").symlink_to(SOURCE / "kubernetes")
    mine = directory / "mine"
    mine.mkdir()
    (mine / "kustomization.yaml").write_text(dumps(fields))
    return mine


def containers(document: Any) -> dict[str, Any]:
    return {each["name"]: each for each in document["spec"]["template"]["spec"]["containers"]}


@pytest.mark.parametrize("directory", ["base", "ovn-kubernetes"])
def test_workload_is_built_as_it_stands(kustomize: Path, directory: str) -> None:
    built = build(kustomize, SOURCE / "kubernetes" / directory)
    assert built.keys() == {("DaemonSet", "ovsnet")}
    if directory == "base":
        assert built["DaemonSet", "ovsnet"] == daemonset(Deployment())


def test_job_is_built_as_it_stands_and_its_moment_is_patched_by_name(kustomize: Path, tmp_path: Path) -> None:
    assert build(kustomize, SOURCE / "kubernetes/bench-storm") == {("Job", "ovsnet-bench-storm"): job(Deployment())}
    moment = {"name": "START_AT", "value": "2026-11-25T12:00:00Z"}
    patched = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "ovsnet-bench-storm", "namespace": "kube-system"},
        "spec": {"template": {"spec": {"containers": [{"name": "ovsnet", "env": [moment]}]}}},
    }
    mine = overlay(tmp_path, resources=["../kubernetes/bench-storm"], patches=[{"path": "moment.yaml"}])
    (mine / "moment.yaml").write_text(dumps(patched))
    (document,) = build(kustomize, mine).values()
    assert containers(document)["ovsnet"]["env"] == [moment]
    assert containers(document)["ovsnet"]["args"] == containers(job(Deployment()))["ovsnet"]["args"]


def test_switch_of_kube_ovn_gets_the_agent_beside_it_and_loses_its_script(kustomize: Path, tmp_path: Path) -> None:
    mine = overlay(tmp_path, resources=["ovs-ovn.yaml"], components=["../kubernetes/kube-ovn"])
    (mine / "ovs-ovn.yaml").write_text(dumps(OVS_OVN))
    (document,) = build(kustomize, mine).values()
    kubernetes_validate.validate(document, "1.37", strict=True)
    switch, agent = containers(document)["openvswitch"], containers(document)["ovsnet"]
    probes = {name: probe for name, probe in switch.items() if name.endswith("Probe")}
    assert {name: probe["httpGet"]["path"] for name, probe in probes.items()} == {
        "startupProbe": "/startupz",
        "readinessProbe": "/readyz",
        "livenessProbe": "/ovs/livez",
    }
    assert not [name for name, probe in probes.items() if {"exec", "initialDelaySeconds"} & probe.keys()]
    assert switch["command"] == ["/kube-ovn/start-ovs.sh"]
    volumes = {volume["name"] for volume in document["spec"]["template"]["spec"]["volumes"]}
    assert {mount["name"] for mount in agent["volumeMounts"]} == volumes


def test_switch_with_dpdk_gets_the_agent_that_is_its_user(kustomize: Path, tmp_path: Path) -> None:
    components = ["../kubernetes/kube-ovn", "../kubernetes/kube-ovn-prometheus"]
    mine = overlay(tmp_path, resources=["ovs-ovn.yaml", "dpdk.yaml"], components=components)
    (mine / "ovs-ovn.yaml").write_text(dumps(OVS_OVN))
    (mine / "dpdk.yaml").write_text(dumps(dpdk()))
    built = build(kustomize, mine)
    users = {}
    for name in ("ovs-ovn", "ovs-ovn-dpdk"):
        document = built["DaemonSet", name]
        kubernetes_validate.validate(document, "1.37", strict=True)
        switch, agent = containers(document)["openvswitch"], containers(document)["ovsnet"]
        probes = [probe for key, probe in switch.items() if key.endswith("Probe")]
        assert [probe.keys() & {"exec", "httpGet"} for probe in probes] == [{"httpGet"}] * 3
        assert "OVSNET_LISTEN" in [each["name"] for each in agent["env"]]
        users[name] = agent["securityContext"]["runAsUser"]
    assert users == {"ovs-ovn": 65534, "ovs-ovn-dpdk": 0}


def test_prometheus_is_added_to_the_switch_of_kube_ovn(kustomize: Path, tmp_path: Path) -> None:
    components = ["../kubernetes/kube-ovn", "../kubernetes/kube-ovn-prometheus"]
    mine = overlay(tmp_path, resources=["ovs-ovn.yaml"], components=components)
    (mine / "ovs-ovn.yaml").write_text(dumps(OVS_OVN))
    built = build(kustomize, mine)
    kinds = ("PodMonitor", "PrometheusRule")
    assert built.keys() == {("DaemonSet", "ovs-ovn"), *((kind, "ovsnet-kube-ovn") for kind in kinds)}
    document = built["DaemonSet", "ovs-ovn"]
    kubernetes_validate.validate(document, "1.37", strict=True)
    (expression,) = built["PodMonitor", "ovsnet-kube-ovn"]["spec"]["selector"]["matchExpressions"]
    assert document["spec"]["template"]["metadata"]["labels"][expression["key"]] in expression["values"]
    names = [each["name"] for each in containers(document)["ovsnet"]["env"]]
    assert names.index("HOST_IP") < names.index("OVSNET_LISTEN")
    assert "OVSNET_LISTEN_SHARED" in names


def test_prometheus_is_added_to_either_workload(kustomize: Path, tmp_path: Path) -> None:
    mine = overlay(
        tmp_path,
        namespace="net",
        resources=["../kubernetes/ovn-kubernetes"],
        components=["../kubernetes/prometheus"],
        images=[{"name": "ovsnet", "newName": "here/ovsnet", "newTag": "1"}],
    )
    built = build(kustomize, mine)
    kinds = ("DaemonSet", "NetworkPolicy", "PodMonitor", "PrometheusRule")
    assert built.keys() == {(kind, "ovsnet") for kind in kinds}
    assert {document["metadata"]["namespace"] for document in built.values()} == {"net"}
    agent = containers(built["DaemonSet", "ovsnet"])["ovsnet"]
    assert agent["image"] == "here/ovsnet:1"
    names = [each["name"] for each in agent["env"]]
    assert names.index("HOST_IP") < names.index("OVSNET_LISTEN")  # or Kubernetes would not put it in
    assert {"OVSNET_RUNDIR", "OVSNET_OVN_RUNDIR"} <= set(names)
    kubernetes_validate.validate(built["DaemonSet", "ovsnet"], "1.37", strict=True)
