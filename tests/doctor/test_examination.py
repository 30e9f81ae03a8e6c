"""Declaring, making and listing examinations."""

import subprocess
import sys
from collections.abc import Iterator

from ovsnet.doctor import EXAMINATIONS, Severity, examine, fatal_findings, rows
from ovsnet.doctor.examination import Examination
from ovsnet.doctor.finding import Finding, ok
from ovsnet.errors import UnfitEnvironment
from ovsnet.node.facts import Live
from ovsnet.node.host_files import Host

from .conftest import Denied, Tree


def test_every_examination_has_a_code_and_a_fact() -> None:
    assert [row.code for row in rows()] == list(EXAMINATIONS)
    for row in rows():
        assert row.code.count(".") == 1
        assert row.fact.endswith(".")
        assert row.worst in ("fatal", "warning")


def test_what_was_seen_before_the_eyes_were_shut_is_kept() -> None:
    def look(host: Host, live: Live) -> Iterator[Finding]:
        yield ok("One thing is well.")
        raise UnfitEnvironment("The rest may not be read.")

    found = list(Examination("a.b", "", look, False).findings(Host(), Live()))
    assert [(each.code, each.severity) for each in found] == [("a.b", Severity.OK), ("a.b", Severity.UNSEEN)]
    assert found[1].remedy


def test_healthy_host_with_daemons_has_nothing_that_matters(tree: Tree) -> None:
    tree.write("/proc/self/limits", "Max open files            1024                 524288               files\n")
    tree.daemon("ovs-vswitchd", 100)
    tree.process(50, "chronyd")
    tree.database(
        ovs_version="3.3.0", bridges={"br-int": "system"}, offered_datapaths=frozenset({"system"}), interfaces=30
    )
    assert {each.severity for each in examine(tree.host(), tree.live)} == {Severity.OK}


def test_worst_findings_come_first(tree: Tree) -> None:
    tree.kernel("3.10.0-862.el7")
    found = examine(tree.host())
    assert found[0].code == "kernel.release"
    ranks = [each.severity.rank for each in found]
    assert ranks == sorted(ranks)


def test_every_finding_but_ok_says_what_to_do(tree: Tree, deny: Denied) -> None:
    tree.kernel("3.10.0-862.el7")
    tree.unload("openvswitch", "geneve")
    tree.path("/proc/net/if_inet6").unlink()
    deny("/run/openvswitch")
    for each in examine(tree.host()):
        assert each.summary.endswith(".")
        assert each.severity is Severity.OK or each.remedy.endswith(".")


def test_empty_tree_is_unseen_and_raises_nothing(tree: Tree) -> None:
    found = examine(Host(tree.root / "var", now=1.8e9))
    assert not [each for each in found if each.severity.matters]
    assert next(each for each in found if each.code == "kernel.release").severity is Severity.UNSEEN


def test_fatal_findings_are_the_fatal_ones_of_all(tree: Tree) -> None:
    assert fatal_findings(tree.host()) == []
    tree.kernel("3.10.0-862.el7")
    tree.path("/proc/net/if_inet6").unlink()
    tree.unload("openvswitch")
    tree.write("/boot/config-3.10.0-862.el7", "\nCONFIG_NET=y\n")
    tree.database(bridges={"br-int": ""}, offered_datapaths=frozenset({"system"}))
    found = fatal_findings(tree.host(), tree.live)
    assert [each.code for each in found] == ["kernel.release", "kernel.ipv6", "module.openvswitch"]
    assert found == [each for each in examine(tree.host(), tree.live) if each.severity is Severity.FATAL]


def test_pure_part_needs_neither_click_nor_rich() -> None:
    code = "import sys, ovsnet.doctor; sys.exit(bool({'click', 'rich', 'aiohttp'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
