"""Lines made to hurt: numbers without end, names without number, more than is kept, and what is not an incident."""

from __future__ import annotations

import json
import sys

import pytest

from ovsnet.explain.answer import document
from ovsnet.explain.clock import Zone, stamp
from ovsnet.explain.pods import pods
from ovsnet.explain.reader import SOURCES, Reader
from tests.explain.material import EPOCH, MGMT, SOUTHBOUND, Log, node, told

DIGITS = [400, sys.get_int_max_str_digits() + 1]


def codes(*logs: Log | tuple[str, bytes]) -> list[str]:
    return [each.code for each in told(logs).outages]


@pytest.mark.parametrize("digits", DIGITS)
@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("timeval", "Unreasonably long {n}ms poll interval ({n}ms user, 1ms system)"),
        ("ovs_rcu", "blocked {n} ms waiting for handler4 to quiesce"),
        ("inc_proc_eng", "node: x, recompute took {n}ms"),
        ("rconn", f"{MGMT}: no response to inactivity probe after {{n}} seconds, disconnecting"),
        ("rconn", f"{MGMT}: waiting 1e{{n}} seconds before reconnect"),
        ("ofproto", "Dropped {n} log messages in last {n} seconds"),
        ("raft", "term {n}: {n} ms timeout expired, starting election"),
    ],
)
def test_number_without_end_is_no_number(digits: int, module: str, text: str) -> None:
    logs = node()
    for log in logs:
        log.say(120.0, module, text.format(n="9" * digits), "WARN").say(130.0, "memory", "later")
    json.dumps(document(told(logs)))


@pytest.mark.parametrize("digits", DIGITS)
def test_line_whose_own_number_has_no_end(digits: int) -> None:
    database, switch, controller = node()
    log = switch.text + switch.text.replace(b"|00001|", b"|" + b"9" * digits + b"|")
    json.dumps(document(told([database, (switch.name, log), controller])))


@pytest.mark.parametrize("line", [b'{"a":' * 5000, b"[" * 5000, b'{"__REALTIME_TIMESTAMP": "\xc2\xb2", "MESSAGE": "'])
def test_json_that_nests_without_end(line: bytes) -> None:
    reader = Reader("x", Zone())
    reader.feed(b"{" + line + b"|00001|vlog|INFO|opened log file /x\n")
    reader.end()


def test_senders_without_number_are_one() -> None:
    reader = Reader("x", Zone())
    for number in range(3 * SOURCES):
        head = f"2026-11-25T23:30:02.114Z h{number} ovs-vswitchd[7]: ovs"
        reader.feed(f"{head}|00012|rconn|INFO|{MGMT}: connection closed by peer\n".encode())
    reader.end()
    assert len(reader.sources) <= SOURCES + 1


@pytest.mark.parametrize("text", ["Warning x" + " " * 100_000, "kubelet Liveness probe failed: x " * 20_000])
def test_wide_description_takes_no_time(text: str) -> None:
    """Ten thousand times the width costs ten thousand times the work, not its square."""
    found, words = pods("x", f"Namespace: x\n{text}", Zone())
    assert (found, len(words)) == ([], 0)


def test_complaint_that_was_counted_lasts_until_the_last_of_them() -> None:
    database, switch, controller = node()
    for number in range(500):
        controller.say(120.0 + number, "chassis", "Need to specify an encap type and ip", "WARN")
    controller.say(2000.0, "memory", "later")
    (found,) = told([database, switch, controller]).outages
    assert found.code == "chassis-unconfigured"
    assert found.seconds == pytest.approx(499.0)
    assert "500 times" in found.words


def test_connection_that_flaps_more_often_than_is_kept_is_noted() -> None:
    database, switch, controller = node()
    for number in range(3000):
        controller.say(120.0 + 10 * number, "reconnect", f"{SOUTHBOUND}: connecting...")
        controller.say(120.1 + 10 * number, "reconnect", f"{SOUTHBOUND}: connected")
    assert any("counted, not followed" in note.words for note in told([database, switch, controller]).notes)


def test_member_of_each_host_of_a_cluster_has_a_history_of_its_own() -> None:
    """Their logs bear the same name, and their lines have like numbers."""
    logs = []
    for host in range(3):
        log = Log("ovsdb-server-sb.log").start(float(host))
        for number in range(200):
            log.say(10.0 + number * 3 + host, "raft", f"term {number}: 1000 ms timeout expired, starting election")
        logs.append((f"central{host}/{log.name}", log.text))
    found = told(logs)
    assert sorted(each.node for each in found.daemons) == ["central0", "central1", "central2"]
    assert [each.code for each in found.outages] == ["sb-leaderless"]


def test_log_of_which_no_line_counts_shows_that_its_daemon_ran() -> None:
    """A connection that was lost and made again is not an outage of a switch that ran all the time."""
    database, switch, controller = node()
    quiet = b"".join(
        line for line in (switch.text + Log("x").say(500.0, "memory", "later").text).splitlines(keepends=True)
        if b"|memory|" in line
    )  # fmt: skip
    quiet = b"2023-11-14T22:13:20.000Z|00500|memory|INFO|rules:3\n" + quiet
    controller.say(120.0, "rconn", f"{MGMT}: connection closed by peer")
    controller.say(121.0, "rconn", f"{MGMT}: connecting...").say(121.0, "rconn", f"{MGMT}: connected")
    controller.say(400.0, "memory", "later")
    assert codes(database, ("ovs-vswitchd.log", quiet), controller) == []
    assert codes(database, controller) == ["vswitchd-down"]


def test_pause_ends_with_its_process() -> None:
    database, switch, controller = node()
    controller.say(120.0, "main", "User triggered execution pause.")
    controller.start(150.0).say(150.1, "main", "OVN internal version is : [23.03.1]")
    controller.say(150.2, "rconn", f"{MGMT}: connecting...").say(150.3, "rconn", f"{MGMT}: connected")
    controller.say(400.0, "memory", "later")
    found = [each for each in told([database, switch, controller]).outages if each.code == "controller-paused"]
    assert [each.seconds for each in found] == [pytest.approx(30.0, abs=0.5)]


def test_northd_that_refuses_a_database_is_not_connected() -> None:
    northd = Log("ovn-northd.log").start(-1.0)
    text = "tcp:10.0.0.1:6641: clustered database server is disconnected from cluster; trying another server"
    northd.say(120.0, "ovsdb_cs", text, "WARN").say(200.0, "memory", "later")
    assert codes(*node(), northd) == ["northd-not-connected"]


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("stream_ssl", "SSL_accept: error:0A00010B:SSL routines::wrong version number"),
        ("stream_ssl", "SSL_accept: unexpected SSL connection close"),
        ("daemon_unix", "/run/ovs-vswitchd.pid: stale pidfile for pid 7 being deleted by pid 9"),
    ],
)
def test_stranger_at_a_port_is_no_incident(module: str, text: str) -> None:
    logs = node()
    logs[0].say(120.0, module, text, "WARN").say(200.0, "memory", "later")
    assert codes(*logs) == []


def test_container_whose_journal_bears_its_id_is_known_by_its_lines() -> None:
    lines = [
        json.dumps({"MESSAGE": line, "SYSLOG_IDENTIFIER": "3f9a0c", "__REALTIME_TIMESTAMP": str(int(EPOCH * 1e6))})
        for line in node()[1].lines
    ]
    found = told([("journal", "\n".join(lines).encode())])
    assert [each.daemon for each in found.sources] == ["ovs-vswitchd"]


def test_kernel_in_a_journal_of_json() -> None:
    line = {
        "MESSAGE": "Out of memory: Killed process 77 (ovs-vswitchd) total-vm:9kB",
        "_HOSTNAME": "n1",
        "SYSLOG_IDENTIFIER": "kernel",
        "__REALTIME_TIMESTAMP": str(int((EPOCH + 130) * 1e6)),
    }
    assert codes(*node(), ("journal", json.dumps(line).encode())) == ["vswitchd-down"]


def test_clock_that_was_set_back_after_the_boot_is_no_restart() -> None:
    """A machine whose clock is an hour ahead until NTP has set it."""
    logs = []
    for log in node(until=0.4):
        rows = [row.replace(b"T22:13:", b"T23:13:") for row in log.text.splitlines(keepends=True)]
        later = Log(log.name)
        later.lines = [f"{stamp(EPOCH + 30 * n)}|{n + 20:05}|memory|INFO|rules:3" for n in range(1, 300)]
        logs.append((log.name, b"".join(rows) + later.text))
    found = told(logs)
    assert [each.code for each in found.outages] == []
    assert len(found.starts) == 1
    assert sum("went back" in note.words for note in found.notes) == 3


def test_end_of_a_line_that_a_runtime_quotes_is_no_part_of_it() -> None:
    line = f"2026-11-25T23:30:02.000+0000 h kernel: Out of memory: Killed process 77 (ovs-vswitchd){' ' * 9}\nmore\n"
    reader = Reader("x", Zone())
    reader.feed(json.dumps({"log": line, "time": "2026-11-25T23:30:03Z"}).encode() + b"\n")
    assert [event.text.count("\n") for event in reader.events] == [0]
