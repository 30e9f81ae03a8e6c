"""What ovs-vswitchd and the kernel print of their datapaths."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ovsnet.node.conntrack import KERNEL, Table, of_kernel, of_userspace
from ovsnet.node.datapath import Flows, Growth, flows, lost

SHOWN = """\
system@ovs-system:
  lookups: hit:14821 missed:912 lost:17
  flows: 61
  masks: hit:40021 total:9 hit/pkt:2.54
  cache: hit:11200 hit-rate:71.19%
  caches:
    masks-cache: size:256
  port 0: ovs-system (internal)
  port 1: genev_sys_6081 (geneve: packet_type=ptap)
netdev@ovs-netdev:
  lookups: hit:3 missed:2 lost:0
  flows: 1
  port 0: ovs-netdev (tap)
"""

UPCALLS = """\
netdev@ovs-netdev:
  flows         : (current 3) (avg 2) (max 5) (limit 200000)
  offloaded flows : 0
  dump duration : 1ms
  ufid enabled : true

  23: (keys 1)

system@ovs-system:
  flows         : (current 2000) (avg 1800) (max 2100) (limit 2000)
  dump duration : 1201ms
  ufid enabled : true

  21: (keys 1000)
  22: (keys 1000)

"""


def test_lost_packets_are_read_by_datapath() -> None:
    assert lost(SHOWN) == {"system@ovs-system": 17, "netdev@ovs-netdev": 0}
    assert lost("") == {}


def test_fullest_datapath_comes_first() -> None:
    assert flows(UPCALLS) == [Flows("system@ovs-system", 2000, 2000), Flows("netdev@ovs-netdev", 3, 200000)]


def test_growth_is_by_time_and_begins_anew_with_the_counter() -> None:
    growth = Growth()
    assert growth.look(100, 10.0) is None
    assert [growth.look(160, 40.0), growth.look(160, 70.0), growth.look(5, 100.0), growth.look(35, 130.0)] == [
        2,
        0,
        0,
        1,
    ]
    assert growth.look(99, 130.1) == 1, "who is asked again at once knows no more"


def kernel(proc: Path, count: str = "95", theirs: str = "net:[1]") -> Path:
    (proc / "sys/net/netfilter").mkdir(parents=True)
    for name, text in (("count", count), ("max", "100")):
        (proc / f"sys/net/netfilter/nf_conntrack_{name}").write_text(f"{text}\n")
    for process, space in (("self", "net:[1]"), ("7", theirs)):
        (proc / process / "ns").mkdir(parents=True)
        os.symlink(space, proc / process / "ns/net")
    return proc


def test_kernel_has_a_table_for_each_network_namespace(tmp_path: Path) -> None:
    setting = "sysctl -w net.netfilter.nf_conntrack_max=200"
    assert of_kernel(7, kernel(tmp_path / "a")) == Table(KERNEL, 95, 100, setting)
    assert of_kernel(7, kernel(tmp_path / "b", theirs="net:[2]")) is None
    assert of_kernel(7, kernel(tmp_path / "c", count="")) is None
    assert of_kernel(7, tmp_path) is None


@pytest.mark.parametrize(("limit", "share"), [("20", 0.5), ("0", 0.0)])
def test_datapath_in_user_space_tells_its_own(limit: str, share: float) -> None:
    table = of_userspace("netdev@ovs-netdev", "10\n", f"{limit}\n")
    assert table is not None
    assert table.share == share
    assert of_userspace("netdev@ovs-netdev", "none", limit) is None
