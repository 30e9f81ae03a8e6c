"""What probes feel while a daemon floods the agent: ``python -m bench.flood`` writes the table of docs/security.md.

Each row has an agent and a node of its own. ``ovsnet serve`` watches the node; a flooder takes the place of one daemon;
then one probe after the other asks /livez, each on a connection of its own, as a kubelet's does.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.proc import free_ports
from ovsnet.sandbox.supervisor import die_with_parent

SECONDS = 10.0
BETWEEN = 0.01
"""Seconds of probing, and between two probes."""

PAGE = Path(__file__).parents[1] / "docs/security.md"
BEGIN, END = "<!-- floods -->\n", "<!-- end -->"

CROWDS = {"probes": "/livez", "events": "/events"}
"""Held against each other: they use up a core whatever they ask."""

LIMIT_MS, LIMIT_MIB = 20.0, 128.0

PLACES = {
    "of-echo": "br-int.mgmt",
    "of-error": "br-int.mgmt",
    "of-async": "br-int.mgmt",
    "db-update": "db.sock",
    "db-large": "db.sock",
    "db-echo": "db.sock",
    "ctl-deep": "ovs-vswitchd",
    "ctl-refusal": "ovs-vswitchd",
}

WORDS = {
    "rest": "nothing, for comparison",
    "probes": "50 clients ask `/livez` again and again, for comparison",
    "events": "50 clients connect to `/events` again and again",
    "of-echo": "echo requests on `br-int.mgmt`",
    "of-error": "errors for requests that nobody made",
    "of-async": "port status, which nobody asked for",
    "db-update": "`update3` of a watched row on `db.sock`",
    "db-large": "`update3` of 1 MB each",
    "db-echo": "echo requests on `db.sock`",
    "ctl-deep": "10 MB of empty arrays as an answer on a control socket",
    "ctl-refusal": "the same as a refusal",
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


@contextlib.contextmanager
def agent(rundir: Path) -> Iterator[tuple[int, int]]:
    """Pid and port of an agent that serves."""
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
            yield process.pid, port
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
        cwd=Path(__file__).parents[1],
    ) as process:
        try:
            yield
        finally:
            process.kill()
            path.unlink(missing_ok=True)
            away.rename(path)


@contextlib.contextmanager
def crowd(port: int, path: str) -> Iterator[None]:
    """Clients that come, hear the beginning of an answer, and go at once, in a process of their own."""
    code = f"import asyncio; from bench.flood import come_and_go; asyncio.run(come_and_go({port}, {path!r}))"
    argv = [*die_with_parent(), sys.executable, "-c", code]
    with subprocess.Popen(argv, stderr=subprocess.DEVNULL, cwd=Path(__file__).parents[1]) as process:
        try:
            yield
        finally:
            process.kill()


async def come_and_go(port: int, path: str) -> None:
    """Fifty at once, without end."""

    async def one() -> None:
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
                await reader.read(100)
                writer.transport.abort()

    await asyncio.gather(*(one() for _ in range(50)))


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
        with agent(node.rundir) as (pid, port), contextlib.ExitStack() as stack:
            await healthy(port)
            if kind in CROWDS:
                stack.enter_context(crowd(port, CROWDS[kind]))
            elif kind != "rest":
                stack.enter_context(flooding(kind, node))
            found, lost = delays(port, seconds)
            code = json.loads(probe(port, "/status"))["diagnosis"]["code"]
            return Row(kind, tuple(found), lost, largest(pid), code)


def table(rows: list[Row]) -> str:
    """As it stands in the page."""
    head = "| while this floods | `/livez` p50 / p99 / max, ms | most memory, MiB | diagnosis |\n|---|---|---|---|\n"
    return head + "".join(each.line() + "\n" for each in rows)


def main() -> None:
    """Measure those that are named, or all; all are written down."""
    kinds = sys.argv[1:] or list(WORDS)
    rows = []
    for kind in kinds:
        rows.append(asyncio.run(row(kind)))
        print(rows[-1].line(), f"lost {rows[-1].lost}", "" if rows[-1].holds else "NOT AS PROMISED", flush=True)
    if not sys.argv[1:]:
        text = PAGE.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        PAGE.write_text(before + BEGIN + table(rows) + END + rest.partition(END)[2], encoding="utf-8")
    raise SystemExit(any(not each.holds for each in rows))


if __name__ == "__main__":
    main()
