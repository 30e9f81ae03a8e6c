"""Names in the run directory that are gone, stale, or somebody else's, while the daemons behind them run on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from bench.laps import flooder
from ovsnet.health.cause import State
from ovsnet.sandbox.proc import free_ports, listening_paths
from ovsnet.sandbox.waiting import until
from tests.faults.daemons import WITHOUT_OVSDB
from tests.faults.fault import Scene, Steps, fault
from tests.faults.programs import program, web_server


@contextlib.contextmanager
def moved(path: Path) -> Iterator[None]:
    """Nothing is there any more."""
    away = path.with_name(f"{path.name}.away")
    path.rename(away)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        away.rename(path)


@contextlib.contextmanager
def regular(path: Path) -> Iterator[None]:
    """A regular file is there."""
    with moved(path):
        path.write_text("")
        yield


@contextlib.contextmanager
def dead(path: Path) -> Iterator[None]:
    """A socket is there on which nobody listens."""
    with moved(path):
        with socket.socket(socket.AF_UNIX) as ours:
            ours.bind(str(path))
        yield


@contextlib.contextmanager
def silent(path: Path) -> Iterator[None]:
    """Another process listens there, which accepts connections and never answers."""
    with moved(path), socket.socket(socket.AF_UNIX) as ours:
        ours.bind(str(path))
        path.chmod(0o777)
        ours.listen(64)
        yield


Way = Callable[[Path], AbstractContextManager[None]]

MISSING: dict[str, Way] = {"moved": moved, "a-regular-file": regular, "dead": dead}


def _replaced(socket_name: str, way: Way) -> Callable[[Scene], Steps]:
    async def steps(scene: Scene) -> Steps:
        with way(scene.socket(socket_name)):
            yield

    return steps


def _taken_over(socket_name: str) -> Callable[[Scene], Steps]:
    """A web server listens there."""

    async def steps(scene: Scene) -> Steps:
        path = scene.socket(socket_name)
        with moved(path):
            async with web_server(path):
                yield

    return steps


for _word, _way in MISSING.items():
    _text = "was moved away" if _word == "moved" else f"became {_word}" if "-" in _word else "became a dead socket"
    _text = _text.replace("-", " ")
    fault(
        "socket-missing",
        name=f"database-socket-{_word}",
        about=f"db.sock {_text}; ovsdb-server lives.",
        breaks="ovsdb" if _word == "moved" else "",
    )(_replaced("db.sock", _way))
    fault(
        "mgmt-socket-missing",
        name=f"bridge-socket-{_word}",
        about=f"br-int.mgmt {_text}; ovs-vswitchd lives.",
        breaks="vswitchd",
        hidden_by=WITHOUT_OVSDB,
    )(_replaced("br-int.mgmt", _way))
    fault(
        "socket-missing",
        name=f"switch-control-socket-{_word}",
        about=f"ovs-vswitchd's control socket {_text}; ovs-vswitchd lives.",
        state=State.DEGRADED,
        breaks="vswitchd" if _word == "moved" else "",
    )(_replaced("ovs-vswitchd.{ovs-vswitchd}.ctl", _way))
    fault(
        "socket-missing",
        name=f"controller-control-socket-{_word}",
        about=f"ovn-controller's control socket {_text}; ovn-controller lives.",
        state=State.DEGRADED,
        breaks="controller" if _word == "moved" else "",
    )(_replaced("ovn-controller.{ovn-controller}.ctl", _way))

fault(
    "southbound-down",
    name="southbound-socket-moved",
    breaks="southbound",
    hidden_by=WITHOUT_OVSDB,
    about="ovnsb_db.sock was moved away; the server lives, and no new connection reaches it.",
    passing="controller-not-connected",
)(_replaced("ovnsb_db.sock", moved))
fault(
    "database-socket-missing",
    name="northbound-socket-moved",
    breaks="nb",
    about="ovnnb_db.sock was moved away; the server lives, and no new connection reaches it.",
    passing="northd-not-connected",
    deadline=6,
)(_replaced("ovnnb_db.sock", moved))
fault("protocol-error", name="database-socket-of-a-stranger", about="A web server listens at db.sock.")(
    _taken_over("db.sock")
)
fault(
    "protocol-error",
    name="bridge-socket-of-a-stranger",
    hidden_by=WITHOUT_OVSDB,
    breaks="vswitchd",
    about="A web server listens at br-int.mgmt.",
)(_taken_over("br-int.mgmt"))
fault(
    "protocol-error",
    name="database-socket-of-a-silent-stranger",
    about="Another program listens at db.sock, and says nothing.",
    passing="connection-closed",
)(_replaced("db.sock", silent))
fault(
    "protocol-error",
    name="bridge-socket-of-a-silent-stranger",
    hidden_by=WITHOUT_OVSDB,
    breaks="vswitchd",
    about="Another program listens at br-int.mgmt, and says nothing.",
    passing="connection-closed",
)(_replaced("br-int.mgmt", silent))


@fault("protocol-flood", state=State.DEGRADED, hidden_by=WITHOUT_OVSDB, breaks="vswitchd", starts=True)
async def bridge_socket_floods(scene: Scene) -> Steps:
    """What listens at br-int.mgmt sends echo requests as fast as it can. It is another process, as after a start."""
    path = scene.socket("br-int.mgmt")
    away, fresh = (path.with_name(f"{path.name}.{word}") for word in ("away", "new"))
    async with program(scene.node, sys.executable, flooder.__file__, "of-echo", str(fresh)):
        await until(lambda: str(fresh) in listening_paths(), 10, "The flooder does not listen.")
        os.link(path, away)
        fresh.replace(path)
        try:
            yield
        finally:
            away.replace(path)


@fault("database-foreign")
async def database_socket_of_another_database(scene: Scene) -> Steps:
    """The server of the northbound database listens at db.sock."""
    path = scene.socket("db.sock")
    with moved(path):
        os.link(scene.socket("ovnnb_db.sock"), path)
        yield


def _rewritten(pidfile: str, text: str | None) -> Callable[[Scene], Steps]:
    async def steps(scene: Scene) -> Steps:
        path = scene.socket(pidfile)
        before = path.read_text()
        if text is None:
            path.unlink()
        else:
            path.write_text(text.format(ours=os.getpid(), gone=_pid_of_nobody()))
        yield
        path.write_text(before)

    return steps


def _pid_of_nobody() -> int:
    """The highest pid there may be; nothing has it on a host that did not start so many processes."""
    return int(Path("/proc/sys/kernel/pid_max").read_text()) - 1


for _daemon in ("ovsdb-server", "ovs-vswitchd", "ovn-controller"):
    for _word, _content in {"missing": None, "stale": "{gone}\n", "reused": "{ours}\n", "garbled": "x\n"}.items():
        fault(
            "healthy",
            name=f"{_daemon}-pidfile-{_word}",
            about=f"{_daemon}'s pidfile is {_word}; the daemon lives.",
            breaks="pidfile" if _word == "reused" else "",
        )(_rewritten(f"{_daemon}.pid", _content))


def _privileged(*command: str) -> None:
    subprocess.run(command, check=True)


def _mounted_dead(name: str) -> Callable[[Scene], Steps]:
    async def steps(scene: Scene) -> Steps:
        old = scene.scratch / "old.sock"
        with socket.socket(socket.AF_UNIX) as ours:
            ours.bind(str(old))
        _privileged("mount", "--bind", str(old), str(scene.socket(name)))
        yield
        _privileged("umount", str(scene.socket(name)))
        old.unlink()

    return steps


for _socket, _gone in (("db.sock", "socket-missing"), ("br-int.mgmt", "mgmt-socket-missing")):
    fault(
        "socket-mounted",
        name=f"{_socket.replace('.', '-')}-mounted-as-a-file",
        about=f"{_socket} is a mount of the one before a restart; the daemon lives.",
        passing=_gone,  # of a connection that was refused just before the end of the mount
        needs="root",
        hidden_by=WITHOUT_OVSDB,
        deadline=10,
    )(_mounted_dead(_socket))


async def _over_tcp(scene: Scene) -> Steps:
    """The observers reach ovsdb-server at a port, as from another host."""
    port = free_ports(1)[0]
    before, scene.flags = scene.flags, scene.flags | {"database": f"tcp:127.0.0.1:{port}"}
    scene.remembered["port"] = port
    await _remote(scene, "add")
    yield
    await _remote(scene, "remove")
    scene.flags = before


async def _remote(scene: Scene, verb: str) -> None:
    control, listener = scene.socket("ovsdb-server.{ovsdb-server}.ctl"), f"ptcp:{scene.remembered['port']}:127.0.0.1"
    await scene.node.run("ovs-appctl", "-t", str(control), f"ovsdb-server/{verb}-remote", listener)


@fault("database-unreachable", view=_over_tcp, deadline=6)
async def database_port_closed(scene: Scene) -> Steps:
    """The observers reach the database at a port, where nobody listens any more."""
    await _remote(scene, "remove")
    yield
    await _remote(scene, "add")


@fault("connection-closed", view=_over_tcp, passing="database-unreachable", deadline=6)
async def database_behind_a_proxy_without_a_server(scene: Scene) -> Steps:
    """The observers reach the database at a port, where a proxy takes connections and, without a server behind it,
    closes them."""
    await _remote(scene, "remove")
    proxy = await asyncio.start_server(_close, "127.0.0.1", scene.remembered["port"])
    yield
    proxy.close()
    await proxy.wait_closed()
    await _remote(scene, "add")


def _close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()
