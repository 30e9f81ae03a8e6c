"""Metrics of tuning: stalls of the daemons, drift of the knobs."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from ovsnet.agent.agent import Agent
from ovsnet.tune.drift import DriftControl
from ovsnet.tune.stalls import Histogram, Stalls

BOUNDS = (0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Seconds. Coarser than what the agent keeps: probe intervals are compared with these."""


def tuning(agent: Agent) -> Iterator[Metric]:
    """All of them; those of drift only where knobs are watched."""
    yield stalls(agent.stalls)
    if agent.reconciler is not None:
        yield from drift_metrics(agent.reconciler.control)


def stalls(found: Stalls) -> Metric:
    """A histogram per daemon."""
    family = HistogramMetricFamily(
        "ovsnet_stall_seconds", "How long a daemon took to answer, its silences included.", labels=["daemon"]
    )
    for daemon, histogram in found.histograms.items():
        family.add_metric([daemon], buckets=_buckets(histogram), sum_value=histogram.total)
    return family


def drift_metrics(control: DriftControl) -> Iterator[Metric]:
    """What the agent found and did."""
    yield GaugeMetricFamily("ovsnet_tune_drift", "Knobs that are not as wanted.", value=float(len(control.drift)))
    yield CounterMetricFamily("ovsnet_tune_writes", "How often knobs were written.", value=float(control.writes))
    yield GaugeMetricFamily(
        "ovsnet_tune_given_up",
        "1 once ovsnet has stopped writing knobs because someone else kept changing them back.",
        value=float(control.given_up),
    )


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    cumulative = list(histogram.cumulative())
    found = [(str(bound), max((count for top, count in cumulative if top <= bound), default=0)) for bound in BOUNDS]
    return [*((bound, float(count)) for bound, count in found), ("+Inf", float(histogram.count))]
