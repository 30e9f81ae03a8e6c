"""What daemons say of ports, tunnels, databases and of their own end: a fault, a note, or the daily work of a node."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovsnet import explain
from ovsnet.explain.complaints import COMPLAINTS
from ovsnet.explain.daemons import TITLES, code_of
from ovsnet.explain.kinds import KINDS
from ovsnet.explain.verdicts import Outage
from ovsnet.health.causes import codes
from tests.explain.material import Log, node, told

DEAD = "could not open network device {} (No such device)"
BFD = {
    "3.1": '{}: BFD state change: {}->{} "No Diagnostic"->"Control Detection Time Expired".',
    "3.5": '{}: BFD state change: (bfd.SessionState: {}, bfd.LocalDiag: "No Diagnostic") -> (bfd.SessionState: {}, '
    'bfd.LocalDiag: "Control Detection Time Expired")',
}


def found(*logs: Log) -> list[Outage]:
    return list(told(logs).outages)


def notes(*logs: Log | tuple[str, bytes]) -> str:
    return "\n".join(note.words for note in told(logs).notes)


@pytest.mark.parametrize(("count", "code"), [(2, "ports-without-device"), (100, "ports-left-behind")])
def test_ports_without_a_device_are_named_once_that_lasts(count: int, code: str) -> None:
    logs = node()
    for at in (120.0, 150.0, 190.0, 220.0):
        for number in range(count):
            logs[1].say(at, "bridge", DEAD.format(f"veth{number}"), "WARN")
    logs[1].say(221.0, "memory", "later")
    (outage,) = found(*logs)
    assert (outage.code, outage.seconds) == (code, None)
    assert "veth0, veth1" in outage.words
    assert "No such device" in outage.words


def test_port_of_a_pod_that_goes_is_daily_work() -> None:
    logs = node()
    for number in range(200):
        for pod in (number, number + 30):
            logs[1].say(120.0 + number, "bridge", DEAD.format(f"veth{pod}"), "WARN")
    assert found(*logs) == []


def test_device_of_a_machine_that_is_stopped_each_day_is_daily_work() -> None:
    logs = node()
    for day in range(1, 30):
        for second in range(3):
            logs[1].say(86400.0 * day + second, "bridge", DEAD.format("tap1"), "WARN")
    assert found(*logs) == []


def test_device_that_comes_late_at_each_boot_is_daily_work() -> None:
    database, switch, controller = node()
    for boot in range(1, 8):
        switch.start(boot * 1000.0).say(boot * 1000.0 + 1, "bridge", DEAD.format("ens5"), "WARN")
        switch.say(boot * 1000.0 + 2, "connmgr", 'br-int: added service controller "punix:/n/br-int.mgmt"')
    assert not any("port" in each.code for each in found(database, switch, controller))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("Address family not supported by protocol", "tunnels-failed"),
        ("Device or resource busy", "device-taken"),
        ("Invalid argument", "ports-without-device"),
    ],
)
def test_port_that_could_not_be_added_has_the_code_of_its_error(error: str, code: str) -> None:
    logs = node()
    for at in (120.0, 151.0, 182.0):
        logs[1].say(at, "bridge", f"could not add network device p1 to ofproto ({error})", "WARN")
    assert [each.code for each in found(*logs)] == [code]


def test_bridge_of_a_mapping_that_stays_away() -> None:
    logs = node()
    for at in range(120, 200, 10):
        logs[2].say(float(at), "patch", "Bridge 'br-ex' not found for network 'physnet1'", "WARN")
    assert [each.code for each in found(*logs)] == ["bridge-mapping-wrong"]


@pytest.mark.parametrize("words", BFD.values(), ids=BFD)
@pytest.mark.parametrize(("seconds", "code"), [(90.0, ["tunnels-down"]), (20.0, [])])
def test_tunnel_without_a_path_is_a_fault_once_that_lasts(words: str, seconds: float, code: list[str]) -> None:
    logs = node()
    for at, before, after in (120.0, "up", "down"), (119.0 + seconds, "down", "init"), (120.0 + seconds, "init", "up"):
        logs[1].say(at, "bfd", words.format("ovn-n2-0", before, after))
    logs[1].say(300.0, "memory", "later")
    assert [each.code for each in found(*logs)] == code
    assert all(each.seconds == pytest.approx(seconds) for each in found(*logs))


def test_tunnel_that_was_deleted_lacks_no_path() -> None:
    logs = node()
    logs[1].say(120.0, "bfd", BFD["3.5"].format("ovn-n2-0", "up", "down"))
    logs[1].say(130.0, "bridge", "bridge br-int: deleted interface ovn-n2-0 on port 7").say(900.0, "memory", "later")
    assert found(*logs) == []


@pytest.mark.parametrize(
    "text",
    [
        "upcall: datapath reached the dynamic limit of 2000 flows.",
        "upcall: datapath flow limit reached",  # before Open vSwitch 2.15
    ],
)
@pytest.mark.parametrize(("times", "code"), [(1, []), (10, ["flow-limit-reached"])])
def test_limit_of_flows_that_is_met_once_is_daily_work(times: int, code: list[str], text: str) -> None:
    logs = node()
    for number in range(times):
        logs[1].say(120.0 + 10 * number, "ofproto_dpif_upcall(handler5)", text, "WARN")
    assert [each.code for each in found(*logs)] == code


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("util", "ofproto/ofproto.c:4321: assertion !rule->removed failed in ofproto_rule_ref()"),
        ("ovs_thread", "pthread_create failed: Resource temporarily unavailable"),
    ],
)
def test_last_word_of_a_process_is_the_reason_of_its_end(module: str, text: str) -> None:
    database, switch, controller = node()
    switch.say(120.0, module, text, "EMER").start(121.0)
    switch.say(121.2, "connmgr", 'br-int: added service controller "punix:/n/br-int.mgmt"')
    (outage,) = found(database, switch, controller)
    assert outage.code == "vswitchd-down"
    assert text in outage.words
    assert ("TasksMax" in outage.remedy) == (module == "ovs_thread")


def test_what_dpdk_calls_an_emergency_ends_nothing() -> None:
    logs = node()
    logs[1].say(120.0, "dpdk", "EAL: Cannot allocate memzone list", "EMER").say(200.0, "memory", "later")
    assert found(*logs) == []


def test_client_that_speaks_another_version_is_a_stranger() -> None:
    logs = node()
    text = "br-int<->unix#5: version negotiation failed (we support version 0x06, peer supports version 0x01)"
    logs[1].say(120.0, "vconn", text, "WARN")
    assert found(*logs) == []


@pytest.mark.parametrize(
    ("whose", "module", "text", "words"),
    [
        (
            0,
            "ovsdb_server",
            "I/O error: t.db: error reading 165 bytes starting at offset 15405 (End of file)",
            "ovsdb-server dropped the damaged end of t.db",
        ),
        (
            2,
            "patch",
            "bridge not found for localnet port 'ln' with network name 'physnet1'; skipping",
            "no bridge for the network physnet1 of port ln",
        ),
        (
            1,
            "ovsdb_idl",
            "Interface table in Open_vSwitch database lacks x column (database needs upgrade?)",
            "ovs-vswitchd misses the x column in the Open_vSwitch database",
        ),
        (
            0,
            "ovsdb_jsonrpc_server",
            "ptcp:6640: listen failed: Address already in use",
            "could not listen on ptcp:6640",
        ),
    ],
)
def test_line_that_proves_no_outage_is_a_note(whose: int, module: str, text: str, words: str) -> None:
    logs = node()
    logs[whose].say(120.0, module, text, "WARN").say(130.0, "memory", "later")
    assert found(*logs) == []
    assert words in notes(*logs)


def test_schema_that_ovn_northd_finds_too_old() -> None:
    northd = Log("ovn-northd.log").start(-1.0)
    text = "Port_Binding table in OVN_Southbound database lacks up column (database needs upgrade?)"
    northd.say(120.0, "ovsdb_idl", text, "WARN").say(200.0, "memory", "later")
    assert [each.code for each in found(*node(), northd)] == ["schema-old"]


@pytest.mark.parametrize(
    ("error", "code"), [("Address already in use", ["southbound-down"]), ("Cannot assign requested address", [])]
)
def test_address_that_moves_between_hosts_is_no_fault_where_it_is_not(error: str, code: list[str]) -> None:
    server = Log("ovsdb-server-sb.log").start(-1.0)
    server.say(120.0, "ovsdb_jsonrpc_server", f"ptcp:6642:10.0.0.9: listen failed: {error}", "ERR")
    server.say(200.0, "memory", "later")
    assert [each.code for each in found(*node(), server)] == code


def test_lock_that_no_ovn_northd_took() -> None:
    logs = [Log(f"{name}/ovn-northd.log").start(-1.0) for name in ("n1", "n2")]
    logs[0].say(120.0, "ovn_northd", "ovn-northd lock lost. This ovn-northd instance is now on standby.")
    for log in logs:
        log.say(400.0, "memory", "later")
    assert [each.code for each in found(*node(), *logs)] == ["northd-behind"]
    assert "lost its lock" in notes(*node(), logs[0])
    again = Log(logs[0].name).start(-1.0)
    again.lines = list(logs[0].lines)
    again.lines.insert(2, logs[0].lines[1].replace("22:15:20", "22:15:25").replace("lost", "acquired"))
    assert "lost its lock" not in notes(*node(), again)
    logs[1].lines.insert(1, logs[0].lines[1].replace("lock lost", "lock acquired"))
    assert found(*node(), *logs) == []


def test_each_code_of_a_complaint_is_a_live_one_and_each_kind_is_declared() -> None:
    assert {each.code for each in COMPLAINTS.values() if each.code} <= set(codes())
    assert set(COMPLAINTS) <= {kind.name for kind in KINDS} | {"descriptors", "conntrack-full"}


NO_LINE = {
    "a fault of ovsnet, or of its view of the node": {
        *("permission-denied", "misconfigured", "name-unresolved", "not-visible", "socket-mounted", "protocol-error"),
        *(
            "host-unfit",
            "bridge-missing",
            "wrong-bridge",
            "process-unseen",
            "self-out-of-descriptors",
            "protocol-flood",
        ),
        *("self-out-of-memory", "ovsnet-fault", "check-failed", "connection-closed"),
    },
    "no daemon logs it": {
        *("socket-missing", "flow-restore-wait", "flows-missing", "encap-address-missing", "datapaths-differ"),
        *("bridge-fails-open", "controller-behind", "chassis-behind", "upcalls-lost", "memory-short"),
        *("log-not-compacted", "certificate-not-loaded", "certificate-expires", "database-socket-missing"),
        "database-incomplete",  # of the failed write itself there is a line, which is database-not-writable
    },
    "reported as each of its restarts, or as the connection that lacks": {
        *("ovsdb-restarting", "vswitchd-restarting", "controller-restarting", "vswitchd-not-connected"),
        *("controller-not-connected", "northd-restarting"),
    },
    "reported as the conflict that is logged: whose chassis it is no daemon logs": {"chassis-left-behind"},
    "of the central host: the codes of its peers, and notes on elections, say it": {
        f"{name}-{what}"
        for name in ("nb", "sb")
        for what in ("down", "hung", "slow", "joining", "leaderless", "restarting", "elections", "member-away")
    },
}


def test_each_code_of_the_live_diagnosis_is_given_or_has_a_reason_why_not() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(explain.__file__).parent.glob("*.py"))
    given = {code for code in codes() if f'"{code}"' in sources}
    given |= {code_of(daemon, verdict) for daemon in TITLES for verdict in ("down", "hung", "slow")}
    given |= {"ovsdb-backlog-full", "mgmt-backlog-full", "controller-paused", "northd-paused"}
    assert set(codes()) - given - set().union(*NO_LINE.values()) == set()


def test_certificate_of_an_authority_of_the_same_name_and_another_key_is_a_failure_of_tls() -> None:
    southbound = Log("ovsdb-server-sb.log").start(0.0)
    southbound.say(50.0, "stream_ssl", "SSL_accept: error:06880006:asn1 encoding routines::EVP lib", "WARN")
    assert [each.code for each in told([southbound.say(100.0, "memory", "cells:1")]).outages] == ["tls-failed"]


def test_certificate_that_ended_is_told_by_the_alert_that_one_of_several_attempts_read() -> None:
    """As Open vSwitch 3.5 and OVN 25.03 log it: a client that writes before it reads loses the alert."""
    database, switch, controller = node()
    southbound = Log("ovsdb-server-sb.log").start(0.0)
    remote = "ssl:10.0.0.1:6642"
    for at in (50.0, 54.0):
        controller.say(at, "reconnect", f"{remote}: connecting...").say(at, "reconnect", f"{remote}: connected")
        southbound.say(at, "stream_ssl", "SSL_accept: error:0A000086:SSL routines::certificate verify failed", "WARN")
        pipe = "SSL_write: error:FFFFFFFF80000020:system library::Broken pipe"
        alert = "SSL_read: error:0A000415:SSL routines::ssl/tls alert certificate expired"
        controller.say(at + 0.01, "stream_ssl", pipe if at == 50.0 else alert, "WARN")
        controller.say(at + 0.01, "reconnect", f"{remote}: connection dropped (Input/output error)", "WARN")
    southbound.say(100.0, "memory", "cells:1")
    assert [each.code for each in told([database, switch, southbound]).outages] == ["tls-failed"]
    (outage,) = told([database, switch, controller, southbound]).outages
    assert (outage.code, outage.daemon) == ("certificate-expired", "ovn-controller")
    assert "alert certificate expired" in outage.words
