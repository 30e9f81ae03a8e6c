"""Modules: loaded, built in, loadable, absent, unseen, and how bad that is."""

import gzip

import pytest

from ovsnet.doctor import Severity
from ovsnet.doctor.fixes import LoadModule
from ovsnet.doctor.modules import State, module_state

from .conftest import Tree

LIB = "/lib/modules/5.15.0-91-generic"
KERNEL_BRIDGE = {"bridges": {"br-int": "system"}, "offered_datapaths": frozenset({"system", "netdev"})}
USERSPACE_BRIDGE = {"bridges": {"br-int": "netdev"}, "offered_datapaths": frozenset({"system", "netdev"})}
DUMMY_BRIDGE = {"bridges": {"br-int": "system"}, "offered_datapaths": frozenset({"system", "netdev", "dummy"})}
GENEVE = {"external_ids": {"ovn-encap-type": "geneve,vxlan"}}


def without(tree: Tree, *modules: str) -> None:
    """Their kernel knows its modules, and these are not among them."""
    tree.unload(*modules)
    tree.write(f"{LIB}/modules.dep", "kernel/net/ipv4/ip_gre.ko.xz: kernel/net/ipv4/gre.ko.xz\n")


def test_module_in_sys_is_loaded(tree: Tree) -> None:
    assert module_state(tree.host(), "openvswitch")[0] is State.LOADED


def test_module_in_the_kernels_list_is_loaded(tree: Tree) -> None:
    tree.unload("openvswitch")
    tree.write("/proc/modules", "nf_conncount 1 1 openvswitch, Live 0x0\nopenvswitch 196608 0 - Live 0x0\n")
    assert module_state(tree.host(), "openvswitch")[0] is State.LOADED


@pytest.mark.parametrize("path", ["kernel/net/openvswitch/openvswitch.ko", "kernel/net/openvswitch/openvswitch.ko.zst"])
def test_module_of_the_builtin_list_is_built_in(tree: Tree, path: str) -> None:
    without(tree, "openvswitch")
    tree.write(f"{LIB}/modules.builtin", f"kernel/lib/x.ko\n{path}\n")
    assert module_state(tree.host(), "openvswitch")[0] is State.BUILT_IN


def test_module_of_the_dependency_list_is_loadable(tree: Tree) -> None:
    without(tree, "ip_tables")
    tree.write(f"{LIB}/modules.dep", "kernel/net/ipv4/netfilter/ip-tables.ko.zst: kernel/x_tables.ko.zst\n")
    assert module_state(tree.host(), "ip_tables")[0] is State.LOADABLE


def test_module_that_only_another_one_needs_by_name_is_not_loadable(tree: Tree) -> None:
    without(tree, "openvswitch")
    tree.write(f"{LIB}/modules.dep", "kernel/vport-geneve.ko: kernel/openvswitch.ko\n")
    assert module_state(tree.host(), "openvswitch")[0] is State.ABSENT


@pytest.mark.parametrize(
    ("config", "state"),
    [
        ("CONFIG_NET=y\nCONFIG_OPENVSWITCH=y\n", State.BUILT_IN),
        ("CONFIG_NET=y\n# CONFIG_OPENVSWITCH is not set\n", State.ABSENT),
        ("CONFIG_NET=y\nCONFIG_OPENVSWITCH=m\n", State.UNSEEN),
    ],
)
def test_kernels_configuration_decides_without_lists(tree: Tree, config: str, state: State) -> None:
    tree.unload("openvswitch")
    tree.path("/proc/config.gz").write_bytes(gzip.compress(config.encode()))
    assert module_state(tree.host(), "openvswitch")[0] is state


def test_module_that_is_configured_but_not_installed_is_absent(tree: Tree) -> None:
    without(tree, "openvswitch")
    tree.write("/boot/config-5.15.0-91-generic", "CONFIG_NET=y\nCONFIG_OPENVSWITCH=m\n")
    assert module_state(tree.host(), "openvswitch")[0] is State.ABSENT


@pytest.mark.parametrize("code", ["module.openvswitch", "module.geneve", "module.vxlan", "module.ip_tables"])
def test_each_module_is_judged(tree: Tree, code: str) -> None:
    name = code.partition(".")[2]
    if name == "vxlan":
        assert tree.one(code).summary == "Nothing here asks for tunnels by vxlan."
        tree.database(external_ids={"ovn-encap-type": "geneve,vxlan"})
        tree.path(f"/sys/module/{name}").mkdir()
    assert tree.one(code).severity is Severity.OK
    tree.unload(name)
    assert tree.one(code).severity is Severity.UNSEEN
    tree.write(f"{LIB}/modules.dep", f"kernel/{name}.ko:\n")
    loadable = tree.one(code)
    assert loadable.severity is Severity.NOTE
    assert loadable.fix == LoadModule(name)
    assert f"modprobe {name}" in loadable.remedy


@pytest.mark.parametrize(
    ("facts", "severity"),
    [
        (None, Severity.WARNING),
        ({}, Severity.WARNING),
        (KERNEL_BRIDGE, Severity.FATAL),
        (USERSPACE_BRIDGE, Severity.NOTE),
        (DUMMY_BRIDGE, Severity.NOTE),
        ({"bridges": {"br-int": ""}, "offered_datapaths": frozenset({"system"})}, Severity.FATAL),
        ({"bridges": {"br-int": "system"}}, Severity.WARNING),
    ],
)
def test_absent_openvswitch_is_fatal_only_for_bridges_in_the_kernel(
    tree: Tree, facts: dict[str, object] | None, severity: Severity
) -> None:
    without(tree, "openvswitch")
    if facts is not None:
        tree.database(**facts)
    found = tree.one("module.openvswitch")
    assert found.severity is severity
    if severity is not Severity.FATAL:
        assert "userspace datapath only" in found.summary


@pytest.mark.parametrize(
    ("facts", "severity"),
    [
        ({}, Severity.WARNING),
        ({**KERNEL_BRIDGE, **GENEVE}, Severity.FATAL),
        ({**USERSPACE_BRIDGE, **GENEVE}, Severity.NOTE),
        ({**KERNEL_BRIDGE, "external_ids": {"ovn-encap-type": "vxlan"}}, Severity.NOTE),
    ],
)
def test_absent_geneve_is_fatal_only_where_ovn_asks_for_it(
    tree: Tree, facts: dict[str, object], severity: Severity
) -> None:
    without(tree, "geneve")
    tree.database(**facts)
    assert tree.one("module.geneve").severity is severity


def test_absent_ip_tables_is_a_note_and_its_proc_file_proves_it(tree: Tree) -> None:
    without(tree, "ip_tables")
    assert tree.one("module.ip_tables").severity is Severity.NOTE
    tree.write("/proc/net/ip_tables_names")
    assert tree.one("module.ip_tables").severity is Severity.OK
