"""The limiter lets in so many, in the order in which they came."""

from __future__ import annotations

import asyncio

import pytest

from ovsnet.bench.limiter import Limiter


@pytest.mark.parametrize("size", [1, 3])
async def test_at_most_so_many_are_inside_and_all_get_their_turn_in_order(size: int) -> None:
    limiter = Limiter(size)
    inside: list[int] = []
    came: list[int] = []
    most = 0

    async def pass_through(number: int) -> None:
        nonlocal most
        async with limiter:
            inside.append(number)
            came.append(number)
            most = max(most, len(inside))
            await asyncio.sleep(0)
            inside.remove(number)

    await asyncio.gather(*(pass_through(number) for number in range(20)))
    assert most == size
    assert came == list(range(20))


async def has_room(limiter: Limiter) -> bool:
    """Whether the next task gets in without having to wait."""
    entering = asyncio.create_task(limiter.__aenter__())
    await asyncio.sleep(0)
    if not entering.done():
        entering.cancel()
        return False
    await limiter.__aexit__()
    return True


async def test_error_inside_gives_the_room_back() -> None:
    limiter = Limiter(1)
    with pytest.raises(ZeroDivisionError):
        async with limiter:
            _ = 1 / 0
    assert await has_room(limiter)


async def test_task_that_was_cancelled_while_it_waited_takes_no_room() -> None:
    limiter = Limiter(1)
    async with limiter:
        waiting = asyncio.create_task(limiter.__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert not await has_room(limiter)
    assert await has_room(limiter)
