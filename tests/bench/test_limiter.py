"""The gate lets in so many, in the order in which they came."""

from __future__ import annotations

import asyncio

import pytest

from ovsnet.bench.limiter import Gate


@pytest.mark.parametrize("size", [1, 3])
async def test_at_most_so_many_are_inside_and_all_get_their_turn_in_order(size: int) -> None:
    gate = Gate(size)
    inside: list[int] = []
    came: list[int] = []
    most = 0

    async def pass_through(number: int) -> None:
        nonlocal most
        async with gate:
            inside.append(number)
            came.append(number)
            most = max(most, len(inside))
            await asyncio.sleep(0)
            inside.remove(number)

    await asyncio.gather(*(pass_through(number) for number in range(20)))
    assert most == size
    assert came == list(range(20))


async def test_error_inside_gives_the_room_back() -> None:
    gate = Gate(1)
    with pytest.raises(ZeroDivisionError):
        async with gate:
            _ = 1 / 0
    async with asyncio.timeout(30), gate:
        pass


async def test_who_gave_up_waiting_takes_no_room() -> None:
    gate = Gate(1)
    async with gate:
        waiting = asyncio.create_task(gate.__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
    async with asyncio.timeout(30), gate:
        pass
