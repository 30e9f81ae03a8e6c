"""What Prometheus scrapes, read with its own parsers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

import anyio
import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from ovsnet import __version__
from ovsnet.agent.agent import Agent
from ovsnet.config import Settings
from ovsnet.health.causes import causes
from ovsnet.health.checks import CHECKS
from ovsnet.health.checks.result import Number, Result, Status
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from ovsnet.web import metrics, pages
from ovsnet.web.connections import CUT_REASONS
from ovsnet.web.metrics import render
from tests.patience import PATIENCE
from tests.web.conftest import Serve, Served

Parse = Callable[[str], Iterable[Metric]]

TEXT = ("*/*", "text/plain", parse_text)
OPENMETRICS = ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text", parse_openmetrics)


async def scrape(served: Served, accept: str = TEXT[0], parse: Parse = parse_text) -> dict[str, Metric]:
    _, body, _ = await served.get("/metrics", Accept=accept)
    return {family.name: family for family in parse(body)}


def samples(family: Metric) -> dict[tuple[str, ...], float]:
    """Values by the values of the labels."""
    return {tuple(sample.labels.values()): sample.value for sample in family.samples}


@pytest.mark.parametrize(("accept", "content_type", "parse"), [TEXT, OPENMETRICS], ids=["text", "openmetrics"])
async def test_scrape_parses_and_every_family_has_help_and_our_prefix(
    serve: Serve, accept: str, content_type: str, parse: Parse
) -> None:
    async with serve() as served:
        served.agent.all_well()
        served.agent.node.ovsdb.lost["refused"] += 1
        status, body, headers = await served.get("/metrics", Accept=accept)
    assert status == 200
    assert headers["Content-Type"].startswith(content_type)
    families = list(parse(body))
    assert all(family.documentation for family in families)
    assert {family.name.partition("_")[0] for family in families} == {"ovsnet", "process"}
    names = [family.name for family in families]
    assert len(names) == len(set(names))


async def test_one_series_per_diagnosis_code_and_one_of_them_is_1(serve: Serve) -> None:
    async with serve() as served:
        served.agent.all_well()
        served.agent.tell("vswitchd.ofproto", Status.FAILED, "gone", "Process 7 has ended.")
        families = await scrape(served)
    codes = samples(families["ovsnet_diagnosis"])
    assert {code for (code,) in codes} == {"healthy", "starting", "check-failed", *(cause.code for cause in causes())}
    assert [code for code, value in codes.items() if value] == [("vswitchd-down",)]


async def test_one_series_per_check_and_status_and_one_of_them_is_1(serve: Serve) -> None:
    async with serve() as served:
        served.agent.all_well()
        served.agent.tell("openflow.echo", Status.SLOW, "late")
        families = await scrape(served)
    values = samples(families["ovsnet_check_status"])
    assert set(values) == {(name, status.value) for name in CHECKS for status in Status}
    assert {labels for labels, value in values.items() if value} == {
        (name, "slow" if name == "openflow.echo" else "ok") for name in CHECKS
    }
    assert set(samples(families["ovsnet_check_rtt_seconds"])) == {(name,) for name in CHECKS if name != "openflow.echo"}


async def test_ready_and_dead_follow_the_board(serve: Serve) -> None:
    async with serve() as served:
        served.agent.all_well()
        well = await scrape(served)
        served.agent.tell("vswitchd.ofproto", Status.FAILED, "gone")
        served.agent.now += 7.0
        broken = await scrape(served)
    assert [samples(each["ovsnet_ready"])[()] for each in (well, broken)] == [1.0, 0.0]
    assert [samples(each["ovsnet_dead_seconds"])[()] for each in (well, broken)] == pytest.approx([0.0, 7.0])


async def test_stages_version_and_lost_links_are_told(serve: Serve) -> None:
    async with serve() as served:
        served.agent.tell("controller.connection")
        served.agent.health.restarted("ovsdb-server", served.agent.now, served.agent.now)
        served.agent.now += 2.0
        served.agent.tell("ovsdb.echo")
        served.agent.node.vswitchd.lost["closed"] += 3
        families = await scrape(served)
    stages = samples(families["ovsnet_stage_seconds"])
    assert stages == {("database",): pytest.approx(2.0, abs=0.1)}, "nobody saw how long the other one took"
    assert samples(families["ovsnet_build_info"]) == {(__version__,): 1.0}
    assert samples(families["ovsnet_link_failures"])[("vswitchd", "closed")] == 3.0


async def test_numbers_of_a_check_are_told_and_texts_are_not(serve: Serve) -> None:
    async with serve() as served:
        numbers: dict[str, Number] = {"flows": 7, "cluster": "a-name"}
        served.agent.health.record([Result("openflow.flows", Status.OK, served.agent.now, values=numbers)], 0.0)
        families = await scrape(served)
    assert samples(families["ovsnet_check_value"]) == {("openflow.flows", "flows"): 7.0}


async def test_requests_are_counted_by_endpoint_and_strangers_make_no_series(serve: Serve) -> None:
    async with serve() as served:
        for path in ("/readyz", "/readyz", "/livez", "/readyz/ovsdb.echo", "/x1", "/x2"):
            await served.get(path)
        await served.get("/livez", "POST")
        families = await scrape(served)
    labels = [sample.labels | {"count": sample.value} for sample in families["ovsnet_http_requests"].samples]
    assert sorted((each["path"], each["code"], each["count"]) for each in labels) == [
        ("/livez", "200", 1.0),
        ("/livez", "405", 1.0),
        ("/readyz", "503", 2.0),
        ("/readyz/", "503", 1.0),
        ("unknown", "404", 2.0),
    ]
    assert samples(families["ovsnet_http_connections_cut"]) == {(reason,): 0.0 for reason in CUT_REASONS}
    assert samples(families["ovsnet_http_connections"])[()] >= 1.0


async def test_running_agent_tells_its_connections_its_diagnoses_and_the_daemons_starts(shared_node: Sandbox) -> None:
    agent = Agent(Settings(), Rundir(shared_node.rundir, shared_node.rundir))
    async with anyio.create_task_group() as tasks:
        await tasks.start(agent.run)
        async with asyncio.timeout(PATIENCE):
            while agent.health.diagnosis.code != "healthy":  # noqa: ASYNC110 - any poll will do
                await asyncio.sleep(0.01)
        body = render(agent, metrics.TEXT)
        tasks.cancel_scope.cancel()
    families = {family.name: family for family in parse_text(body.decode())}
    assert set(samples(families["ovsnet_link_up"]).values()) == {1.0}
    assert min(samples(families["ovsnet_link_connections"]).values()) == 1.0
    assert samples(families["ovsnet_diagnoses"])[("healthy",)] == 1.0
    started = samples(families["ovsnet_daemon_start_time_seconds"])
    assert {name for (name,) in started} >= {"ovsdb-server", "ovs-vswitchd", "ovn-controller"}
    assert all(0 < time.time() - at < 3600 for at in started.values())


async def test_agent_that_knows_nothing_yet_is_scraped_too(serve: Serve) -> None:
    async with serve() as served:
        families = await scrape(served)
    assert samples(families["ovsnet_ready"])[()] == 0.0
    assert samples(families["ovsnet_diagnosis"])[("starting",)] == 1.0
    assert families["ovsnet_check_status"].samples == []


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", metrics.TEXT),
        ("text/plain;version=1.0.0;escaping=allow-utf-8", metrics.TEXT),
        ("application/openmetrics-text", metrics.OPENMETRICS),
        ("text/html, Application/OpenMetrics-Text ; VERSION=1.0.0 ; q=0.5", metrics.OPENMETRICS),
        ("application/openmetrics-text;version=1.0.0;q=0", metrics.TEXT),
        ("application/openmetrics-text;version=1.0.0;q=0.000", metrics.TEXT),
        ("application/openmetrics-text;version=0.0.1", metrics.TEXT),
        ("application/openmetrics-text;version=abc", metrics.TEXT),
        ("application/openmetrics-text;version=1.0.7.3;escaping=x", metrics.OPENMETRICS),
        ("application/openmetrics-text;;=;version;q=", metrics.TEXT),
        (";,;,=" * 1000, metrics.TEXT),
    ],
)
async def test_there_are_two_encodings_whatever_a_client_says(serve: Serve, accept: str, kind: str) -> None:
    """A version of its own would be a page of its own to render, and a header of its own wording."""
    async with serve() as served:
        status, _, headers = await served.get("/metrics", Accept=accept)
    assert (status, headers["Content-Type"]) == (200, kind)


async def test_scrapers_with_versions_of_their_own_share_a_page(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "REST", 1e6)
    async with serve() as served:
        bodies = [
            (await served.get("/metrics", Accept=f"application/openmetrics-text;version=1.0.0.{number}"))[1]
            for number in range(5)
        ]
        assert len(set(bodies)) == 1
        assert len([key for key in pages._kept if isinstance(key, tuple) and key[0] is served.agent]) == 1
