"""A healthy week of a busy node, in the shapes of lines that daemons write, and what becomes of files on their way."""

from __future__ import annotations

import gzip
import io
import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path

import pytest

from ovsnet.explain.answer import Answer
from ovsnet.explain.clock import Zone, stamp
from ovsnet.explain.daemons import TITLES
from ovsnet.explain.read import explain
from tests.explain.material import LOGS, MGMT, Log, node

HOUR, DAY = 3600.0, 86400.0
EVERY = 100.0
"""Seconds from one line of a healthy week to the next."""
START = 5.0
"""Seconds after which a daemon that was started is at its daily work."""
HEALTHY = LOGS / "healthy"
"""Of the incident "churned", which is none, by generation of Open vSwitch."""
SWITCH = (
    ("bridge", "INFO", "bridge br-int: added interface p{n} on port {n}"),
    ("bridge", "INFO", "bridge br-int: deleted interface p{n} on port {n}"),
    ("bridge", "WARN", "could not open network device p{n} (No such device)"),
    ("bfd", "INFO", 'ovn-n2-0: BFD state change: down->init "No Diagnostic"->"No Diagnostic".'),
    ("netdev_linux", "INFO", "ioctl(SIOCGIFINDEX) on p{n} device failed: No such device"),
    ("connmgr", "INFO", "br-int<->unix#{n}: 18 flow_mods in the last 0 s (9 adds, 9 deletes)"),
    ("rconn", "INFO", "br-int<->unix#{n}: connection closed by peer"),
    ("jsonrpc", "WARN", "unix#{n}: receive error: Connection reset by peer"),
    ("reconnect", "WARN", "unix#{n}: connection dropped (Connection reset by peer)"),
    ("timeval", "WARN", "Unreasonably long 1204ms poll interval (310ms user, 890ms system)"),
    ("timeval", "WARN", "context switches: 0 voluntary, 12 involuntary"),
    ("poll_loop", "INFO", "wakeup due to [POLLIN] on fd 21 (<->/n/db.sock) at lib/stream-fd.c:157 (93% CPU usage)"),
    ("ofproto_dpif_upcall(handler5)", "INFO", "received packet on unassociated datapath port {n}"),
    ("ofproto_dpif_xlate(handler1)", "WARN", "Dropped {n} log messages in last 59 seconds (most recently, 1 s ago)"),
    ("memory", "INFO", "handlers:2 idl-cells:{n} ports:20 revalidators:2 rules:300"),
    ("dpif(revalidator9)", "WARN", "netdev@ovs-netdev: failed to flow_del (No such file or directory) ufid:{n}"),
)  # fmt: skip
CONTROLLER = (
    ("binding", "INFO", "Claiming lport lp{n} for this chassis."),
    ("binding", "INFO", "Setting lport lp{n} ovn-installed in OVS"),
    ("binding", "INFO", "Releasing lport lp{n} from this chassis (sb_readonly=0)"),
    ("inc_proc_eng", "INFO", "node: logical_flow_output, recompute (failed handler for input port_groups) took {n}ms"),
    ("poll_loop", "INFO", "wakeup due to 0-ms timeout at controller/ovn-controller.c:5000 (99% CPU usage)"),
    ("timeval", "WARN", "Unreasonably long 1830ms poll interval (1700ms user, 90ms system)"),
    ("pinctrl(ovn_pinctrl0)", "INFO", "DHCPACK 0a:58:0a:f4:00:05 10.0.0.{n}"),
    ("main", "INFO", "OVS feature set changed, force recompute."),
    ("patch", "INFO", "bridge not found for localnet port 'ln{n}' with network name 'physnet1'; skipping"),
)
DATABASE = (
    ("ovsdb_server", "INFO", "memory trimming after compaction enabled."),
    ("raft", "INFO", "Transferring leadership to write a snapshot."),
    ("reconnect", "WARN", "tcp:10.0.0.2:{n}: connection dropped (Connection reset by peer)"),
    ("jsonrpc", "WARN", "unix#{n}: receive error: Connection reset by peer"),
    ("ovsdb_file", "INFO", "Unix: compacting database online (600.1 seconds old, {n} transactions)"),
    ("memory", "INFO", "atoms:{n} cells:900 monitors:3 sessions:4"),
    ("jsonrpc", "INFO", "excessive sending backlog, jsonrpc: unix#{n}, num of msgs: 60, backlog: 99999."),
)


def explained(directory: Path, zone: Zone = Zone(0, 2026)) -> Answer:  # noqa: B008 - frozen
    return explain([str(directory)], io.BytesIO(), zone, lambda name, count: None)


def lived(log: Log, lines: Sequence[tuple[str, str, str]], chosen: random.Random) -> None:
    """A week from an hour after the start, with a line every two minutes."""
    for number in range(5000):
        module, level, text = chosen.choice(lines)
        log.say(HOUR + number * 120.0 + chosen.random(), module, text.format(n=chosen.randrange(1, 250)), level)


@pytest.mark.parametrize("seed", range(3))
def test_healthy_week_has_no_incident(tmp_path: Path, seed: int) -> None:
    chosen = random.Random(seed)
    logs = node(until=100.0)
    for log, lines in zip(logs, (DATABASE, SWITCH, CONTROLLER), strict=True):
        lived(log, lines, chosen)
        rows = log.text.splitlines(keepends=True)
        third = len(rows) // 3  # rotated twice on the way
        (tmp_path / f"{log.name}.2.gz").write_bytes(gzip.compress(b"".join(rows[:third])))
        (tmp_path / f"{log.name}.1").write_bytes(b"".join(rows[third : 2 * third]))
        (tmp_path / log.name).write_bytes(b"".join(rows[2 * third :]))
    found = explained(tmp_path)
    assert [(each.code, each.words) for each in found.outages] == []
    assert len(found.starts) == 1


def codes(directory: Path) -> list[str]:
    return [each.code for each in explained(directory).outages]


@pytest.mark.parametrize("name", ["switch-away", "database-away", "southbound-away", "member-killed"])
def test_order_and_names_of_files_count_for_nothing(tmp_path: Path, name: str) -> None:
    expected = codes(LOGS / name)
    for number, path in enumerate(sorted((LOGS / name).iterdir(), reverse=True)):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / path.name).write_bytes(path.read_bytes())
    assert codes(tmp_path) == expected


@pytest.mark.parametrize("name", ["switch-away", "database-away"])
def test_log_that_is_missing_makes_the_answer_less_sure_and_not_another(tmp_path: Path, name: str) -> None:
    (expected,) = codes(LOGS / name)
    for left_out in ("ovs-vswitchd.log", "ovsdb-server.log", "ovn-controller.log"):
        kept = [path for path in (LOGS / name).iterdir() if path.name != left_out]
        (tmp_path / left_out).mkdir()
        for path in kept:
            (tmp_path / left_out / path.name).write_bytes(path.read_bytes())
        found = explained(tmp_path / left_out)
        assert all(each.code == expected for each in found.outages), [each.words for each in found.outages]


@pytest.mark.parametrize("seed", range(30))
def test_lines_cut_off_and_garbage_between_them_are_an_answer(tmp_path: Path, seed: int) -> None:
    chosen = random.Random(seed)
    for path in (LOGS / "switch-away").iterdir():
        rows = path.read_bytes().splitlines(keepends=True)
        for _ in range(8):
            at = chosen.randrange(len(rows))
            garbage = [
                bytes(chosen.choices(range(256), k=90)),
                rows[at][: chosen.randrange(60)],
                b"x" * 200_000,
                b"|||||\n",
            ]
            rows.insert(at, chosen.choice(garbage) + chosen.choice([b"\n", b""]))
        (tmp_path / path.name).write_bytes(b"".join(rows))
    assert set(codes(tmp_path)) <= {"vswitchd-down", "southbound-down", "ovsdb-down", "controller-down"}


def test_two_zones_are_one_order_of_time(tmp_path: Path) -> None:
    """The switch's log comes by a journal in local time, the controller's in its own UTC."""
    _, switch, controller = node()
    switch.say(120.0, "fatal_signal(urcu1)", "terminating with signal 15 (Terminated)", "WARN")
    controller.say(120.01, "rconn", f"{MGMT}: connection closed by peer")
    controller.say(121.0, "rconn", f"{MGMT}: connecting...")
    controller.say(121.0, "rconn", f"{MGMT}: connection failed (No such file or directory)", "WARN")
    switch.start(121.5).say(121.6, "connmgr", f'br-int: added service controller "p{MGMT}"')
    controller.say(123.0, "rconn", f"{MGMT}: connecting...").say(123.0, "rconn", f"{MGMT}: connected")
    (tmp_path / "ovn-controller.log").write_bytes(controller.text)
    local = []
    for row in switch.text.decode().splitlines():
        utc, _, rest = row.partition("|")
        there = datetime.fromisoformat(utc) + timedelta(hours=2)
        local.append(f"{there:%Y-%m-%d %H:%M:%S.%f} n1 ovs-vswitchd[7]: ovs|{rest}\n")
    (tmp_path / "journal").write_text("".join(local))
    found = explained(tmp_path, Zone(7200, 2023))
    assert [each.code for each in found.outages] == ["vswitchd-down"]
    assert found.outages[0].seconds == pytest.approx(3.0, abs=0.2)
    assert any("have no time zone" in note.words for note in found.notes)


@pytest.mark.parametrize("generation", sorted(path.name for path in HEALTHY.iterdir()))
def test_week_of_lines_that_real_daemons_wrote_has_no_incident(tmp_path: Path, generation: str) -> None:
    """A start, and then for a week what each daemon of this generation logs while pods come and go."""
    for path in sorted((HEALTHY / generation).iterdir()):
        rows = going_on(path.read_text(encoding="utf-8").splitlines())
        third = len(rows) // 3
        (tmp_path / f"{path.name}.2.gz").write_bytes(gzip.compress(text(rows[:third])))
        (tmp_path / f"{path.name}.1").write_bytes(text(rows[third : 2 * third]))
        (tmp_path / path.name).write_bytes(text(rows[2 * third :]))
    found = explained(tmp_path)
    assert [(each.code, each.words) for each in found.outages] == []
    assert len(found.starts) == 1
    assert found.starts[0].ended is not None
    assert {each.daemon for each in found.sources} == set(TITLES)


def going_on(rows: Sequence[str]) -> list[str]:
    """The log as it is, and then again and again what was logged after the start, each thread with numbers of its
    own."""
    numbers: Counter[str] = Counter()
    for row in rows:
        numbers[row.split("|")[2].partition("(")[2]] += 1
    began = datetime.fromisoformat(rows[0].partition("|")[0])
    after = [row for row in rows if datetime.fromisoformat(row.partition("|")[0]) > began + timedelta(seconds=START)]
    found = list(rows)
    for number, row in zip(range(int(7 * DAY / EVERY)), cycle(after or rows[-1:]), strict=False):
        _, _, module, rest = row.split("|", 3)
        numbers[module.partition("(")[2]] += 1
        at = stamp((began + timedelta(seconds=HOUR + number * EVERY)).timestamp())
        found.append(f"{at}|{numbers[module.partition('(')[2]]:05}|{module}|{rest}")
    return found


def text(rows: Sequence[str]) -> bytes:
    return "".join(f"{row}\n" for row in rows).encode()
