"""A Grafana dashboard: each panel declared once, its place computed.

``$instance`` and ``$__rate_interval`` are Grafana's; the queries are Prometheus's otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec

COLUMNS = 24
"""The width of Grafana's grid."""

HEIGHT = 8

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


class Panel(msgspec.Struct, frozen=True):
    """One panel of one query. ``unit`` and ``kind`` are Grafana's names; ``tells`` is what a person on call learns."""

    title: str
    query: str
    legend: str
    tells: str
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    colours: tuple[tuple[float | None, str], ...] = ()
    """From which value on; the first from none on."""
    words: tuple[tuple[str, str, str], ...] = ()
    """What a value is called, and its colour."""


class Row(msgspec.Struct, frozen=True):
    """Panels with a heading."""

    title: str
    panels: tuple[Panel, ...]


def _rate(counter: str) -> str:
    return f'rate({counter}{{instance=~"$instance"}}[$__rate_interval])'


def _each(metric: str) -> str:
    return f'{metric}{{instance=~"$instance"}}'


def _quantile(share: float, histogram: str, label: str) -> str:
    return f"histogram_quantile({share}, sum by (instance, {label}, le) ({_rate(f'{histogram}_bucket')}))"


FALLS = ((None, "red"), (0.9, "orange"), (1.0, "green"))

NOT_OK = (("0", "ok", "green"), ("1", "not ok", "red"))

ROWS = (
    Row("Verdict", (
        Panel(
            "Bad nodes now", 'ovsnet_diagnosis{instance=~"$instance",code!="healthy"} == 1', "{{instance}} {{code}}",
            "Every node that is not healthy, and its root cause. http://INSTANCE/ is its page, and "
            "http://INSTANCE/runbook/CODE says what to do.",
            kind="table", width=12,
        ),
        Panel(
            "Ready nodes", 'sum(ovsnet_ready{instance=~"$instance"}) / count(ovsnet_ready{instance=~"$instance"})', "",
            "The share of nodes whose /readyz says 200.", "percentunit", "stat", 4, FALLS,
        ),
        Panel(
            "State", 'count by (state) (ovsnet_state{instance=~"$instance"} == 1)', "{{state}}",
            "How many nodes are in each state.", kind="stat",
        ),
        Panel(
            "Diagnosis", _each("ovsnet_diagnosis") + " == 1", "{{instance}} {{code}}",
            "The root cause on each node, and since when: docs/runbook.md has a section for each code.",
            kind="state-timeline", width=24,
        ),
        Panel(
            "Diagnoses that came", f"sum by (code) (increase({_each('ovsnet_diagnoses_total')}[$__rate_interval]))",
            "{{code}}", "What lasted too short for a scrape shows here.", width=12,
        ),
        Panel(
            "Proven dead for", _each("ovsnet_dead_seconds"), "{{instance}}",
            "Above dead_after, /ovs/livez fails and a kubelet restarts the container.", "s", width=12,
            colours=((None, "green"), (1, "orange"), (30, "red")),
        ),
    )),
    Row("Checks", (
        Panel(
            "Checks by status", f"sum by (status) ({_each('ovsnet_check_status')})", "{{status}}",
            "How many checks have each status, over all nodes.",
        ),
        Panel(
            "Checks that are not ok",
            'sum by (instance, check) (ovsnet_check_status{instance=~"$instance",status=~"failed|slow|unknown"})',
            "{{instance}} {{check}}", "1 while a check failed, is late, or could not be asked.",
            kind="state-timeline", width=16, words=NOT_OK,
        ),
        Panel(
            "Round trip, p99", _quantile(0.99, "ovsnet_round_trip_seconds", "check"), "{{instance}} {{check}}",
            "How long answers took: an idle switch needs 0.2 ms.", "s", colours=((None, "green"), (1, "red")),
        ),
        Panel(
            "Stalls, p99", _quantile(0.99, "ovsnet_stall_seconds", "daemon"), "{{instance}} {{daemon}}",
            "How long a daemon's main loop was blocked: a probe interval must be longer.", "s",
        ),
        Panel(
            "Flows", 'ovsnet_check_value{instance=~"$instance",value="flows"}', "{{instance}}",
            "A drop to nothing is a switch that forwards nothing.",
        ),
    )),
    Row("Starts", (
        Panel(
            "Stages of the last start", _each("ovsnet_stage_seconds"), "{{instance}} {{stage}}",
            "How long the last start took to reach each stage.", "s", width=12,
        ),
        Panel(
            "Up for", f"time() - {_each('ovsnet_daemon_start_time_seconds')}", "{{instance}} {{daemon}}",
            "A fall to zero is a restart.", "s", width=12,
        ),
    )),
    Row("Connections to the daemons", (
        Panel(
            "Connections lost or refused", f"sum by (instance, link, reason) ({_rate('ovsnet_link_failures_total')})",
            "{{instance}} {{link}} {{reason}}", "Why a connection broke, or did not come to be.", "ops",
        ),
        Panel(
            "Connections made", _rate("ovsnet_link_connections_total"), "{{instance}} {{link}}",
            "One is held to each daemon, so a healthy node makes none.", "ops",
        ),
        Panel(
            "Full backlogs", _rate("ovsnet_backlog_refusals_total"), "{{instance}} {{daemon}}",
            "Questions that met a socket which takes no more connections.", "ops",
        ),
    )),
    Row("Knobs, where the agent looks after them", (
        Panel("Not as wanted", _each("ovsnet_tune_drift"), "{{instance}}", "`ovsnet tune plan` says which.", width=12),
        Panel(
            "Writes", _rate("ovsnet_tune_writes_total"), "{{instance}}",
            "More than one now and then: someone else writes too.", "ops", width=12,
        ),
    )),
    Row("ovsnet itself", (
        Panel(
            "Its loop is late by, p99", _quantile(0.99, "ovsnet_loop_delay_seconds", "job"), "{{instance}}",
            "It lacks CPU, and its verdicts come late.", "s", width=6,
        ),
        Panel(
            "CPU", _rate("process_cpu_seconds_total") + " and on (job, instance) ovsnet_ready", "{{instance}}",
            "Of one core.", "percentunit", width=6,
        ),
        Panel(
            "Memory", _each("process_resident_memory_bytes") + " and on (job, instance) ovsnet_ready", "{{instance}}",
            "Resident.", "bytes", width=6,
        ),
        Panel(
            "Requests", f"sum by (path, code) ({_rate('ovsnet_http_requests_total')})", "{{path}} {{code}}",
            "Requests and responses.", "reqps", width=6,
        ),
    )),
)  # fmt: skip


def panels() -> Iterator[Panel]:
    """All of them, in order."""
    for row in ROWS:
        yield from row.panels


def dashboard() -> str:
    """The file that Grafana imports."""
    document = {
        "title": "ovsnet",
        "uid": "ovsnet",
        "tags": ["openvswitch", "ovn"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "annotations": {"list": [_restarts()]},
        "templating": {"list": [_variable_of_datasources(), _variable_of_instances()]},
        "panels": list(_placed()),
    }
    return json.dumps(document, indent=2) + "\n"


def _placed() -> Iterator[dict[str, object]]:
    """Rows below each other; the panels of a row side by side, and in the next line where they do not fit."""
    number, top = 0, 0
    for row in ROWS:
        number += 1
        place = {"x": 0, "y": top, "w": COLUMNS, "h": 1}
        yield {"id": number, "type": "row", "title": row.title, "collapsed": False, "gridPos": place, "panels": []}
        top, left = top + 1, 0
        for panel in row.panels:
            number += 1
            if left + panel.width > COLUMNS:
                top, left = top + HEIGHT, 0
            yield _drawn(number, panel, {"x": left, "y": top, "w": panel.width, "h": HEIGHT})
            left += panel.width
        top += HEIGHT


def _drawn(number: int, panel: Panel, place: dict[str, int]) -> dict[str, object]:
    target = {"refId": "A", "datasource": DATASOURCE, "expr": panel.query, "legendFormat": panel.legend}
    defaults: dict[str, object] = {"unit": panel.unit}
    if panel.colours:
        steps = [{"value": value, "color": colour} for value, colour in panel.colours]
        defaults |= {"color": {"mode": "thresholds"}, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.words:
        options = {value: {"text": text, "color": colour} for value, text, colour in panel.words}
        defaults["mappings"] = [{"type": "value", "options": options}]
    now = {"instant": True} | ({"format": "table"} if panel.kind == "table" else {})
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.tells,
        "datasource": DATASOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "targets": [target | (now if panel.kind in ("stat", "table") else {"range": True})],
    }


def _restarts() -> dict[str, object]:
    """A line through every panel where a daemon started."""
    return {
        "name": "Restarts",
        "datasource": DATASOURCE,
        "enable": True,
        "iconColor": "purple",
        "expr": f"changes({_each('ovsnet_daemon_start_time_seconds')}[$__rate_interval]) > 0",
        "titleFormat": "{{daemon}} of {{instance}} started",
        "tagKeys": "daemon",
    }


def _variable_of_datasources() -> dict[str, object]:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}


def _variable_of_instances() -> dict[str, object]:
    return {
        "name": "instance",
        "label": "Node",
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": "label_values(ovsnet_ready, instance)", "refId": "instance"},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }
