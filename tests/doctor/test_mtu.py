"""Packets of the overlay, and of the network below it."""

import pytest

from ovsnet.doctor import Severity

from .conftest import Tree

ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth1\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
eth2\t0000A8C0\t00000000\t0001\t0\t0\t100\t0000FFFF\t0\t0\t0
"""
ADDRESSES = "fd000000000000000000000000000001 02 40 00 80     eth2\n"


@pytest.mark.parametrize(
    ("kind", "address", "inner", "said"),
    [
        ("geneve", "192.168.1.7", 1442, ""),
        ("geneve", "192.168.1.7", 1443, "58 bytes come on top, and eth1 takes 1500"),
        ("vxlan", "192.168.1.7", 1450, ""),
        ("vxlan,geneve", "192.168.1.7", 1450, "58 bytes come on top"),
        ("geneve", "fd00::1", 1422, ""),
        ("geneve", "fd00::1", 1423, "78 bytes come on top, and eth2 takes 1500"),
        ("", "192.168.1.7", 1500, ""),
    ],
)
def test_overlay_fits_into_the_network_below(tree: Tree, kind: str, address: str, inner: int, said: str) -> None:
    tree.daemon("ovs-vswitchd", 100)
    tree.write("/proc/100/net/route", ROUTES)
    tree.write("/proc/100/net/if_inet6", ADDRESSES)
    for device, size in (("eth1", 1500), ("eth2", 1500), ("ovn0", inner)):
        tree.write(f"/sys/class/net/{device}/mtu", f"{size}\n")
    tree.database(external_ids={"ovn-encap-type": kind, "ovn-encap-ip": address})
    found = tree.one("encap.mtu")
    assert found.severity is (Severity.WARNING if said else Severity.OK)
    assert not said or said in found.evidence[0]


@pytest.mark.parametrize("address", ["10.0.0.1", "fd00::2", "nonsense"])
def test_address_that_no_interface_leads_to_is_unseen(tree: Tree, address: str) -> None:
    """One of a routed network below lies on the loopback, for instance."""
    tree.daemon("ovs-vswitchd", 100)
    tree.write("/proc/100/net/route", ROUTES)
    tree.write("/proc/100/net/if_inet6", ADDRESSES.replace("1 02", "2 01").replace("eth2", "lo"))
    for device, size in (("lo", 65536), ("ovn0", 1400)):
        tree.write(f"/sys/class/net/{device}/mtu", f"{size}\n")
    tree.database(external_ids={"ovn-encap-type": "geneve", "ovn-encap-ip": address})
    assert tree.one("encap.mtu").severity is Severity.UNSEEN


def test_interfaces_of_another_namespace_say_nothing(tree: Tree) -> None:
    tree.daemon("ovs-vswitchd", 100)
    tree.write("/sys/class/net/ovn0/mtu", "1400\n")
    for pid in ("self", "100"):
        tree.path(f"/proc/{pid}/ns").mkdir(parents=True)
        tree.path(f"/proc/{pid}/ns/net").symlink_to(f"net:[{pid}]")
    tree.database(external_ids={"ovn-encap-type": "geneve", "ovn-encap-ip": "10.0.0.1"})
    assert tree.one("encap.mtu").severity is Severity.UNSEEN


def test_what_pods_are_given_counts_too(tree: Tree) -> None:
    tree.daemon("ovs-vswitchd", 100)
    tree.write("/proc/100/net/route", ROUTES)
    tree.write("/sys/class/net/eth1/mtu", "1500\n")
    tree.write("/etc/cni/net.d/10-ovn-kubernetes.conf", '{"cniVersion": "0.4.0", "mtu": 1500}')
    tree.database(external_ids={"ovn-encap-type": "geneve", "ovn-encap-ip": "192.168.1.7"})
    found = tree.one("encap.mtu")
    assert found.severity is Severity.WARNING
    assert found.evidence[0].startswith("/etc/cni/net.d/10-ovn-kubernetes.conf has MTU 1500")
