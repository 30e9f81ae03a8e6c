"""``ovsnet wait``: returns with the fact, or with the reason."""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path

import anyio
import pytest
from click.testing import CliRunner, Result

from ovsnet.cli.wait import Waiter, wait
from ovsnet.config import Settings
from ovsnet.sandbox.node import Sandbox
from tests.patience import PATIENCE
from tests.unprivileged import UNPRIVILEGED


async def waited(node: Sandbox, *arguments: str) -> Result:
    """Run it beside us, in a thread, as another process would."""
    line = [*arguments, "--rundir", str(node.rundir)]
    return await anyio.to_thread.run_sync(lambda: CliRunner().invoke(wait, line, catch_exceptions=False))


@pytest.mark.parametrize("goal", ["database", "switch", "openflow", "controller", "flows", "ready"])
async def test_what_is_reached_already_ends_it_at_once(shared_node: Sandbox, goal: str) -> None:
    assert (await waited(shared_node, "--for", goal)).exit_code == 0


async def test_it_returns_when_the_switch_comes(node: Sandbox) -> None:
    await node.kill("ovs-vswitchd")
    results: list[Result] = []

    async def wait_for_it() -> None:
        results.append(await waited(node, "--for", "openflow", "--timeout", "50"))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait_for_it)
        await node.start("ovs-vswitchd")
    assert [result.exit_code for result in results] == [0]


async def test_deadline_names_what_is_missing(node: Sandbox) -> None:
    await node.stop("ovs-vswitchd")
    for timeout in ("0.3", "3", "30"):  # on a busy host, nobody has answered yet after the first of them
        result = await waited(node, "--for", "openflow", "--timeout", timeout)
        assert result.exit_code == 1
        assert "the stage openflow was not reached" in result.stderr
        if "ovs-vswitchd" in result.stderr:
            return
    raise AssertionError(result.stderr)


async def test_it_says_what_it_waits_for_as_that_changes(node: Sandbox) -> None:
    """On a terminal; each once."""
    await node.kill("ovs-vswitchd")
    rundir, said = str(node.rundir), list[str]()

    def report(state: str, line: str) -> None:
        said.append(line)

    settings = Settings(rundir=rundir, ovn_rundir=rundir, start_allowance=1.0)

    async def start_it() -> None:
        while not any(line.startswith("vswitchd-down: ") for line in said):  # noqa: ASYNC110 - no news tells of it
            await anyio.sleep(0.02)
        await node.start("ovs-vswitchd")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(start_it)
        assert await Waiter(settings, "openflow", create_bridge=False, report=report).run(PATIENCE)
    assert all(one != other for one, other in itertools.pairwise(said))
    assert all(line.partition(": ")[2] for line in said)


@pytest.mark.parametrize(
    ("goal", "missed"), [("ready", "the node did not become ready"), ("flows", "the stage flows was not reached")]
)
def test_node_of_which_nothing_can_be_seen_is_1_and_said(tmp_path: Path, goal: str, missed: str) -> None:
    """Where ``check`` ends with 3: the time is over, and that a daemon may still start is known."""
    for timeout in ("300ms", "3s", "30s", "300s"):  # how long the first answers take is the machine's matter
        line = ["--for", goal, "--timeout", timeout, "--json", "--rundir", str(tmp_path)]
        result = CliRunner().invoke(wait, line, catch_exceptions=False)
        if (code := json.loads(result.stdout)["code"]) != "starting":
            break
    assert (result.exit_code, code) == (1, "not-visible")
    assert result.stderr.startswith(f"ovsnet: {missed} within {timeout}")
    assert f"its sockets are expected in {tmp_path}." in result.stderr


async def test_wrong_setting_is_2_long_before_the_deadline(node: Sandbox) -> None:
    result = await waited(node, "--for", "ready", "--timeout", "3600", "--database", "ssl:127.0.0.1:6640")
    assert result.exit_code == 2
    assert "misconfigured" in result.stderr


async def test_socket_that_we_may_not_open_is_3_long_before_the_deadline(node: Sandbox) -> None:
    (node.rundir / "db.sock").chmod(0)
    words = ["-m", "ovsnet", "wait", "--for", "ready", "--timeout", "3600"]
    command = [*UNPRIVILEGED, sys.executable, *words, "--rundir", str(node.rundir)]
    done = await anyio.run_process(command, check=False)
    assert done.returncode == 3
    assert b"not reached" not in done.stderr
    assert b"did not become ready, and waiting longer would not help. permission-denied" in done.stderr


async def test_first_start_of_a_node_is_not_waited_for_in_vain(node: Sandbox) -> None:
    """Who orders ovn-controller behind ``openflow`` would block the boot for good: ovn-controller makes the bridge."""
    await node.stop("ovn-controller")
    await node.run("ovs-vsctl", "del-br", "br-int")
    result = await waited(node, "--for", "openflow", "--timeout", "50")
    assert result.exit_code == 1
    assert "--create-bridge" in result.stderr


async def test_bridge_is_made_as_ovn_controller_would(node: Sandbox) -> None:
    columns = "--columns=name,fail_mode,datapath_type,other_config"
    await node.stop("ovn-controller")
    await node.run("ovs-vsctl", "del-br", "br-int")
    assert (await waited(node, "--for", "openflow", "--timeout", "50", "--create-bridge")).exit_code == 0
    made = await node.run("ovs-vsctl", columns, "list", "Bridge", "br-int")
    assert "secure" in made
    assert 'disable-in-band="true"' in made
    assert "system" in made
    await node.start("ovn-controller")
    assert (await waited(node, "--for", "controller", "--timeout", "50")).exit_code == 0


async def test_bridge_that_stands_is_left_alone(node: Sandbox) -> None:
    before = await node.run("ovs-vsctl", "get", "Bridge", "br-int", "_uuid")
    assert (await waited(node, "--for", "openflow", "--create-bridge")).exit_code == 0
    assert await node.run("ovs-vsctl", "get", "Bridge", "br-int", "_uuid") == before


async def test_json_says_how_it_ended(node: Sandbox) -> None:
    found = json.loads((await waited(node, "--for", "database", "--json")).stdout)
    assert (found["stage"], found["reached"]) == ("database", True)
    assert found["seconds"] >= 0
    result = await waited(node, "--for", "ready", "--json", "--database", "ssl:127.0.0.1:6640")
    found = json.loads(result.stdout)
    assert (found["reached"], found["code"], result.exit_code) == (False, "misconfigured", 2)
    assert found["summary"]
    assert found["remedy"]
