"""Firewalls that may drop tunnels."""

import pytest
from msgspec.structs import replace

from ovsnet.doctor import Severity
from ovsnet.io.nf_tables import InputChain

from .conftest import Tree

REFUSES = "*filter\n:INPUT {} [0:0]\n-A INPUT -p tcp --dport 22 -j ACCEPT\n{}COMMIT\n"


def configured(tree: Tree, kind: str = "geneve", *chains: InputChain, address: str = "10.0.0.1") -> Tree:
    tree.database(external_ids={"ovn-encap-type": kind, "ovn-encap-ip": address})
    tree.live = replace(tree.live, firewall=chains)
    return tree


@pytest.mark.parametrize(
    ("kind", "named", "said"),
    [
        ("geneve", (), "UDP 6081,"),
        ("geneve", (6081,), ""),
        ("geneve,vxlan", (6081,), "UDP 4789,"),
        ("vxlan, geneve", (), "UDP 4789 and 6081,"),
        ("", (), ""),
    ],
)
def test_chain_that_refuses_what_no_rule_names_may_drop_it(
    tree: Tree, kind: str, named: tuple[int, ...], said: str
) -> None:
    configured(tree, kind, InputChain("inet filter input", "policy drop", frozenset(named)))
    found = tree.one("firewall.tunnels")
    assert found.severity is (Severity.NOTE if said else Severity.OK)
    assert not said or f"may drop {said}" in found.summary


def test_rules_of_another_namespace_say_nothing(tree: Tree) -> None:
    configured(tree, "geneve", InputChain("inet filter input", "policy drop"))
    for pid in ("self", "1"):
        tree.path(f"/proc/{pid}/ns").mkdir(parents=True)
        tree.path(f"/proc/{pid}/ns/net").symlink_to(f"net:[{pid}]")
    assert tree.one("firewall.tunnels").severity is Severity.UNSEEN


def test_container_that_sees_no_switch_and_not_the_hosts_processes_says_nothing(tree: Tree) -> None:
    """Its process 1 is its own, in its own network."""
    configured(tree, "geneve", InputChain("inet filter input", "policy drop"))
    for pid in ("self", "1"):
        tree.path(f"/proc/{pid}/ns").mkdir(parents=True)
        tree.path(f"/proc/{pid}/ns/net").symlink_to("net:[7]")
    assert tree.one("firewall.tunnels").severity is Severity.NOTE
    tree.process(2, "sleep")
    for code in ("firewall.tunnels", "conntrack.maximum"):
        assert tree.one(code).severity is Severity.UNSEEN


def test_kernel_that_does_not_tell_leaves_it_open(tree: Tree) -> None:
    configured(tree)
    tree.live = replace(tree.live, firewall=None)
    assert tree.one("firewall.tunnels").severity is Severity.UNSEEN


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (REFUSES.format("DROP", ""), Severity.NOTE),
        (REFUSES.format("ACCEPT", "-A INPUT -j REJECT --reject-with icmp-host-prohibited\n"), Severity.NOTE),
        (REFUSES.format("DROP", "-A INPUT -p udp --dport 6081 -j ACCEPT\n"), Severity.OK),
        (REFUSES.format("ACCEPT", "-A INPUT -p udp --dport 53 -j DROP\n"), Severity.OK),
    ],
)
@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("version", ["", "6"])
def test_saved_rules_count_where_iptables_itself_is_in_use(
    tree: Tree, text: str, severity: Severity, legacy: bool, version: str
) -> None:
    configured(tree, address="fd00::1" if version else "10.0.0.1")
    if legacy:
        tree.write(f"/proc/net/ip{version}_tables_names", "nat\nfilter\n")
    tree.write(f"/etc/iptables/rules.v{version or 4}", text)
    assert tree.one("firewall.tunnels").severity is (severity if legacy else Severity.OK)


def test_saved_rules_count_beside_chains_of_nftables(tree: Tree) -> None:
    configured(tree, "geneve", InputChain("inet filter input", "policy drop", frozenset((6081,))))
    tree.write("/proc/net/ip_tables_names", "filter\n")
    tree.write("/etc/iptables/rules.v4", REFUSES.format("DROP", ""))
    assert tree.one("firewall.tunnels").severity is Severity.NOTE


def test_rules_of_iptables_that_no_file_shows_are_unseen(tree: Tree) -> None:
    configured(tree)
    tree.write("/proc/net/ip_tables_names", "filter\n")
    found = tree.one("firewall.tunnels")
    assert (found.severity, found.remedy) == (Severity.UNSEEN, "See them: iptables-legacy -S INPUT.")
