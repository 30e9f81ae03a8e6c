"""What Prometheus scrapes, read with its own parsers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from ovsnet import __version__
from ovsnet.checks import CHECKS
from ovsnet.checks.result import Status
from ovsnet.diagnosis import CAUSES
from ovsnet.web.metrics import CODES

Serve = Callable[..., Any]
Parse = Callable[[str], Iterable[Metric]]

TEXT = ("*/*", "text/plain", parse_text)
OPENMETRICS = ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text", parse_openmetrics)


async def scrape(served: Any, accept: str = TEXT[0], parse: Parse = parse_text) -> dict[str, Metric]:
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
        served.agent.tell("vswitchd.ofproto", Status.FAILED, "refused", "Nobody listens.")
        families = await scrape(served)
    codes = samples(families["ovsnet_diagnosis"])
    assert set(codes) == {(code,) for code in CODES}
    assert {cause.code for cause in CAUSES} < set(CODES)
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
        served.agent.tell("vswitchd.ofproto", Status.FAILED, "refused")
        served.agent.now += 7.0
        broken = await scrape(served)
    assert [samples(each["ovsnet_ready"])[()] for each in (well, broken)] == [1.0, 0.0]
    assert [samples(each["ovsnet_dead_seconds"])[()] for each in (well, broken)] == [0.0, 7.0]


async def test_stages_version_and_lost_links_are_told(serve: Serve) -> None:
    async with serve() as served:
        served.agent.now += 2.0
        served.agent.tell("ovsdb.echo")
        served.agent.node.vswitchd.lost["closed"] += 3
        families = await scrape(served)
    assert samples(families["ovsnet_stage_seconds"])[("database",)] == pytest.approx(2.0, abs=0.1)
    assert samples(families["ovsnet_build_info"]) == {(__version__,): 1.0}
    assert samples(families["ovsnet_link_failures"])[("vswitchd", "closed")] == 3.0


async def test_agent_that_knows_nothing_yet_is_scraped_too(serve: Serve) -> None:
    async with serve() as served:
        families = await scrape(served)
    assert samples(families["ovsnet_ready"])[()] == 0.0
    assert samples(families["ovsnet_diagnosis"])[("starting",)] == 1.0
    assert families["ovsnet_check_status"].samples == []
