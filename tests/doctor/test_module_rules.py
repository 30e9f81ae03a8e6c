"""What keeps a module from being loaded that is there."""

import pytest

from ovsnet.doctor import Severity
from ovsnet.doctor.module_rules import SIGNED

from .conftest import Tree

MODULES = "/lib/modules/5.15.0-91-generic"
FILE = f"{MODULES}/extra/openvswitch.ko"


@pytest.fixture
def unloaded(tree: Tree) -> Tree:
    """The host has openvswitch, out of tree, and has not loaded it yet."""
    tree.unload("openvswitch")
    tree.write(f"{MODULES}/modules.dep", "extra/openvswitch.ko: kernel/nsh.ko\n")
    tree.write(FILE, "code")
    return tree


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("/etc/modprobe.d/a.conf", "install openvswitch /bin/true", "modprobe is configured to load nothing"),
        ("/usr/lib/modprobe.d/a.conf", "# x\ninstall openvswitch /bin/false", "modprobe is configured to load nothing"),
        ("/etc/modprobe.d/a.conf", "install openvswitch /sbin/modprobe --ignore-install openvswitch", ""),
        ("/etc/modprobe.d/a.conf", "blacklist openvswitch", ""),
        ("/etc/modprobe.d/a.txt", "install openvswitch /bin/true", ""),
        ("/proc/cmdline", "quiet module_blacklist=geneve,openvswitch ro", "The kernel's command line forbids"),
        ("/proc/cmdline", "quiet modprobe.blacklist=vxlan", ""),
        ("/proc/sys/kernel/modules_disabled", "1", "The kernel loads no module any more"),
        ("/sys/module/module/parameters/sig_enforce", "Y", "takes signed modules alone"),
        ("/sys/kernel/security/lockdown", "none [integrity] confidentiality", "takes signed modules alone"),
        ("/sys/kernel/security/lockdown", "[none] integrity confidentiality", ""),
    ],
)
def test_what_forbids_a_module_is_named(unloaded: Tree, path: str, text: str, said: str) -> None:
    """A blacklist keeps aliases from loading it, and not its name (modprobe.d(5))."""
    unloaded.write(path, f"{text}\n")
    found = unloaded.one("module.refused")
    assert found.severity is (Severity.WARNING if said else Severity.OK)
    assert said in found.summary
    unloaded.path("/sys/module/openvswitch").mkdir()
    assert unloaded.one("module.refused").severity is Severity.OK, "it is loaded"


def test_file_of_an_earlier_place_hides_its_namesake(unloaded: Tree) -> None:
    unloaded.write("/lib/modprobe.d/a.conf", "install openvswitch /bin/true\n")
    unloaded.write("/etc/modprobe.d/a.conf", "\n")
    assert unloaded.one("module.refused").severity is Severity.OK


def test_blacklist_counts_for_what_is_asked_for_by_an_alias(unloaded: Tree) -> None:
    unloaded.unload("geneve")
    unloaded.write(f"{MODULES}/modules.dep", "extra/openvswitch.ko:\nkernel/geneve.ko.zst:\n")
    unloaded.write("/etc/modprobe.d/a.conf", "blacklist openvswitch\nblacklist geneve\n")
    found = unloaded.one("module.refused")
    assert (found.severity, found.evidence) == (Severity.WARNING, ("/etc/modprobe.d/a.conf: blacklist geneve",))


def test_signed_module_is_taken(unloaded: Tree) -> None:
    unloaded.write("/sys/module/module/parameters/sig_enforce", "Y\n")
    unloaded.write(FILE, "code" + SIGNED.decode())
    assert unloaded.one("module.refused").severity is Severity.OK
