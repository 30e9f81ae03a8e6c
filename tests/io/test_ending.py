"""The end of a connection: it can be awaited by anybody, for as long as they like."""

from __future__ import annotations

import asyncio

import pytest

from ovsnet.errors import ConnectionLost
from ovsnet.io.ending import Ending
from tests.patience import PATIENCE


async def test_giving_up_to_wait_changes_nothing_for_others() -> None:
    end, reason = Ending(), ConnectionLost("x")

    async def wait() -> object:
        return await end

    patient, cancelled = asyncio.create_task(wait()), asyncio.create_task(wait())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(end, 0.01)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await end
    cancelled.cancel()
    await asyncio.wait([cancelled])
    assert cancelled.cancelled()
    assert not end.done()
    assert end.come(reason)
    assert await asyncio.wait_for(patient, PATIENCE) is reason
    assert await end is reason


async def test_first_reason_stays() -> None:
    end, first = Ending(), ConnectionLost("first")
    with pytest.raises(asyncio.InvalidStateError):
        end.result()
    assert repr(end) == "<Ending: not yet>"
    assert end.come(first)
    assert not end.come(ConnectionLost("second"))
    assert end.result() is first
    assert repr(end) == "<Ending: first>"


async def test_it_may_stand_where_asyncio_takes_a_future() -> None:
    end, reason = Ending(), ConnectionLost("x")
    called: list[object] = []

    def never(closed: object) -> None:
        called.append("never")

    end.add_done_callback(lambda closed: called.append(closed.result()))
    end.add_done_callback(never)
    assert end.remove_done_callback(never) == 1
    assert await asyncio.wait([end], timeout=0.01) == (set(), {end})  # type: ignore[type-var]
    waiting = asyncio.create_task(asyncio.wait([end]))  # type: ignore[type-var]
    await asyncio.sleep(0)
    end.come(reason)
    assert await waiting == ({end}, set())
    assert await asyncio.gather(end, end) == [reason, reason]  # type: ignore[comparison-overlap]
    assert called == [reason]
