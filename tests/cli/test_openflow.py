"""``ovsnet openflow``: a real bridge, for people and for scripts, and what becomes of wrong targets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from ovsnet.sandbox.node import Sandbox
    from tests.cli.conftest import Ended, Ovsnet


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
    assert ovsnet("openflow", "show", "http:x").code == 2
    assert ovsnet("openflow", "groups", "br-none", "-O", "1.2").code == 2
