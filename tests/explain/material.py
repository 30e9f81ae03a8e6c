"""Logs that a sandbox wrote, and lines made by hand in their shape."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

from ovsnet.explain.answer import Answer, answer
from ovsnet.explain.clock import Zone, stamp
from ovsnet.explain.event import Event, Source
from ovsnet.explain.read import explain
from ovsnet.explain.reader import Reader

LOGS = Path(__file__).parent / "logs"
MGMT = "unix:/n/br-int.mgmt"
SOUTHBOUND = "tcp:10.0.0.1:6642"
EPOCH = 1_700_000_000.0


def of(name: str) -> Answer:
    """What the logs of one scenario say."""
    return explain([str(LOGS / name)], io.BytesIO(), Zone(0, 2026), lambda name, count: None)


class Log:
    """Lines of one daemon, numbered as it would."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: list[str] = []
        self._number = 0

    def start(self, at: float) -> Log:
        self._number = 0
        return self.say(at, "vlog", f"opened log file /var/log/{self.name}")

    def say(self, at: float, module: str, text: str, level: str = "INFO") -> Log:
        self._number += 1
        self.lines.append(f"{stamp(EPOCH + at)}|{self._number:05}|{module}|{level}|{text}")
        return self

    @property
    def text(self) -> bytes:
        return ("\n".join(self.lines) + "\n").encode()


def told(logs: Iterable[Log | tuple[str, bytes]], zone: Zone = Zone(0, 2023)) -> Answer:  # noqa: B008 - frozen
    """What these logs say."""
    events: list[Event] = []
    sources: list[Source] = []
    for log in logs:
        name, text = (log.name, log.text) if isinstance(log, Log) else log
        reader = Reader(name, zone)
        reader.feed(text)
        reader.end()
        events += reader.events
        sources += reader.sources.values()
    return answer(events, sources)


def node(*, until: float = 100.0) -> tuple[Log, Log, Log]:
    """The logs of a node that started a second ago and is well: of its database, its switch and its controller."""
    database = Log("ovsdb-server.log").start(0.0).say(0.01, "ovsdb_server", "ovsdb-server (Open vSwitch) 3.1.0")
    switch = Log("ovs-vswitchd.log").start(0.1)
    switch.say(0.11, "reconnect", "unix:/n/db.sock: connecting...").say(0.11, "reconnect", "unix:/n/db.sock: connected")
    switch.say(0.2, "connmgr", 'br-int: added service controller "punix:/n/br-int.mgmt"')
    switch.say(0.21, "bridge", "ovs-vswitchd (Open vSwitch) 3.1.0")
    controller = Log("ovn-controller.log").start(0.3).say(0.31, "main", "OVN internal version is : [23.03.1]")
    controller.say(0.32, "reconnect", f"{SOUTHBOUND}: connecting...").say(0.33, "reconnect", f"{SOUTHBOUND}: connected")
    controller.say(0.34, "rconn", f"{MGMT}: connecting...").say(0.35, "rconn", f"{MGMT}: connected")
    for log in (database, switch, controller):
        log.say(until, "memory", "peak resident set size")
    return database, switch, controller
