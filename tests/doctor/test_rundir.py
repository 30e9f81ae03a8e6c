"""The run directory: present, owned, linked."""

from pathlib import Path

import pytest

from ovsnet.doctor import EXAMINATIONS, Host, Severity
from ovsnet.doctor.fixes import MakeLink
from ovsnet.doctor.rundir import LINK, LINK_TARGET
from ovsnet.node.rundir import Installation, Rundir, Source

from .conftest import RUNDIR, Denied, Tree

PROGRAM = "/usr/local/sbin/ovs-vswitchd"


def link(tree: Tree, target: str) -> None:
    tree.path(LINK).parent.mkdir(parents=True)
    tree.path(LINK).symlink_to(target)


def test_run_directory_is_there_or_will_come(tree: Tree) -> None:
    assert tree.one("rundir.present").severity is Severity.OK
    tree.path(RUNDIR).rmdir()
    assert tree.one("rundir.present").severity is Severity.NOTE
    assert tree.look("rundir.owner") == []


def test_run_directory_that_may_not_be_seen_is_said(tree: Tree, deny: Denied) -> None:
    deny(str(RUNDIR))
    found = tree.one("rundir.present")
    assert found.severity is Severity.UNSEEN
    assert "root" in found.remedy


def test_other_installations_are_noted(tree: Tree) -> None:
    other = Installation(Rundir(Path("/opt/ovs"), Path("/opt/ovs")), "", (("ovs-vswitchd", 7),))
    host = Host(tree.root, Rundir(RUNDIR, RUNDIR, Source.TABLE, (other,)))
    present, beside = EXAMINATIONS["rundir.present"].findings(host, tree.live)
    assert present.severity is Severity.OK
    assert beside.severity is Severity.NOTE
    assert beside.evidence == ("/opt/ovs (ovs-vswitchd 7)",)


def test_directory_that_anybody_may_write_is_warned_of(tree: Tree) -> None:
    assert tree.one("rundir.owner").severity is Severity.OK
    tree.path(RUNDIR).chmod(0o777)
    found = tree.one("rundir.owner")
    assert found.severity is Severity.WARNING
    assert "drwxrwxrwx" in found.evidence[0]


def test_daemon_that_could_not_make_its_sockets_again_is_warned_of(tree: Tree) -> None:
    tree.path(RUNDIR).chmod(0o755)
    stranger = tree.path(RUNDIR).stat().st_uid + 998
    tree.daemon("ovs-vswitchd", 100, uid=stranger)
    found = tree.one("rundir.owner")
    assert found.severity is Severity.WARNING
    assert f"ovs-vswitchd runs as uid {stranger}" in found.evidence
    tree.path(RUNDIR).chmod(0o775)
    assert tree.one("rundir.owner").severity is Severity.OK


def test_link_is_not_wanted_where_nothing_was_built_from_source(tree: Tree) -> None:
    found = tree.one("rundir.link")
    assert found.severity is Severity.OK
    assert found.fix is None


def test_missing_link_is_fixable_where_programs_look_for_it(tree: Tree) -> None:
    tree.write(PROGRAM)
    found = tree.one("rundir.link")
    assert found.severity is Severity.WARNING
    assert found.fix == MakeLink(Path(LINK), LINK_TARGET)
    assert found.evidence == (PROGRAM,)


def test_program_that_runs_from_usr_local_is_seen(tree: Tree) -> None:
    tree.daemon("ovs-vswitchd", 100)
    tree.path("/proc/100/exe").symlink_to("/usr/local/lib/ovs/ovs-vswitchd")
    assert tree.one("rundir.link").severity is Severity.WARNING


def test_program_of_another_user_is_not_asked_for_its_path(tree: Tree, deny: Denied) -> None:
    tree.daemon("ovs-vswitchd", 100)
    deny("/proc/100")
    assert tree.one("rundir.link").severity is Severity.OK


@pytest.mark.parametrize("target", [LINK_TARGET, "/run/openvswitch", "../../../../run/openvswitch"])
def test_link_may_lead_to_the_run_directory_by_any_name(tree: Tree, target: str) -> None:
    link(tree, target)
    assert tree.one("rundir.link").severity is Severity.OK


def test_link_that_leads_elsewhere_is_left_to_a_person(tree: Tree) -> None:
    link(tree, "/nowhere")
    found = tree.one("rundir.link")
    assert found.severity is Severity.WARNING
    assert found.fix is None
    assert f"{LINK} -> /nowhere" in found.evidence


def test_two_run_directories_are_warned_of(tree: Tree) -> None:
    tree.path(LINK).mkdir(parents=True)
    found = tree.one("rundir.link")
    assert found.severity is Severity.WARNING
    assert found.fix is None


def test_link_is_not_judged_for_a_run_directory_elsewhere(tree: Tree) -> None:
    link(tree, LINK_TARGET)
    tree.path("/opt/ovs").mkdir(parents=True)
    (found,) = EXAMINATIONS["rundir.link"].findings(tree.host(Path("/opt/ovs")), tree.live)
    assert found.severity is Severity.OK


def test_run_directory_elsewhere_needs_no_link(tree: Tree) -> None:
    tree.write(PROGRAM)
    tree.path("/opt/ovs").mkdir(parents=True)
    host = tree.host(Path("/opt/ovs"))
    (found,) = EXAMINATIONS["rundir.link"].findings(host, tree.live)
    assert found.severity is Severity.NOTE
    assert "OVS_RUNDIR=/opt/ovs" in found.remedy
