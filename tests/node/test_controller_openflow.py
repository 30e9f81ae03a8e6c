"""How ovn-controller reaches its bridge."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from ovsnet.node.controller_openflow import bridge_remote, is_connected, openflow_of

MGMT = "/run/openvswitch/br-int.mgmt"


@pytest.mark.parametrize(
    ("program", "version"),
    [("ovn-controller 20.03.1", "OpenFlow13"), ("ovn-controller 20.06.0", "OpenFlow15"), ("", "")],
)
def test_version_of_openflow_follows_that_of_ovn(program: str, version: str) -> None:
    assert openflow_of(program) == version


@pytest.mark.parametrize(
    ("remote", "program", "elsewhere"),
    [
        ("", "ovn-controller 25.03.0", ""),
        ("tcp:127.0.0.1:6653", "ovn-controller 25.03.0", "tcp:127.0.0.1:6653"),
        ("tcp:127.0.0.1:6653", "", "tcp:127.0.0.1:6653"),
        ("tcp:127.0.0.1:6653", "ovn-controller 24.03.1", ""),  # it does not read it yet
        ("unix:/run/openvswitch/../openvswitch/br-int.mgmt", "ovn-controller 25.03.0", ""),
        ("unix:/elsewhere/br-int.mgmt", "ovn-controller 25.03.0", "unix:/elsewhere/br-int.mgmt"),
    ],
)
def test_remote_is_heeded_since_24_09_and_its_own_socket_is_no_other(remote: str, program: str, elsewhere: str) -> None:
    assert bridge_remote({"ovn-bridge-remote": remote}, program, MGMT) == elsewhere


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_connection_over_tcp_is_seen(host: str) -> None:
    with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as server:
        port = server.getsockname()[1]
        place = f"[{host}]" if ":" in host else host
        assert is_connected(os.getpid(), f"tcp:{place}:{port}") is False
        with socket.create_connection((host, port)):
            assert is_connected(os.getpid(), f"tcp:{place}:{port}") is True
            assert is_connected(os.getpid(), f"ssl:{place}:{port}") is True
            assert is_connected(os.getpid(), f"tcp:localhost:{port}") is True, "a name may stand for any address"
            assert is_connected(os.getpid(), f"tcp:192.0.2.1:{port}") is False


def test_connection_over_a_unix_socket_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "bridge.mgmt"
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(path))
        server.listen()
        assert is_connected(os.getpid(), f"unix:{path}") is False
        client.connect(str(path))
        with server.accept()[0]:
            assert is_connected(os.getpid(), f"unix:{path}") is True


def test_what_is_no_address_has_no_connection_and_a_process_that_is_gone_is_not_seen() -> None:
    assert is_connected(os.getpid(), "br-int.mgmt") is False
    assert is_connected(1 << 23, "tcp:127.0.0.1:1") is None
