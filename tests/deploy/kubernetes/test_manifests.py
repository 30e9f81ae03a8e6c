"""The manifests are what Kubernetes takes, and ask for no more than the agent needs."""

from __future__ import annotations

import re
from typing import Any

import kubernetes_validate
import pytest
import yaml

from ovsnet.config import Settings
from ovsnet.deploy.kubernetes.deployment import Deployment
from ovsnet.deploy.kubernetes.files import files
from ovsnet.errors import ConfigError
from ovsnet.health.causes import causes
from ovsnet.io.address import Address

VERSIONS = ("1.29", "1.37")
KINDS_OF_KUBERNETES = ("DaemonSet", "Job", "NetworkPolicy")


def texts(**settings: Any) -> dict[str, str]:
    rendered = files(Deployment(Settings(**settings)))
    return {path: text for path, text in rendered.items() if path.endswith(".yaml") and not path.startswith("helm/")}


def written(**settings: Any) -> dict[str, Any]:
    """Each file as a YAML reader sees it."""
    return {path: yaml.safe_load(text) for path, text in texts(**settings).items()}


def whole_documents() -> dict[str, str]:
    """Those of the API server's own kinds that are not patches."""
    patches = ("/ovs-ovn.yaml", "/ovs-ovn-dpdk.yaml", "/listen.yaml")
    return {
        path: text
        for path, text in texts().items()
        if not path.endswith(patches) and any(f"\nkind: {kind}\n" in text for kind in KINDS_OF_KUBERNETES)
    }


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("text", [pytest.param(text, id=path) for path, text in whole_documents().items()])
def test_document_keeps_to_the_schema_of_kubernetes(text: str, version: str) -> None:
    kubernetes_validate.validate(yaml.safe_load(text), version, strict=True)


def test_schema_would_refuse_a_misspelt_field() -> None:
    document = written()["base/daemonset.yaml"]
    document["spec"]["template"]["spec"]["hostPid"] = True
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, VERSIONS[0], strict=True)


def pod(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["spec"]["template"]["spec"]
    return found


def agent(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in pod(document)["containers"] if each["name"] == "ovsnet")
    return found


@pytest.mark.parametrize(
    "path",
    [
        "base/daemonset.yaml",
        "ovn-kubernetes/daemonset.yaml",
        "kube-ovn/ovs-ovn.yaml",
        "kube-ovn/ovs-ovn-dpdk.yaml",
        "bench-storm/job.yaml",
    ],
)
def test_agent_has_no_privilege_and_writes_nowhere(path: str) -> None:
    container = agent(written()[path])
    security = container["securityContext"]
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["readOnlyRootFilesystem"] is True
    assert (security["privileged"], security["allowPrivilegeEscalation"]) == (False, False)
    assert all(mount["readOnly"] for mount in container.get("volumeMounts", ()))


def test_pod_has_no_token_and_takes_no_service_for_a_setting() -> None:
    spec = pod(written()["base/daemonset.yaml"])
    assert (spec["automountServiceAccountToken"], spec["enableServiceLinks"]) == (False, False)
    assert {volume["hostPath"]["path"] for volume in spec["volumes"]} == {"/run/openvswitch", "/run/ovn"}


def test_directories_of_ovn_kubernetes_are_one_and_told_to_the_agent() -> None:
    document = written()["ovn-kubernetes/daemonset.yaml"]
    assert [volume["hostPath"]["path"] for volume in pod(document)["volumes"]] == ["/run/openvswitch"]
    assert {each["name"]: each["value"] for each in agent(document)["env"]} == {
        "OVSNET_RUNDIR": "/run/openvswitch",
        "OVSNET_OVN_RUNDIR": "/run/openvswitch",
    }
    mounts = {each["mountPath"]: each["name"] for each in agent(document)["volumeMounts"]}
    assert mounts.keys() == {"/run/openvswitch", "/run/ovn"}, "ovn-remote names the southbound's socket by the latter"
    assert len(set(mounts.values())) == 1


def test_run_directory_of_the_settings_is_mounted_and_told() -> None:
    document = written(rundir="/usr/local/var/run/openvswitch")["base/daemonset.yaml"]
    places = ["/usr/local/var/run/openvswitch", "/usr/local/var/run/ovn"]
    assert [volume["hostPath"]["path"] for volume in pod(document)["volumes"]] == places
    assert [mount["mountPath"] for mount in agent(document)["volumeMounts"]] == places
    assert [each["value"] for each in agent(document)["env"]] == places


def test_address_is_shared_only_in_pods_that_overlap_during_an_update() -> None:
    """Any process of the same user on the host could take a share of the probes there (SECURITY.md)."""
    shared = {path for path, text in texts().items() if "OVSNET_LISTEN_SHARED" in text}
    assert shared == {"kube-ovn/ovs-ovn.yaml", "kube-ovn/ovs-ovn-dpdk.yaml"}


def test_changed_settings_and_no_others_become_variables() -> None:
    document = written(bridge=("br-int", "br-ex"), interval=2.0, listen_shared=True)["base/daemonset.yaml"]
    assert {each["name"]: each["value"] for each in agent(document)["env"]} == {
        "OVSNET_BRIDGE": "br-int,br-ex",
        "OVSNET_INTERVAL": "2.0",
        "OVSNET_LISTEN_SHARED": "true",
    }
    assert "env" not in agent(written()["base/daemonset.yaml"])


@pytest.mark.parametrize(
    ("listen", "target"),
    [
        ("127.0.0.1:10670", {"host": "127.0.0.1", "port": 10670}),
        ("0.0.0.0:80", {"host": "127.0.0.1", "port": 80}),
        ("[::]:80", {"host": "::1", "port": 80}),
        ("ssl:10.0.0.1:443", {"host": "10.0.0.1", "port": 443, "scheme": "HTTPS"}),
    ],
)
def test_kubelet_asks_where_the_agent_listens(listen: str, target: dict[str, Any]) -> None:
    document = written(listen=("[$(HOST_IP)]:1", listen))["base/daemonset.yaml"]
    assert agent(document)["livenessProbe"]["httpGet"] == {"path": "/livez", **target}
    assert agent(document)["ports"][0]["containerPort"] == target["port"]


def test_kubelet_that_could_ask_nowhere_is_told_before_it_tries() -> None:
    with pytest.raises(ConfigError, match="kubelet"):
        files(Deployment(Settings(listen=("unix:/run/ovsnet.sock",))))


def test_prometheus_reaches_the_agent_at_the_nodes_own_address() -> None:
    variables = agent(written()["prometheus/listen.yaml"])["env"]
    assert [each["name"] for each in variables] == ["HOST_IP", "OVSNET_LISTEN"]
    assert variables[1]["value"] == "127.0.0.1:10670,[$(HOST_IP)]:10670"
    for address in ("10.0.0.1", "fd00::1"):
        last = variables[1]["value"].replace("$(HOST_IP)", address).split(",")[-1]
        assert Address.parse(f"tcp:{last}").host == address


def test_pods_of_kube_ovn_are_scraped_at_the_agents_port_though_they_declare_none() -> None:
    found = written(listen=("127.0.0.1:8000",))
    assert "ports" not in agent(found["kube-ovn/ovs-ovn.yaml"])
    assert agent(found["kube-ovn-prometheus/listen.yaml"])["env"][1]["value"] == "127.0.0.1:8000,[$(HOST_IP)]:8000"
    monitor = found["kube-ovn-prometheus/podmonitor.yaml"]
    (expression,) = monitor["spec"]["selector"]["matchExpressions"]
    assert expression == {"key": "app", "operator": "In", "values": ["ovs", "ovs-dpdk"]}
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    keep, *addresses = endpoint["relabelings"]
    assert (keep["regex"], keep["action"]) == ("ovsnet", "keep")
    for ip, wanted in (("10.0.0.1", "10.0.0.1:8000"), ("fd00::1", "[fd00::1]:8000")):
        # Prometheus anchors the expression, and leaves the label alone where it does not match.
        matching = [rule for rule in addresses if re.fullmatch(rule["regex"], ip)]
        assert [rule["replacement"].replace("$1", ip) for rule in matching] == [wanted]


def test_resources_of_the_prometheus_operator_have_its_shape() -> None:
    """Its kinds are not part of Kubernetes' schema: api.md of prometheus-operator names these fields."""
    found = written()
    monitor, rule = found["prometheus/podmonitor.yaml"], found["prometheus/prometheusrule.yaml"]
    labels = found["base/daemonset.yaml"]["spec"]["template"]["metadata"]["labels"]
    assert (monitor["apiVersion"], rule["apiVersion"]) == ("monitoring.coreos.com/v1",) * 2
    assert monitor["spec"]["selector"] == {"matchLabels": labels}
    assert monitor["spec"]["podMetricsEndpoints"][0]["port"] == agent(found["base/daemonset.yaml"])["ports"][0]["name"]
    (group,) = rule["spec"]["groups"]
    assert {each["expr"] for each in group["rules"]} >= {
        f'ovsnet_diagnosis{{code="{cause.code}"}} == 1' for cause in causes()
    }
    assert all(each["for"] and each["annotations"]["description"] for each in group["rules"])
