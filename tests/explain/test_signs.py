"""One kind of proof after the other, on lines made by hand."""

from __future__ import annotations

import pytest

from ovsnet.explain.verdicts import Outage, Sure
from tests.explain.material import MGMT, SOUTHBOUND, Log, node, told


def one(*logs: Log) -> Outage:
    found = list(told(logs).outages)
    assert len(found) == 1, [(each.code, each.words) for each in found]
    return found[0]


def test_healthy_node_shows_nothing() -> None:
    found = told(node())
    assert not found.outages
    assert len(found.starts) == 1
    assert found.starts[0].seconds == pytest.approx(0.35, abs=0.01)


def test_rotated_log_is_no_restart() -> None:
    database, switch, controller = node()
    switch.say(200.0, "vlog", "closing log file")
    switch.say(200.1, "vlog", "opened log file /var/log/ovs-vswitchd.log")
    assert len(told([database, switch, controller]).starts) == 1


@pytest.mark.parametrize(("cpu", "code"), [(9000, "vswitchd-slow"), (20, "vswitchd-hung")])
def test_stall_is_work_or_a_standstill_by_its_cpu_time(cpu: int, code: str) -> None:
    database, switch, controller = node()
    text = f"Unreasonably long 10000ms poll interval ({cpu}ms user, 10ms system)"
    switch.say(120.0, "timeval", text, "WARN")
    found = one(database, switch, controller)
    assert (found.code, found.seconds, found.sure) == (code, 10.0, Sure.CERTAIN)


def test_short_stalls_are_a_note() -> None:
    database, switch, controller = node()
    for at in (120.0, 130.0):
        switch.say(at, "timeval", "Unreasonably long 1500ms poll interval (1400ms user, 1ms system)", "WARN")
    found = told([database, switch, controller])
    assert not found.outages
    assert any("2 times" in note.words for note in found.notes)


def test_who_gave_up_on_whom_while_it_was_at_work() -> None:
    database, switch, controller = node()
    switch.say(120.0, "timeval", "Unreasonably long 14000ms poll interval (13000ms user, 9ms system)", "WARN")
    text = f"{MGMT}: no response to inactivity probe after 5 seconds, disconnecting"
    controller.say(118.0, "rconn", text, "ERR").say(121.0, "rconn", f"{MGMT}: connecting...")
    controller.say(121.0, "rconn", f"{MGMT}: connected")
    found = one(database, switch, controller)
    assert found.code == "vswitchd-slow"
    assert any("gave up after 5 s" in effect.words for effect in found.effects)


def test_quiesce_blocked_for_long_is_a_hang() -> None:
    database, switch, controller = node()
    switch.say(120.0, "ovs_rcu", "blocked 64000 ms waiting for handler4 to quiesce", "WARN")
    assert one(database, switch, controller).code == "vswitchd-hung"


@pytest.mark.parametrize(
    ("whose", "module", "text", "code"),
    [
        (1, "bridge", "another ovs-vswitchd process is running, disabling this process (pid 7)", "vswitchd-locked-out"),
        (1, "bridge", "failed to create bridge br-int: No such device", "datapath-missing"),
        (0, "ovsdb_log", "/etc/conf.db: write failed (No space left on device)", "database-not-writable"),
        (2, "ovsdb_idl", f"{SOUTHBOUND}: clustered database server has stale data; trying another", "southbound-stale"),
        (
            2,
            "ovsdb_cs",
            f"{SOUTHBOUND}: relay database server is disconnected from the relay source; trying another",
            "relay-cut-off",
        ),
        (2, "ovsdb_cs", f"{SOUTHBOUND}: server does not have OVN_Southbound database", "southbound-wrong-address"),
        (2, "main", "controller version - 1 mismatch with northd version - 2", "northd-version-mismatch"),
        (2, "chassis", "Need to specify an encap type and ip", "chassis-unconfigured"),
        (2, "stream_ssl", "SSL_connect: error:0A000086:SSL routines::certificate verify failed", "tls-failed"),
        (2, "stream_ssl", "SSL_read: sslv3 alert certificate expired", "certificate-expired"),
        (1, "socket_util", "socket: Too many open files", "descriptors-exhausted"),
        (
            2,
            "patch",
            "bridge not found for l2gateway port 'gw' with network name 'physnet1'",
            "bridge-mapping-wrong",
        ),
        (
            2,
            "vconn",
            f"{MGMT}: version negotiation failed (we support version 0x06, peer supports version 0x01)",
            "bridge-protocols-wrong",
        ),
        (
            2,
            "ovsdb_idl",
            'transaction error: {"details":"Transaction causes multiple rows in \\"Encap\\" table to have identical '
            'values (geneve and \\"10.0.0.7\\") for index on columns \\"type\\" and \\"ip\\".',
            "chassis-conflict",
        ),
        (2, "chassis", "'n1' already has encap ip '10.0.0.7' and type 'geneve', cannot duplicate", "chassis-conflict"),
        (
            0,
            "ovsdb_server",
            "failed to open database '/etc/conf.db': I/O error: /etc/conf.db: error reading 15291 bytes starting at "
            "offset 58 (End of file)",
            "ovsdb-down",
        ),
        (0, "ovsdb_jsonrpc_server", "punix:/n/db.sock: listen failed: Address already in use", "ovsdb-down"),
        (
            0,
            "jsonrpc",
            "sending backlog exceeded maximum number of messages (1001 > 1000), disconnecting, jsonrpc: unix#7.",
            "client-stalled",
        ),
        (1, "daemon_unix", "/run/ovs-vswitchd.pid.tmp: create failed (Permission denied)", "vswitchd-down"),
    ],
)
def test_complaint_names_its_code(whose: int, module: str, text: str, code: str) -> None:
    logs = node()
    logs[whose].say(120.0, module, text, "WARN").say(130.0, "memory", "later")
    found = one(*logs)
    assert (found.code, found.sure) == (code, Sure.CERTAIN)
    assert found.remedy


def test_complaints_that_go_on_are_one_outage() -> None:
    logs = node()
    for at in range(100, 400, 30):
        logs[2].say(float(at), "chassis", "Need to specify an encap type and ip")
    found = one(*logs)
    assert "10 times" in found.words
    assert found.seconds is None


def test_crash_is_told_with_its_signal() -> None:
    database, switch, controller = node()
    controller.say(120.0, "rconn", f"{MGMT}: connection closed by peer")
    text = "1 crashes: pid 77 died, killed (Segmentation fault), core dumped, restarting"
    switch.say(120.0, "daemon_unix(monitor)", text, "ERR").start(120.1)
    switch.say(120.2, "connmgr", 'br-int: added service controller "punix:/n/br-int.mgmt"')
    controller.say(121.0, "rconn", f"{MGMT}: connecting...").say(121.0, "rconn", f"{MGMT}: connected")
    found = one(database, switch, controller)
    assert found.code == "vswitchd-down"
    assert "Segmentation fault" in found.words
    assert "core" in found.remedy


def test_kernel_that_killed_a_daemon() -> None:
    database, switch, controller = node()
    controller.say(120.0, "rconn", f"{MGMT}: connection closed by peer")
    switch.start(125.0).say(125.2, "connmgr", 'br-int: added service controller "punix:/n/br-int.mgmt"')
    controller.say(127.0, "rconn", f"{MGMT}: connecting...").say(127.0, "rconn", f"{MGMT}: connected")
    line = b"2023-11-14T22:15:20.000+0000 h kernel: Out of memory: Killed process 77 (ovs-vswitchd) total-vm:9kB\n"
    found = list(told([database, switch, controller, ("kern.log", line)]).outages)
    assert [each.code for each in found] == ["vswitchd-down"]
    assert "lack of memory" in found[0].words


def test_pause_lasts_until_it_is_resumed() -> None:
    logs = node()
    logs[2].say(120.0, "main", "User triggered execution pause.").say(150.0, "main", "User triggered execution resume.")
    found = one(*logs)
    assert found.code == "controller-paused"
    assert found.seconds == pytest.approx(30.0)


def test_pause_of_northd_ends_with_its_lock() -> None:
    northd = Log("ovn-northd.log").start(-1.0).say(-0.5, "ovn_northd", "ovn-northd lock acquired. Now active.")
    northd.say(120.0, "ovn_northd", "This ovn-northd instance is now paused.")
    northd.say(140.0, "ovn_northd", "ovn-northd lock acquired. Now active.").say(160.0, "memory", "later")
    found = one(*node(), northd)
    assert found.code == "northd-paused"
    assert found.seconds == pytest.approx(20.0)


def refusing(controller: Log, address: str, error: str, module: str, back: float) -> None:
    """A connection that is lost at 120 s, and tried with backoff until ``back``."""
    verb = "connection failed" if module == "rconn" else "connection attempt failed"
    controller.say(120.0, module, f"{address}: connection closed by peer")
    at, step = 121.0, 1
    while at < back:
        controller.say(at, module, f"{address}: connecting...").say(at, module, f"{address}: {verb} ({error})")
        step = min(2 * step, 8)
        controller.say(at, module, f"{address}: waiting {step} seconds before reconnect")
        at += step
    controller.say(at, module, f"{address}: connecting...").say(at, module, f"{address}: connected")


def test_southbound_without_its_log_is_possible_only() -> None:
    logs = node()
    refusing(logs[2], SOUTHBOUND, "Connection refused", "reconnect", 150.0)
    found = one(*logs)
    assert (found.code, found.sure) == ("southbound-down", Sure.POSSIBLE)
    assert "log of the southbound" in found.surer


def test_socket_whose_name_is_gone_while_the_switch_runs() -> None:
    logs = node(until=119.0)
    refusing(logs[2], MGMT, "No such file or directory", "rconn", 150.0)
    logs[1].say(200.0, "memory", "still here")
    assert one(*logs).code == "mgmt-socket-missing"


def test_start_lasts_until_ovn_controller_has_computed() -> None:
    database, switch, controller = node(until=0.4)
    controller.say(40.0, "inc_proc_eng", "node: logical_flow_output, recompute (missing handler) took 38000ms")
    text = "Unreasonably long 39600ms poll interval (38000ms user, 900ms system)"
    controller.say(40.1, "timeval", text, "WARN").say(100.0, "memory", "later")
    found = told([database, switch, controller])
    (start,) = found.starts
    assert start.seconds == pytest.approx(40.1, abs=0.01)
    assert start.share("computing") == pytest.approx(39.75, abs=0.05)
    assert any("38000ms" in event.text for event in start.parts[-1].proof)
    assert [each.code for each in found.outages] == ["controller-slow"]


def test_full_backlog() -> None:
    logs = node()
    refusing(logs[2], MGMT, "Protocol error", "rconn", 125.0)
    assert one(*logs).code == "mgmt-backlog-full"
