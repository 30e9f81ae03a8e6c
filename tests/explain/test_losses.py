"""Connections that are refused: what a piece of one log says, and which errors say nothing of the process at the other
end."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from ovsnet.explain.answer import Answer
from ovsnet.explain.clock import Zone
from ovsnet.explain.read import explain
from ovsnet.explain.verdicts import Outage, Sure
from tests.explain.material import LOGS, MGMT, SOUTHBOUND, Log, node, told

NO_FILE = "No such file or directory"
LISTENS = 'br-int: added service controller "punix:/n/br-int.mgmt"'
SUPPRESSED = "continuing to retry connections in the background but suppressing further logging"


def refused(log: Log, since: float, back: float, error: str = NO_FILE, address: str = MGMT) -> Log:
    """The lines of rconn, from the first attempt to the one that succeeds: at the longest step only failures are
    logged (lib/rconn.c, reconnect())."""
    at, step = since, 1
    while at < back:
        if step < 8:
            log.say(at, "rconn", f"{address}: connecting...")
        log.say(at, "rconn", f"{address}: connection failed ({error})", "WARN")
        if step in (2, 4):
            log.say(at, "rconn", f"{address}: waiting {step} seconds before reconnect")
        elif step == 8 and not any(SUPPRESSED in line for line in log.lines):
            log.say(at, "rconn", f"{address}: {SUPPRESSED}")
        at += step
        step = min(2 * step, 8)
    return log.say(at, "rconn", f"{address}: connected")


def fragment(name: str = "x.txt") -> Log:
    """From the middle of a log of ovn-controller."""
    log = Log(name)
    log.lines.append("2023-11-14T22:13:19.000Z|00040|memory|INFO|lflows:3")
    log._number = 40
    return refused(log, 0.0, 120.0)


def only(found: Answer) -> Outage:
    (outage,) = found.outages
    return outage


def read(path: str, text: bytes = b"") -> Answer:
    return explain([path], io.BytesIO(text), Zone(0, 2023), lambda name, count: None)


@pytest.mark.parametrize("name", ["x.txt", "ovn-controller.log", "-"])
def test_lines_on_the_socket_alone_are_an_answer(tmp_path: Path, name: str) -> None:
    text = fragment().text
    (tmp_path / name).write_bytes(text)
    found = read("-" if name == "-" else str(tmp_path / name), text)
    outage = only(found)
    assert (outage.code, outage.sure) == ("vswitchd-down", Sure.POSSIBLE)
    assert outage.surer == "the log of ovs-vswitchd"
    assert "1, 2, 4 and 8 s" in outage.words
    assert {each.daemon for each in found.sources} == {"ovn-controller"}
    assert any("taken for ovn-controller" in note.words for note in found.notes) == (name != "ovn-controller.log")


def test_piece_of_a_real_log_is_an_answer(tmp_path: Path) -> None:
    rows = (LOGS / "socket-moved-away" / "ovn-controller.log").read_bytes().splitlines(keepends=True)
    (tmp_path / "x.txt").write_bytes(b"".join(row for row in rows[46:] if b"|rconn|" in row))
    outage = only(read(str(tmp_path / "x.txt")))
    assert (outage.code, outage.sure) == ("vswitchd-down", Sure.POSSIBLE)
    assert outage.seconds == pytest.approx(31.2, abs=0.1)


def test_one_line_that_was_pasted_is_an_answer() -> None:
    line = f"2023-11-14T22:15:20.123Z|00061|rconn|WARN|{MGMT}: connection failed ({NO_FILE})\n"
    outage = only(read("-", line.encode()))
    assert (outage.code, outage.sure, outage.seconds) == ("vswitchd-down", Sure.POSSIBLE, None)


@pytest.mark.parametrize(
    ("address", "module", "daemon", "code"),
    [
        (SOUTHBOUND, "reconnect", "ovn-controller", "southbound-down"),
        ("unix:/n/db.sock", "reconnect", "ovs-vswitchd", "ovsdb-down"),
        ("tcp:10.0.0.1:6641", "reconnect", "ovn-northd", "nb-down"),
    ],
)
def test_whose_lines_they_are_is_known_by_whom_they_name(address: str, module: str, daemon: str, code: str) -> None:
    log = Log("x.txt")
    log._number = 40
    for at in (0.0, 1.0, 3.0, 7.0):
        log.say(at, module, f"{address}: connecting...")
        log.say(at, module, f"{address}: connection attempt failed (Connection refused)")
    found = told([log])
    assert [each.daemon for each in found.sources] == [daemon]
    assert only(found).code == code


def test_clients_of_a_server_do_not_say_whose_lines_they_are() -> None:
    log = Log("x.txt").say(0.0, "rconn", "br-int<->unix#7: connection closed by peer")
    assert told([log]).sources == []


def test_fragment_beside_the_log_it_is_from_makes_no_second_node() -> None:
    assert {each.node for each in told([*node(), fragment()]).daemons} == {""}


def test_fragment_beside_the_log_of_a_switch_that_ran_misses_the_socket() -> None:
    switch = Log("ovs-vswitchd.log").start(-900.0).say(-899.0, "connmgr", LISTENS).say(300.0, "memory", "later")
    assert only(told([switch, fragment()])).code == "mgmt-socket-missing"


ERRORS = [
    ("Permission denied", "controller-not-connected"),
    ("Operation not permitted", "controller-not-connected"),
    ("Too many open files", "descriptors-exhausted"),
    ("Too many open files in system", "descriptors-exhausted"),
    ("Connection timed out", "controller-not-connected"),
]


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize(("error", "code"), ERRORS)
def test_error_of_the_client_does_not_end_the_switch(error: str, code: str, beside: bool) -> None:
    database, switch, controller = node(until=119.0)
    controller.say(120.0, "rconn", f"{MGMT}: connection dropped (Connection reset by peer)")
    refused(controller, 121.0, 160.0, error).say(300.0, "memory", "later")
    switch.say(300.0, "memory", "later")
    outage = only(told([database, switch, controller] if beside else [database, controller]))
    assert (outage.code, outage.daemon) == (code, "ovn-controller")


def test_socket_that_may_not_be_opened_is_named_with_what_to_look_at() -> None:
    database, switch, controller = node(until=119.0)
    refused(controller, 121.0, 160.0, "Permission denied")
    switch.say(300.0, "memory", "later")
    outage = only(told([database, switch, controller]))
    assert (outage.sure, outage.surer) == (Sure.CERTAIN, "")
    assert "not allowed to open /n/br-int.mgmt" in outage.words
    assert "namei -l /n/br-int.mgmt" in outage.remedy


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NO_FILE, "socket-missing"),
        ("Connection refused", "socket-missing"),
        ("Permission denied", "vswitchd-not-connected"),
        ("Connection timed out", "database-unreachable"),
    ],
)
def test_database_whose_own_log_goes_on_is_not_down(error: str, code: str) -> None:
    database, switch, controller = node(until=119.0)
    for at in (121.0, 123.0, 127.0, 135.0):
        switch.say(at, "reconnect", "unix:/n/db.sock: connecting...")
        switch.say(at, "reconnect", f"unix:/n/db.sock: connection attempt failed ({error})")
    switch.say(143.0, "reconnect", "unix:/n/db.sock: connected").say(300.0, "memory", "later")
    database.say(300.0, "memory", "later")
    assert only(told([database, switch, controller])).code == code


def test_switch_that_ended_in_between_is_down() -> None:
    database, switch, controller = node(until=119.0)
    controller.say(120.0, "rconn", f"{MGMT}: connection closed by peer")
    refused(controller, 121.0, 160.0).say(300.0, "memory", "later")
    switch.say(120.0, "fatal_signal", "terminating with signal 15 (Terminated)", "WARN").start(150.0)
    switch.say(150.2, "connmgr", LISTENS).say(300.0, "memory", "later")
    assert only(told([database, switch, controller])).code == "vswitchd-down"


def test_second_process_that_finds_the_first_one_running_is_a_note() -> None:
    """It writes into the log of the first one, whose numbers go on."""
    database, switch, controller = node()
    second = Log(switch.name).start(120.0)
    second.say(120.0, "daemon_unix", "/n/ovs-vswitchd.pid: already running as pid 77, aborting", "EMER")
    switch.lines += second.lines
    for log in (database, switch, controller):
        log.say(300.0, "memory", "later")
    found = told([database, switch, controller])
    assert not found.outages
    assert len(found.starts) == 1
    assert [note.words for note in found.notes if "line numbers" in note.words] == []
    assert any("second ovs-vswitchd" in note.words and "process 77" in note.words for note in found.notes)


def test_process_that_may_not_follow_one_that_ended_is_an_outage() -> None:
    """What holds the pidfile is not the process whose end was logged just before."""
    database, switch, controller = node()
    switch.say(120.0, "fatal_signal", "terminating with signal 15 (Terminated)", "WARN").start(121.0)
    switch.say(121.0, "daemon_unix", "/n/ovs-vswitchd.pid: already running as pid 77, aborting", "EMER")
    for log in (database, controller):
        log.say(300.0, "memory", "later")
    assert [each.code for each in told([database, switch, controller]).outages] == ["vswitchd-down"]


def test_bridge_that_cannot_be_made_takes_its_socket_along() -> None:
    """As when its datapath is of an unknown type: the switch runs, and may log nothing more."""
    database, switch, controller = node(until=119.0)
    switch.say(120.0, "bridge", "failed to create bridge br-int: Address family not supported by protocol", "ERR")
    switch.say(120.1, "bridge", "failed to create bridge br-int: Address family not supported by protocol", "ERR")
    refused(controller, 120.0, 160.0)
    database.say(300.0, "memory", "later")
    (found,) = told([database, switch, controller]).outages
    assert (found.code, found.ended) == ("datapath-missing", None)


@pytest.mark.parametrize("blocked", [True, False])
def test_who_was_blocked_itself_does_not_accuse_its_peer(*, blocked: bool) -> None:
    """A probe is found unanswered before the answer is read."""
    database, switch, controller = node()
    if blocked:
        stall = "Unreasonably long 15071ms poll interval (351ms user, 3ms system)"
        controller.say(120.0, "timeval", stall, "WARN")
    lost = f"{MGMT}: no response to inactivity probe after 16 seconds, disconnecting"
    controller.say(120.1, "rconn", lost, "ERR")
    switch.say(200.0, "memory", "handlers:1")
    assert only(told([database, switch, controller])).code == ("controller-hung" if blocked else "vswitchd-hung")


@pytest.mark.parametrize(("user", "code"), [(3, "vswitchd-hung"), (9000, "vswitchd-slow")])
def test_silent_peer_is_slow_only_if_it_worked(user: int, code: str) -> None:
    """Its client gave up in the middle of the stall that it logged afterwards, so both rules speak of it."""
    database, switch, controller = node()
    controller.say(110.0, "rconn", f"{MGMT}: no response to inactivity probe after 5 seconds, disconnecting", "ERR")
    stall = f"Unreasonably long 12000ms poll interval ({user}ms user, 3ms system)"
    switch.say(112.5, "timeval", stall, "WARN").say(200.0, "memory", "handlers:1")
    assert only(told([database, switch, controller])).code == code
