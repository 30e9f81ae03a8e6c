"""Where the service listens, when not all of the new places can be had."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from pathlib import Path

import msgspec
import pytest

from ovsnet.agent.agent import Agent
from ovsnet.config import Settings
from ovsnet.io.listen import Listener
from ovsnet.io.sd_notify import Notifier
from ovsnet.node.rundir import Rundir
from ovsnet.service.service import Service


async def never(agent: Agent, urls: list[str]) -> None: ...


async def answers(path: Path) -> bool:
    try:
        reader, writer = await asyncio.open_unix_connection(path)
    except OSError:
        return False
    writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.startswith(b"HTTP/1.1 200")


async def test_move_that_fails_half_way_leaves_all_as_it_was_and_can_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last descriptor is gone when the second place begins to accept."""
    old, first, second = (tmp_path / name for name in ("old", "first", "second"))
    settings = Settings(listen=(f"unix:{old}",))
    moved = msgspec.structs.replace(settings, listen=(f"unix:{first}", f"unix:{second}"))
    service = Service(lambda: (settings, Rundir(tmp_path, tmp_path)), never, Notifier.of({}, 0))
    await service._move(settings)
    try:
        with monkeypatch.context() as short:
            accepting = Listener.accepting

            def none_left(listener: Listener, queue: int) -> socket.socket:
                if listener.url.endswith("second"):
                    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
                return accepting(listener, queue)

            short.setattr(Listener, "accepting", none_left)
            with pytest.raises(OSError, match="open files"):
                await service._move(moved)
        assert await answers(old)
        assert not first.exists()
        assert not second.exists()
        await service._move(moved)
        assert [await answers(each) for each in (old, first, second)] == [False, True, True]
    finally:
        await service._server.aclose()
