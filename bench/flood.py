"""What probes feel while a daemon floods the agent, and how soon it ends: ``python -m bench.flood`` writes the tables
of docs/security.md.

Each row has an agent and a node of its own. ``ovsnet serve`` watches the node; a flooder takes the place of one daemon;
then one probe after the other asks /livez, each on a connection of its own, as a kubelet's does. Or there are clients,
and the agent gets SIGTERM.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.processes import ROOT, python
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.proc import free_ports
from ovsnet.sandbox.supervisor import die_with_parent

SECONDS = 10.0
BETWEEN = 0.01
"""Seconds of probing, and between two probes."""

PAGE = ROOT / "docs/security.md"
FLOODS, STOPS, END = "<!-- floods -->\n", "<!-- stops -->\n", "<!-- end -->"

CROWDS = {
    "probes": python("bench.laps.visitors", "come-and-go", "PORT", "/livez"),
    "events": python("bench.laps.visitors", "come-and-go", "PORT", "/events"),
}
"""Held against each other: they use up a core whatever they ask."""

CLIENTS = CROWDS | {
    "listeners": python("bench.laps.visitors", "hold", "PORT", "/events"),
    "slow": python("bench.laps.crowd", "127.0.0.1", "PORT", "100", "100"),
}
"""What is started beside an agent; PORT is the agent's. Each says "there" once all of them are."""

LIMIT_MS, LIMIT_MIB, LIMIT_STOP = 20.0, 128.0, 2.0
"""The last in seconds, whatever the clients do: systemd kills after three (TimeoutStopSec=)."""

STOP_PATIENCE = 60.0
"""Seconds until an agent that does not end is killed."""

PLACES = {
    "of-echo": "br-int.mgmt",
    "of-error": "br-int.mgmt",
    "of-async": "br-int.mgmt",
    "db-update": "db.sock",
    "db-large": "db.sock",
    "db-map": "db.sock",
    "db-echo": "db.sock",
    "ctl-deep": "ovs-vswitchd",
    "ctl-refusal": "ovs-vswitchd",
}

WORDS = {
    "rest": "nothing, for comparison",
    "probes": "50 clients ask `/livez` again and again, for comparison",
    "events": "50 clients connect to `/events` again and again",
    "of-echo": "echo requests on `br-int.mgmt`",
    "of-error": "errors for requests that were never made",
    "of-async": "unrequested port status",
    "db-update": "`update3` of a watched row on `db.sock`",
    "db-large": "`update3` of 1 MB each",
    "db-map": "`update3` of a row with 300,000 `external_ids`",
    "db-echo": "echo requests on `db.sock`",
    "ctl-deep": "10 MB of empty arrays as an answer on a control socket",
    "ctl-refusal": "the same as a refusal",
}

STOP_WORDS = {
    "nobody": "nobody",
    "probes": "50 clients that ask `/livez` again and again",
    "events": "50 clients that connect to `/events` again and again",
    "listeners": "50 clients that hold `/events`, and read nothing of it",
    "slow": "100 clients that send or read a byte a second, and 100 that say nothing",
}


@dataclass(frozen=True, slots=True)
class Row:
    """Milliseconds of the probes, the agent's largest memory, and its diagnosis at the end."""

    kind: str
    delays: tuple[float, ...]
    lost: int
    mebibytes: float
    code: str

    def share(self, part: float) -> float:
        """A percentile of the delays."""
        return sorted(self.delays)[min(int(part * len(self.delays)), len(self.delays) - 1)]

    @property
    def holds(self) -> bool:
        """Whether it is as promised."""
        return not self.lost and self.mebibytes <= LIMIT_MIB and (self.kind in CROWDS or self.share(0.99) <= LIMIT_MS)

    def line(self) -> str:
        """Of the table."""
        numbers = " / ".join(f"{self.share(part):.1f}" for part in (0.5, 0.99, 1.0))
        return f"| {WORDS[self.kind]} | {numbers} | {self.mebibytes:.0f} | `{self.code}` |"


@dataclass(frozen=True, slots=True)
class Stop:
    """How many seconds an agent took from SIGTERM to its end, and its exit code."""

    kind: str
    seconds: float
    exit_code: int

    @property
    def holds(self) -> bool:
        """Whether it is as promised."""
        return self.seconds <= LIMIT_STOP and self.exit_code == 0

    def line(self) -> str:
        """Of the table."""
        return f"| {STOP_WORDS[self.kind]} | {self.seconds:.2f} | {LIMIT_STOP:.0f} |"


@contextlib.contextmanager
def agent(rundir: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Process and port of an agent that serves."""
    (port,) = free_ports(1)
    argv = [sys.executable, "-m", "ovsnet", "serve", "--rundir", str(rundir), "--listen", f"127.0.0.1:{port}"]
    argv += ["--start-allowance", "1"]  # the flooder is another process, which looks like a start of the daemon
    with subprocess.Popen([*die_with_parent(), *argv], stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(300):
                with contextlib.suppress(OSError):
                    probe(port, "/livez")
                    break
                time.sleep(0.1)
            yield process, port
        finally:
            process.kill()


def probe(port: int, path: str) -> bytes:
    """One request on a connection of its own. Raises OSError."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()
    if answer.status != 200:
        raise OSError(f"{path} answered {answer.status}")
    return body


@contextlib.contextmanager
def flooding(kind: str, node: Sandbox) -> Iterator[None]:
    """A flooder in the place of a daemon's socket."""
    name = PLACES[kind]
    if "." not in name:
        name = f"{name}.{node.pid(name)}.ctl"
    path = node.rundir / name
    away = path.with_name(f"{name}.away")
    path.rename(away)
    with subprocess.Popen(
        [*die_with_parent(), sys.executable, "-m", "bench.laps.flooder", kind, str(path), str(away)],
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    ) as process:
        try:
            yield
        finally:
            process.kill()
            path.unlink(missing_ok=True)
            away.rename(path)


@contextlib.contextmanager
def clients(kind: str, port: int) -> Iterator[None]:
    """They are there, in a process of their own."""
    argv = [str(port) if word == "PORT" else word for word in CLIENTS[kind]]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*die_with_parent(), *argv], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, cwd=ROOT
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"there\n"
            yield
        finally:
            process.kill()


def delays(port: int, seconds: float) -> tuple[list[float], int]:
    """Milliseconds of each probe, and how many got no answer."""
    found, lost, over = [], 0, time.monotonic() + seconds
    while (began := time.monotonic()) < over:
        try:
            probe(port, "/livez")
            found.append((time.monotonic() - began) * 1000)
        except OSError:
            lost += 1
        time.sleep(BETWEEN)
    return found, lost


def largest(pid: int) -> float:
    """The most memory that it ever had, in MiB."""
    found = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


@contextlib.asynccontextmanager
async def fresh_node() -> AsyncIterator[Sandbox]:
    async with Sandbox() as node:
        await node.wait_ready()
        yield node


async def healthy(port: int) -> None:
    """Return once the agent has seen the node."""
    while True:
        with contextlib.suppress(OSError):
            if json.loads(probe(port, "/status"))["diagnosis"]["code"] == "healthy":
                return
        await asyncio.sleep(0.1)


async def row(kind: str, seconds: float = SECONDS) -> Row:
    """Measure one."""
    async with fresh_node() as node:
        with agent(node.rundir) as (process, port), contextlib.ExitStack() as stack:
            await healthy(port)
            if kind in CROWDS:
                stack.enter_context(clients(kind, port))
            elif kind != "rest":
                stack.enter_context(flooding(kind, node))
            found, lost = delays(port, seconds)
            code = json.loads(probe(port, "/status"))["diagnosis"]["code"]
            return Row(kind, tuple(found), lost, largest(process.pid), code)


async def stop(kind: str) -> Stop:
    """End an agent while these clients are there."""
    async with fresh_node() as node:
        with agent(node.rundir) as (process, port), contextlib.ExitStack() as stack:
            await healthy(port)
            if kind in CLIENTS:
                stack.enter_context(clients(kind, port))
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_PATIENCE)
            process.kill()
            return Stop(kind, time.monotonic() - began, process.wait())


def write(begin: str, head: str, rows: list[Row] | list[Stop]) -> None:
    """Put a table in its place in the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(begin)
    table = head + "".join(each.line() + "\n" for each in rows)
    PAGE.write_text(before + begin + table + END + rest.partition(END)[2], encoding="utf-8")


def measure_floods(kinds: list[str]) -> list[Row]:
    """Those; all of them are written down."""
    rows = []
    for kind in kinds:
        rows.append(asyncio.run(row(kind)))
        print(rows[-1].line(), f"lost {rows[-1].lost}", "" if rows[-1].holds else "NOT AS PROMISED", flush=True)
    if kinds == list(WORDS):
        head = (
            "| while this floods | `/livez` p50 / p99 / max, ms | most memory, MiB | diagnosis |\n|---|---|---|---|\n"
        )
        write(FLOODS, head, rows)
    return rows


def measure_stops() -> list[Stop]:
    """All, and write them down."""
    rows = []
    for kind in STOP_WORDS:
        rows.append(asyncio.run(stop(kind)))
        print(rows[-1].line(), "" if rows[-1].holds else "NOT AS PROMISED", flush=True)
    write(STOPS, "| while there are | seconds from SIGTERM to the agent's end | at most |\n|---|---|---|\n", rows)
    return rows


def main() -> None:
    """Measure the floods that are named, or ``stops``, or all."""
    named = sys.argv[1:] or [*WORDS, "stops"]
    rows = measure_floods([kind for kind in named if kind != "stops"])
    ends = measure_stops() if "stops" in named else []
    raise SystemExit(not (all(each.holds for each in rows) and all(each.holds for each in ends)))


if __name__ == "__main__":
    main()
