"""What the time of a start went to: the socket that was not there is no backoff."""

from __future__ import annotations

import pytest

from tests.explain.material import MGMT, SOUTHBOUND, Log, node, told
from tests.explain.test_losses import LISTENS, refused

BACK = 63.34
"""The attempts are made at 0.34, 1.34, 3.34, 7.34 s and every eight seconds from then on."""


def controller() -> Log:
    log = Log("ovn-controller.log").start(0.3).say(0.31, "main", "OVN internal version is : [23.03.1]")
    log.say(0.32, "reconnect", f"{SOUTHBOUND}: connecting...").say(0.33, "reconnect", f"{SOUTHBOUND}: connected")
    return refused(log, 0.34, BACK - 0.1).say(100.0, "memory", "later")


def test_only_the_last_step_is_backoff_where_no_socket_was_there() -> None:
    found = told([controller()])
    (start,) = found.starts
    assert [part.cause for part in start.parts] == ["socket", "backoff"]
    assert start.share("socket") == pytest.approx(BACK - 8 - 0.3, abs=0.01)
    assert start.share("backoff") == pytest.approx(8.0, abs=0.01)
    assert "No such file or directory" in start.parts[0].words
    assert any("the log of ovs-vswitchd shows why" in words for words in start.faster)
    assert not found.outages


def test_attempts_that_leave_no_line_failed_too() -> None:
    log = controller()
    failures = [number for number, line in enumerate(log.lines) if "connection failed" in line]
    log.lines = [line for number, line in enumerate(log.lines) if number not in failures[4:]]
    (start,) = told([log]).starts
    assert start.share("backoff") == pytest.approx(8.0, abs=0.01)


def test_socket_that_is_gone_from_the_start_on_is_missing() -> None:
    database, switch, _ = node()
    found = told([database, switch, controller()])
    assert [each.code for each in found.outages] == ["mgmt-socket-missing"]
    (start,) = found.starts
    assert start.share("socket") == pytest.approx(BACK - 8 - 0.3, abs=0.05)
    assert start.share("backoff") == pytest.approx(8.0, abs=0.01)


def test_switch_that_ran_for_long_is_no_excuse_for_a_socket_that_is_missing() -> None:
    database, switch, _ = node()
    rows = [log.text.splitlines(keepends=True)[-1] for log in (database, switch)]
    logs = [(log.name, b"2023-11-14T22:00:00.000Z|00400|memory|INFO|x\n" + row) for log, row in
            zip((database, switch), rows, strict=True)]  # fmt: skip
    assert [each.code for each in told([*logs, controller()]).outages] == ["mgmt-socket-missing"]


def test_switch_that_was_late_explains_the_wait_itself() -> None:
    """The socket was there for the last part of a step."""
    database, _, _ = node()
    switch = Log("ovs-vswitchd.log").start(0.1).say(0.11, "reconnect", "unix:/n/db.sock: connecting...")
    switch.say(0.12, "reconnect", "unix:/n/db.sock: connected").say(58.0, "connmgr", LISTENS)
    found = told([database, switch.say(100.0, "memory", "later"), controller()])
    (start,) = found.starts
    assert start.share("socket") == 0
    assert start.share("switch") == pytest.approx(57.7, abs=0.01)
    assert start.share("backoff") == pytest.approx(BACK - 58.0, abs=0.05)
    assert not found.outages


def test_socket_that_is_refused_for_good_has_no_end() -> None:
    log = controller()
    log.lines = [line for line in log.lines if "connected" not in line or MGMT not in line]
    (start,) = told([log]).starts
    assert start.missing == "ovn-controller never reached br-int.mgmt"


def test_controller_that_ran_and_was_started_again_was_not_started_late() -> None:
    """It was waiting out the longest step of its backoff, which it does not log, when it was told to exit."""
    database, switch, controller = node()
    database.say(400.0, "memory", "later")
    controller.say(120.0, "rconn", f"{MGMT}: connection closed by peer")
    for at in (121.0, 123.0, 127.0):
        controller.say(at, "rconn", f"{MGMT}: connecting...")
        controller.say(at, "rconn", f"{MGMT}: connection failed (Connection refused)", "WARN")
    text = "continuing to retry connections in the background but suppressing further logging"
    controller.say(127.0, "rconn", f"{MGMT}: {text}")
    switch.start(128.0).say(128.01, "reconnect", "unix:/n/db.sock: connecting...")
    switch.say(128.02, "reconnect", "unix:/n/db.sock: connected").say(128.1, "connmgr", LISTENS)
    switch.say(128.11, "bridge", "ovs-vswitchd (Open vSwitch) 3.1.0").say(400.0, "memory", "later")
    controller.say(160.0, "fatal_signal(urcu1)", "terminating with signal 15 (Terminated)", "WARN")
    controller.start(172.0).say(172.1, "main", "OVN internal version is : [23.03.1]")
    controller.say(172.2, "reconnect", f"{SOUTHBOUND}: connecting...")
    controller.say(172.3, "reconnect", f"{SOUTHBOUND}: connected")
    controller.say(172.4, "rconn", f"{MGMT}: connecting...").say(172.5, "rconn", f"{MGMT}: connected")
    controller.say(400.0, "memory", "later")
    _, start = told([database, switch, controller]).starts
    assert "order" not in [part.cause for part in start.parts]
    assert start.share("controller-again") == pytest.approx(43.9, abs=0.2)
    assert not any("start the daemons together" in words for words in start.faster)
