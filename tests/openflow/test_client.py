"""A client that stays connected: what it says of itself, and what its callers get while the switch is away."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ovsnet import openflow
from ovsnet.errors import AddressError, ConnectionLost, DeadlineExceeded, SocketMissing, UsageError
from ovsnet.openflow import Client, Version
from ovsnet.sandbox.node import Sandbox
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def bare_node() -> AsyncIterator[Sandbox]:
    async with Sandbox(ovn=False, ports=1) as node:
        await node.wait_ready()
        yield node


def mgmt(node: Sandbox) -> str:
    return f"unix:{node.rundir / 'br-int.mgmt'}"


def test_everything_exported_is_there_and_has_a_docstring_of_its_own() -> None:
    assert sorted(openflow.__all__) == openflow.__all__
    public = {name for name in vars(openflow) if not name.startswith("_")}
    assert set(openflow.__all__) == public - submodules()
    for name in openflow.__all__:
        found = getattr(openflow, name)
        if isinstance(found, type):
            assert found.__doc__, name


def submodules() -> set[str]:
    return {name for name, value in vars(openflow).items() if type(value).__name__ == "module"} | {"annotations"}


async def test_connect_takes_text_and_can_be_awaited_or_entered(shared_node: Sandbox) -> None:
    session = await openflow.connect(mgmt(shared_node), timeout=PATIENCE)
    assert await session.echo(timeout=PATIENCE) > 0
    await session.aclose()
    async with openflow.connect(mgmt(shared_node), timeout=PATIENCE) as entered:
        assert await entered.echo(timeout=PATIENCE) > 0
    assert entered.closed.done()


def test_text_that_is_no_address_is_refused_at_once() -> None:
    with pytest.raises(AddressError):
        openflow.connect("br-int")
    with pytest.raises(AddressError):
        Client("br-int")


def test_versions_that_are_none_are_refused_at_once() -> None:
    """And not taken for a switch that is away, or for a fault of ours."""
    for versions in (frozenset(), frozenset({7}), Version.OF13):
        with pytest.raises(UsageError):
            openflow.connect("unix:/none", versions=versions)  # type: ignore[arg-type]
        with pytest.raises(UsageError):
            Client("unix:/none", versions=versions)  # type: ignore[arg-type]


@pytest.mark.parametrize("probe", [0, -1.0, float("nan")])
def test_probe_that_no_switch_can_answer_in_time_is_refused(probe: float) -> None:
    with pytest.raises(UsageError):
        Client("unix:/none", probe=probe)


async def test_entering_what_cannot_be_connected_raises_why(tmp_path: Path) -> None:
    with pytest.raises(SocketMissing):
        async with openflow.connect(f"unix:{tmp_path / 'none'}"):
            pass


async def test_client_lives_through_a_restart_and_says_so(bare_node: Sandbox) -> None:
    async with Client(mgmt(bare_node)) as client:
        changes = client.changes()
        await client.until("up", timeout=PATIENCE)
        first = client.session
        assert client.state == "up"
        assert client.status.reason is None
        assert (await client.features(timeout=PATIENCE)).datapath_id
        await bare_node.stop("ovs-vswitchd")
        await client.until("waiting", timeout=PATIENCE)
        assert isinstance(client.status.reason, SocketMissing | ConnectionLost)
        asking = asyncio.create_task(client.tables(timeout=PATIENCE))
        await bare_node.start("ovs-vswitchd")
        assert len(await asking) > 200
        assert client.session is not first
        seen = []
        async for status in changes:
            seen.append(status.state)
            if seen.count("up") == 2:
                break
    assert seen[0] == "connecting"
    assert "waiting" in seen
    assert client.state == "closed"


async def test_call_while_the_switch_is_away_waits_or_fails_as_asked(tmp_path: Path) -> None:
    path = f"unix:{tmp_path / 'none'}"
    async with Client(path, wait=False) as client:
        await client.until("waiting", timeout=PATIENCE)
        with pytest.raises(SocketMissing):
            await client.echo(timeout=PATIENCE)
    async with Client(path) as client:
        with pytest.raises(DeadlineExceeded, match="does not exist"):
            await client.echo(timeout=0.05)
    with pytest.raises(ConnectionLost):
        await client.echo(timeout=PATIENCE)


async def test_switch_that_falls_silent_is_found_out_and_one_that_thaws_is_met_again(bare_node: Sandbox) -> None:
    async with Client(mgmt(bare_node), probe=0.05) as client:
        await client.until("up", timeout=PATIENCE)
        silent = asyncio.create_task(client.until("connecting", timeout=PATIENCE))
        await asyncio.sleep(0)
        await bare_node.freeze("ovs-vswitchd")
        lost = await client_lost(client)
        assert isinstance(lost, DeadlineExceeded)
        await bare_node.thaw("ovs-vswitchd")
        await silent
        await client.until("up", timeout=PATIENCE)


async def client_lost(client: Client) -> Exception | None:
    async with asyncio.timeout(PATIENCE):
        async for status in client.changes():
            if status.reason is not None:
                return status.reason
    return None
