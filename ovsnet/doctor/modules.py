"""The kernel modules: loaded, built in, there to be loaded, absent, or not to be seen from here.

A built-in module shows in /sys/module only if it has parameters, and openvswitch has none. So the lists of
/lib/modules (depmod(8), kbuild's modules.builtin) and the kernel's configuration are asked too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, fatal, note, ok, unseen, warning
from ovsnet.doctor.fixes import LoadModule
from ovsnet.node.facts import Live
from ovsnet.node.host_files import Host

OPTIONS = {"openvswitch": "OPENVSWITCH", "geneve": "GENEVE", "vxlan": "VXLAN", "ip_tables": "IP_NF_IPTABLES"}
"""The Kconfig symbol behind each module."""


class State(StrEnum):
    """Whether a kernel has a module."""

    LOADED = "loaded"
    BUILT_IN = "built in"
    LOADABLE = "loadable"
    ABSENT = "absent"
    UNSEEN = "unseen"

    @property
    def there(self) -> bool:
        """The kernel can do it now."""
        return self in (State.LOADED, State.BUILT_IN)


def module_state(host: Host, name: str) -> tuple[State, str]:
    """Whether this kernel has a module, and what says so. Raises UnfitEnvironment."""
    if host.exists(f"/sys/module/{name}"):
        return State.LOADED, f"/sys/module/{name}"
    if re.search(rf"^{name} ", host.read("/proc/modules") or "", re.MULTILINE):
        return State.LOADED, "/proc/modules"
    tree = f"/lib/modules/{host.release}"
    if _lists(host.read(f"{tree}/modules.builtin"), name):
        return State.BUILT_IN, f"{tree}/modules.builtin"
    if _lists(dep := host.read(f"{tree}/modules.dep"), name):
        return State.LOADABLE, f"{tree}/modules.dep"
    return _configured(host, name, listed=dep is not None)


def _configured(host: Host, name: str, *, listed: bool) -> tuple[State, str]:
    option = f"CONFIG_{OPTIONS[name]}"
    tree = f"/lib/modules/{host.release}"
    if (said := host.kernel_option(option)) is not None:
        value, path = said
        if value == "y":
            return State.BUILT_IN, f"{option}=y in {path}"
        if value != "m":
            return State.ABSENT, f"{option} is not set in {path}"
    if listed:
        return State.ABSENT, f"{tree}/modules.dep does not list it"
    return State.UNSEEN, f"neither {tree}/modules.dep nor the kernel's configuration is there"


def _lists(text: str | None, name: str) -> bool:
    """Whether a list of paths names the module's file, packed or not; "-" and "_" are the same to modprobe(8)."""
    file = name.replace("_", "[-_]")
    return text is not None and re.search(rf"^(?:\S*/)?{file}\.ko(?:\.\w+)?(?::|$)", text, re.MULTILINE) is not None


@examination("module.openvswitch", may_be_fatal=True)
def openvswitch(host: Host, live: Live) -> Iterator[Finding]:
    """The kernel's datapath is there, or can be loaded."""
    state, evidence = module_state(host, "openvswitch")
    if state is not State.ABSENT:
        yield _there_or_not("openvswitch", state, evidence)
    elif live.kernel_datapath:
        yield fatal(
            f"This kernel ({host.release}) has no openvswitch module, and bridges of this node forward in the kernel.",
            "Boot a kernel that has it (often in linux-modules-extra), or set the bridges' datapath_type=netdev.",
            evidence,
        )
    elif live.kernel_datapath is False:
        yield note(
            "The kernel has no openvswitch module: userspace datapath only, and no bridge here needs more.",
            "Keep datapath_type=netdev for every bridge.",
            evidence,
        )
    else:
        yield warning(
            "The kernel has no openvswitch module: userspace datapath only.",
            "Boot a kernel that has it (often in linux-modules-extra), or plan with datapath_type=netdev.",
            evidence,
        )


@examination("module.geneve", may_be_fatal=True)
def geneve(host: Host, live: Live) -> Iterator[Finding]:
    """Tunnels by geneve are possible when OVN asks for them."""
    yield from _tunnels_by("geneve", host, live, by_default=True)


@examination("module.vxlan", may_be_fatal=True)
def vxlan(host: Host, live: Live) -> Iterator[Finding]:
    """Tunnels by vxlan are possible when OVN asks for them."""
    yield from _tunnels_by("vxlan", host, live, by_default=False)


def _tunnels_by(kind: str, host: Host, live: Live, *, by_default: bool) -> Iterator[Finding]:
    state, evidence = module_state(host, kind)
    encapsulations = live.database.external_ids.get("ovn-encap-type", "") if live.database else ""
    wanted = kind in [each.strip() for each in encapsulations.split(",")]
    if state is not State.ABSENT and (wanted or by_default):
        yield _there_or_not(kind, state, evidence)
    elif live.kernel_datapath and wanted:
        yield fatal(
            f"The kernel has no {kind} module, and ovn-encap-type asks for {kind}.",
            "Boot a kernel that has it, or choose an encapsulation that it has.",
            evidence,
            f"external_ids:ovn-encap-type={encapsulations}",
        )
    elif by_default and not (live.kernel_datapath is False or encapsulations):
        yield warning(
            f"The kernel has no {kind} module, which OVN uses for tunnels by default.",
            "Boot a kernel that has it, or choose another ovn-encap-type.",
            evidence,
        )
    elif by_default:
        yield note(
            f"The kernel has no {kind} module, and nothing here needs it.",
            f"Load or build one before you tunnel by {kind} in the kernel.",
            evidence,
        )
    else:
        yield ok(f"Nothing here asks for tunnels by {kind}.")


@examination("module.ip_tables")
def ip_tables(host: Host, live: Live) -> Iterator[Finding]:
    """ip_tables is loaded when it can be: Kube-OVN's rules need it."""
    if host.exists("/proc/net/ip_tables_names"):
        yield ok("ip_tables is there.", "/proc/net/ip_tables_names")
        return
    state, evidence = module_state(host, "ip_tables")
    if state is State.ABSENT:
        yield note("The kernel has no ip_tables.", "Use the nft variant of iptables.", evidence)
    else:
        yield _there_or_not("ip_tables", state, evidence)


def _there_or_not(name: str, state: State, evidence: str) -> Finding:
    if state.there:
        return ok(f"{name} is {state}.", evidence)
    if state is State.LOADABLE:
        remedy = f"Load it before the first start: modprobe {name}, or ovsnet doctor --fix."
        return note(f"{name} can be loaded but is not.", remedy, evidence, fix=LoadModule(name))
    return unseen(
        f"Whether this kernel has {name} cannot be seen.", "Mount the host's /lib/modules, or use --root.", evidence
    )
