"""Declaring, making and listing examinations."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from ovsnet.cli.doctor import doctor
from ovsnet.deploy.tables import examinations_table
from ovsnet.doctor import EXAMINATIONS, Severity, examine, fatal_findings
from ovsnet.doctor.examination import Examination, examination
from ovsnet.doctor.finding import Finding, Repair, ok, repaired, warning
from ovsnet.doctor.fixes import MakeLink, repair
from ovsnet.errors import UnfitEnvironment
from ovsnet.node.facts import Live
from ovsnet.node.host_files import Host

from .conftest import Denied, Tree


def test_every_examination_has_a_code_and_a_fact() -> None:
    for code, each in EXAMINATIONS.items():
        assert each.code == code
        assert code.count(".") == 1
        assert each.fact.endswith(".")


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


@pytest.fixture
def no_others() -> Iterator[None]:
    """No examination but those that the test declares."""
    others = dict(EXAMINATIONS)
    EXAMINATIONS.clear()
    yield
    EXAMINATIONS.clear()
    EXAMINATIONS.update(others)


@pytest.mark.usefixtures("no_others")
def test_one_function_is_all_that_an_examination_and_its_fix_need(tmp_path: Path) -> None:
    mark = tmp_path / "mark"

    def touch() -> Repair:
        mark.touch()
        return repaired(f"make {mark}", undo=f"rm {mark}")

    @examination("module.mark")
    def marked(host: Host, live: Live) -> Iterator[Finding]:
        """The mark is there."""
        yield ok("It is there.") if mark.exists() else warning("It is absent.", "Make it.", fix=touch)

    assert "| `module.mark` | The mark is there. | warning |" in examinations_table()
    asked = CliRunner().invoke(doctor, ["--rundir", str(tmp_path)])
    assert (asked.exit_code, mark.exists()) == (1, False)
    assert asked.stdout.startswith("warning  module.mark  It is absent.")
    fixed = CliRunner().invoke(doctor, ["--rundir", str(tmp_path), "--fix"])
    assert (fixed.exit_code, mark.exists()) == (0, True)
    assert fixed.stdout.startswith(f"done: make {mark}\n  to undo: rm {mark}\nok       module.mark  It is there.")


@pytest.mark.usefixtures("no_others")
def test_file_system_that_hangs_costs_one_examination_and_not_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client of a server that is gone waits for it; the start beside the doctor must not."""
    monkeypatch.setattr("ovsnet.doctor.examination.PATIENCE", 0.2)
    hangs = threading.Event()

    @examination("disk.hangs")
    def hanging(host: Host, live: Live) -> Iterator[Finding]:
        """It hangs."""
        hangs.wait()
        yield ok("Now it goes on.")

    @examination("disk.well")
    def well(host: Host, live: Live) -> Iterator[Finding]:
        """It is well."""
        yield ok("It is well.")

    found = examine(Host(tmp_path))
    hangs.set()
    assert [(each.code, each.severity) for each in found] == [
        ("disk.hangs", Severity.UNSEEN),
        ("disk.well", Severity.OK),
    ]


@pytest.mark.usefixtures("no_others")
def test_bug_in_an_examination_is_not_hidden(tmp_path: Path) -> None:
    @examination("disk.bug")
    def bug(host: Host, live: Live) -> Iterator[Finding]:
        """It fails."""
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        examine(Host(tmp_path))


@pytest.mark.usefixtures("no_others")
def test_every_finding_gets_its_own_fix_whatever_its_examination_is_called(tmp_path: Path) -> None:
    @examination("module.first")
    def first(host: Host, live: Live) -> Iterator[Finding]:
        """First."""
        yield warning("x", "y", fix=MakeLink(tmp_path / "first", "/1"))
        yield warning("x", "y")

    @examination("rundir.second")
    def second(host: Host, live: Live) -> Iterator[Finding]:
        """Second."""
        yield warning("x", "y", fix=MakeLink(tmp_path / "second", "/2"))

    assert [each.done for each in repair(examine(Host(tmp_path)))] == [True, True]
    assert {each.name: str(each.readlink()) for each in tmp_path.iterdir()} == {"first": "/1", "second": "/2"}
