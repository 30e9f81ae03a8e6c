"""A node is lent again only if nothing tells that it was lent before."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ovsnet.sandbox.daemons import Layout
from tests.restored import Kept, Pool


@pytest_asyncio.fixture
async def kept() -> AsyncIterator[Kept]:
    kept = await Kept.new()
    yield kept
    await kept.node.down()


async def test_daemons_are_thawed_and_started_and_nothing_else_has_changed(kept: Kept) -> None:
    await kept.node.freeze("ovs-vswitchd")
    await kept.node.kill("ovn-northd")
    assert await kept.restore()
    assert {state for state, _ in kept.node.status().values()} == {"running"}


@pytest.mark.parametrize(
    "words",
    [
        ("ovs-vsctl", "set", "Open_vSwitch", ".", "external_ids:ovn-monitor-all=true"),
        ("ovs-vsctl", "add-br", "br-new"),
        ("ovn-nbctl", "ls-add", "ls1"),
        ("ovn-appctl", "-t", "ovn-controller", "debug/pause"),
    ],
)
async def test_node_that_was_changed_is_not_restored(kept: Kept, words: tuple[str, ...]) -> None:
    await kept.node.run(*words)
    assert not await kept.restore()


async def test_changed_mode_of_a_socket_is_noticed(kept: Kept) -> None:
    (kept.node.rundir / "db.sock").chmod(0o600)
    assert not await kept.restore()


async def test_pool_lends_the_same_node_again_with_empty_logs_and_ends_one_that_was_changed() -> None:
    pool = Pool()
    first = await pool.take()
    logs = list(Layout(first.node.directory).logdir.iterdir())
    for log in logs:
        log.write_text("of the first test\n")
    await pool.give_back(first)
    second = await pool.take()
    if second is first:  # else the machine took too long, and a new one is right
        assert not any("of the first test" in log.read_text() for log in logs)
    await second.node.run("ovs-vsctl", "add-br", "br-new")
    await pool.give_back(second)
    third = await pool.take()
    assert third is not second
    assert not second.node.directory.exists()
    await pool.give_back(third)
    await pool.close()
    assert not third.node.directory.exists()
