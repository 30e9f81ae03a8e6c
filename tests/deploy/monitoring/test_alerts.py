"""The alerts cover the diagnoses, and speak with their words."""

from __future__ import annotations

from collections import Counter

import pytest
import yaml

from ovsnet.deploy.monitoring.alerts import FLEET, Alert, alerts, inhibitions
from ovsnet.health.cause_table import UNEXPLAINED
from ovsnet.health.causes import causes, codes


def test_every_diagnosis_has_one_alert_with_its_remedy() -> None:
    found = {alert.expression: alert for alert in alerts()}
    for cause in {cause.code: cause for cause in reversed((*causes(), UNEXPLAINED))}.values():
        alert = found[f'ovsnet_diagnosis{{code="{cause.code}"}} == 1']
        assert (alert.summary, alert.description) == (cause.summary, cause.remedy)
        assert alert.annotations()["runbook_url"] == f"http://{{{{ $labels.instance }}}}/runbook/{cause.code}"


@pytest.mark.parametrize(("base", "whole"), [("https://w.example/runbook.md#", "https://w.example/runbook.md"),
                                             ("https://w.example/runbook/", "https://w.example/runbook")])  # fmt: skip
def test_runbook_may_be_where_a_person_reaches_it_and_the_agent_stays_beside(base: str, whole: str) -> None:
    for alert in alerts():
        found = alert.annotations(base)
        assert found["runbook_url"] == (base + alert.code if alert.code else whole)
        assert found.get("agent_url") == alert.annotations().get("runbook_url")
    assert {alert.code for alert in alerts()} == {*codes(), ""}


def test_names_are_unique_and_every_alert_says_what_to_do() -> None:
    assert max(Counter(alert.name for alert in alerts()).values()) == 1
    assert all(alert.summary and alert.description for alert in alerts())


def test_alert_of_a_node_names_it() -> None:
    for alert in alerts():
        assert alert.annotations()["summary"].startswith("{{ $labels.instance }}: ") == (alert.name != FLEET)


def test_braces_of_ours_are_no_template() -> None:
    alert = Alert("OvsX", "x", "1m", "warning", "a {{ b }}", "c {{ d }}")
    assert alert.annotations()["summary"] == "{{ $labels.instance }}: a { { b }}"
    assert alert.annotations()["description"] == "c { { d }}"


def test_fleet_and_the_worse_of_a_node_silence_what_follows_from_them() -> None:
    fleet, node = yaml.safe_load(inhibitions())["inhibit_rules"]
    assert (fleet["equal"], node["equal"]) == (["code"], ["instance"])
    assert fleet["source_matchers"] == ['alertname = "OvsnetFleet"']
    assert all(alert.name.startswith("Ovs") for alert in alerts())
