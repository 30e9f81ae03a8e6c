"""The agent's part, on a real node: drift told, knobs restored, a fight given up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from ovsnet.agent.agent import Agent
from ovsnet.config import Settings, load
from ovsnet.errors import ConfigError
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from ovsnet.tune.drift import GIVE_UP_AFTER, DriftControl
from ovsnet.web.metrics import TEXT, render
from tests.patience import PATIENCE
from tests.tune.conftest import Tuning

WANTED = "max-idle = 20000\nn-revalidator-threads = 2\n"
PLACE = "Open_vSwitch.other_config:max-idle"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (path := tmp_path / "tune.toml").write_text(WANTED)
    return path


@asynccontextmanager
async def watched(
    node: Sandbox, file: Path, mode: str, every: float = 0.2
) -> AsyncIterator[tuple[Agent, DriftControl]]:
    settings = Settings(tune_mode=mode, tune_file=str(file), tune_interval=every)  # type: ignore[arg-type]
    agent = Agent(settings, Rundir(node.rundir, node.rundir))
    assert agent.reconciler is not None
    async with anyio.create_task_group() as tasks:
        await tasks.start(agent.run)
        yield agent, agent.reconciler.control
        tasks.cancel_scope.cancel()


async def until(fact: Callable[[], object]) -> None:
    """There is no event to wait for: what it knows is read on demand."""
    async with asyncio.timeout(PATIENCE):
        while not fact():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.02)


async def idle(node: Sandbox) -> str:
    return (await node.run("ovs-vsctl", "--if-exists", "get", "Open_vSwitch", ".", "other_config:max-idle")).strip()


async def meddle(node: Sandbox) -> None:
    await node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", "other_config:max-idle=9000")


async def test_observe_tells_the_drift_everywhere_and_writes_nothing(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "ovsnet")
    async with Sandbox() as node:
        await node.wait_ready()
        async with watched(node, file, "observe") as (agent, control):
            await until(lambda: control.drift)
            told = f"{PLACE} is not set, wanted 20000"
            assert told in control.drift
            document = agent.document()["tune"]
            assert isinstance(document, dict)
            assert (document["mode"], document["drift"]) == ("observe", list(control.drift))
            assert b"\novsnet_tune_drift 2.0\n" in render(agent, TEXT)
            assert told in caplog.text
        assert await idle(node) == ""


async def test_enforce_restores_and_revert_still_goes_back_to_the_start(file: Path, tuning: Tuning) -> None:
    async with Sandbox() as node, tuning(node) as tuner:
        await node.wait_ready()
        before = (await tuner.facts()).tables
        async with watched(node, file, "enforce") as (_, control):
            await until(lambda: control.writes == 1)
            assert await idle(node) == '"20000"'
        await tuner.revert()
        assert (await tuner.facts()).tables == before


async def test_enforce_gives_up_loudly_when_somebody_keeps_changing_it_back(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Sandbox() as node:
        await node.wait_ready()
        async with watched(node, file, "enforce") as (agent, control):
            for number in range(GIVE_UP_AFTER):
                await until(lambda number=number: control.writes == number + 1)  # type: ignore[misc]
                await meddle(node)
            await until(lambda: control.given_up)
            assert control.writes == GIVE_UP_AFTER
            assert await idle(node) == '"9000"'
            assert "gave up after 3 writes: someone else keeps changing" in caplog.text
            assert b"\novsnet_tune_given_up 1.0\n" in render(agent, TEXT)


async def test_nothing_is_looked_at_before_the_node_is_ready(file: Path) -> None:
    async with Sandbox() as node:
        await node.wait_ready()
        await node.kill("ovs-vswitchd")
        async with watched(node, file, "enforce") as (agent, control):
            results = agent.health.results
            first = results["ovsdb.echo"].at
            await until(lambda: results["ovsdb.echo"].at > first + 1.0)
            assert not agent.health.ready
            assert control.writes == 0
            await node.start("ovs-vswitchd")
            await until(lambda: control.writes == 1)


async def test_failed_look_is_told_and_the_agent_goes_on(file: Path) -> None:
    async with Sandbox() as node:
        await node.wait_ready()
        async with watched(node, file, "observe") as (agent, control):
            await until(lambda: control.drift)
            control.failed(agent.clock(), "No answer.")
            assert agent.document()["tune"]["trouble"] == "No answer."  # type: ignore[index]
            await until(lambda: not control.trouble)


async def test_stalls_are_kept_for_each_daemon(file: Path) -> None:
    async with Sandbox() as node:
        await node.wait_ready()
        async with watched(node, file, "observe") as (agent, _):
            found = agent.stalls.histograms
            await until(lambda: {"ovs-vswitchd", "ovsdb-server", "ovn-controller"} <= found.keys())
            await node.freeze("ovs-vswitchd")
            await until(lambda: agent.health.diagnosis.code == "vswitchd-hung")
            await node.thaw("ovs-vswitchd")
            await until(lambda: found["ovs-vswitchd"].highest >= 3.0)
            assert b'ovsnet_stall_seconds_count{daemon="ovs-vswitchd"}' in render(agent, TEXT)


def test_off_keeps_nothing(tmp_path: Path) -> None:
    assert Agent(Settings(), Rundir(tmp_path, tmp_path)).reconciler is None


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"tune_mode": "observe"}, "nothing is wanted"),
        ({"tune_mode": "enforce", "tune_file": "/does/not/exist"}, "cannot be read"),
        ({"tune_mode": "enforce", "tune_profile": "huge"}, "no profile 'huge'"),
    ],
)
def test_wish_that_cannot_be_used_is_refused_at_the_start(settings: dict[str, str], word: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=word):
        Agent(Settings(**settings), Rundir(tmp_path, tmp_path))  # type: ignore[arg-type]


def test_table_in_the_configuration_is_the_prefix_of_its_settings(tmp_path: Path) -> None:
    (path := tmp_path / "ovsnet.toml").write_text('[tune]\nmode = "observe"\nprofile = "small"\n')
    settings = load(path)
    assert (settings.tune_mode, settings.tune_profile) == ("observe", "small")
    path.write_text("[tume]\n")
    with pytest.raises(ConfigError, match="no setting 'tume'"):
        load(path)
