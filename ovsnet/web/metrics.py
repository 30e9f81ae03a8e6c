"""Prometheus metrics, made from the agent's state at each scrape: nothing is counted twice, nothing goes stale."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from ovsnet.agent.agent import Agent
from ovsnet.health.cause import State
from ovsnet.health.causes import codes
from ovsnet.health.checks.result import ELSEWHERE, Status
from ovsnet.web.daemon_metrics import daemons
from ovsnet.web.own_metrics import own
from ovsnet.web.pages import kept
from ovsnet.web.tune_metrics import tuning

MOST_TYPES = 16
"""How many types of an Accept header are read; Prometheus sends six."""

Encode = Callable[[CollectorRegistry], bytes]

ENCODERS: dict[str, Encode] = {
    CONTENT_TYPE_PLAIN_0_0_4: generate_latest,
    openmetrics.CONTENT_TYPE_LATEST: openmetrics.generate_latest,
}
"""By content type. There are exactly two, whatever a client asks for: no other page is kept, and no header repeats the
client's text (prometheus_client's choose_encoder repeats the version that it was asked for)."""

TEXT, OPENMETRICS = ENCODERS


def choose(accept: str) -> str:
    """The content type for an Accept header (RFC 9110, section 12.5.1): OpenMetrics if it accepts version 1 of it."""
    for each in accept.split(",")[:MOST_TYPES]:
        kind, *parameters = (part.strip().lower() for part in each.split(";"))
        said = dict(part.partition("=")[::2] for part in parameters)
        version = said.get("version", "1").strip('"')
        if kind == "application/openmetrics-text" and (version == "1" or version.startswith("1.")):
            return TEXT if said.get("q", "1").strip("0.") == "" else OPENMETRICS
    return TEXT


def page(agent: Agent, accept: str) -> tuple[bytes, str]:
    """The body and its content type. Needs a running loop."""
    content_type = choose(accept)
    return kept((agent, content_type), lambda: render(agent, content_type)), content_type


def render(agent: Agent, content_type: str) -> bytes:
    """The body."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Agent(agent))
    return ENCODERS[content_type](registry)


class _Agent(Collector):
    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def collect(self) -> Iterator[Metric]:
        yield from _verdict(self._agent)
        yield from _checks(self._agent)
        yield from _start(self._agent)
        yield from tuning(self._agent)
        yield from daemons(self._agent)
        yield from own(self._agent)


def _verdict(agent: Agent) -> Iterator[Metric]:
    health = agent.health
    yield GaugeMetricFamily("ovsnet_ready", "1 while /readyz says 200.", value=float(health.ready))
    yield GaugeMetricFamily(
        "ovsnet_dead_seconds",
        "For how long OVS has been proven dead; 0 while it lives.",
        value=health.dead_for(agent.clock()),
    )
    state = GaugeMetricFamily("ovsnet_state", "1 for the state the node is in, 0 for the others.", labels=["state"])
    for each in State:
        state.add_metric([each.label], float(each is health.diagnosis.state))
    yield state
    diagnosis = GaugeMetricFamily(
        "ovsnet_diagnosis", "1 for the code of the root cause, 0 for the others.", labels=["code"]
    )
    came = CounterMetricFamily("ovsnet_diagnoses", "How often a code became the root cause.", labels=["code"])
    for code in ("healthy", "starting", *codes()):
        diagnosis.add_metric([code], float(code == health.diagnosis.code))
        came.add_metric([code], agent.counters.diagnoses[code])
    yield diagnosis
    yield came


def _checks(agent: Agent) -> Iterator[Metric]:
    status = GaugeMetricFamily("ovsnet_check_status", "1 for the status a check has now.", labels=["check", "status"])
    rtt = GaugeMetricFamily("ovsnet_check_rtt_seconds", "Round trip of the check's last answer.", labels=["check"])
    values = GaugeMetricFamily(
        "ovsnet_check_value", "Numbers a check found: flows, seconds of silence.", labels=["check", "value"]
    )
    for result in agent.health.results.values():
        if result.reason == ELSEWHERE:
            continue
        for each in Status:
            status.add_metric([result.name, each.value], float(each is result.status))
        if result.rtt_seconds is not None:
            rtt.add_metric([result.name], result.rtt_seconds)
        for name, value in result.values.items():
            if not isinstance(value, str):
                values.add_metric([result.name, name], float(value))
    yield status
    yield rtt
    yield values
    took = HistogramMetricFamily("ovsnet_round_trip_seconds", "How long answers took.", labels=["check"])
    for name, buckets in agent.counters.round_trips.items():
        took.add_metric([name], list(buckets.labelled()), buckets.total)
    yield took


def _start(agent: Agent) -> Iterator[Metric]:
    took = GaugeMetricFamily("ovsnet_stage_seconds", "How long the last start took to reach a stage.", labels=["stage"])
    for reached in agent.health.timeline.reached():
        if reached.took_seconds is not None:
            took.add_metric([reached.stage], reached.took_seconds)
    yield took
