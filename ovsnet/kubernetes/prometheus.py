"""Scraped by the Prometheus operator: what it needs to know, and a way to the agent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from ovsnet.kubernetes.deployment import HOST_IP, NAME, Deployment
from ovsnet.kubernetes.workload import LABELS, Document
from ovsnet.monitoring.alerts import groups

MONITORING = {"kubernetes.io/metadata.name": "monitoring"}
"""Labels of the namespace whose pods may ask for metrics."""


def documents(deployment: Deployment) -> Mapping[str, Document]:
    """By the name of their file."""
    selector = {"matchLabels": LABELS}
    return {
        "podmonitor.yaml": _document(
            "monitoring.coreos.com/v1",
            "PodMonitor",
            deployment,
            {"selector": selector, "podMetricsEndpoints": [{"port": "http", "path": "/metrics", "interval": "15s"}]},
        ),
        "prometheusrule.yaml": _document(
            "monitoring.coreos.com/v1", "PrometheusRule", deployment, {"groups": groups()}
        ),
        "networkpolicy.yaml": _document(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            deployment,
            {
                "podSelector": selector,
                "policyTypes": ["Ingress"],
                "ingress": [
                    {
                        "from": [{"namespaceSelector": {"matchLabels": MONITORING}}],
                        "ports": [{"protocol": "TCP", "port": deployment.port}],
                    }
                ],
            },
        ),
    }


def reachable(deployment: Deployment) -> Deployment:
    """The same, listening at the node's own address too, so that Prometheus reaches it."""
    address = f"[{HOST_IP}]:{deployment.port}"
    settings = deployment.settings
    if address in settings.listen:
        return deployment
    listen = (*settings.listen, address)
    return replace(deployment, settings=msgspec.structs.replace(settings, listen=listen))


def patch(deployment: Deployment) -> Document:
    """The DaemonSet's container with the address of ``reachable``."""
    names = ("HOST_IP", "OVSNET_LISTEN")
    variables = [each for each in reachable(deployment).environment if each["name"] in names]
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": NAME, "namespace": deployment.namespace},
        "spec": {"template": {"spec": {"containers": [{"name": NAME, "env": variables}]}}},
    }


def _document(version: str, kind: str, deployment: Deployment, spec: Document) -> Document:
    metadata = {"name": NAME, "namespace": deployment.namespace, "labels": LABELS}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}
