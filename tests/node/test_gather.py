"""What real daemons report, over a connection of our own or one that is held."""

import pytest
from msgspec.structs import replace

from ovsnet.errors import ConfigError
from ovsnet.node.gather import election_timer, gather, read_rows, stored_facts
from ovsnet.node.rundir import Rundir
from ovsnet.ovsdb import connect
from ovsnet.sandbox.node import Sandbox
from tests.patience import PATIENCE


def rundir(node: Sandbox) -> Rundir:
    return Rundir(node.rundir, node.rundir)


async def test_facts_are_those_of_the_node(shared_node: Sandbox) -> None:
    live = await gather(rundir(shared_node), timeout=PATIENCE)
    assert live.unanswered == {}
    assert live.database is not None
    assert set(live.database.bridges) == {"br-int"}
    assert live.database.interfaces == 3
    assert live.database.external_ids["ovn-encap-type"] == "geneve"
    assert live.kernel_datapath is False
    assert live.version("ovs-vswitchd") is not None
    assert live.version("ovn-controller") is not None
    assert live.pids == {name: shared_node.pid(name) for name in ("ovsdb-server", "ovs-vswitchd", "ovn-controller")}


async def test_file_of_the_database_holds_the_same_facts(shared_node: Sandbox) -> None:
    """But which Open vSwitch runs: the file has the one that ran last."""
    live = await gather(rundir(shared_node), timeout=PATIENCE)
    assert live.database is not None
    file = shared_node.directory / "db" / "conf.db"
    assert stored_facts(file.read_bytes()) == replace(live.database, ovs_version="")


def test_file_of_another_database_is_refused(shared_node: Sandbox) -> None:
    with pytest.raises(ConfigError, match="OVN_Southbound"):
        stored_facts((shared_node.directory / "db" / "ovn-sb.db").read_bytes())


async def test_frozen_database_is_noted_with_the_reason(node: Sandbox) -> None:
    await node.freeze("ovsdb-server")
    live = await gather(rundir(node), timeout=0.2)
    assert live.database is None
    assert "answer" in live.unanswered["ovsdb-server"].cause
    assert live.unanswered["ovsdb-server"].remedy


async def test_held_session_is_used_and_left_open(shared_node: Sandbox) -> None:
    expected = await gather(rundir(shared_node), timeout=PATIENCE)
    async with await connect(rundir(shared_node).database) as session:
        nowhere = Rundir(shared_node.rundir / "none", shared_node.rundir)
        live = await gather(nowhere, session=session, timeout=PATIENCE)
        assert live.database == expected.database
        await session.echo(timeout=PATIENCE)


async def test_rows_come_with_what_the_schema_has_of_the_columns(shared_node: Sandbox) -> None:
    wanted = {"Bridge": ("_uuid", "name", "of-the-future"), "Future": ("name",), "Manager": ("target",)}
    async with await connect(rundir(shared_node).database) as session:
        rows = await read_rows(session, "Open_vSwitch", wanted, timeout=PATIENCE)
        (bridge,) = rows.pop("Bridge")
    assert bridge.keys() == {"_uuid", "name"}
    assert bridge["name"] == "br-int"
    assert rows == {"Future": [], "Manager": []}


async def test_database_that_is_no_cluster_has_no_election_timer(shared_node: Sandbox) -> None:
    assert await election_timer(rundir(shared_node), "OVN_Southbound", timeout=PATIENCE) is None
