"""``ovsnet openflow``: a real bridge, for people and for scripts, and what becomes of wrong targets."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from ovsnet.sandbox import binaries
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

    from ovsnet.sandbox.node import Sandbox
    from tests.cli.conftest import Ended, Ovsnet, Program


@pytest.fixture
def asked(ovsnet: Ovsnet, shared_node: Sandbox) -> Any:
    """Ask br-int of the shared node."""

    def ask(*arguments: object) -> Ended:
        return ovsnet("openflow", *arguments, "br-int", "--rundir", shared_node.rundir, "--timeout", 300)

    return ask


def objects(ended: Ended) -> list[dict[str, Any]]:
    assert ended.code == 0, ended.err
    return [json.loads(line) for line in ended.out.splitlines()]


def test_flows_for_people_and_for_scripts(asked: Any) -> None:
    lines = asked("dump-flows", "--no-stats").out.splitlines()
    assert len(lines) > 100
    assert all("actions=" in line for line in lines)
    flows = objects(asked("dump-flows", "--json"))
    assert sorted(flow["text"] for flow in flows) == sorted(lines)
    assert {action["name"] for flow in flows for action in flow["actions"]} >= {"resubmit", "load", "ct"} - {"load"}
    some = objects(asked("dump-flows", "--json", "--table", 8))
    assert some
    assert {flow["table"] for flow in some} == {8}
    assert asked("dump-flows", "-O", "1.0").out.count("resubmit(") > 10


def test_flows_by_cookie_and_port(asked: Any) -> None:
    cookie = next(flow["cookie"] for flow in objects(asked("dump-flows", "--json")) if flow["cookie"] != "0x0")
    assert {flow["cookie"] for flow in objects(asked("dump-flows", "--json", "--cookie", cookie))} == {cookie}
    assert objects(asked("dump-flows", "--json", "--cookie", "0/0"))
    assert asked("dump-flows", "--out-port", 60000).out == ""
    for wrong in ("x", "1/y", "-1", "0x10000000000000000"):
        assert asked("dump-flows", f"--cookie={wrong}").code == 2


def test_ports_tables_groups_meters_and_show(asked: Any) -> None:
    assert {port["name"] for port in objects(asked("ports", "--json"))} >= {"br-int", "p1", "p2"}
    assert "LOCAL br-int" in asked("ports").out
    assert sum(table["active_count"] for table in objects(asked("tables", "--json"))) > 100
    assert asked("tables").out.startswith("table 0: flows=")
    for command in ("groups", "meters"):
        assert objects(asked(command, "--json")) is not None
        assert asked(command).code == 0
    (bridge,) = objects(asked("show", "--json"))
    assert (bridge["openflow"], bridge["hardware"]) == ("1.5", "Open vSwitch")
    assert "Open vSwitch" in asked("show").out


async def test_groups_and_meters_are_shown(ovsnet: Ovsnet, switch: Sandbox) -> None:
    target = f"unix:{switch.rundir / 'br-int.mgmt'}"
    await switch.run("ovs-ofctl", "-O", "OpenFlow13", "add-group", target, "group_id=1,type=all,bucket=output:1")
    await switch.run("ovs-ofctl", "-O", "OpenFlow13", "add-meter", target, "meter=1,kbps,band=type=drop,rate=9")
    try:
        groups = await anyio.to_thread.run_sync(lambda: objects(ovsnet("openflow", "groups", target, "--json")))
        assert groups[0]["buckets"][0]["actions"] == ["output:1"]
        meters = await anyio.to_thread.run_sync(lambda: ovsnet("openflow", "meters", target))
        assert "type=drop rate=9" in meters.out
    finally:
        await switch.run("ovs-ofctl", "-O", "OpenFlow13", "del-groups", target)
        await switch.run("ovs-ofctl", "-O", "OpenFlow13", "del-meters", target)


def test_bridge_that_is_not_there_and_target_that_cannot_be(ovsnet: Ovsnet, tmp_path: Path) -> None:
    ended = ovsnet("openflow", "show", "br-none", "--rundir", tmp_path)
    assert ended.code == 3
    assert "does not exist" in ended.err
    (tmp_path / "br-int.mgmt").touch()
    ended = ovsnet("openflow", "show", "br-in", "--rundir", tmp_path)
    assert (ended.code, ended.err) == (2, f"ovsnet: There is no bridge 'br-in' in {tmp_path}. Did you mean br-int?\n")
    assert ovsnet("openflow", "show", "http:x").code == 2
    assert ovsnet("openflow", "groups", "br-none", "-O", "1.2").code == 2


def test_monitor_prints_what_is_there_and_what_changes(switch: Sandbox, program: Program) -> None:
    target = f"unix:{switch.rundir / 'br-int.mgmt'}"
    command = ("openflow", "monitor", target, "--table", "3", "--timeout", str(PATIENCE))

    def ofctl(*arguments: str) -> None:
        tool = binaries.find().path("ovs-ofctl")
        subprocess.run([tool, arguments[0], target, *arguments[1:]], env=binaries.find().environment(), check=True)

    ofctl("add-flow", "table=3,ip,actions=1")
    with program(*command, "--json", "--count", "2") as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        assert first["complete"] is True
        (change,) = first["changes"]
        assert (change["change"], change["flow"]["match"]) == ("initial", {"eth_type": "0x800"})
        ofctl("mod-flows", "table=3,actions=2")
        ofctl("del-flows", "table=3")
        changes = [change for line in process.stdout for change in json.loads(line)["changes"]]
        assert [(each["change"], each["reason"]) for each in changes] == [("modified", ""), ("removed", "delete")]
        assert process.wait() == 0
    with program(*command) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stderr.readline() == "# complete\n"
        for line in ("+ table=3, ip actions=output:1\n", "- table=3, ip actions=output:1\n"):
            ofctl(*(("add-flow", "table=3,ip,actions=1") if line[0] == "+" else ("del-flows", "table=3")))
            assert process.stdout.readline() == line
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130


def test_monitor_of_a_bridge_that_is_not_there_ends_at_once(ovsnet: Ovsnet, tmp_path: Path) -> None:
    ended = ovsnet("openflow", "monitor", "br-none", "--rundir", tmp_path)
    assert ended.code == 3
    assert "does not exist" in ended.err
