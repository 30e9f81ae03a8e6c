"""Lines in every wrapping, and what is not a line at all."""

from __future__ import annotations

import json
import re
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnet.explain.clock import Zone, stamp
from ovsnet.explain.daemons import SOUTHBOUND as SOUTHBOUND_SERVER
from ovsnet.explain.read import zone
from ovsnet.explain.reader import Reader
from tests.explain.material import MGMT, node, told

LINE = f"|00012|rconn|INFO|{MGMT}: connection closed by peer"
AT = "2026-11-25T23:30:02.114Z"


def read(text: bytes, zone: Zone = Zone(0, 2026)) -> Reader:  # noqa: B008 - frozen
    reader = Reader("x", zone)
    reader.feed(text)
    reader.end()
    return reader


@pytest.mark.parametrize(
    "line",
    [
        AT + LINE,
        f"2026-11-25T23:30:03.000000000Z stdout F {AT}{LINE}",
        f"2026-11-25T23:30:03.1Z {AT}{LINE}",
        f"[pod/ovs-ovn-x/openvswitch] {AT}{LINE}",
        f"Nov 25 23:30:03 host ovn-controller[7]: {AT}{LINE}",
        "2026-11-26T00:30:02.114+01:00 host ovn-controller[7]: ovs" + LINE,
        "Nov 25 23:30:02.114 host ovn-controller[7]: ovs" + LINE,
        f"\x1b[33m{AT}{LINE}\x1b[0m",
        json.dumps({"log": {"file": {"path": "/var/log/ovn/ovn-controller.log"}}, "message": AT + LINE}),
        json.dumps({"log": AT + LINE + "\n", "stream": "stderr", "time": "2026-11-25T23:30:03Z"}),
        json.dumps({"MESSAGE": "ovs" + LINE, "__REALTIME_TIMESTAMP": "1795649402114000"}),
    ],
)
def test_line_is_read_in_every_wrapping(line: str) -> None:
    (event,) = read(line.encode()).events
    assert stamp(event.at) == AT
    assert (event.kind, event.subject) == ("closed", MGMT)


@pytest.mark.parametrize(
    "head",
    [
        "[pod/ovs-ovn-x/{}] ",
        "ovs-ovn-x {} ",
        "<29>1 2026-11-26T00:30:03+01:00 ovs-ovn-x {} 7 - - ",
        '{{"kubernetes": {{"pod_name": "ovs-ovn-x", "container_name": "{}"}}, "log": "',
        '{{"host": {{"name": "ovs-ovn-x"}}, "log": {{"file": {{"path": "{}"}}}}, "message": "',
    ],
)
def test_daemons_whose_lines_are_mixed_are_told_apart(head: str) -> None:
    """Else the numbers of one daemon's lines look like another process of the other one."""
    end = '"}' if head.startswith("{") else ""
    names = ("ovs-vswitchd", "ovn-controller")
    found = read("\n".join(f"{head.format(names[n % 2])}{AT}{LINE}{end}" for n in range(4)).encode())
    assert {source.host for source in found.sources.values()} == {"ovs-ovn-x"}
    assert len(found.sources) == 2


def test_container_that_serves_a_database_of_ovn_is_not_the_switchs() -> None:
    found = read(f"[pod/ovnkube-db-x/sb-ovsdb] {AT}|00002|ovsdb_server|INFO|ovsdb-server (Open vSwitch) 3.1.0".encode())
    assert [source.daemon for source in found.sources.values()] == [SOUTHBOUND_SERVER]


def test_line_that_a_console_and_a_file_both_have_counts_once() -> None:
    logs = node()
    for log in logs:
        log.lines = [each for line in log.lines for each in (re.sub(r"\.\d+Z", "Z", line, count=1), line)]
    found = told(logs)
    assert (found.outages, len(found.starts)) == ([], 1)


def test_tail_of_several_logs_in_which_lines_are_missing() -> None:
    """Neither they nor the last line of the log before are of a process that ended."""
    logs = node()
    text = b"\n".join(f"==> {log.name} <==\n".encode() + b"".join(_without_second(log.text)) for log in logs)
    assert told([("all", text)]).outages == []


def _without_second(text: bytes) -> list[bytes]:
    first, _, *rest = text.splitlines(keepends=True)
    return [first, *rest]


def test_lines_of_one_moment_in_two_files_are_no_restart() -> None:
    """The later file is the first by its name."""
    database, switch, controller = node()
    text = switch.text.splitlines(keepends=True)
    text = [line.replace(text[1][:24], text[2][:24]) for line in text]
    logs = [("ovs-vswitchd.log.1", b"".join(text[2:])), ("ovs-vswitchd.log.2", b"".join(text[:2]))]
    assert told([database, controller, *logs]).outages == []


@pytest.mark.parametrize(("local", "utc"), [("07-01 14", "07-01T12"), ("11-25 13", "11-25T12")])
def test_zone_by_its_name_has_summer_and_winter(local: str, utc: str) -> None:
    line = f"2026-{local}:30:02.114 host ovn-controller[7]: ovs{LINE}"
    (event,) = read(line.encode(), zone(ZoneInfo("Europe/Berlin"), 1.8e9)).events
    assert stamp(event.at) == f"2026-{utc}:30:02.114Z"


def test_zone_of_times_that_name_none_is_taken_from_outside() -> None:
    (event,) = read(("Nov 26 00:30:02 h ovn-controller: ovs" + LINE).encode(), Zone(3600, 2026)).events
    assert stamp(event.at) == "2026-11-25T23:30:02.000Z"


def test_december_read_in_january_is_of_the_year_before() -> None:
    (event,) = read(("Dec 31 23:30:02 h ovn-controller: ovs" + LINE).encode(), Zone(0, 2026, 1_767_300_000.0)).events
    assert stamp(event.at) == "2025-12-31T23:30:02.000Z"


def test_blocks_may_be_cut_anywhere() -> None:
    text = b"".join(log.text for log in node())
    whole = [(event.kind, event.line) for event in read(text).events]
    for size in (1, 7, 100):
        reader = Reader("x", Zone())
        for at in range(0, len(text), size):
            reader.feed(text[at : at + size])
        reader.end()
        assert [(event.kind, event.line) for event in reader.events] == whole


@given(st.binary(max_size=2000))
def test_garbage_is_no_event(noise: bytes) -> None:
    read(noise)


@given(st.data())
def test_damaged_logs_are_still_explained(data: st.DataObject) -> None:
    """Bytes changed, cut and swapped anywhere: an answer, and no exception."""
    texts = [bytearray(log.text) for log in node()]
    for text in texts:
        for _ in range(data.draw(st.integers(0, 8))):
            at = data.draw(st.integers(0, len(text) - 1))
            text[at] = data.draw(st.sampled_from(list(b"0123456789|:.-TZ \n\x00\xff(")))
    order = data.draw(st.permutations(range(3)))
    told([(f"{number}.log", bytes(texts[number])) for number in order])


def test_line_without_an_end_costs_no_memory() -> None:
    reader = Reader("x", Zone())
    for _ in range(64):
        reader.feed(b"x" * (1 << 20))
    assert len(reader._rest) <= 1 << 20
    reader.feed(f"\n{AT}{LINE}\n".encode())
    assert len(reader.events) == 1


def test_flood_is_counted_and_not_kept() -> None:
    reader = read(b"".join(f"{AT}|{n:05}|rconn|INFO|{MGMT}: connection closed by peer\n".encode() for n in range(9000)))
    assert len(reader.events) < 1000
    assert sum(1 + event.repeated for event in reader.events if event.kind == "closed") == 9000


def test_clock_that_goes_back_and_missing_lines_are_noted() -> None:
    database, switch, controller = node()
    switch.say(50.0, "memory", "an hour was wrong")
    lines = switch.text.splitlines(keepends=True)
    found = told([database, ("ovs-vswitchd.log", b"".join(lines[:2] + lines[4:])), controller])
    words = " ".join(note.words for note in found.notes)
    assert "went back by 50.0 s" in words
    assert "missing by line numbers: 2 lines" in words


def test_lines_held_back_are_noted() -> None:
    database, switch, controller = node()
    text = "Dropped 37 log messages in last 60 seconds (most recently, 3 seconds ago) due to excessive rate"
    switch.say(120.0, "ofproto_dpif_xlate", text, "WARN")
    assert any("suppressed 37 lines" in note.words for note in told([database, switch, controller]).notes)
