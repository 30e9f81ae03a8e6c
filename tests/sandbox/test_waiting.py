"""Waiting for facts."""

import anyio
import pytest

from ovsnet.errors import DeadlineExceeded, PeerError
from ovsnet.sandbox.waiting import together, until


async def test_until_returns_the_fact() -> None:
    answers = iter([None, False, 7])
    assert await until(lambda: next(answers), 60, "late") == 7


async def test_until_looks_once_more_after_the_deadline() -> None:
    answers = iter([None, "there"])
    assert await until(lambda: next(answers), 0.0005, "late") == "there"


async def test_until_raises_the_sentence_it_was_given() -> None:
    with pytest.raises(DeadlineExceeded, match="it is late"):
        await until(lambda: None, 0, "it is late")


async def test_together_raises_the_first_error_bare_and_stops_the_others() -> None:
    ended = []

    async def fail() -> None:
        raise PeerError("one failed")

    async def wait() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(True)

    with pytest.raises(PeerError, match="one failed"):
        await together(wait, fail)
    assert ended == [True]
