"""The life of ``ovsnet serve`` as a process: drain, second signal, reload, and what the service manager hears."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.io.test_tls import Authority
from tests.patience import PATIENCE


class Served:
    """A process of ``ovsnet serve``, and the manager's socket on which it tells how it is."""

    def __init__(self, directory: Path, configuration: str) -> None:
        self.config = directory / "ovsnet.toml"
        self.config.write_text(configuration)
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(directory / "notify"))
        self.manager.settimeout(PATIENCE)
        argv = [sys.executable, "-m", "ovsnet", "serve", "--log-format", "human"]
        self.process = subprocess.Popen(
            [*argv, "--config", str(self.config)],
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"NOTIFY_SOCKET": str(directory / "notify"), "OVS_RUNDIR": str(directory)},
        )

    def told(self, wanted: str) -> str:
        """The first datagram from now on that has this in it."""
        while wanted not in (text := self.manager.recv(4096).decode()):
            pass
        return text

    def logged(self, wanted: str) -> str:
        """The first line from now on that has this in it."""
        assert self.process.stderr is not None
        return next(line for line in self.process.stderr if wanted in line)

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.manager.close()


Start = Callable[[str], Served]


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    with contextlib.ExitStack() as stack:

        def start(configuration: str) -> Served:
            served = Served(tmp_path_factory.mktemp("s"), configuration)
            stack.callback(served.end)
            return served

        yield start


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def status_of(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_ready_is_told_when_we_listen_whatever_ovs_does(start: Start) -> None:
    port = free_port()
    served = start(f'listen = ["127.0.0.1:{port}"]')
    assert "STATUS=starting: " in served.told("READY=1")
    assert status_of(port, "/livez") == 200


def test_diagnosis_becomes_the_status_line(start: Start) -> None:
    served = start(f'listen = ["127.0.0.1:{free_port()}"]\ndatabase = "ssl:127.0.0.1:6640"')
    assert "Set tls_key" in served.told("STATUS=misconfigured: ")


def test_sigterm_denies_readiness_at_once_and_lets_an_open_request_finish(start: Start) -> None:
    port = free_port()
    served = start(f'listen = ["127.0.0.1:{port}"]')
    served.logged("serving on")
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as slow:
        slow.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n")
        assert status_of(port, "/livez") == 200  # so the slow one was accepted before it
        served.process.send_signal(signal.SIGTERM)
        served.told("STOPPING=1")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=PATIENCE) as response:
            assert response.status == 200
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=PATIENCE)
        with caught.value as answer:
            assert answer.read().startswith(b"leaving: ")
        slow.sendall(b"Connection: close\r\n\r\n")
        with slow.makefile("rb") as stream:
            assert stream.read().endswith(b"ok\n")
    assert served.process.wait(PATIENCE) == 0


def test_second_sigterm_ends_it_at_once(start: Start) -> None:
    served = start(f'listen = ["127.0.0.1:{free_port()}"]')
    served.logged("serving on")
    served.process.send_signal(signal.SIGTERM)
    served.told("STOPPING=1")
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(PATIENCE) == -signal.SIGTERM


def test_own_unix_socket_is_gone_after_the_end(start: Start, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("u") / "sock"
    served = start(f'listen = ["unix:{path}"]\nsocket_mode = "0600"')
    served.told("READY=1")
    assert path.stat().st_mode & 0o777 == 0o600
    served.logged("serving on")
    served.process.terminate()
    assert served.process.wait(PATIENCE) == 0
    assert not path.exists()


def test_reload_takes_a_good_configuration_and_serves_where_it_says(start: Start) -> None:
    port, other = free_port(), free_port()
    served = start(f'listen = ["127.0.0.1:{port}"]')
    served.logged("serving on")
    served.config.write_text(f'listen = ["127.0.0.1:{other}"]\nstart_allowance = 0.1')
    served.process.send_signal(signal.SIGHUP)
    served.told("RELOADING=1\nMONOTONIC_USEC=")
    served.told("READY=1")
    served.logged("read again")
    assert status_of(other, "/livez") == 200
    with pytest.raises(urllib.error.URLError):
        status_of(port, "/livez")


def document(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as response:
        return json.load(response)


def test_reload_keeps_what_the_agent_remembers(start: Start) -> None:
    port = free_port()
    served = start(f'listen = ["127.0.0.1:{port}"]')
    served.logged("serving on")
    before, since = document(port, "/history")["events"], document(port, "/status")["agent"]["since"]
    assert before
    served.config.write_text(f'listen = ["127.0.0.1:{port}"]\ntimeout = "500ms"')
    served.process.send_signal(signal.SIGHUP)
    served.logged("read again")
    status = document(port, "/status")
    assert status["deadlines"]["timeout"] == 0.5
    assert status["agent"]["since"] == pytest.approx(since, abs=0.1)  # the wall clock's, which NTP slews
    after = document(port, "/history")["events"]
    assert [told_of(each) for each in after[: len(before)]] == [told_of(each) for each in before]


def told_of(event: dict[str, Any]) -> tuple[object, ...]:
    """How long it lasted, and what the wall clock says, may have changed."""
    return tuple(event.get(key) for key in ("kind", "code", "name", "status", "reason", "detail"))


def test_reload_for_another_node_begins_with_nothing(start: Start, tmp_path_factory: pytest.TempPathFactory) -> None:
    port = free_port()
    served = start(f'listen = ["127.0.0.1:{port}"]')
    served.logged("serving on")
    since = document(port, "/status")["agent"]["since"]
    other = tmp_path_factory.mktemp("other")
    served.config.write_text(f'listen = ["127.0.0.1:{port}"]\nrundir = "{other}"')
    served.process.send_signal(signal.SIGHUP)
    served.logged("read again")
    status = document(port, "/status")
    assert status["rundir"]["ovs"] == str(other)
    assert status["agent"]["since"] > since
    assert all(each["at"] > since for each in document(port, "/history")["events"])


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ("interval = -1", "interval"),
        ("nonsense = 1", "There is no setting 'nonsense'"),
        ("not TOML", "is not valid TOML"),
        ('rundir = "/nonexistent"', "There is no run directory"),
        ('listen = ["127.0.0.1:{port}", "unix:/nonexistent/s"]', "Cannot listen on unix:/nonexistent/s"),
        ('listen = ["ssl:127.0.0.1:0"]\nserve_key = "/none"\nserve_certificate = "/none"', "cannot be used"),
    ],
)
def test_reload_of_a_broken_configuration_keeps_the_old_one_and_says_why(start: Start, broken: str, why: str) -> None:
    port = free_port()
    served = start(f'listen = ["127.0.0.1:{port}"]')
    served.logged("serving on")
    served.config.write_text(broken.replace("{port}", str(port)))
    served.process.send_signal(signal.SIGHUP)
    served.told("RELOADING=1")
    assert why in served.told("READY=1\nSTATUS=The old configuration stays: ")
    assert why in served.logged("The old configuration stays")
    assert status_of(port, "/livez") == 200


def test_listener_of_a_configuration_that_is_refused_leaves_no_file(start: Start, tmp_path: Path) -> None:
    served = start(f'listen = ["127.0.0.1:{free_port()}"]')
    served.logged("serving on")
    served.config.write_text(f'listen = ["unix:{tmp_path}/first", "unix:/nonexistent/second"]')
    served.process.send_signal(signal.SIGHUP)
    served.logged("The old configuration stays")
    assert not (tmp_path / "first").exists()


def peer_certificate(port: int, context: ssl.SSLContext) -> bytes:
    with (
        socket.create_connection(("127.0.0.1", port), PATIENCE) as sock,
        context.wrap_socket(sock) as tls,
    ):
        tls.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
        if not tls.recv(4096).startswith(b"HTTP/1.0 200 OK"):
            raise ConnectionError("refused")  # TLS 1.3 refuses a client only after its own side is done
        return tls.getpeercert(binary_form=True) or b""


def client(authority: Authority, name: str = "") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(authority.ca)
    if name:
        pair = authority.pair(name)
        context.load_cert_chain(pair.certificate, pair.key)
    return context


def test_https_asks_for_a_client_certificate_and_takes_new_files_on_reload(start: Start, tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path / "ours"), Authority(tmp_path / "theirs")
    pair = authority.pair("agent")
    port = free_port()
    served = start(
        f'listen = ["ssl:127.0.0.1:{port}"]\nserve_key = "{pair.key}"\nserve_certificate = "{pair.certificate}"\n'
        f'serve_client_ca = "{authority.ca}"'
    )
    assert f"https://127.0.0.1:{port}" in served.logged("serving on")
    known, unknown = client(authority, "prometheus"), client(authority)
    before = peer_certificate(port, known)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        peer_certificate(port, unknown)
    pair_of_stranger = stranger.pair("stranger")
    unknown.load_cert_chain(pair_of_stranger.certificate, pair_of_stranger.key)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        peer_certificate(port, unknown)
    authority.pair("agent")  # the same file names, a new key
    served.process.send_signal(signal.SIGHUP)
    served.told("RELOADING=1")
    served.told("READY=1")
    assert peer_certificate(port, known) != before


def test_renewed_certificate_is_shown_without_a_signal(start: Start, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ours")
    pair, port = authority.pair("agent"), free_port()
    served = start(
        f'listen = ["ssl:127.0.0.1:{port}"]\nserve_key = "{pair.key}"\nserve_certificate = "{pair.certificate}"\n'
    )
    served.logged("serving on")
    before = peer_certificate(port, client(authority))
    authority.pair("agent")
    while peer_certificate(port, client(authority)) == before:
        time.sleep(0.05)
    served.logged("again")
