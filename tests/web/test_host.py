"""Whose pages a browser may read: a name that is not ours may be a stranger's that resolves to us."""

from __future__ import annotations

import pytest

from tests.web.conftest import Serve


@pytest.mark.parametrize(
    "host", ["127.0.0.1:1", "[::1]:1", "localhost", "LOCALHOST.:8", "10.0.0.1", "node-1", "node-1:80"]
)
async def test_browser_that_names_us_or_a_number_is_served(serve: Serve, host: str) -> None:
    async with serve() as served:
        served.agent.name = "Node-1"
        assert (await served.get("/", Host=host))[0] == 200


@pytest.mark.parametrize("path", ["/", "/status", "/metrics"])
async def test_page_of_a_stranger_that_resolves_to_us_reads_nothing(serve: Serve, path: str) -> None:
    """DNS rebinding: its requests still carry its own name."""
    async with serve(host_names=("ovs.example",)) as served:
        status, body, _ = await served.get(path, Host="evil.example")
        assert status == 421
        assert "host_names" in body
        assert (await served.get(path, Host="ovs.example:10670"))[0] == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/startupz", "/ovs/livez", "/readyz?verbose"])
async def test_probe_may_use_any_name_and_hears_yes_or_no(serve: Serve, path: str) -> None:
    """A kubelet sends the Host that a pod's probe names. What is wrong is not for strangers."""
    async with serve() as served:
        served.agent.all_well()
        assert (await served.get(path, Host="whatever.example"))[:2] == (200, "ok\n")


@pytest.mark.parametrize("path", ["/readyz", "/startupz", "/readyz?verbose"])
async def test_stranger_hears_no_reason(serve: Serve, path: str) -> None:
    async with serve() as served:
        status, said, _ = await served.get(path, Host="evil.example")
        assert status == 503
        assert said.startswith("no: the reason is withheld. ")
        assert len((await served.get(path))[1]) > 20


@pytest.mark.parametrize("path", ["/metrics", "/readyz/ovsdb.echo", "/events", "/history", "/nothing"])
async def test_everything_else_is_for_who_names_us(serve: Serve, path: str) -> None:
    async with serve() as served:
        assert (await served.get(path, Host="evil.example"))[0] in (404, 421)


@pytest.mark.parametrize("host", ["10.0.0.7:10670", "[fd00::7]:10670", "127.0.0.1"])
async def test_prometheus_that_scrapes_an_address_is_served(serve: Serve, host: str) -> None:
    async with serve() as served:
        assert (await served.get("/metrics", Host=host))[0] == 200


CHOOSING = ["/readyz?require=ovsdb.echo", "/readyz?exclude=ovsdb.echo", "/readyz?verbose&exclude=ovsdb.echo"]


@pytest.mark.parametrize("path", CHOOSING)
async def test_stranger_learns_of_no_single_check(serve: Serve, path: str) -> None:
    """Yes or no would tell of it what the reason does. A kubelet names the pod's address unless it is told to name
    something else."""
    async with serve() as served:
        for well in (False, True):
            if well:
                served.agent.all_well()
            status, said, _ = await served.get(path, Host="evil.example")
            assert (status, said.partition(",")[0]) == (403, "A query that chooses checks is withheld")
            assert (await served.get(path, Host="10.0.0.7:10670"))[0] in (200, 503)


async def test_query_that_a_probe_does_not_know_changes_nothing(serve: Serve) -> None:
    async with serve() as served:
        assert (await served.get("/livez?exclude=ovsdb.echo", Host="evil.example"))[:2] == (200, "ok\n")
