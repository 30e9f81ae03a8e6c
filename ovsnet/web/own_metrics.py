"""Metrics of the agent itself: its version, its loop, and its HTTP requests."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric

from ovsnet import __version__
from ovsnet.agent.agent import Agent
from ovsnet.web.connections import CUT_REASONS


def own(agent: Agent) -> Iterator[Metric]:
    """All of them."""
    yield InfoMetricFamily("ovsnet_build", "The version of ovsnet.", value={"version": __version__})
    yield from _loop(agent)
    yield from _http(agent)


def _loop(agent: Agent) -> Iterator[Metric]:
    yield GaugeMetricFamily("ovsnet_loop_lag_seconds", "How late our own loop's last tick was.", value=agent.loop_lag)
    delays = agent.counters.loop_delays
    yield HistogramMetricFamily(
        "ovsnet_loop_delay_seconds",
        "How late the ticks of our own loop were.",
        buckets=list(delays.labelled()),
        sum_value=delays.total,
    )


def _http(agent: Agent) -> Iterator[Metric]:
    counters = agent.counters
    requests = CounterMetricFamily("ovsnet_http_requests", "Requests that were answered.", labels=["path", "code"])
    for (path, code), count in counters.requests.items():
        requests.add_metric([path, str(code)], count)
    yield requests
    yield CounterMetricFamily("ovsnet_http_connections", "Connections that were accepted.", value=counters.connections)
    cut = CounterMetricFamily(
        "ovsnet_http_connections_cut",
        "Connections that ovsnet closed: others waited for the slot, the client did not read its answer, or TLS took "
        "too long.",
        labels=["reason"],
    )
    for reason in CUT_REASONS:
        cut.add_metric([reason], counters.cut[reason])
    yield cut
