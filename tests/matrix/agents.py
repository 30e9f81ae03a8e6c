"""``ovsnet serve`` and ``ovsnet check`` as processes of their own, and all that they say."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from ovsnet.sandbox.supervisor import die_with_parent
from tests.faults.fault import Scene

OVSNET = (sys.executable, "-m", "ovsnet")

BRISK = {
    "interval": 0.5,
    "timeout": 0.5,
    "hung_after": 1.0,
    "dead_after": 1.5,
    "start_allowance": 6.0,
    "broken_after": 2.0,
    "restarts_within": 15.0,
    "restarts_a_day": 100,
}
"""The default settings, sped up. The timeout stays above what a loaded machine takes from a living daemon."""

POLL = 0.3
"""Seconds between two questions to an agent."""

CHECK_TIMEOUT = 30.0
"""Seconds after which a one-shot ``check`` counts as hanging."""

Document = dict[str, Any]


def command(scene: Scene, verb: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """``ovsnet VERB`` on that node, seen as the scene has it, and its environment."""
    places = {"rundir": scene.rundir, "ovn-rundir": scene.ovn_rundir}
    flags = {flag: str(path) for flag, path in places.items() if path and path != Path()} | scene.flags
    words = [*OVSNET, verb, *(f"--{flag}={value}" for flag, value in flags.items()), *arguments]
    hidden = ("OVS_RUNDIR", "OVN_RUNDIR", "OVSNET_RUNDIR")
    environment = {name: value for name, value in os.environ.items() if name not in hidden} | scene.environment
    return [*die_with_parent(), *scene.prefix, *words], environment


@dataclass(frozen=True, slots=True)
class Told:
    """A diagnosis of the agent's log with its evidence, or an answer of one of its endpoints, and when it came."""

    at: float
    what: str
    why: str = ""


@dataclass(slots=True)
class Agent:
    """A running agent. ``codes``, ``readyz`` and ``livez`` hold what it said, each change once."""

    process: asyncio.subprocess.Process
    codes: list[Told] = field(default_factory=list)
    readyz: list[Told] = field(default_factory=list)
    livez: list[Told] = field(default_factory=list)
    document: Document = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    """Lines of its log that are not JSON: a traceback."""
    _codes_read: int = 0

    @property
    def code(self) -> str:
        """Of the last answer; empty before the first."""
        return str(self.document.get("diagnosis", {}).get("code", ""))

    @property
    def ended(self) -> bool:
        return self.process.returncode is not None

    async def until_says(self, code: str, patience: float) -> None:
        """Return when ``code`` was the last answer. Raises TimeoutError after ``patience`` seconds."""
        async with asyncio.timeout(patience):
            while self.code != code:  # noqa: ASYNC110 (it asks another process)
                await asyncio.sleep(POLL)

    async def read_log(self) -> None:
        """Note each diagnosis at the moment at which it is logged."""
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            try:
                found = json.loads(line)
            except ValueError:
                self.errors.append(line.decode(errors="replace").rstrip())
                continue
            if code := found.get("code"):
                self.codes.append(Told(time.monotonic(), code, "; ".join(found.get("evidence", []))))

    async def poll(self, path: Path) -> None:
        """Ask, again and again, what a kubelet and a person would."""
        patience = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path)), timeout=patience) as client:
            for turn in itertools.count():
                if self.ended:
                    break
                with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
                    await self._ask(client, whole=turn % 2 == 0 or self._codes_read < len(self.codes))
                await asyncio.sleep(POLL)

    async def _ask(self, client: aiohttp.ClientSession, *, whole: bool) -> None:
        """The document costs as much as all else that an agent does, so it is read each other time, and with news."""
        for told, endpoint in ((self.livez, "/ovs/livez"), (self.readyz, "/readyz")):
            async with client.get(f"http://localhost{endpoint}") as response:
                status = str(response.status)
            if not told or told[-1].what != status:
                told.append(Told(time.monotonic(), status))
        if whole:
            self._codes_read = len(self.codes)
            async with client.get("http://localhost/status") as response:
                self.document = msgspec.json.decode(await response.read())

    def since(self, told: list[Told], began: float) -> list[str]:
        """What was said from then on, and what stood at that moment."""
        before = [each.what for each in told if each.at < began][-1:]
        return before + [each.what for each in told if each.at >= began]


@contextlib.asynccontextmanager
async def agent(scene: Scene, name: str, settings: Mapping[str, float] = BRISK) -> AsyncIterator[Agent]:
    """An agent on that node for as long as the block lasts."""
    sock = scene.scratch / f"{name}.sock"
    flags = [f"--{key.replace('_', '-')}={value:g}" for key, value in {**settings, **scene.settings}.items()]
    words, environment = command(scene, "serve", *flags, f"--listen=unix:{sock}", "--log-format=json")
    process = await asyncio.create_subprocess_exec(*words, stderr=asyncio.subprocess.PIPE, env=environment)
    scene.agents.append(process.pid)
    found = Agent(process)
    tasks = [asyncio.create_task(found.read_log()), asyncio.create_task(found.poll(sock))]
    try:
        yield found
    finally:
        scene.agents.remove(process.pid)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a one-shot ``check`` printed; no document where it refused to ask."""

    document: Document
    exit_code: int | None
    seconds: float
    errors: str


async def check(scene: Scene, pace: float) -> Checked:
    """``ovsnet check --json``, on a machine that is slower by ``pace``."""
    words, environment = command(scene, "check", "--json")
    environment["OVSNET_START_ALLOWANCE"] = str(BRISK["start_allowance"])
    began = time.monotonic()
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*words, stdout=pipe, stderr=pipe, env=environment)
    try:
        out, errors = await asyncio.wait_for(process.communicate(), CHECK_TIMEOUT * pace)
    except TimeoutError:
        process.kill()
        await process.communicate()
        return Checked({}, None, time.monotonic() - began, f"It hung for {CHECK_TIMEOUT * pace:.0f} s.")
    try:
        document = json.loads(out)
    except ValueError:
        document = {}
    return Checked(document, process.returncode, time.monotonic() - began, errors.decode(errors="replace").strip())
