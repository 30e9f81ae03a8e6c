"""Finding the Open vSwitch of a host by its files: whose directories they are, and what was found besides."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovsnet.errors import UnfitEnvironment
from ovsnet.node.installation import find_rundir, installations
from ovsnet.node.layouts import LAYOUTS, Layout
from ovsnet.node.rundir import Installation, Rundir, Source

from .conftest import LockFile

ROW = {each.name: each for each in reversed(LAYOUTS)}


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """The root of a host on which nothing is installed."""
    return tmp_path


def below(root: Path) -> list[Layout]:
    return [Layout(each.name, *(f"{root}{path}" for path in (each.ovs, each.ovn, each.database))) for each in LAYOUTS]


def make(root: Path, directory: str, *files: str) -> Path:
    place = Path(f"{root}{directory}")
    place.mkdir(parents=True, exist_ok=True)
    for name in files:
        (place / name).touch()
    return place


def find(root: Path, rundir: str = "", ovn_rundir: str = "", **environ: str) -> Rundir:
    return find_rundir(rundir, ovn_rundir, environ, below(root), proc=None)


def test_named_directory_wins_over_environment_over_usual_places(host: Path) -> None:
    usual, one, other = (make(host, place) for place in (ROW["packages"].ovs, "/one", "/other"))
    assert find(host).ovs == usual
    assert find(host, OVS_RUNDIR=str(one), OVN_RUNDIR=str(other)) == Rundir(one, other)
    assert find(host, str(other), str(usual), OVS_RUNDIR=str(one), OVN_RUNDIR=str(one)) == Rundir(other, usual)
    assert find(host, ovn_rundir=str(other)) == Rundir(usual, other)


@pytest.mark.parametrize("source", ["rundir", "ovn_rundir", "OVS_RUNDIR", "OVN_RUNDIR"])
def test_named_directory_must_exist(source: str, host: Path) -> None:
    with pytest.raises(UnfitEnvironment, match=r"no run directory .*/none") as caught:
        find(host, **{source: f"{host}/none"})
    assert caught.value.remedy


def test_directory_below_one_that_may_not_be_searched_is_an_error_of_ours(host: Path) -> None:
    (host / "file").touch()
    for hidden in (host / "file" / "run", Path("/\0")):
        with pytest.raises(UnfitEnvironment):
            find(host, str(hidden))


def test_nothing_found_is_told_and_is_no_error(host: Path) -> None:
    """The directories may appear with the first start after a boot."""
    found = find(host)
    assert found == Rundir(Path(f"{host}{ROW['packages'].ovs}"), Path(f"{host}{ROW['packages'].ovn}"))
    assert (found.source, found.others) == (Source.NOWHERE, ())
    make(host, ROW["packages"].ovs)
    assert find(host).source is Source.TABLE
    assert find(host, str(host)).source is Source.NAMED


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda each: f"{each.name} {each.ovs}")
@pytest.mark.parametrize("named", [False, True])
def test_every_layout_is_found_once_its_daemons_were_there(layout: Layout, named: bool, host: Path) -> None:
    """RHOSO's is V2, MicroOVN's is V1: the switch's directory bears a name of its own."""
    make(host, layout.ovs, "db.sock", "ovs-vswitchd.pid")
    make(host, layout.ovn, "ovn-controller.7.ctl")
    found = find(host, f"{host}{layout.ovs}" if named else "")
    assert found == Rundir(Path(f"{host}{layout.ovs}"), Path(f"{host}{layout.ovn}"))


@pytest.mark.parametrize("empty", ["/run/ovn", "/run/ovn-ic"])
def test_directory_without_a_controller_gives_way_to_one_that_has_it(empty: str, host: Path) -> None:
    make(host, "/run/openvswitch", "db.sock")
    make(host, empty, "ovnsb_db.sock", "ovn-controller-vtep.pid")
    assert find(host).ovn == Path(f"{host}/run/ovn")
    controllers = make(host, "/var/lib/openvswitch/ovn", "ovn-controller.pid")
    assert find(host).ovn == controllers


def test_controller_that_lives_outweighs_one_that_left_its_pidfile(host: Path, lock: LockFile) -> None:
    make(host, "/run/openvswitch", "db.sock")
    make(host, "/run/ovn", "ovn-controller.pid", "ovn-controller.7.ctl")
    living = make(host, "/var/lib/openvswitch/ovn")
    pid = lock(living / "ovn-controller.pid").pid
    (found,) = installations(below(host), None)
    assert found == Installation(Rundir(Path(f"{host}/run/openvswitch"), living), "RHOSO", (("ovn-controller", pid),))


@pytest.mark.parametrize("name", ["switch", "openvswitch", "ovs"])
def test_controller_beside_the_switch_is_found_whatever_its_directory_is_called(name: str, host: Path) -> None:
    switch, ovn = make(host, f"/x/{name}"), make(host, "/x/ovn", "ovn-controller.pid")
    assert find(host, str(switch)) == Rundir(switch, ovn)


def test_ovn_shares_a_directory_of_another_name(host: Path) -> None:
    place = make(host, "/x/run")
    assert find(host, str(place)) == Rundir(place, place)


def test_ovn_shares_the_directory_in_which_it_is_seen(host: Path) -> None:
    """As it did before 2.12; and as it does in OVN-Kubernetes, beside a directory that nobody uses."""
    place = make(host, "/run/openvswitch", "ovn-controller.pid")
    assert find(host, str(place)) == Rundir(place, place)
    make(host, "/run/ovn")
    assert find(host) == Rundir(place, place)


def test_ovn_is_expected_beside_before_its_first_start(host: Path) -> None:
    """At a boot ovsnet is up before ovn-controller has made its directory."""
    place = make(host, "/x/openvswitch")
    assert find(host, str(place)) == Rundir(place, place.parent / "ovn")
    snap = make(host, ROW["MicroOVN"].ovs)
    assert find(host).ovn == snap.parent / "ovn"


def test_installation_with_running_daemons_is_taken_and_the_others_are_told(host: Path, lock: LockFile) -> None:
    old = make(host, ROW["packages"].ovs, "db.sock", "ovs-vswitchd.pid")
    snap = make(host, ROW["MicroOVN"].ovs)
    assert find(host).ovs == old
    assert find(host).others == (), "an empty directory is not an installation"
    pid = lock(snap / "ovs-vswitchd.pid").pid
    found = find(host)
    assert found.ovs == snap
    assert [(each.rundir.ovs, each.layout, each.pids) for each in found.others] == [(old, "packages", ())]
    assert [each.pids for each in installations(below(host), None)] == [(("ovs-vswitchd", pid),), ()]


def test_traces_outweigh_an_empty_directory(host: Path) -> None:
    make(host, ROW["packages"].ovs)
    built = make(host, ROW["source build"].ovs, "ovsdb-server.pid")
    assert find(host).ovs == built


def test_first_of_the_table_is_taken_where_all_are_alike(host: Path) -> None:
    for row in LAYOUTS:
        make(host, row.ovs, "db.sock")
    assert find(host).ovs == Path(f"{host}{LAYOUTS[0].ovs}")


def test_one_directory_by_two_names_is_one_installation(host: Path) -> None:
    make(host, "/run/openvswitch", "db.sock")
    (host / "var").mkdir()
    (host / "var/run").symlink_to("../run")
    (host / "usr/local/var/run").mkdir(parents=True)
    (host / "usr/local/var/run/openvswitch").symlink_to(f"{host}/run/openvswitch")
    assert len(installations(below(host), None)) == 1


def test_others_are_told_for_a_person(host: Path, lock: LockFile) -> None:
    place = make(host, ROW["packages"].ovs)
    pid = lock(place / "ovsdb-server.pid").pid
    (found,) = installations(below(host), None)
    assert str(found) == f"{place} (ovsdb-server {pid})"
    unseen = Installation(found.rundir, "packages", (("ovs-vswitchd", 0),))
    assert str(unseen) == f"{place} (ovs-vswitchd in another pid namespace)"
    assert str(Installation(found.rundir, "packages")) == f"{place} (nothing runs)"


def test_terms_of_a_root_hold_for_the_others_too(host: Path) -> None:
    for name in ("packages", "MicroOVN"):
        make(host, ROW[name].ovs, "db.sock")
    found = find(host).relative_to(host)
    assert found == Rundir(Path(ROW["packages"].ovs), Path(ROW["packages"].ovn))
    assert found.source is Source.TABLE
    assert [str(each.rundir.ovs) for each in found.others] == [ROW["MicroOVN"].ovs]
