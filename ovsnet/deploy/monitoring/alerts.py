"""Alert rules: one per diagnosis, with its remedy and a link to the runbook, a few for what no diagnosis covers, and
one for the fleet.

``inhibitions`` is an example for Alertmanager: a southbound that is down degrades every node, and should be one page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from ovsnet.deploy.yaml_writer import dumps
from ovsnet.health.cause import State
from ovsnet.health.causes import codes


class Alert(msgspec.Struct, frozen=True):
    """One rule. ``hold`` is how long the expression must hold, in Prometheus's own notation.

    ``page`` is the path on the agent that says more; None if no agent answers, or if many nodes are concerned. ``code``
    is that of a diagnosis, and names its section of the runbook.
    """

    name: str
    expression: str
    hold: str
    severity: str
    summary: str
    description: str
    page: str | None = ""
    code: str = ""

    def annotations(self, runbook: str = "") -> dict[str, str]:
        """The summary begins with the node. The agent itself serves its page and the runbook, at the address that
        Prometheus scrapes; people may not reach that, so ``runbook`` can name another place."""
        of_one = "" if self.name == FLEET else "{{ $labels.instance }}: "
        found = {"summary": of_one + _literal(self.summary), "description": _literal(self.description)}
        if self.page is not None:
            found["agent_url"] = found["runbook_url"] = f"http://{{{{ $labels.instance }}}}/{self.page}"
        if runbook:
            found["runbook_url"] = runbook + self.code if self.code else runbook.rstrip("#/")
        return found


FLEET = "OvsnetFleet"

MANY = 'count by (code) (ovsnet_diagnosis{code!~"healthy|starting"} == 1)'

FLEET_ALERT = Alert(
    FLEET,
    f"{MANY} / scalar(count(ovsnet_ready)) > 0.1 and {MANY} > 2",
    "2m",
    "critical",
    "More than a tenth of the nodes have the same diagnosis, which the label code names.",
    "Check first what they share, such as the southbound, a network or an update, and then single nodes.",
    None,
)
"""At least three nodes: in a small cluster, one node is already more than a tenth."""

OWN = (
    Alert(
        "OvsnetAbsent", 'up{job=~".*ovsnet.*"} == 0', "2m", "critical",
        "ovsnet exports no metrics: whether this node forwards traffic is unknown.",
        "See `systemctl status ovsnet`, or the log of its container.", None,
    ),
    Alert(
        "OvsnetLoopHeldUp", "rate(ovsnet_loop_delay_seconds_sum[5m]) > 0.2", "10m", "warning",
        "ovsnet's own loop is held up, so its verdicts come late.",
        "Give it CPU: see its cgroup's quota and the host's load.",
    ),
    Alert(
        "OvsBacklogFull", "increase(ovsnet_backlog_refusals_total[10m]) > 0", "0m", "warning",
        "A daemon's socket refused connections, because its backlog was full.",
        "Find the clients that flood it (`ss -xp`), or see whether the daemon hangs.",
    ),
    Alert(
        "OvsConnectionsFlap", "increase(ovsnet_link_failures_total[15m]) > 100", "0m", "warning",
        "Connections to a daemon break again and again.",
        "Read the daemon's log for restarts and for dropped connections.",
    ),
    Alert(
        "OvsVerdictFlaps", "sum without (code) (increase(ovsnet_diagnoses_total[15m])) > 20", "0m", "warning",
        "The diagnosis changes again and again, and none lasts long enough for an alert of its own.",
        "See in ovsnet's log which diagnoses take turns, and fix the first of them.",
    ),
    Alert(
        "OvsnetCrowded", "increase(ovsnet_http_connections_cut_total[10m]) > 0", "0m", "warning",
        "Clients of ovsnet's HTTP server were cut: too many at once, or one that never reads.",
        "See who connects (`ss -tp sport = 10670`), or raise max_connections.",
    ),
    Alert(
        "OvsKnobsDrift", "ovsnet_tune_drift > 0", "30m", "warning",
        "Knobs of Open vSwitch or OVN are not as wanted.",
        "See `ovsnet tune plan`, and who else writes them.",
    ),
)  # fmt: skip


def alerts() -> Iterator[Alert]:
    """All rules, in causal order of what they report. A code that two causes share is one rule, as its first says."""
    for cause in codes().values():
        critical = cause.state is State.NOT_READY
        yield Alert(
            _name(cause.code),
            f'ovsnet_diagnosis{{code="{cause.code}"}} == 1',
            "1m" if critical else "10m",
            "critical" if critical else "warning",
            cause.summary,
            cause.remedy,
            f"runbook/{cause.code}",
            cause.code,
        )
    yield FLEET_ALERT
    yield from OWN


def groups(runbook: str = "") -> list[Mapping[str, object]]:
    """The rules in the form that Prometheus reads, and its operator in a PrometheusRule. ``runbook`` as for
    ``Alert.annotations``."""
    return [{"name": "ovsnet", "rules": [_rule(alert, runbook) for alert in alerts()]}]


def rules() -> str:
    """A file of rules for Prometheus."""
    return dumps({"groups": groups()})


def inhibitions() -> str:
    """An example of Alertmanager's ``inhibit_rules`` for these alerts."""
    ours = 'alertname =~ "Ovs.+"'
    fleet = {
        "source_matchers": [f'alertname = "{FLEET}"'],
        "target_matchers": [ours, f'alertname != "{FLEET}"'],
        "equal": ["code"],
    }
    node = {
        "source_matchers": [ours, 'severity = "critical"', f'alertname != "{FLEET}"'],
        "target_matchers": [ours, 'severity = "warning"'],
        "equal": ["instance"],
    }
    return dumps({"inhibit_rules": [fleet, node]})


def _rule(alert: Alert, runbook: str) -> Mapping[str, object]:
    return {
        "alert": alert.name,
        "expr": alert.expression,
        "for": alert.hold,
        "labels": {"severity": alert.severity},
        "annotations": alert.annotations(runbook),
    }


def _name(code: str) -> str:
    return "Ovsnet" + "".join(part.capitalize() for part in code.split("-"))


def _literal(text: str) -> str:
    """Prometheus expands templates in annotations: braces of ours must not be taken for one."""
    return text.replace("{{", "{ {")
