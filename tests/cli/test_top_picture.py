"""What ``ovsnet top`` shows on screens of any size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnet.agent.past import SLOTS
from ovsnet.cli.agent_document import AgentHistory, history_of, status_of
from ovsnet.cli.top_keys import END, Keys, press
from ovsnet.cli.top_picture import Known, Lost, Picture, View, picture
from ovsnet.cli.top_plain import plain, verdict
from ovsnet.health.cause import Cause
from ovsnet.health.causes import causes

SIZES = [(60, 15), (80, 24), (200, 50)]
NOW = 1_800_000_000.0

WELL = ("host.fit", "ovsdb.echo", "vswitchd.alone", "controller.running", "southbound.echo", "nb.echo", "sb.echo",
        "northd.status", "self.descriptors")  # fmt: skip


def check(name: str, status: str, detail: str, rtt: float | None = None, **other: object) -> dict[str, Any]:
    return {"name": name, "status": status, "reason": "", "detail": detail, "rtt_seconds": rtt, "values": {}, **other}


def document(**diagnosis: object) -> dict[str, Any]:
    """Of a node whose switch is frozen; ``diagnosis`` says otherwise."""
    return {
        "node": "node7",
        "now": NOW,
        "state": "not-ready",
        "bridges": ["br-int"],
        "diagnosis": {
            "code": "vswitchd-hung",
            "summary": "ovs-vswitchd accepts connections, answers nothing and makes no progress.",
            "remedy": "Process 7270 is stopped: resume it with `kill -CONT 7270`.",
            "command": "kill -CONT 7270",
            "check": "vswitchd.ofproto",
            "since": NOW - 125.0,
            "evidence": [f"vswitchd.ofproto: {SILENT}", *(f"vswitchd.x{each}: {SILENT}" for each in range(5))],
            "also": ["southbound-slow"],
            **diagnosis,
        },
        "checks": [
            *(check(each, "ok", "It is well.", 0.0004) for each in WELL),
            check("vswitchd.ofproto", "failed", SILENT, values={"silent_seconds": 125.0}),
            check("openflow.echo", "skipped", "vswitchd.ofproto failed.", reason="precondition"),
            check("southbound.fresh", "slow", "The copy is 40 s old.", reason="stale"),
        ],
        "timeline": [{"stage": "database", "at": NOW - 900.0, "took_seconds": 0.2}],
        "versions": {"ovs": "3.1.0", "ovn": "23.03.1"},
        "processes": {"ovs-vswitchd": {"pid": 7270, "since": NOW - 7200.0}},
        "deadlines": {"timeout": 1.0},
        "events": [],
    }


SILENT = "ovs-vswitchd has been silent for 125 s: process 7270 is stopped (SIGSTOP)."


def history(**components: list[float | None]) -> AgentHistory:
    events = [
        {"at": NOW - 900.0, "kind": "start", "daemon": "ovs-vswitchd"},
        {"at": NOW - 800.0, "kind": "diagnosis", "code": "healthy", "state": "ready", "summary": "All is well.",
         "lasted_seconds": 675.0},
        {"at": NOW - 126.0, "kind": "check", "name": "vswitchd.ofproto", "status": "failed", "detail": SILENT},
        {"at": NOW - 125.0, "kind": "diagnosis", "code": "vswitchd-hung", "state": "not-ready", "summary": "It hangs.",
         "lasted_seconds": None},
    ]  # fmt: skip
    tracks = {name: {"worst": [0] * len(took), "took_seconds": took} for name, took in components.items()}
    statuses = ["ok", "skipped", "unknown", "slow", "failed"]
    found = history_of({"format": 1, "statuses": statuses, "components": tracks, "events": events})
    assert found is not None
    return found


def known(**diagnosis: object) -> Known:
    return Known(status_of(document(**diagnosis)), history())


def drawn(known: Known, width: int, height: int, view: View | None = None, lost: Lost | None = None) -> list[str]:
    """The lines, each of which must fit."""
    made = picture(known, view or View(), width, height, lost)
    assert len(made.lines) == height
    assert all(line.cell_len <= width for line in made.lines)
    return [line.plain.rstrip() for line in made.lines]


def words(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())


def row(lines: list[str], title: str) -> int:
    """Where the daemon is; fails where it is not on the screen."""
    return next(at for at, line in enumerate(lines) if line[2:].startswith(f"{title} "))


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_fault_its_command_and_its_daemon_are_on_the_screen(width: int, height: int) -> None:
    lines = drawn(known(), width, height)
    assert lines[0].startswith("✖ NOT READY vswitchd-hung for 2 min 5 s, since ")
    assert "answers nothing and makes no progress." in words(lines[1:3])
    assert "$ kill -CONT 7270" in lines
    assert any(line.startswith("  vswitchd.ofproto: ovs-vswitchd has been silent") for line in lines)
    assert lines[row(lines, "ovs-vswitchd")].startswith("✖ ovs-vswitchd")
    assert "silent 2 min 5 s" in lines[row(lines, "ovs-vswitchd")]
    assert "9 ok, 1 not asked" in lines[-1]
    assert "node7" in lines[-1]
    assert "? keys" in lines[-1]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("cause", causes(), ids=lambda cause: cause.code)
def test_every_cause_has_room_for_what_to_do_and_for_its_daemon(cause: Cause, width: int, height: int) -> None:
    remedy = max(cause.remedies, key=len, default="")
    found = known(code=cause.code, summary=cause.summary, remedy=remedy, command="")
    for lost in (None, Lost(12.0, "It gave no answer within 2 s.")):
        lines = drawn(found, width, height, lost=lost)
        assert cause.code in lines[2 if lost else 0]
        assert words([remedy]) in words(lines)
        assert row(lines, "ovs-vswitchd") < height - 1


def test_remedy_that_is_longer_than_the_screen_leaves_the_daemon_and_says_that_it_goes_on() -> None:
    lines = drawn(known(remedy="Do this. " * 200, command=""), 60, 15)
    at = row(lines, "ovs-vswitchd")
    assert lines[at - 1].endswith("…")


def test_what_is_wrong_comes_first_then_what_was_not_asked_then_the_chain() -> None:
    lines = drawn(known(), 80, 40)
    order = ["ovs-vswitchd", "southbound", "br-int.mgmt", "ovsdb-server", "ovn-controller", "ovn-northd"]
    assert sorted(order, key=lambda title: row(lines, title)) == order
    assert "not asked" in lines[row(lines, "br-int.mgmt")]


def test_host_and_ourselves_have_a_row_when_they_are_to_blame() -> None:
    assert not any(line[2:].startswith(("host", "self")) for line in drawn(known(), 80, 40))
    found = document(check="host.fit")
    found["checks"].append(check("host.memory", "failed", "ovs-vswitchd was killed.", reason="memory"))
    lines = drawn(Known(status_of(found), None), 80, 40)
    assert row(lines, "host") < row(lines, "ovs-vswitchd")


def test_evidence_is_not_shown_twice() -> None:
    text = "\n".join(drawn(known(), 200, 50))
    assert text.count("vswitchd.ofproto") == 1
    assert "southbound.fresh  The copy is 40 s old." in text


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_much_evidence_leaves_most_of_the_screen_to_the_rest(width: int, height: int) -> None:
    lines = drawn(known(evidence=[f"vswitchd.x{each}: {SILENT}" for each in range(40)]), width, height)
    assert row(lines, "ovn-northd") < height - 1


def test_evidence_is_cut_to_the_width_and_says_so() -> None:
    assert sum(line.startswith("  vswitchd.") and line.endswith("…") for line in drawn(known(), 60, 15)) == 1


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_lost_agent_leaves_the_last_picture_dimmed_with_its_age(width: int, height: int) -> None:
    made = picture(known(), View(), width, height, Lost(75.0, "It gave no answer within 2 s."))
    assert made.lines[0].plain == "✖ NO ANSWER from the agent: what is below is 1 min 15 s old."
    assert made.lines[1].plain == "It gave no answer within 2 s."
    assert made.lines[2].plain.startswith("✖ NOT READY vswitchd-hung")
    assert "dim" not in str(made.lines[0].style)
    assert all("dim" in str(line.style) for line in made.lines[2:])
    lines = [line.plain for line in made.lines]
    assert "$ kill -CONT 7270" in lines
    assert row(lines, "ovs-vswitchd") < height - 1


def test_events_fill_the_rest_the_newest_first() -> None:
    lines = drawn(known(), 80, 40)
    events = [line[9:] for line in lines if line[2:3] == ":" and line[5:6] == ":"]
    assert events == ["✖ vswitchd-hung: It hangs.", "✔ healthy for 11 min 15 s: All is well.", "· ovs-vswitchd started"]


def test_space_unfolds_what_is_well_and_the_changes_of_checks() -> None:
    view = View()
    assert not press(b" ", view, 0)
    text = "\n".join(drawn(known(), 80, 60, view))
    assert "▾ 9 ok, 1 not asked" in text
    assert all(f"✔ {name}" in text for name in WELL)
    assert "last start: database 200 ms" in text
    assert f"✖ vswitchd.ofproto: {SILENT[:30]}" in text
    press(b" ", view, 0)
    assert "▸ 9 ok, 1 not asked" in "\n".join(drawn(known(), 80, 60, view))


@pytest.mark.parametrize("key", [b"B", b"6~", b"F"])
def test_scrolling_leaves_the_head_and_ends_at_the_last_line(key: bytes) -> None:
    view, found = View(unfolded=True), known()
    lines = drawn(found, 60, 15, view)
    assert "more below" in lines[-1]
    made: Picture = picture(found, view, 60, 15)
    for _ in range(100):
        press(key, view, made.furthest)
    last = drawn(found, 60, 15, view)
    assert last[0] == lines[0]
    assert "$ kill -CONT 7270" in last
    assert last[-2].endswith("ovs-vswitchd started")
    assert "more below" not in last[-1]
    press(b"A", view, made.furthest)
    assert "1 more below" in drawn(found, 60, 15, view)[-1]
    press(b"H", view, made.furthest)
    assert drawn(found, 60, 15, view) == lines


def test_keys_are_shown_and_hidden() -> None:
    view, found = View(offset=END), known()
    press(b"?", view, END)
    lines = drawn(found, 60, 15, view)
    assert all(any(line.startswith(f"  {key} ") for line in lines) for key in ("q, Ctrl-C", "space", "up, down", "?"))
    press(b"?", view, END)
    assert row(drawn(found, 60, 15, view), "ovs-vswitchd")


def test_key_that_comes_in_two_parts_is_one() -> None:
    keys = Keys()
    typed = [each for part in (b"\x1b", b"[A ", b"\x1b[6", b"~\x1bOBq") for each in keys.pressed(part)]
    assert typed == [b"A", b" ", b"6~", b"B", b"q"]


def test_q_after_escape_still_quits() -> None:
    keys = Keys()
    assert any(press(each, View(), 0) for part in (b"\x1b", b"q") for each in keys.pressed(part))


def test_sparkline_is_as_wide_as_there_is_room_and_shows_silence_and_failure() -> None:
    took: list[float | None] = [None] * SLOTS
    took[-36:] = [0.0002] * 18 + [2.0] * 18
    found = history(vswitchd=took)
    found.components["vswitchd"].worst[-1] = 4
    lines = drawn(Known(status_of(document()), found), 60, 15)
    line = lines[row(lines, "ovs-vswitchd")]
    assert len(line) == 60
    assert line.endswith(("▁█✖", "▁██✖"))
    assert line[-8] == " "


def test_agent_of_another_version_is_shown_as_far_as_it_is_understood() -> None:
    found = document(code="tea-cold", check="kettle.temperature")
    found["state"] = "lukewarm"
    found["checks"].append(check("kettle.temperature", "tepid", "The tea is cold."))
    lines = drawn(Known(status_of(found), None), 80, 40)
    assert lines[0].startswith("? LUKEWARM tea-cold")
    assert lines[row(lines, "kettle")].startswith("? kettle")
    assert "LUKEWARM tea-cold" in next(plain(Known(status_of(found), None)))


def test_agent_of_the_first_version_has_less_to_show() -> None:
    found = document()
    for name in ("now", "bridges", "versions", "processes", "deadlines", "events"):
        del found[name]
    del found["diagnosis"]["command"], found["diagnosis"]["check"]
    lines = drawn(Known(status_of(found), None), 60, 15)
    assert lines[0].startswith("✖ NOT READY vswitchd-hung, since ")
    assert "Process 7270 is stopped: resume it with `kill -CONT 7270`." in words(lines)


def test_history_in_another_form_is_left_out() -> None:
    assert history_of({"format": 2, "everything": "else"}) is None


def test_plain_lines_have_all_of_it_in_words() -> None:
    lines = list(plain(known()))
    assert all(line.isascii() and line.isprintable() for line in lines)
    assert lines[0] == verdict(known().status)
    assert lines[0].startswith("NOT READY vswitchd-hung: ovs-vswitchd accepts connections")
    assert "`kill -CONT 7270`" in lines[0]
    assert [line.split()[:2] for line in lines[2:4]] == [["FAILED", "ovs-vswitchd"], ["slow", "southbound"]]
    assert "  9 ok, 1 not asked" in lines
    assert any(line.startswith("  ok ") and "northd.status" in line for line in lines)


def leaves(found: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    if isinstance(found, dict | list):
        for key in found if isinstance(found, dict) else range(len(found)):
            yield from leaves(found[key], (*path, key))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=99),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(list(leaves(document()))), ANYTHING, st.integers(1, 200), st.integers(1, 60))
def test_whatever_a_document_holds_is_shown_or_refused(
    path: tuple[str | int, ...], value: object, width: int, height: int
) -> None:
    found: Any = json.loads(json.dumps(document()))
    inner = found
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    try:
        status = status_of(found)
    except msgspec.ValidationError:
        return
    drawn(Known(status, history()), width, height)
    assert list(plain(Known(status, history())))
