"""The manifests as files: a kustomize base, and what builds on it. ``kubernetes/`` in the source tree holds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

import msgspec
from msgspec.structs import replace

from ovsnet.deploy.kubernetes import bench_storm, helm, kube_ovn, problem_detector, prometheus
from ovsnet.deploy.kubernetes.confinement import namespace
from ovsnet.deploy.kubernetes.deployment import NAME, RUNDIR, Deployment
from ovsnet.deploy.kubernetes.workload import Document, daemonset
from ovsnet.deploy.yaml_writer import dumps

MARK = "# Written by `ovsnet kubernetes render`, which takes your settings."

PIECES: dict[str, Callable[[Deployment], tuple[Document, ...]]] = {
    "daemonset": lambda deployment: (*_namespace(deployment), daemonset(deployment)),
    "kube-ovn": lambda deployment: (kube_ovn.patch(deployment),),
    "kube-ovn-dpdk": lambda deployment: (kube_ovn.dpdk_patch(deployment),),
    "ovn-kubernetes": lambda deployment: (*_namespace(deployment), daemonset(for_ovn_kubernetes(deployment))),
    "prometheus": lambda deployment: tuple(prometheus.documents(deployment).values()),
    "kube-ovn-prometheus": lambda deployment: tuple(prometheus.documents_for_kube_ovn(deployment).values()),
    "npd": lambda deployment: (problem_detector.config_map(deployment),),
    "bench-storm": lambda deployment: (bench_storm.job(deployment),),
}
"""What can be printed by itself."""

WITHOUT_IMAGE = frozenset({"prometheus", "kube-ovn-prometheus", "npd"})
"""Pieces that run nothing of ovsnet in a container."""

OF_A_NAMESPACE = frozenset({"daemonset", "ovn-kubernetes"})
"""Pieces that may bring their namespace along."""

SCRIPTS: dict[str, Callable[[Deployment], str]] = {"kube-ovn-helm": kube_ovn.post_renderer}
"""What can be printed by itself and is a program."""

CHARTS: dict[str, Callable[[Deployment], Mapping[str, str]]] = {
    "helm": lambda deployment: {path: f"{MARK}\n{text}" for path, text in helm.chart(deployment).items()},
}
"""What is a directory of its own: text by path."""

USERS = {"kube-ovn": kube_ovn.NOBODY, "kube-ovn-dpdk": kube_ovn.ROOT}
"""Who runs Open vSwitch in Kube-OVN's pods; elsewhere it is root."""


def for_ovn_kubernetes(deployment: Deployment) -> Deployment:
    """Its pods mount one directory of the host at both places (``host-var-run-ovs`` in its chart's ovnkube-node), and
    ``ovn-remote`` names the southbound's socket by the second: ``unix:/var/run/ovn/ovnsb_db.sock``."""
    rundir = deployment.settings.rundir or RUNDIR
    settings = msgspec.structs.replace(deployment.settings, rundir=rundir, ovn_rundir=rundir)
    return replace(deployment, settings=settings, aliases=("/run/ovn",))


def files(deployment: Deployment) -> Mapping[str, str]:
    """Text by path, for root's Open vSwitch but for Kube-OVN's."""
    of_nobody = replace(deployment, user=kube_ovn.NOBODY)
    ovn_kubernetes = replace(for_ovn_kubernetes(deployment), namespace="ovn-kubernetes")
    monitored = prometheus.documents(deployment)
    monitored_there = prometheus.documents_for_kube_ovn(deployment)
    base = {"base/namespace.yaml": namespace(deployment)} if deployment.own_namespace else {}
    base |= {"base/daemonset.yaml": daemonset(deployment)}
    documents = {
        **base,
        "base/kustomization.yaml": _kustomization(
            "Kustomization", resources=[PurePosixPath(each).name for each in base]
        ),
        "ovn-kubernetes/kustomization.yaml": _kustomization("Kustomization", resources=["daemonset.yaml"]),
        "ovn-kubernetes/daemonset.yaml": daemonset(ovn_kubernetes),
        "kube-ovn/kustomization.yaml": _kustomization(
            "Component",
            patches=[_patch("ovs-ovn.yaml", kube_ovn.DAEMONSET), _patch("ovs-ovn-dpdk.yaml", kube_ovn.DPDK)],
        ),
        "kube-ovn/ovs-ovn.yaml": kube_ovn.patch(of_nobody),
        "kube-ovn/ovs-ovn-dpdk.yaml": kube_ovn.dpdk_patch(replace(deployment, user=kube_ovn.ROOT)),
        "prometheus/kustomization.yaml": _kustomization(
            "Component", resources=list(monitored), patches=[_patch("listen.yaml", NAME)]
        ),
        "prometheus/listen.yaml": prometheus.patch(deployment),
        "npd/kustomization.yaml": _kustomization("Kustomization", resources=["config.yaml"]),
        "npd/config.yaml": problem_detector.config_map(deployment),
        "bench-storm/kustomization.yaml": _kustomization("Kustomization", resources=["job.yaml"]),
        "bench-storm/job.yaml": bench_storm.job(deployment),
        **{f"prometheus/{name}": document for name, document in monitored.items()},
        "kube-ovn-prometheus/kustomization.yaml": _kustomization(
            "Component", resources=list(monitored_there), patches=[_patch("listen.yaml", kube_ovn.EITHER)]
        ),
        "kube-ovn-prometheus/listen.yaml": prometheus.patch(deployment, kube_ovn.DAEMONSET),
        **{f"kube-ovn-prometheus/{name}": document for name, document in monitored_there.items()},
    }
    texts = {path: f"{MARK}\n{dumps(document)}" for path, document in documents.items()}
    charts = {f"{name}/{path}": text for name, chart in CHARTS.items() for path, text in chart(deployment).items()}
    return texts | charts | {"kube-ovn/post-render.sh": kube_ovn.post_renderer(of_nobody)}


def rendered() -> Mapping[str, str]:
    """With the default settings."""
    return files(Deployment())


def _namespace(deployment: Deployment) -> tuple[Document, ...]:
    return (namespace(deployment),) if deployment.own_namespace else ()


def _patch(path: str, name: str) -> Document:
    """With a target of its own: without one, kustomize looks in the patch's namespace alone."""
    return {"path": path, "target": {"kind": "DaemonSet", "name": name}}


def _kustomization(kind: str, **fields: object) -> Document:
    version = {"Kustomization": "v1beta1", "Component": "v1alpha1"}[kind]
    return {"apiVersion": f"kustomize.config.k8s.io/{version}", "kind": kind, **fields}
