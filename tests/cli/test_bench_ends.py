"""How ``ovsnet bench race`` and ``echo`` end when something else ends them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
import pytest_asyncio

from ovsnet.node.process import sample
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.waiting import until
from tests.cli.bench_words import quiet, told  # noqa: F401 - a fixture
from tests.cli.conftest import Ovsnet, Program, connections, until_alone

pytestmark = pytest.mark.heavy

Command = tuple[object, ...]

ENDLESS = 10_000_000
RACE: Command = ("race", "openflow", "--strategy", "retry", "--clients", 20, "--count", ENDLESS, "--rounds", 2)
ECHO: Command = ("echo", "openflow", "--connections", 4, "--window", 1, "--count", ENDLESS, "--rounds", 2)
NAMES = {RACE: "openflow 20 retry closed", ECHO: "openflow 4 x 1"}
CUT_SHORT = "ovsnet: Interrupted: these are the measurements so far.\n"


@pytest_asyncio.fixture
async def mortal_switch() -> AsyncIterator[Sandbox]:
    """Open vSwitch without OVN, to be killed."""
    async with Sandbox(ovn=False) as sandbox:
        await sandbox.wait_ready()
        yield sandbox


async def until_at_work(process: subprocess.Popen[str], node: Sandbox) -> None:
    """Return when the run is on: besides the connection that it holds, and the canary's, clients have come."""

    def at_work() -> bool:
        assert process.poll() is None, process.communicate()
        return connections(node, "br-int.mgmt") >= 3

    await until(at_work, 50.0, "nobody connected")


@pytest.mark.parametrize("command", [RACE, ECHO], ids=["race", "echo"])
@pytest.mark.parametrize("cut", [signal.SIGINT, signal.SIGTERM])
async def test_signal_prints_and_writes_what_was_measured(
    switch: Sandbox, program: Program, tmp_path: Path, command: Command, cut: signal.Signals
) -> None:
    out = tmp_path / "out.json"
    process = program("bench", *command, "--node", "--rundir", switch.rundir, "--json", "--out", out, "--any-load")
    await until_at_work(process, switch)
    process.send_signal(cut)
    said, err = process.communicate(timeout=50)
    assert (process.returncode, told(err)) == (130, CUT_SHORT)
    document = json.loads(said)
    assert document == json.loads(out.read_bytes())
    (run,) = document["runs"]
    assert run["name"] == NAMES[command]
    assert run["ended"] > run["began"]


async def test_cut_short_run_still_has_its_table_and_page(switch: Sandbox, program: Program, tmp_path: Path) -> None:
    process = program(
        "bench", *RACE, "--node", "--rundir", switch.rundir, "--report", tmp_path / "page.html", "--any-load"
    )
    await until_at_work(process, switch)
    process.send_signal(signal.SIGINT)
    said, err = process.communicate(timeout=50)
    assert (process.returncode, told(err)) == (130, CUT_SHORT)
    assert NAMES[RACE] in said
    assert NAMES[RACE] in (tmp_path / "page.html").read_text()


async def test_waiting_for_the_start_is_cut_short_too(switch: Sandbox, program: Program, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    process = program(
        "bench",
        *RACE,
        "--node",
        "--rundir",
        switch.rundir,
        "--start-at",
        time.time() + 3600,
        "--out",
        out,
        "--any-load",
    )
    await until(lambda: b"bench" in Path(f"/proc/{process.pid}/cmdline").read_bytes(), 50.0, "it did not start")
    await until(lambda: handles(process.pid, signal.SIGTERM), 50.0, "it does not listen to signals")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=50)
    assert (process.returncode, told(err)) == (130, CUT_SHORT)
    assert json.loads(out.read_bytes())["runs"] == []


def handles(pid: int, number: int) -> bool:
    """Whether the process has a handler of its own for this signal (proc(5), SigCgt)."""
    (caught,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt:")]
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


@pytest.mark.parametrize("command", [RACE, ECHO], ids=["race", "echo"])
async def test_daemon_that_dies_is_reported(mortal_switch: Sandbox, program: Program, command: Command) -> None:
    process = program("bench", *command, "--node", "--rundir", mortal_switch.rundir, "--any-load")
    await until_at_work(process, mortal_switch)
    await mortal_switch.kill("ovs-vswitchd")
    said, err = process.communicate(timeout=50)
    assert process.returncode == 1
    assert NAMES[command] in said
    said_so = told(err).splitlines()
    assert f"ovsnet: The daemon at unix:{mortal_switch.rundir}/br-int.mgmt died during the run." in said_so
    assert all(line.startswith("ovsnet: ") for line in said_so)


async def test_run_against_a_frozen_daemon_can_be_cut_short(mortal_switch: Sandbox, program: Program) -> None:
    process = program("bench", *RACE, "--node", "--rundir", mortal_switch.rundir, "--json", "--any-load")
    await until_at_work(process, mortal_switch)
    await mortal_switch.freeze("ovs-vswitchd")
    process.send_signal(signal.SIGINT)
    said, err = process.communicate(timeout=50)
    assert (process.returncode, told(err)) == (130, CUT_SHORT)
    assert json.loads(said)["runs"][0]["problems"] == []
    await mortal_switch.thaw("ovs-vswitchd")
    await until_alone(mortal_switch)


async def test_generator_that_stood_still_says_so(switch: Sandbox, program: Program) -> None:
    """The program is stopped for a third of a second: some 600 of its 4000 arrivals are late by its own fault."""
    shape = ("--strategy", "gated", "--clients", 8, "--rate", 2000, "--count", 4000, "--rounds", 1, "--deadline", 50)
    process = program("bench", "race", "openflow", *shape, "--node", "--rundir", switch.rundir, "--any-load")
    await until_at_work(process, switch)
    os.kill(process.pid, signal.SIGSTOP)
    await until(lambda: stopped(process.pid), 50.0, "it does not stop")
    await anyio.sleep(0.3)
    os.kill(process.pid, signal.SIGCONT)
    said, err = process.communicate(timeout=50)
    assert process.returncode == 1
    assert "open 2000/s" in said
    assert told(err).startswith("ovsnet: The generator did not keep up with 2000 arrivals/s: ")
    assert len(told(err).splitlines()) == 1


def stopped(pid: int) -> bool:
    process = sample(pid, 0.0)
    return process is not None and process.state == "T"


@pytest.mark.parametrize("command", [RACE[:2], ("restart",)], ids=["race", "restart"])
def test_busy_machine_is_said_and_ends_with_1(
    ovsnet: Ovsnet, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    async def others() -> float:
        return 1.9

    monkeypatch.setattr("ovsnet.cli.bench_run.busy_cores", others)
    few = ("--clients", 2, "--strategy", "gated") if command[0] == "race" else ()
    ended = ovsnet("bench", *command, *few, "--rounds", 1)
    assert ended.code == 1
    assert "ovsnet: Others used 1.9 of " in ended.err
    assert "its figures cannot be trusted" in ended.err
