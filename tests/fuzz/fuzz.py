"""Everything that takes input, under input that is nearly right, for a given time, from a given seed.

Each target raises AssertionError for what must not be: an exception that is not of the tree, a traceback in the log, an
answer of 500, a fault of ours in a result.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from ovsnet.config import Settings
from ovsnet.config.sources import load
from ovsnet.deploy.systemd.install import family_of
from ovsnet.errors import OvsnetError
from ovsnet.health.checks.declaration import CHECKS
from ovsnet.health.checks.round import ask_all
from ovsnet.node.node import Node
from ovsnet.node.pidfile import pidfile_locked, read_pidfile
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox import record
from ovsnet.tune.offline import facts_of_text
from ovsnet.web.endpoints import ENDPOINTS
from ovsnet.web.server import serving
from tests.fuzz.daemons import Peers
from tests.fuzz.inputs import TOKENS, bent
from tests.fuzz.logs import logs
from tests.web.conftest import BoardedAgent

REQUEST = (
    b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/openmetrics-text;version=1.0.0,text/html;q=0.5\r\n"
    b"User-Agent: kube-probe/1.30\r\nConnection: %s\r\n\r\n"
)

TOML = (
    b'rundir = "/run"\ninterval = 2.5\nlisten = ["127.0.0.1:10670", "unix:/run/x.sock"]\nbridge = ["br-int"]\n'
    b'hung_after = "5s"\nmax_connections = 10\n[tune]\nmode = "off"\n'
)


class Tracebacks(logging.Handler):
    """Log records that carry an exception, or are errors."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if (record.exc_info and record.exc_info[1] is not None) or "bug" in record.getMessage():
            self.found.append(f"{record.name}: {record.getMessage()}: {record.exc_info}")


@contextlib.contextmanager
def no_traceback() -> Iterator[None]:
    handler = Tracebacks()
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
    assert not handler.found, handler.found[:3]


async def http(rng: random.Random, until: float) -> int:
    """Requests, bent and whole, many on a connection."""
    count = 0
    with tempfile.TemporaryDirectory() as name, no_traceback():
        agent = BoardedAgent(msgspec.convert({}, Settings), Rundir(Path(name), Path(name)))
        agent.all_well()
        async with serving(agent, ("127.0.0.1:0",)) as urls:
            port = int(urls[0].rpartition(":")[2])
            while time.monotonic() < until:
                await asyncio.gather(*(_say(rng, port) for _ in range(8)))
                count += 8
            assert b"200 OK" in await _ask(port, REQUEST % (b"/livez", b"close"))
        assert not [key for key in agent.counters.requests if key[1] >= 500 and key[1] != 503], agent.counters.requests
    return count


async def _say(rng: random.Random, port: int) -> None:
    paths = [path.encode() for path in ENDPOINTS if path != "/events"]
    said = b""
    for _ in range(rng.choice((1, 1, 3))):
        path = rng.choice(paths) + rng.choice(
            (b"", b"", b"?verbose", b"?exclude=ovsdb.echo&require=%ff", rng.choice(TOKENS))
        )
        whole = REQUEST % (path, b"close")
        said += bent(rng, whole) if rng.random() < 0.7 else whole
    with contextlib.suppress(OSError, TimeoutError):
        await asyncio.wait_for(_ask(port, said), 0.3)


async def _ask(port: int, said: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(said)
        return await reader.read()
    finally:
        writer.transport.abort()


async def files(rng: random.Random, until: float) -> int:
    """What people and daemons write: pidfiles, settings, os-release, records, dumps of a database."""
    count = 0
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "etc").mkdir()
        rundir = Rundir(place, place)
        while time.monotonic() < until:
            count += 1
            (place / "ovs-vswitchd.pid").write_bytes(bent(rng, b"1234\n"))
            read_pidfile(place / "ovs-vswitchd.pid")
            pidfile_locked(place / "ovs-vswitchd.pid")
            _tree_only(rundir.control_sockets, "ovs-vswitchd")
            (place / "o.toml").write_bytes(bent(rng, TOML))
            _tree_only(load, place / "o.toml")
            variable = f"OVSNET_{rng.choice(Settings.__struct_fields__).upper()}"
            text = bent(rng, b"127.0.0.1:1,5s").decode(errors="surrogateescape")
            _tree_only(load, None, {variable: text}, {"listen": (text,)})
            (place / "etc/os-release").write_bytes(bent(rng, b'ID=debian\nID_LIKE="x y"\n'))
            family_of(place)
            (place / record.SETTINGS).write_bytes(bent(rng, b'{"ports":1,"ovn":true,"with_bridge":true,"members":[]}'))
            (place / record.PROCESSES).write_bytes(bent(rng, b'{"ovs-vswitchd":{"pid":5,"started":1.0}}'))
            _tree_only(record.read_settings, place)
            _tree_only(record.read_processes, place)
            dump = (
                b'_uuid : 1\nexternal_ids : {ovn-remote="tcp:1:2", system-id=n1}\nother_config : {max-idle="20000"}\n'
            )
            _tree_only(facts_of_text, bent(rng, dump).decode(errors="replace"))
    return count


def _tree_only(call: Callable[..., object], *arguments: object) -> None:
    with contextlib.suppress(OvsnetError):
        call(*arguments)


async def daemons(rng: random.Random, until: float) -> int:
    """A round of all checks against daemons that answer nearly right, again and again."""
    count = 0
    settings = Settings(timeout=0.05, hung_after=0.2, interval=0.1)
    while time.monotonic() < until:
        with tempfile.TemporaryDirectory() as name, no_traceback():
            place = Path(name)
            peers = Peers(rng, place)
            rundir = Rundir(place, place)
            async with peers.listening():
                node = Node(settings, rundir, clock=time.monotonic, rng=rng)
                async with node:
                    for _ in range(2):
                        results = await ask_all(CHECKS.values(), node)
                        ours = [each for each in results.values() if each.reason == "internal"]
                        assert not ours, ours
                assert not node.faults, node.faults
            count += peers.answers
    return count


TARGETS = {"http": http, "files": files, "daemons": daemons, "logs": logs}


async def run(target: str, seed: int, seconds: float) -> int:
    """How many inputs were tried. Raises for the first that did harm."""
    try:
        return await TARGETS[target](random.Random(seed), time.monotonic() + seconds)
    except Exception as error:
        raise AssertionError(f"{target} with seed {seed}") from error
