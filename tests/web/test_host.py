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


@pytest.mark.parametrize("path", ["/", "/status"])
async def test_page_of_a_stranger_that_resolves_to_us_reads_nothing(serve: Serve, path: str) -> None:
    """DNS rebinding: its requests still carry its own name."""
    async with serve(host_names=("ovs.example",)) as served:
        status, body, _ = await served.get(path, Host="evil.example")
        assert status == 421
        assert "host_names" in body
        assert (await served.get(path, Host="ovs.example:10670"))[0] == 200


@pytest.mark.parametrize("path", ["/livez", "/metrics", "/readyz"])
async def test_probe_and_scrape_may_use_any_name(serve: Serve, path: str) -> None:
    async with serve() as served:
        served.agent.all_well()
        assert (await served.get(path, Host="whatever.example"))[0] == 200
