"""Logs of several processes in one stream that names none, as ``kubectl logs -l app=ovn-central`` prints them."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from ovsnet.explain.answer import MIXED, Answer
from ovsnet.explain.clock import Zone
from tests.explain.material import LOGS, Log, node, told

INCIDENTS = ("member-killed", "member-frozen", "leaders-in-turn", "quorum-lost")


def members(incident: str) -> list[list[bytes]]:
    """The lines of each server of an incident's cluster. On hosts of their own all log to a file of the same name."""
    files = sorted((LOGS / incident).glob("ovn-sb*.log"))
    texts = (re.sub(rb"ovn-sb\d", b"ovsdb-server-sb", file.read_bytes()) for file in files)
    return [[line for line in text.splitlines() if line[:1].isdigit()] for text in texts]


def in_order_of_time(logs: Iterable[list[bytes]]) -> list[bytes]:
    """As with ``--follow``."""
    return sorted((line for log in logs for line in log), key=lambda line: line.partition(b"|")[0].replace(b"Z", b""))


def one_after_the_other(logs: Iterable[list[bytes]]) -> list[bytes]:
    return [line for log in logs for line in log]


def without_their_beginning(logs: Iterable[list[bytes]]) -> list[bytes]:
    """As with ``--tail``."""
    return [line for line in in_order_of_time(logs) if b"opened log file" not in line]


def answered(lines: list[bytes]) -> Answer:
    return told([("logs.txt", b"\n".join(lines) + b"\n")], Zone(0, 2026))


@pytest.mark.parametrize("printed", [in_order_of_time, one_after_the_other, without_their_beginning])
@pytest.mark.parametrize("incident", INCIDENTS)
def test_servers_that_nothing_tells_apart_are_not_said_to_end(incident: str, printed: object) -> None:
    assert callable(printed)
    found = answered(printed(members(incident)))
    assert not [each for each in found.outages if each.code.endswith(("-down", "-restarting"))]
    assert not found.starts
    assert [note.words for note in found.notes if MIXED in note.words] == [f"logs.txt {MIXED}"]
    assert not [note for note in found.notes if "missing by line numbers" in note.words]


def test_what_concerns_the_whole_cluster_is_still_found() -> None:
    found = answered(in_order_of_time(members("leaders-in-turn")))
    assert [each.code for each in found.outages] == ["sb-elections"]


def test_lines_of_one_process_that_are_missing_make_it_no_other() -> None:
    lines = members("quorum-lost")[0]
    found = answered([line for number, line in enumerate(lines) if number % 7])
    assert not [note for note in found.notes if MIXED in note.words]


def test_restart_after_which_the_numbers_of_the_process_before_come_again_is_one() -> None:
    """Each of its lines has the number that a line before had, and none goes on with an interrupted count."""
    log = Log("ovs-vswitchd.log")
    for start in range(5):
        log.start(100.0 * start)
        for number in range(20):
            log.say(100.0 * start + 1 + number, "memory", "rules:3")
    database, _, controller = node()
    found = told([database, log, controller])
    assert not [note for note in found.notes if MIXED in note.words]
    assert [each.code for each in found.outages] == ["vswitchd-restarting"]


def test_lines_that_a_container_prints_besides_its_log_file_are_of_the_same_process() -> None:
    """In blocks, as the two outputs are buffered; what is printed has no milliseconds."""
    log = Log("ovs-vswitchd.log").start(0.0)
    for number in range(40):
        log.say(0.25 + number / 8, "rconn", f"br-int<->tcp:10.0.0.{number}:6653: connected")
    lines: list[str] = []
    for at in range(0, 41, 4):
        lines += log.lines[at : at + 4]
        lines += [re.sub(r"\.\d+Z", "Z", line) for line in log.lines[max(at - 2, 0) : at + 2]]
    found = answered([line.encode() for line in lines])
    assert not [note for note in found.notes if MIXED in note.words]


@pytest.mark.parametrize("label", ["[pod/ovs-ovn-x/openvswitch] ", "ovs-ovn-x openvswitch ", "openvswitch "])
def test_daemon_whose_clock_was_set_back_at_its_restart_is_one_where_its_lines_are_labelled(label: str) -> None:
    """Its numbers begin again, at an earlier time: without a label the log of another daemon might follow."""
    log = Log("ovs-vswitchd.log").start(100.0).say(101.0, "bridge", "ovs-vswitchd (Open vSwitch) 3.1.0")
    log.start(40.0).say(41.0, "bridge", "ovs-vswitchd (Open vSwitch) 3.1.0").say(70.0, "memory", "rules:3")
    labelled = told([("logs.txt", "".join(f"{label}{line}\n" for line in log.lines).encode())], Zone(0, 2026))
    assert [each.daemon for each in labelled.sources] == ["ovs-vswitchd"]
    assert not [note for note in labelled.notes if MIXED in note.words]
    assert [note for note in labelled.notes if "do not say what came first" in note.words]
    assert [note for note in answered([line.encode() for line in log.lines]).notes if MIXED in note.words]
