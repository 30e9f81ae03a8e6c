"""Pod Security, SELinux and AppArmor: what the manifests ask for is what the agent needs, and what is asked of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from ovsnet.deploy.kubernetes.deployment import Deployment
from ovsnet.deploy.kubernetes.files import OF_A_NAMESPACE, PIECES, files
from tests.cli.conftest import Ovsnet, ovsnet

__all__ = ["ovsnet"]

IMAGE = "--image=registry.example/ovsnet:1"


def level(pod: Any) -> str:
    """The lowest level of the Pod Security Standards that lets a pod in, as far as these manifests meet its controls:
    kubernetes.io/docs/concepts/security/pod-security-standards."""
    contexts = [each.get("securityContext", {}) for each in pod["containers"]]
    if any(pod.get(name) for name in ("hostNetwork", "hostPID", "hostIPC")):
        return "privileged"
    if any("hostPath" in volume for volume in pod.get("volumes", ())) or any(each["privileged"] for each in contexts):
        return "privileged"
    restricted = all(
        each.get("runAsNonRoot") is True
        and each["runAsUser"] != 0
        and each["allowPrivilegeEscalation"] is False
        and each["capabilities"] == {"drop": ["ALL"]}
        and each["seccompProfile"]["type"] in ("RuntimeDefault", "Localhost")
        for each in contexts
    )
    return "restricted" if restricted else "baseline"


def pod(piece: str) -> Any:
    document: Any = PIECES[piece](Deployment())[-1]
    return document["spec"]["template"]["spec"]


def test_namespace_of_our_own_lets_the_agent_in_and_no_more(ovsnet: Ovsnet) -> None:
    done = ovsnet("kubernetes", "render", IMAGE, "--namespace=ovsnet", "--own-namespace")
    namespace, daemonset = yaml.safe_load_all(done.out)
    assert (namespace["kind"], namespace["metadata"]["name"]) == ("Namespace", "ovsnet")
    kubernetes_validate.validate(namespace, "1.29", strict=True)
    labels = namespace["metadata"]["labels"]
    needed = level(daemonset["spec"]["template"]["spec"])
    assert needed == "privileged"
    for mode in ("enforce", "audit", "warn"):
        assert labels[f"pod-security.kubernetes.io/{mode}"] == needed
    assert daemonset["metadata"]["namespace"] == "ovsnet"


def test_job_is_let_in_where_nothing_but_restricted_is() -> None:
    assert level(pod("bench-storm")) == "restricted"


@pytest.mark.parametrize("name", ["kube-system", "default", "openshift-ovn-kubernetes", "ovn-kubernetes"])
def test_namespace_of_the_cluster_is_not_labelled(ovsnet: Ovsnet, name: str) -> None:
    """`kubectl delete -f` of the same manifest would delete it."""
    done = ovsnet("kubernetes", "render", IMAGE, "--own-namespace", f"--namespace={name}")
    assert (done.code, done.out, "--namespace ovsnet" in done.err) == (2, "", True)


@pytest.mark.parametrize("piece", sorted(PIECES.keys() - OF_A_NAMESPACE))
def test_piece_without_a_namespace_of_its_own_says_so(ovsnet: Ovsnet, piece: str) -> None:
    done = ovsnet("kubernetes", "render", piece, IMAGE, "--own-namespace", "--namespace=ovsnet")
    assert (done.code, done.out, "--own-namespace" in done.err) == (2, "", True)


def test_kustomize_makes_the_namespace_first() -> None:
    written = files(Deployment(namespace="ovsnet", own_namespace=True))
    resources = yaml.safe_load(written["base/kustomization.yaml"])["resources"]
    assert resources == ["namespace.yaml", "daemonset.yaml"]
    assert yaml.safe_load(written["base/namespace.yaml"])["kind"] == "Namespace"
    assert "base/namespace.yaml" not in files(Deployment())


@pytest.mark.parametrize("piece", ["daemonset", "kube-ovn", "kube-ovn-dpdk", "ovn-kubernetes"])
def test_security_modules_are_asked_for_what_the_user_says(ovsnet: Ovsnet, piece: str) -> None:
    def context(*flags: str) -> Any:
        done = ovsnet("kubernetes", "render", piece, IMAGE, *flags)
        assert (done.code, done.err) == (0, "")
        containers = yaml.safe_load(done.out)["spec"]["template"]["spec"]["containers"]
        return next(each for each in containers if each["name"] == "ovsnet")["securityContext"]

    assert not {"seLinuxOptions", "appArmorProfile"} & context().keys()
    assert context("--selinux-type=spc_t")["seLinuxOptions"] == {"type": "spc_t"}
    assert context("--apparmor-profile=unconfined")["appArmorProfile"] == {"type": "Unconfined"}
    assert context("--apparmor-profile=ovsnet")["appArmorProfile"] == {
        "type": "Localhost",
        "localhostProfile": "ovsnet",
    }


def test_what_the_user_says_of_security_modules_is_valid_to_kubernetes() -> None:
    deployment = Deployment(selinux_type="spc_t", apparmor_profile="ovsnet")
    (document,) = PIECES["daemonset"](deployment)
    kubernetes_validate.validate(document, "1.37", strict=True)


@pytest.mark.parametrize("label", ["system_u:system_r:spc_t:s0", "spc t", "-"])
def test_label_in_the_place_of_a_type_is_refused(ovsnet: Ovsnet, label: str) -> None:
    done = ovsnet("kubernetes", "render", IMAGE, f"--selinux-type={label}")
    assert (done.code, done.out, "spc_t" in done.err) == (2, "", True)


def test_written_tree_carries_the_types(ovsnet: Ovsnet, tmp_path: Path) -> None:
    assert ovsnet("kubernetes", "render", IMAGE, "--selinux-type=spc_t", "--out", tmp_path).code == 0
    for path in ("base/daemonset.yaml", "kube-ovn/ovs-ovn.yaml", "kube-ovn/post-render.sh"):
        assert "type: spc_t" in (tmp_path / path).read_text()
    values = yaml.safe_load((tmp_path / "helm/values.yaml").read_text())
    assert values["seLinuxOptions"] == {"type": "spc_t"}
