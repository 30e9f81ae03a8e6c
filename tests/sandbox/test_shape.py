"""What a sandbox can be asked to be: with and without OVN, ports, a bridge, a cluster, and doors."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest

from ovsnet import ovsdb
from ovsnet.errors import TlsFailed, UsageError
from ovsnet.io.address import Address
from ovsnet.io.tls import Tls
from ovsnet.sandbox.binaries import find
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.pki import certify

SERVERS = ["ovn-sb1", "ovn-sb2", "ovn-sb3"]


async def test_controller_makes_the_bridge_when_nobody_did() -> None:
    """It then usually loses the race for br-int.mgmt, but only usually: what must hold is that nobody else made it."""
    async with Sandbox(bridge=False) as node:
        await node.wait_ready()
        history = await node.run("ovsdb-tool", "-m", "show-log", str(node.directory / "db" / "conf.db"))
        assert "ovn-controller: creating integration bridge 'br-int'" in history


async def test_node_without_ovn_forwards() -> None:
    async with Sandbox(ports=3, ovn=False) as node:
        await node.wait_ready()
        assert list(node.daemons) == ["ovsdb-server", "ovs-vswitchd"]
        assert "actions=NORMAL" in await node.run("ovs-ofctl", "dump-flows", "br-int")
        assert (await node.run("ovs-vsctl", "list-ports", "br-int")).split() == ["p1", "p2", "p3"]


async def test_node_without_ports_is_ready() -> None:
    async with Sandbox(ports=0) as node:
        await node.wait_ready()
        assert await node.run("ovs-vsctl", "list-ports", "br-int") == ""


async def test_many_ports_are_bound() -> None:
    async with Sandbox(ports=300) as node:
        await node.wait_ready()
        table = await node.run("ovs-ofctl", "-OOpenFlow15", "--no-names", "dump-flows", "br-int", "table=0")
        assert table.count("in_port=") >= 300


async def test_raft_southbound_survives_its_leader() -> None:
    async with Sandbox(raft=True) as node:
        await node.wait_ready()
        assert [name for name in node.daemons if name.startswith("ovn-sb")] == ["ovn-sb1", "ovn-sb2", "ovn-sb3"]
        assert node.southbound.count("tcp:127.0.0.1:") == 3
        await node.kill("ovn-sb1")
        chassis = await node.run("ovn-sbctl", "--no-leader-only", "--bare", "--columns=name", "list", "Chassis")
        assert chassis.strip() == "sandbox"
        await node.start("ovn-sb1")
        members = await node.run(
            "ovs-appctl", "-t", str(node.rundir / "ovnsb1_db.ctl"), "cluster/status", "OVN_Southbound"
        )
        assert "Status: cluster member" in members


@pytest.mark.parametrize("door", ["tcp", "ssl"])
@pytest.mark.parametrize("raft", [False, True])
async def test_southbound_listens_at_its_door_also_after_a_restart(door: Literal["tcp", "ssl"], raft: bool) -> None:
    async with Sandbox(raft=raft, door=door) as node:
        assert list(node.doors) == list(node.southbound_servers) == (SERVERS if raft else ["ovn-sb"])
        last = list(node.doors)[-1]
        await node.restart(last)
        for remote in [*node.doors.values(), *node.southbound_servers.values()]:
            assert remote.startswith((f"{door}:127.0.0.1:", "unix:"))
            async with await ovsdb.connect(Address.parse(remote), timeout=10.0, tls=node.tls) as session:
                assert "OVN_Southbound" in await session.list_dbs(timeout=10.0)
    assert not node.directory.exists()


async def test_door_of_tls_wants_a_certificate_of_its_authority(tmp_path: Path) -> None:
    async with Sandbox(door="ssl") as node:
        stranger = Tls(*(str(tmp_path / name) for name in ("own.key", "own.pem", "ca.pem")))
        certify(stranger, find())
        with pytest.raises(TlsFailed):
            await ovsdb.connect(Address.parse(node.doors["ovn-sb"]), timeout=10.0, tls=stranger)


@pytest.mark.parametrize(
    "wrong",
    [{"ports": -1}, {"ovn": False, "raft": True}, {"ovn": False, "bridge": False}, {"ovn": False, "door": "tcp"}],
)
def test_impossible_node_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Sandbox(**wrong)
