"""By which names others know this node: its system-id, which must outlive a start, and its host name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, note, ok, warning
from ovsnet.node.facts import Live
from ovsnet.node.host_files import Host
from ovsnet.node.layouts import LAYOUTS

OVS_CTL = "/usr/share/openvswitch/scripts/ovs-ctl"

OPTIONS = ("/etc/default/openvswitch-switch", "/etc/sysconfig/openvswitch")
"""Where a package's units take more arguments for ovs-ctl from."""


@examination("system-id.persisted")
def system_id(host: Host, live: Live) -> Iterator[Finding]:
    """The chassis has the same name after the next start.

    ``ovs-ctl --system-id=random``, as packages call it, writes the content of system-id.conf into the database at every
    start, and makes a new one up where there is no such file (utilities/ovs-ctl.in, ``set_system_ids``).
    """
    if not host.exists(OVS_CTL):
        yield ok("No ovs-ctl of a package is here, which would set the system-id at each start.")
        return
    if any(re.search(r"--system-id=(?!random\b)\S", host.read(path) or "") for path in OPTIONS):
        yield ok("ovs-ctl is told which system-id to set.")
        return
    named = live.need_database().external_ids.get("system-id", "")
    usual = dict.fromkeys(PurePosixPath(each.database).parent for each in LAYOUTS if each.ovs == str(host.rundir.ovs))
    files = [f"{place}/system-id.conf" for place in usual]
    held = {path: text.strip() for path in files if (text := host.read(path)) is not None}
    if not named or named in held.values():
        yield ok(f"The system-id {named or 'is not set; ovs-ctl'} is kept.", *held)
        return
    wrong = next(iter(held), "")
    what = f"{wrong} holds {held[wrong]}" if wrong else f"{files[0] if files else 'system-id.conf'} is absent"
    yield warning(
        f"The chassis is {named}, and gets another name when ovs-ctl starts Open vSwitch the next time: {what}.",
        f"Keep the name: echo {named} > {wrong or (files[0] if files else '/etc/openvswitch/system-id.conf')}.",
        f"external_ids:system-id={named}",
    )


@examination("chassis.hostname")
def hostname(host: Host, live: Live) -> Iterator[Finding]:
    """The chassis has the host's name.

    A CMS looks its node up by Chassis.hostname: a full name where it knows the short one leaves every port unbound
    (ovn-kubernetes #443, kube-ovn #463).
    """
    named = live.database.external_ids.get("hostname", "") if live.database else ""
    own = {text.strip() for path in ("/proc/sys/kernel/hostname", "/etc/hostname") if (text := host.read(path))} - {""}
    if not named or not own or named in own:
        yield ok(f"The name of the chassis is {named or 'the name of the host'}.", *sorted(own))
        return
    short = {each.partition(".")[0] for each in own}
    how = "by another form of its name" if named.partition(".")[0] in short else "by another name"
    yield note(
        f"The chassis goes {how} than the host: {named}, and not {' or '.join(sorted(own))}.",
        "Set what the CMS calls this node: `ovs-vsctl set open_vswitch . external_ids:hostname=NAME`; nothing is wrong "
        "where it knows the node by this one.",
        f"external_ids:hostname={named}",
    )
