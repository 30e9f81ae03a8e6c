"""What ovn-controller is told in ``external_ids``, and whether this host fits it."""

from __future__ import annotations

from collections.abc import Iterator

from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, ok, unseen, warning
from ovsnet.doctor.running import chassis, daemons
from ovsnet.node.addresses import addresses_of, is_local
from ovsnet.node.chassis import in_force, lacking, split_list, wrong_mapping
from ovsnet.node.facts import Live
from ovsnet.node.host_files import Host

NO_CHASSIS = "This node is not an OVN chassis."


@examination("chassis.settings")
def settings(host: Host, live: Live) -> Iterator[Finding]:
    """ovn-controller finds all that it needs to register this chassis."""
    ids = live.need_database().external_ids
    if "ovn-remote" not in ids:
        yield ok(NO_CHASSIS)
        return
    name = chassis(host, live)
    known = name if "ovn-controller" in daemons(host, live) else None
    missing = [key for key in lacking(ids, known) if key != "system-id" or not name]
    if missing:
        yield warning(
            f"ovn-controller registers no chassis without {' and '.join(f'external_ids:{each}' for each in missing)}.",
            f"Set it: ovs-vsctl --no-wait set Open_vSwitch . external_ids:{missing[0]}=VALUE.",
        )
    else:
        yield ok(f"ovn-controller has what it needs to register chassis {name}.")


@examination("encap.address")
def address(host: Host, live: Live) -> Iterator[Finding]:
    """The addresses of this node's tunnels are on its interfaces."""
    ids = live.need_database().external_ids
    _, value = in_force(ids, "ovn-encap-ip", chassis(host, live)) or ("", "")
    wanted = split_list(value)
    if not wanted:
        yield ok("No address of a tunnel is set.")
        return
    running = daemons(host, live)
    process = running.get("ovs-vswitchd") or running.get("ovn-controller") or (1 if host.sees_all_processes else None)
    held = None if process is None else addresses_of(process, host.locate("/proc"))
    if held is None:
        yield unseen(
            "The addresses of the network that the switch is in cannot be seen.",
            f"Look for {', '.join(wanted)} there: `ip address`.",
        )
        return
    absent = [each for each in wanted if not is_local(each, held)]
    if absent:
        yield warning(
            f"No interface has the tunnel's address {', '.join(absent)}: other nodes' packets do not arrive.",
            "Set external_ids:ovn-encap-ip to an address of this host, unless it is translated on the way (NAT).",
        )
    else:
        yield ok("The addresses of the tunnels are on interfaces of this host.", *wanted)


@examination("bridge.mappings")
def mappings(host: Host, live: Live) -> Iterator[Finding]:
    """Every physical network is mapped to a bridge that exists."""
    database = live.need_database()
    name, value = in_force(database.external_ids, "ovn-bridge-mappings", chassis(host, live)) or ("", "")
    if wrong := wrong_mapping(value, database.bridges):
        yield warning(
            "A physical network has no bridge here: its localnet ports do not work.",
            "Make the bridge (`ovs-vsctl --no-wait --may-exist add-br BRIDGE`), or correct the mapping.",
            f"external_ids:{name} is {value!r}: {wrong.sentence}",
        )
    else:
        yield ok("Every physical network that is mapped has its bridge.")
