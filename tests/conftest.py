"""Real daemons for any test that asks, and their logs in the report when it fails."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from ovsnet.sandbox.node import Sandbox
from tests.restored import Pool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator

# Hypothesis fails an example that took 200 ms, and no clock may decide a test. The examples are the same each time, so
# that a change passes or fails by itself; `make properties` looks for new ones.
settings.register_profile(
    "any machine", deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("new examples", settings.get_profile("any machine"), derandomize=False)
settings.load_profile("any machine")


def pytest_collection_finish() -> None:
    """Ten thousand tests are objects that stay: the collector need not look at them again and again."""
    gc.collect()
    gc.freeze()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pool() -> AsyncIterator[Pool]:
    pool = Pool()
    yield pool
    await pool.close()


@pytest_asyncio.fixture
async def node(request: pytest.FixtureRequest, pool: Pool) -> AsyncIterator[Sandbox]:
    """An OVN node with two ports, ready, for this test alone: break it as you like.

    It is a fresh one. A test that only freezes, stops and starts daemons, or moves their sockets, bears the mark
    ``restored``: its node may have served other tests, each of which it was put back after, and it will serve more.
    """
    if request.node.get_closest_marker("restored"):
        kept = await pool.take()
        yield kept.node
        await pool.give_back(kept)
        return
    async with Sandbox() as sandbox:
        await sandbox.wait_ready()
        yield sandbox


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_node() -> AsyncIterator[Sandbox]:
    """One OVN node per test process, ready. Only for tests that leave it as it was."""
    async with Sandbox() as sandbox:
        await sandbox.wait_ready()
        yield sandbox


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        fixtures: dict[str, Any] = getattr(item, "funcargs", {})
        for fixture, value in fixtures.items():
            if isinstance(value, Sandbox):
                report.sections += [(f"{fixture}: log of {name}", value.log(name)) for name in value.daemons]
    return report
