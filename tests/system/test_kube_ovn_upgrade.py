"""Kube-OVN's chart is upgraded from each version to the next, with the agent in its pods, and taken out again."""

from __future__ import annotations

import copy
import itertools
import os
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from ovsnet.deploy.kubernetes.deployment import Deployment
from ovsnet.deploy.kubernetes.kube_ovn import NOBODY, patch, post_renderer
from ovsnet.deploy.yaml_writer import dumps
from tests.system import needs
from tests.system.test_kustomize import OVS_OVN, containers, dpdk
from tests.system.three_way import merged

VERSIONS = ("1.12", "1.13", "1.14", "1.15", "1.16", "1.17")

STEPS = list(itertools.pairwise(VERSIONS))


def chart(version: str) -> dict[str, Any]:
    """What a version renders of ``ovs-ovn``, as far as a merge meets ours: charts/kube-ovn/templates/ovsovn-ds.yaml of
    v1.12.30, v1.13.15, v1.14.41, v1.15.24, v1.16.2 and v1.17."""
    document: dict[str, Any] = copy.deepcopy(OVS_OVN)
    pod = document["spec"]["template"]["spec"]
    (switch,) = pod["containers"]
    minor = int(version.partition(".")[2])
    switch["image"] = f"kube-ovn:v{version}"
    switch["securityContext"] = {"runAsUser": 0 if minor == 12 else NOBODY}
    switch["volumeMounts"].append({"name": "host-run-ovn", "mountPath": "/var/run/ovn"})
    name = "KUBE_NODE_NAME" if minor <= 14 else "NODE_NAME"
    switch["env"] = [{"name": "ENABLE_SSL", "value": "false"}, {"name": name, "value": "node"}]
    if minor in (15, 17):
        switch["env"].append({"name": "KUBE_OVN_SB_PORT", "value": "6642"})
    if minor >= 13:
        pod["initContainers"] = [{"name": "hostpath-init", "image": f"kube-ovn:v{version}", "command": ["sh"]}]
    else:
        pod["volumes"].append({"name": "host-ns", "hostPath": {"path": "/var/run/netns"}})
        switch["volumeMounts"].append({"name": "host-ns", "mountPath": "/var/run/netns"})
    return document


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Each version as helm has it after our program, which kustomize carries out."""
    program = _program(tmp_path_factory.mktemp("helm"))
    return {version: _post_rendered(program, chart(version))["ovs-ovn"] for version in VERSIONS}


def _program(directory: Path) -> Path:
    program = directory / "post-render.sh"
    program.write_text(post_renderer(Deployment(user=NOBODY)))
    program.chmod(0o755)
    return program


def _post_rendered(program: Path, *documents: dict[str, Any]) -> dict[str, Any]:
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}, "data": {"a": "b"}}
    given = "\n---\n".join(map(dumps, (*documents, other)))
    done = subprocess.run(
        [program],
        input=given,
        capture_output=True,
        text=True,
        env=os.environ | {"KUSTOMIZE": f"{needs.kustomize()} build"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = {each["metadata"]["name"]: each for each in yaml.safe_load_all(done.stdout)}
    assert found.pop("other") == other
    return found


def handlers(document: Any) -> dict[str, set[str]]:
    """How each probe of the switch asks. The API server takes one way alone."""
    switch = containers(document)["openvswitch"]
    ways = {"exec", "httpGet", "tcpSocket", "grpc"}
    return {name: ways & probe.keys() for name, probe in switch.items() if name.endswith("Probe")}


@pytest.mark.parametrize("version", VERSIONS)
def test_agent_is_the_user_who_runs_open_vswitch(rendered: dict[str, Any], version: str) -> None:
    """Open vSwitch's sockets are open to no other."""
    found = containers(rendered[version])
    switch, agent = found["openvswitch"]["securityContext"], found["ovsnet"]["securityContext"]
    assert (agent["runAsUser"], agent["runAsGroup"]) == (switch["runAsUser"],) * 2
    assert agent["capabilities"] == {"drop": ["ALL"]}


OURS = {name: {"httpGet"} for name in ("startupProbe", "readinessProbe", "livenessProbe")}

THEIRS = {name: {"exec"} for name in ("readinessProbe", "livenessProbe")}


@pytest.mark.parametrize("step", STEPS, ids="-".join)
def test_agent_outlives_the_upgrade(rendered: dict[str, Any], step: tuple[str, str]) -> None:
    before, after = (rendered[version] for version in step)
    result = merged(before, after, before)
    kubernetes_validate.validate(result, "1.37", strict=True)
    assert handlers(result) == OURS
    assert containers(result) == containers(after)
    assert containers(result)["openvswitch"]["image"] == f"kube-ovn:v{step[1]}"


@pytest.mark.parametrize("version", VERSIONS)
def test_upgrade_without_the_program_takes_it_out(rendered: dict[str, Any], version: str) -> None:
    with_it, without = rendered[version], chart(version)
    result = merged(with_it, without, with_it)
    assert handlers(result) == THEIRS
    assert containers(result) == containers(without)


@pytest.mark.parametrize("step", STEPS, ids="-".join)
def test_patched_cluster_takes_the_program_at_its_next_upgrade(rendered: dict[str, Any], step: tuple[str, str]) -> None:
    """Without it, that upgrade would be refused: the chart's command comes back beside our request."""
    last = chart(step[0])
    there = rendered[step[0]]  # what `kubectl patch` makes is the same
    assert handlers(merged(last, chart(step[1]), there))["livenessProbe"] == {"exec", "httpGet"}
    assert handlers(merged(last, rendered[step[1]], there)) == OURS


def test_program_puts_the_agent_beside_dpdk_as_root(tmp_path: Path) -> None:
    """Of a chart with both, and of what it renders where hybrid DPDK is on: the switch for DPDK is root's in each."""
    found = _post_rendered(_program(tmp_path), chart("1.17"), dpdk())
    users = {name: containers(each)["ovsnet"]["securityContext"]["runAsUser"] for name, each in found.items()}
    assert users == {"ovs-ovn": NOBODY, "ovs-ovn-dpdk": 0}
    kubernetes_validate.validate(found["ovs-ovn-dpdk"], "1.37", strict=True)
    assert handlers(found["ovs-ovn-dpdk"]) == OURS


def test_program_carries_the_very_patch() -> None:
    assert dumps(patch(Deployment(user=NOBODY))) in post_renderer(Deployment(user=NOBODY))
