"""Prometheus metrics, read off the board at each scrape: nothing is counted twice, nothing goes stale."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from ovsnet import __version__
from ovsnet.agent import Agent
from ovsnet.checks.result import Status
from ovsnet.diagnosis import CAUSES, UNEXPLAINED, State
from ovsnet.web.tune_metrics import tuning

CODES = tuple(dict.fromkeys(["healthy", "starting", *(cause.code for cause in CAUSES), UNEXPLAINED.code]))


def render(agent: Agent, accept: str) -> tuple[bytes, str]:
    """The body and its content type."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Agent(agent))
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Agent(Collector):
    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def collect(self) -> Iterator[Metric]:
        yield from _verdict(self._agent)
        yield from _checks(self._agent)
        yield from _start(self._agent)
        yield from tuning(self._agent)
        yield from _self(self._agent)


def _verdict(agent: Agent) -> Iterator[Metric]:
    board = agent.board
    yield GaugeMetricFamily("ovsnet_ready", "1 while /readyz says 200.", value=float(board.ready))
    yield GaugeMetricFamily(
        "ovsnet_dead_seconds",
        "For how long OVS has been proven dead; 0 while it lives.",
        value=board.dead_for(agent.clock()),
    )
    state = GaugeMetricFamily("ovsnet_state", "1 for the state the node is in, 0 for the others.", labels=["state"])
    for each in State:
        state.add_metric([each.label], float(each is board.diagnosis.state))
    yield state
    diagnosis = GaugeMetricFamily(
        "ovsnet_diagnosis", "1 for the code of the root cause, 0 for the others.", labels=["code"]
    )
    for code in CODES:
        diagnosis.add_metric([code], float(code == board.diagnosis.code))
    yield diagnosis


def _checks(agent: Agent) -> Iterator[Metric]:
    status = GaugeMetricFamily("ovsnet_check_status", "1 for the status a check has now.", labels=["check", "status"])
    rtt = GaugeMetricFamily("ovsnet_check_rtt_seconds", "Round trip of the check's last answer.", labels=["check"])
    for result in agent.board.results.values():
        for each in Status:
            status.add_metric([result.name, each.value], float(each is result.status))
        if result.rtt_seconds is not None:
            rtt.add_metric([result.name], result.rtt_seconds)
    yield status
    yield rtt
    took = HistogramMetricFamily("ovsnet_round_trip_seconds", "How long answers took.", labels=["check"])
    for name, buckets in agent.tally.round_trips.items():
        took.add_metric([name], list(buckets.cumulative()), buckets.sum)
    yield took


def _start(agent: Agent) -> Iterator[Metric]:
    took = GaugeMetricFamily("ovsnet_stage_seconds", "How long the last start took to reach a stage.", labels=["stage"])
    for reached in agent.board.timeline.reached():
        took.add_metric([reached.stage], reached.took_seconds)
    yield took


def _self(agent: Agent) -> Iterator[Metric]:
    yield InfoMetricFamily("ovsnet_build", "The version of ovsnet.", value={"version": __version__})
    yield GaugeMetricFamily("ovsnet_loop_lag_seconds", "How late our own loop's last tick was.", value=agent.loop_lag)
    delays = agent.tally.loop_delays
    yield HistogramMetricFamily(
        "ovsnet_loop_delay_seconds",
        "How late the ticks of our own loop were.",
        buckets=list(delays.cumulative()),
        sum_value=delays.sum,
    )
    refusals = CounterMetricFamily(
        "ovsnet_backlog_refusals", "Questions that met a socket whose backlog was full.", labels=["daemon"]
    )
    for daemon in agent.node.daemons:
        refusals.add_metric([daemon], agent.node.backlog_refusals[daemon])
    yield refusals
    lost = CounterMetricFamily(
        "ovsnet_link_failures", "Connections that broke or did not come to be.", labels=["link", "reason"]
    )
    for name, link in agent.node.links.items():
        for reason, count in link.lost.items():
            lost.add_metric([name, reason], count)
    yield lost
