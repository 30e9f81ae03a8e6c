"""Where a daemon listens, in Open vSwitch's own syntax.

``unix:PATH``, ``tcp:HOST:PORT`` and ``ssl:HOST:PORT``; an IPv6 address is written in brackets. See ovsdb(7),
"Connection Methods".
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Literal

import msgspec

from ovsnet.errors import AddressError

UNIX_PATH_MAX = 107
"""Bytes of a socket's path: ``sun_path`` holds 108 with its closing NUL (unix(7))."""

Scheme = Literal["unix", "tcp", "ssl"]


class Address(msgspec.Struct, frozen=True):
    """One place to connect to: ``path`` for unix, ``host`` and ``port`` for tcp and ssl."""

    scheme: Scheme
    path: str = ""
    host: str = ""
    port: int = 0

    @classmethod
    def unix(cls, path: str | os.PathLike[str]) -> Address:
        """Raises AddressError when the path is longer than the kernel takes."""
        text = os.fspath(path)
        try:
            length = len(os.fsencode(text))
        except UnicodeEncodeError:
            length = 0
        if not length or "\0" in text:
            raise AddressError(
                f"{text!r} is not the path of a socket.", remedy="Give a path such as /run/openvswitch/db.sock."
            )
        if length > UNIX_PATH_MAX:
            raise AddressError(
                f"The socket path {text} has {length} bytes; the kernel takes {UNIX_PATH_MAX}.",
                remedy="Use a shorter run directory, or a symbolic link to it.",
            )
        return cls("unix", path=text)

    @classmethod
    def parse(cls, text: str, *, any_port: bool = False) -> Address:
        """Read one address; with ``any_port``, port 0 lets the kernel choose. Raises AddressError."""
        scheme, _, rest = text.partition(":")
        if scheme == "unix":
            return cls.unix(rest)
        if scheme not in ("tcp", "ssl"):
            raise AddressError(
                f"The address {text!r} begins with none of unix:, tcp: and ssl:.",
                remedy="Write unix:/run/openvswitch/db.sock or tcp:127.0.0.1:6640.",
            )
        lowest = 0 if any_port else 1
        host, port = host_and_port(rest, text, lowest, f"{scheme}:127.0.0.1:6640", f"{scheme}:[::1]:6640")
        return cls("tcp" if scheme == "tcp" else "ssl", host=host, port=port)

    @classmethod
    def of(cls, place: Address | str) -> Address:
        """What a user may give for an address: one, or its text. Raises AddressError."""
        return place if isinstance(place, Address) else cls.parse(_text_of(place))

    def __str__(self) -> str:
        if self.scheme == "unix":
            return f"unix:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}:{host}:{self.port}"


def parse_remotes(text: str) -> tuple[Address, ...]:
    """Read a comma-separated list, as in ``external_ids:ovn-remote``. Raises AddressError."""
    return tuple(Address.parse(part.strip()) for part in text.split(",") if part.strip())


def remotes_of(places: Iterable[Address | str]) -> tuple[Address, ...]:
    """What a user may give for the members of a cluster: addresses, texts, and texts that list several. Raises
    AddressError, also when there is none."""
    found: list[Address] = []
    for place in places:
        found += [place] if isinstance(place, Address) else parse_remotes(_text_of(place))
    if not found:
        raise AddressError("No address was given.", remedy="Give one such as unix:/run/openvswitch/db.sock.")
    return tuple(found)


def _text_of(place: object) -> str:
    if isinstance(place, str):
        return place
    raise AddressError(f"{place!r} is not an address.", remedy="Give a text such as unix:/run/openvswitch/db.sock.")


def host_and_port(rest: str, whole: str, lowest: int, example: str, example_of_ipv6: str) -> tuple[str, int]:
    """Read ``HOST:PORT``, of the address ``whole``. Raises AddressError, with an example that fits."""
    host, colon, port = rest.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif _LIKE_IPV6.fullmatch(host):
        raise AddressError(f"The IPv6 address in {whole!r} needs brackets.", remedy=f"Write it as {example_of_ipv6}.")
    elif ":" in host:
        host = ""
    if not colon or not _is_host(host) or not _PORT.fullmatch(port) or not lowest <= int(port) < 65536:
        raise AddressError(
            f"The address {whole!r} lacks a host, or a port from 1 to 65535.", remedy=f"Write it as {example}."
        )
    return host, int(port)


_PORT = re.compile("[0-9]{1,5}")
_LIKE_IPV6 = re.compile("[0-9A-Fa-f.]*:[0-9A-Fa-f.:]*(%.*)?")


def _is_host(host: str) -> bool:
    """Whether the resolver takes it: it encodes names as IDNA, and raises what is not an OSError when it cannot."""
    try:
        return bool(host.encode("idna")) and "\0" not in host
    except UnicodeError:
        return False
