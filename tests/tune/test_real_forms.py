"""What the real tools print of a real node, and the files of its databases, all say the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ovsnet.sandbox.node import Sandbox
from ovsnet.tune.readers import recognise
from ovsnet.tune.readers.files import read_path
from ovsnet.tune.readers.reading import Reading

SWITCH = ("Open_vSwitch", "Open_vSwitch")
ODD = 'a, b="c" {d} \\ [e] ä'


def read(text: str) -> Reading:
    found = recognise(text)
    assert found is not None
    assert not found.unread
    return found


async def set_up(node: Sandbox) -> None:
    """Many transactions: the file then holds differences."""
    odd = ODD.replace("\\", "\\\\").replace('"', '\\"')
    for setting in (
        f'external_ids:odd="{odd}"',
        "external_ids:ovn-remote-probe-interval=10000",
        "external_ids:gone=1",
        "other_config:max-idle=1",
        "other_config:max-idle=20000",
    ):
        await node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", setting)
    await node.run("ovs-vsctl", "--no-wait", "remove", "Open_vSwitch", ".", "external_ids", "gone")
    await node.run("ovs-vsctl", "--no-wait", "set-manager", "ptcp:0:127.0.0.1")
    await node.run("ovs-vsctl", "--no-wait", "set", "Manager", ".", "inactivity_probe=30000")


def switch_of(reading: Reading) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    (row,) = reading.tables[SWITCH]
    return row["external_ids"], row["other_config"]


async def test_each_form_of_a_real_node_reads_alike() -> None:
    async with Sandbox(ovn=False) as node:
        await set_up(node)
        listed = read(await node.run("ovs-vsctl", "list", "Open_vSwitch"))
        external_ids, other_config = switch_of(listed)
        assert external_ids["odd"] == ODD
        assert other_config["max-idle"] == "20000"
        assert "gone" not in external_ids
        for form in ("table", "csv", "json", "list"):
            again = read(await node.run("ovs-vsctl", f"--format={form}", "list", "Open_vSwitch"))
            assert switch_of(again) == (external_ids, other_config), form
            dumped = read(await node.run("ovsdb-client", "-f", form, "dump", f"unix:{node.rundir}/db.sock"))
            assert switch_of(dumped) == (external_ids, other_config), form
            (manager,) = dumped.tables["Open_vSwitch", "Manager"]
            assert str(manager["inactivity_probe"]) == "30000"
            managers = read(await node.run("ovs-vsctl", f"--format={form}", "list", "Manager"))
            assert list(managers.tables) == [("Open_vSwitch", "Manager")]
        for data in ("string", "json", "bare"):
            text = await node.run("ovs-vsctl", f"--data={data}", "--columns=other_config,ovs_version", "list", "open")
            (row,) = read(text).tables[SWITCH]
            assert row["other_config"] == other_config, data
        got = read(await node.run("ovs-vsctl", "get", "Open_vSwitch", ".", "other_config"))
        assert got.tables[SWITCH] == [{"other_config": other_config}]
        shown = read(await node.run("ovs-vsctl", "show"))
        assert not shown.tables
        (found,) = read_path(str(node.directory / "db" / "conf.db"))
        assert found.reading is not None
        assert switch_of(found.reading) == (external_ids, other_config)
        (manager,) = found.reading.tables["Open_vSwitch", "Manager"]
        assert manager["inactivity_probe"] == 30000


def southbound_files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*.db") if "sb" in path.name]


@pytest.mark.parametrize("raft", [False, True])
async def test_file_of_ovns_database_reads_as_it_was_set(raft: bool) -> None:
    async with Sandbox(raft=raft) as node:
        await node.run("ovn-nbctl", "set", "NB_Global", ".", "options:northd_probe_interval=7000")
        await node.run("ovn-sbctl", "set-connection", "ptcp:0:127.0.0.1")
        await node.run("ovn-sbctl", "set", "Connection", ".", "inactivity_probe=45000")
        files = southbound_files(node.directory)
        assert files
        for file in files:
            (found,) = read_path(str(file))
            assert found.reading is not None
            assert ("cluster" in found.reading.form) is raft
            (row,) = found.reading.tables["OVN_Southbound", "Connection"]
            assert row["inactivity_probe"] == 45000
        listed = read(await node.run("ovn-nbctl", "list", "NB_Global"))
        assert listed.tables["OVN_Northbound", "NB_Global"][0]["options"]["northd_probe_interval"] == "7000"
        connection = read(await node.run("ovn-sbctl", "list", "Connection"))
        assert connection.tables["OVN_Southbound", "Connection"][0]["inactivity_probe"] == "45000"
