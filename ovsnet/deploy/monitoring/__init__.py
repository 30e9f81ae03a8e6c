"""What Prometheus and Grafana are given: alert rules that follow from the diagnoses, and a dashboard."""

from __future__ import annotations

from collections.abc import Mapping

from ovsnet.deploy.monitoring.alerts import inhibitions, rules
from ovsnet.deploy.monitoring.dashboard import dashboard


def rendered() -> Mapping[str, str]:
    """What ``prometheus/`` in the source tree holds."""
    return {
        "ovsnet-alerts.yml": rules(),
        "alertmanager-inhibitions.yml": inhibitions(),
        "ovsnet-dashboard.json": dashboard(),
    }
