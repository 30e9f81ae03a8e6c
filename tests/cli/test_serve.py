"""``ovsnet serve`` as a service manager meets it."""

import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from ovsnet.sandbox.node import Sandbox
from tests.cli.conftest import Program


def address_of(process: subprocess.Popen[str]) -> tuple[str, list[str]]:
    """Where it serves, and the lines before it said so."""
    assert process.stderr is not None
    before: list[str] = []
    for line in process.stderr:
        if "serving on " in line:
            return line.rpartition("serving on ")[2].strip(), before
        before.append(line)
    raise AssertionError(f"it ended: {before}")


def wait_until_ready(url: str) -> None:
    """What is slow for a moment keeps it from being ready at first."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=30) as response:
                assert (response.status, response.read()) == (200, b"ok\n")
                return
        except urllib.error.HTTPError as error:
            error.close()
        time.sleep(0.1)
    raise AssertionError("it never became ready")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_healthy_node_is_served_until_a_signal_ends_it_without_noise(
    shared_node: Sandbox, program: Program, number: signal.Signals
) -> None:
    process = program("serve", "--log-format", "human", "--rundir", shared_node.rundir, "--listen", "127.0.0.1:0")
    url, before = address_of(process)
    said = [line.split(" ", 2)[2] for line in before]
    assert said == ["INFO healthy: All required checks pass.\n"] or "-slow: " in said[0], "a busy machine may be slow"
    wait_until_ready(url)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "", "")


def test_every_listener_is_served_though_no_daemon_runs_yet(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "s"
    places = ["--listen", "127.0.0.1:0", "--listen", f"unix:{path}"]
    process = program("serve", "--log-format", "human", "--rundir", tmp_path, *places)
    urls, _ = address_of(process)
    assert urls.endswith(f", http+unix://{path}")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.0 200 OK\r\n")
    process.terminate()
    assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 0


def test_busy_port_is_3_and_says_so_in_one_line(program: Program, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        process = program("serve", "--log-format", "human", "--rundir", tmp_path, "--listen", place)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (3, "")
    assert "Address already in use" in err
    assert "--listen" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("address", "code"),
    [("nonsense", 2), ("127.0.0.1:99999", 2), ("::1:80", 2), ("unix:/nonexistent/s", 3), ("unix:" + "x" * 200, 2)],
)
def test_bad_address_is_told_in_one_line(program: Program, tmp_path: Path, address: str, code: int) -> None:
    process = program("serve", "--log-format", "human", "--rundir", tmp_path, "--listen", address)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, "")
    assert err.startswith("ovsnet: ")
    assert err.count("\n") == 1
