"""Which lines belong together."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from ovsnet.explain.answer import Answer
from ovsnet.explain.clock import stamp
from ovsnet.explain.daemons import OVSDB, stem
from ovsnet.explain.history import History
from tests.explain.material import EPOCH, MGMT, SOUTHBOUND, Log, node, told


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("/var/log/ovn/ovn-controller.log", "ovn-controller"),
        ("ovs-vswitchd.log.1", "ovs-vswitchd"),
        ("ovs-vswitchd.log.12.gz", "ovs-vswitchd"),
        ("ovs-vswitchd.log-20261125.xz", "ovs-vswitchd"),
        ("ovn-sb1.log", "ovn-sb1"),
        ("ovn-controller/logs/previous.log", "current"),
    ],
)
def test_rotation_adds_nothing_to_a_name(name: str, short: str) -> None:
    assert stem(name) == short


def test_text_in_the_place_of_a_name_costs_no_more_than_a_name() -> None:
    assert stem("9" * 60000 + "x").endswith("9x")


def test_rotated_logs_in_any_order_are_one_history() -> None:
    database, switch, controller = node()
    lines = controller.text.splitlines(keepends=True)
    parts = [("ovn-controller.log", b"".join(lines[4:])), ("ovn-controller.log.1", b"".join(lines[:4]))]
    found = told([*parts, database, switch])
    assert len(found.starts) == 1
    assert found.starts[0].seconds == pytest.approx(0.35, abs=0.01)


def test_two_nodes_side_by_side() -> None:
    logs = [(f"{name}/{log.name}", log.text) for name in ("n1", "n2") for log in node()]
    assert sorted(start.node for start in told(logs).starts) == ["n1", "n2"]


def test_directories_of_one_node_are_one_node() -> None:
    database, switch, controller = node()
    found = told(
        [(f"ovs/{log.name}", log.text) for log in (database, switch)] + [(f"ovn/{controller.name}", controller.text)]
    )
    assert len(found.starts) == 1


def test_healthy_week_shows_one_start_and_no_outage() -> None:
    """Pods come and go, logs are rotated each night, and a busy hour has its stalls."""
    logs = node()
    for hour in range(7 * 24):
        at = 3600.0 * (hour + 1)
        logs[2].say(at, "binding", "Claiming lport pod-1 for this chassis.")
        logs[1].say(at + 1, "bridge", "bridge br-int: added interface 4c2ab1_h on port 17")
        logs[1].say(at + 2, "netdev_linux", "ioctl(SIOCGIFINDEX) on 4c2ab1_h device failed: No such device", "WARN")
        logs[2].say(at + 3, "timeval", "Unreasonably long 1400ms poll interval (1390ms user, 2ms system)", "WARN")
        logs[0].say(at + 4, "reconnect", "unix#77: connection dropped (Broken pipe)", "WARN")
        if hour % 24 == 0:
            for log in logs:
                log.say(at + 9, "vlog", "closing log file").say(at + 9, "vlog", f"opened log file /var/log/{log.name}")
    found = told(logs)
    assert not found.outages
    assert len(found.starts) == 1


def test_daemons_in_one_journal() -> None:
    """One stream, several senders, and local times without a year."""
    names = ("ovsdb-server", "ovs-vswitchd", "ovn-controller")
    lines = [
        (line.partition("|")[0], f"host {name}[7]: ovs|{line.partition('|')[2]}")
        for name, log in zip(names, node(), strict=True)
        for line in log.lines
        if "opened log file" not in line
    ]
    text = "".join(f"Nov 14 {stamp[11:23]} {rest}\n" for stamp, rest in sorted(lines))
    found = told([("standard input", text.encode())])
    assert {each.daemon for each in found.sources} == set(names)
    assert not found.outages
    assert any("no time zone" in note.words for note in found.notes)


def servers(
    line: Callable[[float, int, str, str], str], *restarts: tuple[float, int, str]
) -> tuple[list[History], Answer]:
    """A node whose journal holds its own database server, process 7, beside those of OVN; each logs every minute."""
    lines = []
    for pid, unit, began in ((7, "ovsdb-server", 0.0), (20, "ovn-ovsdb-server-sb", 5.0)):
        says = [(began, pid, unit)] + [(began, number, unit) for began, number, name in restarts if name == unit]
        for number, (since, process, _) in enumerate(says):
            until = says[number + 1][0] if number + 1 < len(says) else 600.0
            words = ["ovsdb_server|INFO|ovsdb-server (Open vSwitch) 3.1.0", *["memory|INFO|peak resident"] * 60]
            lines += [
                (since + minute * 10, line(since + minute * 10, process, unit, f"{minute + 1:05}|{text}"))
                for minute, text in enumerate(words)
                if since + minute * 10 < until
            ]
    found = told([("journal", "".join(text + "\n" for _, text in sorted(lines)).encode())])
    return [each for each in found.daemons if each.daemon in (OVSDB, "southbound")], found


def syslog_line(at: float, pid: int, unit: str, text: str) -> str:
    return f"{stamp(EPOCH + at)} host ovsdb-server[{pid}]: ovs|{text}"


def journal_line(at: float, pid: int, unit: str, text: str) -> str:
    fields = {"_HOSTNAME": "host", "SYSLOG_IDENTIFIER": "ovsdb-server", "_PID": str(pid)}
    return json.dumps(
        {"__REALTIME_TIMESTAMP": str(int((EPOCH + at) * 1e6)), "MESSAGE": f"ovs|{text}", **fields}
        | {"_SYSTEMD_UNIT": f"{unit}.service"},
        separators=(",", ":"),
    )


def test_servers_of_one_journal_are_told_apart_by_their_process() -> None:
    """Their numbers go up and down in turns, which is not a restart."""
    daemons, found = servers(syslog_line)
    assert sorted(len(each.lives) for each in daemons) == [1, 1]
    assert not found.outages


def test_servers_of_one_journal_are_named_by_their_unit() -> None:
    daemons, found = servers(journal_line)
    assert sorted((each.daemon, len(each.lives)) for each in daemons) == [(OVSDB, 1), ("southbound", 1)]
    assert [start.daemons for start in found.starts] == [[OVSDB]]


@pytest.mark.parametrize("line", [syslog_line, journal_line])
def test_server_that_started_again_is_the_same_server(line: Callable[[float, int, str, str], str]) -> None:
    daemons, _ = servers(line, (300.0, 99, "ovsdb-server"))
    assert sorted(len(each.lives) for each in daemons) == [1, 2]


def test_southbound_that_two_nodes_lost_is_one_outage() -> None:
    """Who lost whom, in one order of time."""
    logs = []
    for name, at in (("n1", 120.0), ("n2", 120.5)):
        for log in node():
            if log.name == "ovn-controller.log":
                log.say(at, "reconnect", f"{SOUTHBOUND}: connection closed by peer")
                log.say(at + 6, "reconnect", f"{SOUTHBOUND}: connecting...")
                log.say(at + 6, "reconnect", f"{SOUTHBOUND}: connected").say(300.0, "memory", "later")
            logs.append((f"{name}/{log.name}", log.text))
    server = (
        Log("ovsdb-server-sb.log").start(-50.0).say(120.0, "fatal_signal", "terminating with signal 15 (Terminated)")
    )
    server.start(125.0).say(125.1, "ovsdb_server", "ovsdb-server (Open vSwitch) 3.1.0").say(300.0, "memory", "later")
    found = told([*logs, ("central/ovsdb-server-sb.log", server.text)])
    assert [(each.code, each.node) for each in found.outages] == [("southbound-down", "")]
    effects = found.outages[0].effects
    assert [round(effect.at - EPOCH, 1) for effect in effects] == [120.0, 120.5]
    assert ["on n1" in effects[0].words, "on n2" in effects[1].words] == [True, True]


def test_what_happened_on_one_node_is_no_loss_of_the_other() -> None:
    logs = []
    for name in ("n1", "n2"):
        database, switch, controller = node()
        if name == "n2":
            controller.say(150.0, "rconn", "unix:/n/br-int.mgmt: connection closed by peer")
            switch.start(152.0).say(152.1, "connmgr", 'br-int: added service controller "punix:/n/br-int.mgmt"')
            controller.say(153.0, "rconn", "unix:/n/br-int.mgmt: connecting...")
            controller.say(153.0, "rconn", "unix:/n/br-int.mgmt: connected")
        logs += [(f"{name}/{log.name}", log.text) for log in (database, switch, controller)]
    assert [(each.code, each.node) for each in told(logs).outages] == [("vswitchd-down", "n2")]


def test_lines_that_the_journal_has_too_count_once() -> None:
    """Packages have the daemons log everything to a file, and errors to syslog besides."""
    database, switch, controller = node(until=119.0)
    text = f"{MGMT}: no response to inactivity probe after 5 seconds, disconnecting"
    controller.say(120.0, "rconn", text, "ERR").say(121.0, "rconn", f"{MGMT}: connecting...")
    controller.say(121.0, "rconn", f"{MGMT}: connected").say(200.0, "memory", "later")
    journal = "".join(
        f"Nov 14 {line[11:19]} host ovn-controller[7]: ovs|{line.partition('|')[2]}\n"
        for line in controller.lines
        if "|ERR|" in line or "|WARN|" in line
    )
    logs = [(f"sos/var/log/ov{log.name}", log.text) for log in (database, switch, controller)]
    found = told([*logs, ("sos/sos_commands/journal", journal.encode())])
    assert {each.node for each in found.daemons} == {""}
    assert [each.words for each in found.outages] == [each.words for each in told(logs).outages]
    assert [each.code for each in found.outages] == ["vswitchd-hung"]
