"""A node that is lent to one test after another and put back as it was in between, or else thrown away."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ovsnet.errors import OvsnetError
from ovsnet.sandbox.daemons import Layout
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.waiting import until

PATIENCE = 0.5
"""Seconds for a node to be as it was. A new one takes no longer, and a daemon that waits to connect again would."""

DATABASES = {"Open_vSwitch": "db.sock", "OVN_Northbound": "ovnnb_db.sock", "OVN_Southbound": "ovnsb_db.sock"}

REPORTED = {
    "Open_vSwitch": {"cur_cfg", "next_cfg", "statistics"},
    "Bridge": {"status"},
    "Port": {"statistics", "status"},
    "Datapath": {"capabilities"},
    "Interface": {"ifindex", "link_resets", "mac_in_use", "ofport", "statistics", "status"},
    "Chassis_Private": {"nb_cfg_timestamp"},
    "NB_Global": {"hv_cfg_timestamp", "nb_cfg_timestamp", "sb_cfg_timestamp"},
}
"""Columns in which daemons report, which change by themselves. All others must be as they were."""

REPORTED_KEYS = {"ovn-nb-cfg", "ovn-nb-cfg-ts", "ovn-startup-ts"}
"""The same for keys of columns."""

ASKED = {"connection-status": "connected", "debug/status": "running"}
"""What ovn-controller is asked, and what it answers when it serves."""

Contents = dict[str, list[Any]]


@dataclass(frozen=True)
class Picture:
    """What can be seen of a node from outside: files of the run directory with their modes, the text of the pidfiles,
    and how many sockets have each name, bound or accepted. Pids are replaced by the daemons' names."""

    files: frozenset[tuple[str, int]]
    pidfiles: frozenset[tuple[str, str]]
    sockets: frozenset[tuple[str, int]]


def names(node: Sandbox) -> Callable[[str], str]:
    """Makes ``ovs-vswitchd.123.ctl`` ``ovs-vswitchd.ovs-vswitchd.ctl``."""
    pids = {str(pid): name for name, (_, pid) in node.status().items()}
    return lambda text: ".".join(pids.get(word, word) for word in text.strip().split("."))


def picture(node: Sandbox) -> Picture:
    named, files = names(node), list(node.rundir.iterdir())
    lines = (line.split(maxsplit=7) for line in Path("/proc/net/unix").read_text().splitlines()[1:])
    paths = (Path(fields[7]) for fields in lines if len(fields) == 8)
    sockets = Counter(named(path.name) for path in paths if path.parent == node.rundir)
    return Picture(
        frozenset((named(path.name), mode) for path in files if (mode := _mode(path)) is not None),
        frozenset((path.name, named(_text(path))) for path in files if path.suffix == ".pid"),
        frozenset(sockets.items()),
    )


def _mode(path: Path) -> int | None:
    """None of a file that went since it was listed."""
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


async def contents(node: Sandbox) -> Contents:
    """Every row of every database, but for what daemons report of themselves."""
    found: Contents = {}
    for database, socket in DATABASES.items():
        dumped = await node.run("ovsdb-client", "-f", "json", "dump", f"unix:{node.rundir / socket}", database)
        for table in map(json.loads, dumped.splitlines()):
            name = table["caption"].removesuffix(" table")
            reported = REPORTED.get(name, set())
            rows = [
                {column: lasting(value) for column, value in zip(table["headings"], row, strict=True)}
                for row in table["data"]
            ]
            found[name] = sorted(({c: v for c, v in row.items() if c not in reported} for row in rows), key=str)
    return found


def lasting(value: Any) -> Any:
    """A column's value without the keys in which daemons report."""
    match value:
        case ["map", pairs]:
            return sorted(pair for pair in pairs if pair[0] not in REPORTED_KEYS)
        case _:
            return value


@dataclass(frozen=True)
class Kept:
    """A node, and how it was when it was new."""

    node: Sandbox
    picture: Picture
    contents: Contents

    @classmethod
    async def new(cls) -> Kept:
        node = Sandbox()
        await node.up()
        await node.wait_ready()
        return cls(node, picture(node), await contents(node))

    def begin(self) -> None:
        """Empty the logs, so that a report holds what belongs to the test that failed. The daemons append to them."""
        for log in Layout(self.node.directory).logdir.iterdir():
            log.write_text("")

    async def restore(self) -> bool:
        """True when it is as it was."""
        node = self.node
        try:
            for name in node.daemons:
                if node.frozen(name):
                    await node.thaw(name)
                elif not node.running(name):
                    await node.start(name)
            self._remove_leftovers()
            await until(lambda: picture(node) == self.picture, PATIENCE, "The run directory is not as it was.")
            await node.wait_ready(PATIENCE)
            return await self._controller_serves() and await contents(node) == self.contents
        except OvsnetError:
            return False

    def _remove_leftovers(self) -> None:
        """What a killed daemon left, or the test."""
        named, expected = names(self.node), {name for name, _ in self.picture.files}
        for path in self.node.rundir.iterdir():
            if named(path.name) not in expected and not path.is_dir():
                path.unlink()

    async def _controller_serves(self) -> bool:
        told = [await self.node.run("ovn-appctl", "-t", "ovn-controller", each) for each in ASKED]
        return [each.strip() for each in told] == list(ASKED.values())


class Pool:
    """One node between two tests; a test that asks for a second one has a new one."""

    def __init__(self) -> None:
        self._spare: Kept | None = None

    async def take(self) -> Kept:
        kept, self._spare = self._spare, None
        kept = kept or await Kept.new()
        kept.begin()
        return kept

    async def give_back(self, kept: Kept) -> None:
        if self._spare is None and await kept.restore():
            self._spare = kept
        else:
            await kept.node.down()

    async def close(self) -> None:
        if self._spare:
            await self._spare.node.down()
