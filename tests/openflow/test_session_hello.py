"""The switch's HELLO, or the end, may have come before anybody waits for HELLO: on a busy host, or over TLS."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ovsnet.errors import ConnectionLost
from ovsnet.io.address import Address
from ovsnet.openflow import Session
from ovsnet.protocol.openflow import ALL_VERSIONS
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

    from ovsnet.sandbox.node import Sandbox


async def test_hello_that_comes_before_we_wait_for_it_is_not_lost(shared_node: Sandbox) -> None:
    async with (
        Session(Address.unix(shared_node.rundir / "br-int.mgmt"), ALL_VERSIONS) as switch,
        asyncio.timeout(PATIENCE),
    ):
        await switch.open(timeout=PATIENCE)
        while not switch.heard_at:  # noqa: ASYNC110 - there is no event for the first bytes
            await asyncio.sleep(0)
        await switch.wait_hello(PATIENCE)
        assert await switch.echo(timeout=PATIENCE) > 0


async def test_end_that_comes_before_we_wait_for_hello_is_told(tmp_path: Path) -> None:
    path = tmp_path / "rude"
    async with await asyncio.start_unix_server(lambda reader, writer: writer.close(), path):
        switch = Session(Address.unix(path), ALL_VERSIONS)
        await switch.open(timeout=PATIENCE)
        await switch.closed
        with pytest.raises(ConnectionLost):
            await switch.wait_hello(PATIENCE)
