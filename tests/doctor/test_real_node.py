"""What examinations make of a real node."""

import sys

import pytest

from ovsnet.doctor import Finding, Host, Severity, examine
from ovsnet.node.gather import gather
from ovsnet.node.installed import OVS, packages
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from tests.faults.limits import EATS, cgroups, limited_memory
from tests.faults.programs import program
from tests.patience import PATIENCE

from .conftest import NOW


def rundir(node: Sandbox) -> Rundir:
    return Rundir(node.rundir, node.rundir)


async def examined(node: Sandbox) -> dict[str, Finding]:
    live = await gather(rundir(node), timeout=PATIENCE)
    return {finding.code: finding for finding in examine(Host(rundir=rundir(node), now=NOW), live)}


async def test_healthy_node_leaves_nothing_behind_and_counts_its_threads(shared_node: Sandbox) -> None:
    found = await examined(shared_node)
    for code in ("pidfile.stale", "pidfile.reused", "socket.stale", "socket.owner", "rundir.owner"):
        assert found[code].severity is Severity.OK, found[code]
    assert found["limits.vswitchd-files"].evidence[0].startswith(f"/proc/{shared_node.pid('ovs-vswitchd')}/limits")
    assert any("revalidators run" in each for each in found["threads.handlers"].evidence)
    assert not [each for each in found.values() if each.severity is Severity.FATAL]


async def test_killed_switch_leaves_a_pidfile_and_sockets_that_are_found(node: Sandbox) -> None:
    pid = node.pid("ovs-vswitchd")
    await node.kill("ovs-vswitchd")
    found = await examined(node)
    assert found["pidfile.stale"].severity is Severity.WARNING
    assert found["pidfile.stale"].evidence == (f"{node.rundir / 'ovs-vswitchd.pid'}: {pid} (no such process)",)
    assert found["socket.stale"].severity is Severity.WARNING
    expected = {"br-int.mgmt", "br-int.snoop", f"ovs-vswitchd.{pid}.ctl"}
    assert set(found["socket.stale"].evidence) == {str(node.rundir / name) for name in expected}
    installed = any(each.product == OVS for each in packages(Host()))
    assert (found["version.ovs"].severity is Severity.UNSEEN) is not installed
    assert found["limits.vswitchd-files"].severity is Severity.UNSEEN


@pytest.mark.skipif(not cgroups(), reason="no cgroup can be made here")
async def test_memory_limit_of_a_real_switch_is_that_of_its_cgroup(node: Sandbox) -> None:
    pid, mib = node.pid("ovs-vswitchd"), 1 << 20
    with limited_memory(pid, 128 * mib) as group:
        async with program(node, sys.executable, "-c", EATS, str(group), str(120 * mib)) as eater:
            assert eater.stdout is not None
            assert await eater.stdout.readline() == b"full\n"
            found = await examined(node)
    assert found["memory.limit"].severity is Severity.WARNING
    assert f"of 128 MiB by {group}/memory.limit_in_bytes" in found["memory.limit"].evidence[0]
    assert found["memory.killed"].severity is not Severity.WARNING


async def test_what_a_real_node_says_of_itself_is_consistent(node: Sandbox) -> None:
    await node.run("ovs-vsctl", "--no-wait", "set", "open", ".", "other_config:pmd-cpu-mask=1,2")
    await node.run("ovs-vsctl", "--no-wait", "set", "open", ".", "external_ids:hostname=another.example.org")
    found = await examined(node)
    assert found["dpdk.masks"].severity is Severity.WARNING
    assert found["chassis.hostname"].severity is Severity.NOTE
    for code in ("disk.space", "database.file", "limits.vswitchd-memlock", "limits.pids", "unit.waits-for-itself"):
        assert found[code].severity is Severity.OK, found[code]
    conf = str(node.directory / "db/conf.db")
    assert conf in found["database.file"].evidence, "named on the server's command line"


async def test_pidfile_of_a_killed_switch_that_names_another_program_is_found(node: Sandbox) -> None:
    await node.kill("ovs-vswitchd")
    (node.rundir / "ovs-vswitchd.pid").write_text(str(node.pid("ovn-northd")))
    found = await examined(node)
    assert found["pidfile.reused"].severity is Severity.WARNING
    assert "ovn-northd" in found["pidfile.reused"].evidence[0]


async def test_looking_does_not_show_in_the_switchs_log(node: Sandbox) -> None:
    before = node.log("ovs-vswitchd", lines=10000)
    await examined(node)
    await examined(node)
    added = node.log("ovs-vswitchd", lines=10000).removeprefix(before)
    assert not [line for line in added.splitlines() if any(word in line for word in ("conn", "unixctl", "jsonrpc"))]
