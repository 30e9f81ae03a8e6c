"""A real Prometheus scrapes a real agent on a real node: the metrics, the alerts and the dashboard on live data."""

from __future__ import annotations

import asyncio
import re
import subprocess
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from ovsnet.deploy.monitoring.alerts import rules
from ovsnet.deploy.monitoring.dashboard import Panel, panels
from ovsnet.health.causes import causes
from ovsnet.sandbox import binaries
from ovsnet.sandbox.node import Sandbox
from tests.serving import Serving, serving
from tests.system.prometheus import Prometheus, prometheus, until_true

pytestmark = pytest.mark.asyncio(loop_scope="module")

IMPATIENT = re.sub(r"for: \w+", "for: 2s", rules())
"""The rules as shipped, but for the time they hold back."""

WHOLE = {"$instance": ".*", "$__rate_interval": "30s"}
"""What Grafana puts in for its variables."""


@dataclass(frozen=True)
class Watched:
    """The node, its agent, and the Prometheus that scrapes it."""

    node: Sandbox
    agent: Serving
    prometheus: Prometheus


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    """With knobs that are looked after, and a past: its switch was restarted once."""
    keeping = ("--tune-mode", "observe", "--tune-profile", "kube-ovn", "--tune-interval", "1")
    async with Sandbox() as node:
        await node.wait_ready()
        async with (
            serving(node.rundir, *keeping) as agent,
            prometheus(tmp_path_factory.mktemp("prometheus"), agent.place, IMPATIENT) as found,
        ):
            await until_true(lambda: found.query("ovsnet_ready == 1"), "readiness")
            await node.restart("ovs-vswitchd")
            await until_true(lambda: found.query("ovsnet_link_failures_total > 0"), "the restart")
            await until_true(lambda: found.query("ovsnet_ready == 1"), "readiness after it")
            yield Watched(node, agent, found)


async def test_scrape_succeeds(watched: Watched) -> None:
    await until_true(lambda: watched.prometheus.query('up{job="ovsnet"} == 1'), "a scrape")


async def test_metrics_of_a_live_agent_are_clean(watched: Watched) -> None:
    assert await asyncio.to_thread(check_metrics, watched.agent.url) == (0, b"")


def check_metrics(url: str) -> tuple[int, bytes]:
    """What promtool says of a scrape."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=30) as response:
        body = response.read()
    promtool = binaries.fetch_packages(["prometheus"]).path("promtool")
    done = subprocess.run([str(promtool), "check", "metrics"], input=body, capture_output=True)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("panel", list(panels()), ids=lambda panel: panel.title)
async def test_query_of_the_dashboard_returns_data(watched: Watched, panel: Panel) -> None:
    query = panel.query
    for variable, value in WHOLE.items():
        query = query.replace(variable, value)
    series = await until_true(lambda: watched.prometheus.query(query), panel.title)
    named = set(re.findall(r"{{(\w+)}}", panel.legend))
    assert all(named <= each["metric"].keys() for each in series)


async def test_alert_fires_from_a_frozen_switch_and_clears_after_the_thaw(watched: Watched) -> None:
    (cause,) = [cause for cause in causes() if cause.code == "vswitchd-hung"]
    await until_true(lambda: watched.prometheus.query("ovsnet_ready == 1"), "readiness")
    assert "OvsnetVswitchdHung" not in await watched.prometheus.firing()

    async def fired() -> dict[str, Any] | None:
        return (await watched.prometheus.firing()).get("OvsnetVswitchdHung")

    async def cleared() -> bool:
        return await fired() is None

    await watched.node.freeze("ovs-vswitchd")
    try:
        alert = await until_true(fired, "the alert")
        assert alert is not None
        assert alert["annotations"]["summary"].endswith(f": {cause.summary}")
        assert alert["annotations"]["description"] == cause.remedy
        assert alert["annotations"]["runbook_url"].endswith(f"/runbook/{cause.code}")
        assert alert["labels"]["severity"] == "critical"
    finally:
        await watched.node.thaw("ovs-vswitchd")
    await until_true(cleared, "the end of the alert")
    await until_true(lambda: watched.prometheus.query("ovsnet_ready == 1"), "readiness after the thaw")
