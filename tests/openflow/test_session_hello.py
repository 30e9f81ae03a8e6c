"""The switch's HELLO may be there before the caller of ``connect`` runs again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from ovsnet.errors import ConnectionLost
from ovsnet.io.address import Address
from ovsnet.io.connect import connect as connect_channel
from ovsnet.openflow import connect, session

if TYPE_CHECKING:
    from pathlib import Path

    from ovsnet.sandbox.node import Sandbox


async def test_hello_that_comes_before_we_wait_for_it_is_not_lost(
    shared_node: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def connect_and_be_held_up(channel: Any, **limits: Any) -> None:
        await connect_channel(channel, **limits)
        while channel._core.version is None:  # noqa: ASYNC110 - the core has no event to wait for
            await asyncio.sleep(0)

    monkeypatch.setattr(session, "connect_channel", connect_and_be_held_up)
    async with await connect(Address.unix(shared_node.rundir / "br-int.mgmt"), patience=5.0) as switch:
        assert await switch.echo() > 0


async def test_end_that_comes_before_we_wait_for_hello_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def connect_and_be_held_up(channel: Any, **limits: Any) -> None:
        await connect_channel(channel, **limits)
        await channel.closed

    monkeypatch.setattr(session, "connect_channel", connect_and_be_held_up)
    path = tmp_path / "rude"
    async with await asyncio.start_unix_server(lambda reader, writer: writer.close(), path):
        with pytest.raises(ConnectionLost):
            await connect(Address.unix(path), patience=50.0)
