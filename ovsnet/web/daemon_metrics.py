"""Metrics of the daemons and of our connections to them."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric

from ovsnet.agent.agent import Agent
from ovsnet.agent.document import versions
from ovsnet.node.components import COMPONENTS
from ovsnet.texts import for_metric


def daemons(agent: Agent) -> Iterator[Metric]:
    """All of them."""
    yield InfoMetricFamily("ovsnet_node", "The versions that run on this node.", value=versions(agent.node))
    started = GaugeMetricFamily(
        "ovsnet_daemon_start_time_seconds", "When a daemon started, since 1970.", labels=["daemon"]
    )
    refusals = CounterMetricFamily(
        "ovsnet_backlog_refusals", "Requests that met a socket whose backlog was full.", labels=["daemon"]
    )
    for name, daemon in agent.node.daemons.items():
        if daemon.started_at is not None:
            started.add_metric([name], daemon.started_at + agent.wall_offset)
        refusals.add_metric([name], agent.node.backlog_refusals[name])
    yield started
    yield refusals
    yield from _links(agent)


def _links(agent: Agent) -> Iterator[Metric]:
    up = GaugeMetricFamily("ovsnet_link_up", "1 while connected.", labels=["link"])
    opened = CounterMetricFamily("ovsnet_link_connections", "Connections that were established.", labels=["link"])
    lost = CounterMetricFamily(
        "ovsnet_link_failures", "Connections that broke or could not be established.", labels=["link", "reason"]
    )
    central = {component.name for component in COMPONENTS.values() if component.central}
    for name, link in agent.node.links.items():
        if name.partition(":")[0] in central and not link.opened:  # not expected on this host
            continue
        label = for_metric(name)
        up.add_metric([label], float(link.current is not None))
        opened.add_metric([label], link.opened)
        for reason, count in link.lost.items():
            lost.add_metric([label, reason], count)
    yield up
    yield opened
    yield lost
