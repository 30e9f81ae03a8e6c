"""TLS as the daemons do it: both sides show a certificate, and what is wrong with one is said."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from ovsnet import openflow, ovsdb
from ovsnet.errors import ConfigError, DeadlineExceeded, TlsFailed
from ovsnet.io.address import Address
from ovsnet.io.connect import connect
from ovsnet.io.tls import HeldTls, RenewedContext, ServingTls, Tls
from ovsnet.sandbox import binaries
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.proc import free_ports, listening_ports
from ovsnet.sandbox.supervisor import die_with_parent
from ovsnet.sandbox.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from tests.io.conftest import Lines


class Authority:
    """A CA in a directory, and the pairs it signed. Open vSwitch's own ovs-pki needs openssl, so it is there."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir()
        self._openssl("req", "-x509", *self._new_key("ca"), "-subj", f"/CN={directory.name}", "-out", self.ca)

    @property
    def ca(self) -> str:
        return str(self.directory / "ca.pem")

    def pair(self, name: str, *, days: int = 1) -> Tls:
        """A key and a certificate signed by this CA; with ``days`` below 0 it is past its date."""
        key, request, certificate = (str(self.directory / f"{name}.{kind}") for kind in ("key", "req", "pem"))
        self._openssl("req", *self._new_key(name), "-subj", f"/CN={name}", "-out", request)
        signer = ("-CA", self.ca, "-CAkey", str(self.directory / "ca.key"), "-set_serial", "7")
        self._openssl("x509", "-req", "-in", request, *signer, "-days", str(days), "-out", certificate)
        return Tls(key, certificate, self.ca)

    def _new_key(self, name: str) -> tuple[str, ...]:
        key = str(self.directory / f"{name}.key")
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key)

    def _openssl(self, *arguments: str) -> None:
        environment = os.environ | binaries.find().environment()
        subprocess.run(["openssl", *arguments], env=environment, check=True, capture_output=True)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki") / "ours")


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A CA that nobody trusts."""
    return Authority(tmp_path_factory.mktemp("pki") / "theirs")


@pytest.fixture(scope="session")
def tls(authority: Authority) -> Tls:
    return authority.pair("client")


@pytest.fixture(scope="session")
def serve(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Tls], Address]]:
    """Starts a real ovsdb-server that speaks TLS with these files; returns where."""
    programs = binaries.find()
    environment = os.environ | programs.environment()
    children = []

    def start(files: Tls) -> Address:
        directory = tmp_path_factory.mktemp("db")
        database, port = directory / "conf.db", free_ports(1)[0]
        schema = programs.schema("vswitch.ovsschema")
        subprocess.run([programs.path("ovsdb-tool"), "create", database, schema], env=environment, check=True)
        remote = [f"--remote=pssl:{port}:127.0.0.1", f"--private-key={files.key}", f"--certificate={files.certificate}"]
        rest = [f"--ca-cert={files.ca}", f"--unixctl={directory}/ctl", str(database), "-vconsole:off"]
        command = [*die_with_parent(), str(programs.path("ovsdb-server")), *remote, *rest]
        children.append(subprocess.Popen(command, env=environment))
        asyncio.run(until(lambda: port in listening_ports(), 30, f"nobody listens on {port}"))
        return Address("ssl", host="127.0.0.1", port=port)

    yield start
    for child in children:
        child.kill()
        child.wait()


@pytest.fixture(scope="session")
def server(serve: Callable[[Tls], Address], authority: Authority) -> Address:
    return serve(authority.pair("server"))


async def test_database_answers_over_tls(server: Address, tls: Tls) -> None:
    async with await ovsdb.connect(server, tls=tls, timeout=30) as session:
        assert "Open_vSwitch" in await session.list_dbs(timeout=30)
        assert session.peer_pid is None


async def test_server_of_another_ca_is_refused(server: Address, tls: Tls, stranger: Authority) -> None:
    with pytest.raises(TlsFailed, match="CERTIFICATE_VERIFY_FAILED") as caught:
        await ovsdb.connect(server, tls=Tls(tls.key, tls.certificate, stranger.ca), timeout=30)
    assert "CA" in caught.value.remedy


async def test_our_certificate_of_another_ca_is_refused_by_the_server(
    server: Address, authority: Authority, stranger: Authority
) -> None:
    """With TLS 1.3 the handshake is over for us before the server has looked at it."""
    ours = stranger.pair("client")
    session = await ovsdb.connect(server, tls=Tls(ours.key, ours.certificate, authority.ca), timeout=30)
    end = await session.closed
    assert isinstance(end, TlsFailed)
    assert "alert" in str(end)


async def test_server_whose_certificate_is_past_its_date_is_refused(
    serve: Callable[[Tls], Address], authority: Authority, tls: Tls
) -> None:
    address = await asyncio.to_thread(serve, authority.pair("old", days=-1))
    with pytest.raises(TlsFailed, match="certificate has expired"):
        await ovsdb.connect(address, tls=tls, timeout=30)


@pytest_asyncio.fixture
async def tls_switch(authority: Authority) -> AsyncIterator[Address]:
    """A real switch that offers OpenFlow over TLS."""
    files = authority.pair("switch")
    port = free_ports(1)[0]
    async with Sandbox(ovn=False, ports=0) as node:
        await node.run("ovs-vsctl", "set-ssl", files.key, files.certificate, files.ca)
        await node.run("ovs-vsctl", "set-controller", "br-int", f"pssl:{port}:127.0.0.1")
        await until(lambda: port in listening_ports(), 30, f"nobody listens on {port}")
        yield Address("ssl", host="127.0.0.1", port=port)


async def test_switch_answers_over_tls(tls_switch: Address, tls: Tls) -> None:
    async with openflow.connect(tls_switch, tls=tls, timeout=30) as switch:
        assert await switch.echo(b"x" * 60000, timeout=30) > 0
        assert switch.peer_pid is None


def plain(listener: socket.socket) -> Address:
    return Address("ssl", host="127.0.0.1", port=listener.getsockname()[1])


async def test_peer_that_speaks_no_tls_is_told_apart(tcp_listener: socket.socket, tls: Tls, line: Lines) -> None:
    connecting = asyncio.create_task(connect(line(plain(tcp_listener)).channel, timeout=30, tls=tls))
    peer, _ = await asyncio.get_running_loop().sock_accept(tcp_listener)
    with peer:
        peer.send(b'{"method":"echo","params":[],"id":"echo"}')
        with pytest.raises(TlsFailed, match=r"TLS with ssl:127.0.0.1:\d+ failed: \S"):
            await connecting


async def test_peer_that_closes_in_the_handshake_is_told_apart(
    tcp_listener: socket.socket, tls: Tls, line: Lines
) -> None:
    connecting = asyncio.create_task(connect(line(plain(tcp_listener)).channel, timeout=30, tls=tls))
    peer, _ = await asyncio.get_running_loop().sock_accept(tcp_listener)
    await asyncio.get_running_loop().sock_recv(peer, 65536)
    peer.close()
    with pytest.raises(TlsFailed, match=r"failed: \S"):
        await connecting


async def test_peer_that_accepts_and_is_silent_is_late(tcp_listener: socket.socket, tls: Tls, line: Lines) -> None:
    """The kernel accepts for a frozen daemon: that is not an unreachable host."""
    with pytest.raises(DeadlineExceeded, match=r"finished no TLS handshake within 0\.1 s"):
        await connect(line(plain(tcp_listener)).channel, timeout=0.1, tls=tls)


@pytest.mark.parametrize("missing", ["key", "certificate", "ca"])
def test_missing_file_is_named(tls: Tls, missing: str, tmp_path: Path) -> None:
    files = {"key": tls.key, "certificate": tls.certificate, "ca": tls.ca, missing: str(tmp_path / "none.pem")}
    with pytest.raises(ConfigError, match=r"none\.pem.* cannot be used") as caught:
        Tls(**files).context()
    assert "readable" in caught.value.remedy


@pytest.mark.parametrize("bad", ["", "\0", "/", "/dev/null"])
def test_path_of_no_file_is_an_error_of_ours(tls: Tls, bad: str) -> None:
    with pytest.raises(ConfigError):
        Tls(tls.key, tls.certificate, bad).context()


def test_key_of_another_certificate_is_an_error(tls: Tls, authority: Authority) -> None:
    with pytest.raises(ConfigError, match="KEY_VALUES_MISMATCH"):
        Tls(authority.pair("other").key, tls.certificate, tls.ca).context()


def test_key_with_a_password_is_an_error_and_no_prompt(tls: Tls, tmp_path: Path) -> None:
    locked = str(tmp_path / "locked.key")
    command = ["openssl", "pkey", "-in", tls.key, "-aes128", "-passout", "pass:secret", "-out", locked]
    environment = os.environ | binaries.find().environment()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    with pytest.raises(ConfigError, match=r"locked\.key") as caught:
        Tls(locked, tls.certificate, tls.ca).context()
    assert "without a password" in caught.value.remedy


def test_held_files_are_read_once(tls: Tls, tmp_path: Path) -> None:
    held = HeldTls(tls.key, tls.certificate, tls.ca)
    assert held.context() is held.context()
    with pytest.raises(ConfigError):
        HeldTls(tls.key, tls.certificate, str(tmp_path / "none.pem")).context()


def test_files_that_cannot_be_used_leave_the_old_ones_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As between the writing of the key and of its certificate. What is wrong is said once."""
    monkeypatch.setattr("ovsnet.io.tls.LOOK_PERIOD", 0.0)
    pair = Authority(tmp_path / "ours").pair("agent")
    renewed = RenewedContext(ServingTls(pair.key, pair.certificate))
    first = renewed.current()
    assert renewed.current() is first
    other = Authority(tmp_path / "theirs").pair("agent")
    os.replace(other.key, pair.key)
    assert renewed.current() is first
    assert renewed.current() is first
    assert caplog.text.count("The old certificate stays in use") == 1
    os.replace(other.certificate, pair.certificate)
    assert renewed.current() is not first
