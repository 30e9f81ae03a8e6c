"""Start laps and peers as fresh processes, and read what they cost from the kernel."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bench.laps.report import Cost
from bench.peers import Peer, interpreter
from ovsnet.bench.files import decode
from ovsnet.bench.result import Run
from ovsnet.errors import UnfitEnvironment
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.supervisor import die_with_parent

LAP_TIMEOUT = 60.0
"""Seconds. The longest lap takes three."""

ROOT = Path(__file__).parents[1]
OVSNET = str(Path(sys.executable).with_name("ovsnet"))

_SERVING = re.compile(r"serving on (http://[\w.:\[\]]+)")


def lap(module: str, *arguments: object, peer: Peer | None = None) -> list[Cost]:
    """Run ``bench.laps.MODULE`` in a fresh process, on the interpreter of ``peer`` if named; what it says of itself."""
    command = python(f"bench.laps.{module}", *map(str, arguments))
    if peer is not None:
        command[0] = str(interpreter(peer))
    return msgspec.json.decode(output(command, {"PYTHONPATH": str(ROOT)}), type=list[Cost])


def figures(module: str, *arguments: object, timeout: float = LAP_TIMEOUT) -> Mapping[str, float]:
    """The same for a lap that prints figures by name."""
    command = python(f"bench.laps.{module}", *map(str, arguments))
    return msgspec.json.decode(output(command, {"PYTHONPATH": str(ROOT)}, timeout=timeout), type=dict[str, float])


def python(module: str, *arguments: str) -> list[str]:
    """A module run by this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def agent(node: Sandbox) -> list[str]:
    """``ovsnet serve`` on this node, with default settings but for the port."""
    return [OVSNET, "serve", "--rundir", str(node.rundir), "--listen", "127.0.0.1:0"]


def measured(node: Sandbox, command: str, *arguments: object) -> list[Run[Any]]:
    """The runs of one round of ``ovsnet bench COMMAND`` on this node, a fresh process."""
    where = ("--rounds", "1", "--node", "--rundir", str(node.rundir), "--any-load", "--json")
    said = output([OVSNET, "bench", command, *map(str, arguments), *where])
    return decode(said.encode()).runs


def output(
    command: Sequence[str], environment: Mapping[str, str] | None = None, *, timeout: float = LAP_TIMEOUT
) -> str:
    """Stdout. Raises UnfitEnvironment with stderr when the command fails: a bench without a lap says nothing."""
    done = subprocess.run(
        command, env=os.environ | (environment or {}), capture_output=True, text=True, timeout=timeout
    )
    if done.returncode:
        raise UnfitEnvironment(f"{' '.join(command)} failed: {done.stderr.strip()[-400:]}")
    return done.stdout


@dataclass(frozen=True, slots=True)
class Server:
    """A process that serves HTTP at ``url``."""

    pid: int
    url: str


@contextlib.contextmanager
def serving(command: Sequence[str], *, core: int | None = None) -> Iterator[Server]:
    """A server that logs "serving on URL" to stderr, for the length of the block, on one core if named."""
    with subprocess.Popen([*die_with_parent(), *command], stderr=subprocess.PIPE, text=True) as process:
        try:
            if core is not None:
                os.sched_setaffinity(process.pid, {core})
            assert process.stderr is not None
            said = "".join(iter_until(process.stderr, _SERVING))
            found = _SERVING.search(said)
            if found is None:
                raise UnfitEnvironment(f"{' '.join(command)} ended: {said.strip()[-400:]}")
            yield Server(process.pid, found[1])
        finally:
            process.terminate()


def iter_until(lines: Iterator[str], pattern: re.Pattern[str]) -> Iterator[str]:
    """The lines, up to the first that matches."""
    for line in lines:
        yield line
        if pattern.search(line):
            return


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds that commands took, and of CPU that they and their children used."""

    wall: float
    cpu: float


def spend(commands: Sequence[Sequence[str]], environment: Mapping[str, str]) -> Spent:
    """Run commands one after the other, as a script does."""
    wall, cpu = time.perf_counter(), _children_cpu()
    for command in commands:
        output(command, environment)
    return Spent(time.perf_counter() - wall, _children_cpu() - cpu)


def spend_at_once(command: Sequence[str], times: int, environment: Mapping[str, str]) -> Spent:
    """Run one command so often, twice as many at once as there are cores."""
    at_once = 2 * len(os.sched_getaffinity(0))
    script = f'seq {times} | xargs -P {at_once} -I {{}} "$@" >/dev/null'
    return spend([["sh", "-c", script, "sh", *command]], environment)


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cpu_seconds(pid: int) -> float:
    """CPU time of all threads of a running process, to the nanosecond (schedstat, Documentation/scheduler)."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


@dataclass(frozen=True, slots=True)
class Memory:
    """Mebibytes: resident, and its part that is ours when shared pages are divided among those who map them."""

    resident: float
    proportional: float


def memory(pid: int) -> Memory:
    """From smaps_rollup (proc(5)); ``Rss`` is what ps shows."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    return Memory(*(int(fields[name].split()[0]) / 1024 for name in ("Rss", "Pss")))
