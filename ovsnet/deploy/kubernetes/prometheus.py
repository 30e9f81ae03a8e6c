"""Scraped by the Prometheus operator: what it needs to know, and a way to the agent."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from ovsnet.deploy.kubernetes import kube_ovn
from ovsnet.deploy.kubernetes.deployment import HOST_IP, NAME, Deployment
from ovsnet.deploy.kubernetes.workload import LABELS, Document
from ovsnet.deploy.monitoring.alerts import groups

MONITORING = {"kubernetes.io/metadata.name": "monitoring"}
"""Labels of the namespace whose pods may ask for metrics."""


KUBE_OVN = f"{NAME}-kube-ovn"


def documents(deployment: Deployment) -> Mapping[str, Document]:
    """By the name of their file."""
    return {
        "podmonitor.yaml": _pod_monitor(deployment, NAME, {"matchLabels": LABELS}, {"port": "http"}),
        "prometheusrule.yaml": _rule(deployment, NAME),
        "networkpolicy.yaml": _network_policy(deployment),
    }


def documents_for_kube_ovn(deployment: Deployment) -> Mapping[str, Document]:
    """The same for the agent in Kube-OVN's pods. No NetworkPolicy: it would bind the switch's container, too.

    The agent's container declares no port there, which on the host's network would be a port of the host: no second
    pod could come to the node during an update. So the target has none either, and the address is made here.
    """
    pod, container = "__meta_kubernetes_pod_ip", "__meta_kubernetes_pod_container_name"
    address = {"sourceLabels": [pod], "targetLabel": "__address__"}
    relabelings = [
        {"sourceLabels": [container], "regex": NAME, "action": "keep"},
        {**address, "regex": "([0-9.]+)", "replacement": f"$1:{deployment.port}"},
        {**address, "regex": "(.*:.*)", "replacement": f"[$1]:{deployment.port}"},
    ]
    return {
        "podmonitor.yaml": _pod_monitor(deployment, KUBE_OVN, kube_ovn.SELECTOR, {"relabelings": relabelings}),
        "prometheusrule.yaml": _rule(deployment, KUBE_OVN),
    }


def _pod_monitor(deployment: Deployment, name: str, selector: Document, endpoint: Document) -> Document:
    spec = {
        "selector": selector,
        "podMetricsEndpoints": [{**endpoint, "path": "/metrics", "interval": "15s"}],
    }
    return _document("monitoring.coreos.com/v1", "PodMonitor", deployment, name, spec)


def _rule(deployment: Deployment, name: str) -> Document:
    spec = {"groups": groups(deployment.runbook)}
    return _document("monitoring.coreos.com/v1", "PrometheusRule", deployment, name, spec)


def _network_policy(deployment: Deployment) -> Document:
    ingress = {
        "from": [{"namespaceSelector": {"matchLabels": MONITORING}}],
        "ports": [{"protocol": "TCP", "port": deployment.port}],
    }
    spec = {"podSelector": {"matchLabels": LABELS}, "policyTypes": ["Ingress"], "ingress": [ingress]}
    return _document("networking.k8s.io/v1", "NetworkPolicy", deployment, NAME, spec)


def reachable(deployment: Deployment) -> Deployment:
    """The same, listening at the node's own address too, so that Prometheus reaches it."""
    address = f"[{HOST_IP}]:{deployment.port}"
    settings = deployment.settings
    if address in settings.listen:
        return deployment
    listen = (*settings.listen, address)
    return replace(deployment, settings=msgspec.structs.replace(settings, listen=listen))


def patch(deployment: Deployment, name: str = NAME) -> Document:
    """The agent's container in a DaemonSet of that name, with the address of ``reachable``."""
    names = ("HOST_IP", "OVSNET_LISTEN")
    variables = [each for each in reachable(deployment).environment if each["name"] in names]
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": deployment.namespace},
        "spec": {"template": {"spec": {"containers": [{"name": NAME, "env": variables}]}}},
    }


def _document(version: str, kind: str, deployment: Deployment, name: str, spec: Document) -> Document:
    metadata = {"name": name, "namespace": deployment.namespace, "labels": LABELS}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}
