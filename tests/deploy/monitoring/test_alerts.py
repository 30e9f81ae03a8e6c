"""The alerts cover the diagnoses, and speak with their words."""

from __future__ import annotations

from collections import Counter

from ovsnet.deploy.monitoring.alerts import alerts
from ovsnet.health.cause_table import UNEXPLAINED
from ovsnet.health.causes import causes


def test_every_diagnosis_has_one_alert_with_its_remedy() -> None:
    found = {alert.expression: alert for alert in alerts()}
    for cause in {cause.code: cause for cause in reversed((*causes(), UNEXPLAINED))}.values():
        alert = found[f'ovsnet_diagnosis{{code="{cause.code}"}} == 1']
        assert (alert.summary, alert.runbook) == (cause.summary, cause.remedy)


def test_names_are_unique_and_every_alert_says_what_to_do() -> None:
    assert max(Counter(alert.name for alert in alerts()).values()) == 1
    assert all(alert.summary and alert.runbook for alert in alerts())
