"""Prometheus's own tool takes the rules and the metrics, and every alert fires and clears."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from ovsnet.agent.agent import Agent
from ovsnet.config import Settings
from ovsnet.deploy.monitoring.alerts import FLEET, FLEET_ALERT, Alert, alerts, rules
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox import binaries

INPUTS = {
    "OvsnetAbsent": ('up{job="ovsnet"}', "0x20 1x40"),
    "OvsnetLoopHeldUp": ("ovsnet_loop_delay_seconds_sum", "0+60x30 1800x40"),
    "OvsBacklogFull": ('ovsnet_backlog_refusals_total{daemon="d"}', "0+1x20 20x40"),
    "OvsConnectionsFlap": ('ovsnet_link_failures_total{link="l"}', "0+60x20 1200x40"),
    "OvsVerdictFlaps": ("ovsnet_diagnoses_total", "0+2x20 40x40"),
    "OvsnetCrowded": ('ovsnet_http_connections_cut_total{reason="crowded"}', "0+1x20 20x40"),
    "OvsKnobsDrift": ("ovsnet_tune_drift", "1x40 0x20"),
}
"""A series, a value a minute, that makes the alert fire by the twentieth (or its ``for``) and clear by the last."""

NODE = 'instance="n1:10670"'


def promtool(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    tool = binaries.fetch_packages(["prometheus"]).path("promtool")
    return subprocess.run([str(tool), *arguments], input=given, capture_output=True)


def case(alert: Alert, *, firing: bool) -> dict[str, object]:
    series, values = INPUTS.get(alert.name, ("", ""))
    if not series:
        series, values = alert.expression.removesuffix(" == 1"), "1x20 0x40"
    series = f"{series[:-1]},{NODE}}}" if series.endswith("}") else f"{series}{{{NODE}}}"
    labels = dict(re.findall(r'(\w+)="([^"]*)"', series)) | {"severity": alert.severity}
    annotations = {
        name: text.replace("{{ $labels.instance }}", "n1:10670") for name, text in alert.annotations().items()
    }
    expected = [{"exp_labels": labels, "exp_annotations": annotations}]
    at = "60m" if not firing else "35m" if alert.hold == "30m" else "18m"
    test = {"eval_time": at, "alertname": alert.name, "exp_alerts": expected if firing else []}
    return {"interval": "1m", "input_series": [{"series": series, "values": values}], "alert_rule_test": [test]}


def fleet(nodes: int, ill: int) -> list[dict[str, str]]:
    """So many nodes, of which the first few lack the southbound."""
    return [
        series
        for number in range(nodes)
        for series in (
            {"series": f'ovsnet_ready{{instance="n{number}"}}', "values": "1x60"},
            {
                "series": f'ovsnet_diagnosis{{instance="n{number}",code="southbound-down"}}',
                "values": "1x60" if number < ill else "0x60",
            },
        )
    ]


@pytest.mark.parametrize(("nodes", "ill", "fires"), [(20, 3, True), (20, 2, False), (40, 3, False), (2, 2, False)])
def test_many_nodes_with_one_cause_are_one_alert(tmp_path: Path, nodes: int, ill: int, fires: bool) -> None:
    labels = {"code": "southbound-down", "severity": "critical"}
    expected = [{"exp_labels": labels, "exp_annotations": FLEET_ALERT.annotations()}] if fires else []
    test = {"eval_time": "5m", "alertname": FLEET, "exp_alerts": expected}
    run_tests(tmp_path, [{"interval": "1m", "input_series": fleet(nodes, ill), "alert_rule_test": [test]}])


@pytest.mark.parametrize("alert", [each for each in alerts() if each.name != FLEET], ids=lambda alert: alert.name)
def test_alert_fires_and_clears(tmp_path: Path, alert: Alert) -> None:
    run_tests(tmp_path, [case(alert, firing=True), case(alert, firing=False)])


def run_tests(tmp_path: Path, tests: list[dict[str, object]]) -> None:
    (tmp_path / "rules.yml").write_text(rules())
    document = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": tests}
    (tmp_path / "test.yml").write_text(json.dumps(document))
    done = promtool("test", "rules", str(tmp_path / "test.yml"))
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def test_rules_are_clean(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(rules())
    assert promtool("check", "rules", str(tmp_path / "rules.yml")).returncode == 0


async def test_metrics_are_clean(tmp_path: Path) -> None:
    from ovsnet.web.metrics import TEXT, render

    body = render(Agent(Settings(), Rundir(tmp_path, tmp_path)), TEXT)
    done = promtool("check", "metrics", given=body)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
