"""What /proc tells."""

import os
import signal
import socket
import subprocess
from pathlib import Path

from ovsnet.sandbox.proc import Process, free_ports, listening_paths, listening_ports


def test_zombie_counts_as_gone() -> None:
    with subprocess.Popen(["/bin/true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is not reaped
        assert Process.of(child.pid) is None


def test_reused_pid_is_another_process() -> None:
    myself = Process.of(os.getpid())
    assert myself is not None
    assert myself.alive()
    assert not Process(myself.pid, myself.started - 1).alive()


def test_stopped_process_is_frozen_until_it_goes_on() -> None:
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as child:
        process = Process.of(child.pid)
        assert process is not None
        assert not process.frozen()
        os.kill(child.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED)
        assert process.frozen()
        os.kill(child.pid, signal.SIGCONT)
        os.waitid(os.P_PID, child.pid, os.WCONTINUED)
        assert not process.frozen()


def test_only_a_socket_that_accepts_is_listening(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        assert path not in listening_paths()
        server.listen()
        assert path in listening_paths()
    assert os.path.exists(path)
    assert path not in listening_paths()


def test_listening_tcp_port_is_seen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert server.getsockname()[1] in listening_ports()


def test_free_ports_are_distinct_and_free() -> None:
    ports = free_ports(6)
    assert len(set(ports)) == 6
    assert not listening_ports().intersection(ports)
