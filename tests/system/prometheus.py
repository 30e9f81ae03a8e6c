"""A real Prometheus: the distribution's, unpacked in the cache."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from ovsnet.sandbox import binaries
from ovsnet.sandbox.proc import free_ports
from ovsnet.sandbox.supervisor import die_with_parent
from tests.patience import PATIENCE

T = TypeVar("T")

CONFIGURATION = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - job_name: ovsnet
    static_configs: [{{targets: ["{target}"]}}]
"""


class Prometheus:
    """Ask it over its API."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query. One that Prometheus cannot parse is an error."""
        found = await self._get("/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        return list(found["data"]["result"])

    async def firing(self) -> dict[str, dict[str, Any]]:
        """The alerts that fire now, by name."""
        alerts = (await self._get("/api/v1/alerts"))["data"]["alerts"]
        return {alert["labels"]["alertname"]: alert for alert in alerts if alert["state"] == "firing"}

    async def ready(self) -> bool:
        """Whether it answers queries."""
        try:
            return b"Ready" in await asyncio.to_thread(self._read, "/-/ready")
        except OSError:
            return False

    async def _get(self, path: str) -> dict[str, Any]:
        return dict(json.loads(await asyncio.to_thread(self._read, path)))

    def _read(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=PATIENCE) as response:
            return bytes(response.read())


@contextlib.asynccontextmanager
async def prometheus(directory: Path, target: str, rules: str) -> AsyncIterator[Prometheus]:
    """It scrapes ``target`` and evaluates ``rules`` once a second."""
    (directory / "rules.yml").write_text(rules)
    configuration = directory / "prometheus.yml"
    configuration.write_text(CONFIGURATION.format(rules=directory / "rules.yml", target=target))
    process, found = await _start(directory, configuration)
    try:
        yield found
    finally:
        process.terminate()
        process.wait(PATIENCE)


async def _start(directory: Path, configuration: Path) -> tuple[subprocess.Popen[bytes], Prometheus]:
    """It binds no port of the kernel's choice and tells it; so another is tried when somebody took ours meanwhile."""
    program = binaries.fetch_packages(["prometheus"]).path("prometheus")
    log = directory / "prometheus.log"
    while True:
        (port,) = free_ports(1)
        argv = [*die_with_parent(), str(program), f"--config.file={configuration}"]
        argv += [f"--storage.tsdb.path={directory / 'data'}", f"--web.listen-address=127.0.0.1:{port}"]
        process = _spawn(argv, log)
        found = Prometheus(f"http://127.0.0.1:{port}")
        while process.poll() is None:
            if await found.ready():
                return process, found
            await asyncio.sleep(0.05)
        assert "address already in use" in log.read_text(), log.read_text()


def _spawn(argv: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as stream:
        return subprocess.Popen(argv, stdout=stream, stderr=stream)


async def until_true(fact: Callable[[], Awaitable[T]], what: str) -> T:
    """What ``await fact()`` gives as soon as it is true."""
    deadline = time.monotonic() + PATIENCE
    while not (found := await fact()):
        assert time.monotonic() < deadline, f"{what} never came"
        await asyncio.sleep(0.1)
    return found
