"""Listening sockets: what is replaced, and what never is."""

from __future__ import annotations

import contextlib
import grp
import os
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from ovsnet.errors import AddressError, BacklogFull, ConfigError, UnfitEnvironment
from ovsnet.io.address import Address
from ovsnet.io.connect import try_connect_unix
from ovsnet.io.listen import Access, Listener, inherited, listen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextlib.contextmanager
def made(text: str, access: Access = Access()) -> Iterator[Listener]:  # noqa: B008
    listener = listen(text, access)
    try:
        yield listener
    finally:
        listener.close()


@pytest.fixture
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a socket may be: tmp_path can be longer than the kernel takes."""
    return tmp_path_factory.mktemp("s") / "sock"


@pytest.fixture
def listener(path: Path) -> Iterator[socket.socket]:
    """A unix socket that listens for two clients and accepts nobody by itself."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
        sock.listen(1)
        sock.setblocking(False)
        yield sock


@pytest.mark.parametrize(("text", "host"), [("127.0.0.1:0", "127.0.0.1"), ("localhost:0", "localhost")])
def test_port_zero_is_chosen_by_the_kernel_and_told(text: str, host: str) -> None:
    with made(text) as listener, socket.create_connection(listener.sock.getsockname()):
        assert listener.url == f"http://{host}:{listener.sock.getsockname()[1]}"


def test_ipv6_address_keeps_its_brackets() -> None:
    with made("[::1]:0") as listener, socket.create_connection(listener.sock.getsockname()[:2]):
        assert listener.url == f"http://[::1]:{listener.sock.getsockname()[1]}"


NOBODY = 65534

JOIN = """
import errno, socket, sys
sock = socket.socket()
sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
try:
    sock.bind((sys.argv[1], int(sys.argv[2])))
    sock.listen()
except OSError as error:
    sys.exit(0 if error.errno == errno.EADDRINUSE else 2)
sys.exit(1)
"""


def joins(address: tuple[str, int], user: int) -> bool:
    """Whether a process of this user can listen there, too, if it asks the kernel to share."""
    argv = ["/usr/bin/python3", "-Ic", JOIN, address[0], str(address[1])]
    code = subprocess.run(argv, user=user, cwd="/").returncode
    assert code in (0, 1)
    return code == 1


@pytest.mark.parametrize("shared", [False, True])
def test_address_is_shared_with_our_own_user_alone_and_only_where_that_is_set(shared: bool) -> None:
    """Any other process of the host would take a share of the probes."""
    with made("127.0.0.1:0", Access(shared=shared)) as listener:
        address = listener.sock.getsockname()
        assert joins(address, os.geteuid()) == shared
        if os.geteuid() == 0:
            assert not joins(address, NOBODY)


def test_unix_socket_listens(path: Path) -> None:
    with made(f"unix:{path}") as listener, try_connect_unix(Address.unix(path)):
        assert listener.url == f"http+unix://{path}"


def test_stale_unix_socket_is_replaced(path: Path) -> None:
    listen(f"unix:{path}").sock.close()
    assert path.is_socket()
    with made(f"unix:{path}"), try_connect_unix(Address.unix(path)):
        assert path.is_socket()


def test_live_unix_socket_is_left_alone(listener: socket.socket, path: Path) -> None:
    with pytest.raises(UnfitEnvironment, match=f"Cannot listen on unix:{path}: Address already in use") as caught:
        listen(f"unix:{path}")
    assert "--listen" in caught.value.remedy
    with try_connect_unix(Address.unix(path)):
        pass


def test_live_unix_socket_with_a_full_backlog_is_left_alone(listener: socket.socket, path: Path) -> None:
    with try_connect_unix(Address.unix(path)), try_connect_unix(Address.unix(path)):
        with pytest.raises(BacklogFull):
            try_connect_unix(Address.unix(path))
        with pytest.raises(UnfitEnvironment):
            listen(f"unix:{path}")
    assert path.is_socket()


def test_file_that_is_no_socket_is_never_removed(path: Path) -> None:
    """The kernel refuses a connection to it with the same errno as for a stale socket."""
    path.write_text("precious")
    with pytest.raises(UnfitEnvironment, match="already in use"):
        listen(f"unix:{path}")
    assert path.read_text() == "precious"


def test_directory_that_is_missing_is_named(path: Path) -> None:
    with pytest.raises(UnfitEnvironment, match="No such file or directory"):
        listen(f"unix:{path}/none/sock")


def test_two_agents_share_an_address_when_both_agree() -> None:
    first = listen("127.0.0.1:0", Access(shared=True))
    address = first.url.removeprefix("http://").rstrip("/")
    with first.sock:
        listen(address, Access(shared=True)).sock.close()
        with pytest.raises(UnfitEnvironment, match="in use"):
            listen(address)


def test_busy_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        text = f"127.0.0.1:{busy.getsockname()[1]}"
        with pytest.raises(UnfitEnvironment, match=f"Cannot listen on {text}: .*in use"):
            listen(text)


@pytest.mark.parametrize(
    "text", ["", "10670", "127.0.0.1", ":10670", "::1:10670", "127.0.0.1:65536", "unix:", "a..b:1"]
)
def test_text_that_is_no_address_is_wrong_usage(text: str) -> None:
    with pytest.raises(AddressError):
        listen(text)


def test_unix_socket_has_the_mode_and_the_group_that_were_asked_for(path: Path) -> None:
    # Root may give a file to any group, everyone else to their own.
    group = grp.getgrnam("daemon") if os.geteuid() == 0 else grp.getgrgid([os.getegid(), *os.getgroups()][-1])
    with made(f"unix:{path}", Access(0o640, group.gr_name)):
        status = path.stat()
    assert status.st_mode & 0o777 == 0o640
    assert status.st_gid == group.gr_gid


def test_group_that_is_not_there_is_a_mistake_of_the_configuration(path: Path) -> None:
    with pytest.raises(ConfigError, match="no group 'nobody-of-that-name'"):
        listen(f"unix:{path}", Access(group="nobody-of-that-name"))


def test_closed_unix_listener_leaves_no_file_but_spares_its_successor(path: Path) -> None:
    first = listen(f"unix:{path}")
    first.close()
    assert not path.exists()
    first = listen(f"unix:{path}")
    path.unlink()
    with made(f"unix:{path}"):
        first.close()
        assert path.is_socket()


def test_address_with_ssl_is_one_for_https() -> None:
    with made("ssl:127.0.0.1:0") as listener:
        assert listener.secure
        assert listener.url.startswith("https://127.0.0.1:")


def passed_to(pid: int, count: int, names: str = "") -> dict[str, str]:
    return {"LISTEN_PID": str(pid), "LISTEN_FDS": str(count), "LISTEN_FDNAMES": names}


@pytest.mark.parametrize(
    "environ", [{}, passed_to(1, 1), {"LISTEN_PID": "7"}, {"LISTEN_PID": "7", "LISTEN_FDS": "many"}, passed_to(7, 0)]
)
def test_sockets_passed_to_nobody_or_to_another_are_not_taken(environ: dict[str, str]) -> None:
    assert inherited(environ, 7) == []


def test_passed_sockets_are_taken_with_what_their_names_say(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain, socket.create_server(("127.0.0.1", 0)) as secure:
        first, second = sorted((plain.fileno(), secure.fileno()))
        monkeypatch.setattr("ovsnet.io.listen.FIRST_INHERITED", first)
        assert second == first + 1
        found = inherited(passed_to(7, 2, "http:ssl"), 7)
        assert [listener.url.partition(":")[0] for listener in found] == ["http", "https"]
        assert [listener.secure for listener in found] == [False, True]
        assert not any(listener.sock.get_inheritable() for listener in found)
        for listener in found:
            listener.sock.detach()


def test_passed_descriptor_that_listens_to_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
        descriptor = os.dup(datagrams.fileno())
        monkeypatch.setattr("ovsnet.io.listen.FIRST_INHERITED", descriptor)
        with pytest.raises(UnfitEnvironment, match="not a listening stream socket"):
            inherited(passed_to(7, 1), 7)


def swapping(monkeypatch: pytest.MonkeyPatch, after: Callable[[str], None]) -> None:
    """``after`` is called with the path as soon as a socket is bound to it."""
    bind = socket.socket.bind

    def bound(sock: socket.socket, address: str) -> None:
        bind(sock, address)
        after(address)

    monkeypatch.setattr(socket.socket, "bind", bound)


def test_socket_has_its_mode_from_the_first_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[int] = []
    swapping(monkeypatch, lambda path: modes.append(os.stat(path).st_mode & 0o777))
    before = os.umask(0o077)
    try:
        listen(f"unix:{tmp_path}/s", Access(0o640)).close()
        assert modes == [0o640]
        assert os.umask(0o077) == 0o077
    finally:
        os.umask(before)


def test_what_somebody_put_in_its_place_is_not_given_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    victim = tmp_path / "victim"
    victim.touch(0o600)

    def swap(path: str) -> None:
        os.unlink(path)
        os.symlink(victim, path)

    swapping(monkeypatch, swap)
    with pytest.raises(UnfitEnvironment, match="another process"):
        listen(f"unix:{tmp_path}/s", Access(0o666, grp.getgrgid(os.getgid()).gr_name))
    assert victim.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("text", "said", "remedy"),
    [
        ("192.0.2.1:10670", "Cannot assign requested address", "an interface of this host"),
        ("unix:{path}/none/s", "No such file or directory", "Name another address with --listen."),
    ],
)
def test_address_that_cannot_be_listened_on_is_said_without_pythons_words(
    text: str, said: str, remedy: str, tmp_path: Path
) -> None:
    text = text.format(path=tmp_path)
    with pytest.raises(UnfitEnvironment) as caught:
        listen(text)
    assert str(caught.value) == f"Cannot listen on {text}: {said}."
    assert remedy in caught.value.remedy


def test_address_in_use_is_answered_with_how_to_find_who_has_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(UnfitEnvironment) as caught:
        listen(f"127.0.0.1:{other.getsockname()[1]}")
    assert "`ss -lp`" in caught.value.remedy
