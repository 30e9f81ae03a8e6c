"""How many files this process may open (RLIMIT_NOFILE, getrlimit(2))."""

from __future__ import annotations

import os
import resource

import msgspec

from ovsnet.deadlines import BACKLOG
from ovsnet.errors import raise_own_limit

OWN = 64
"""Descriptors of an agent that nobody asks: the daemons' sockets, the loop's own, the standard streams."""


def nofile_needed(max_connections: int) -> int:
    """What an agent opens at most. Over ``max_connections`` come as many as it keeps until they have been read, and as
    many as it accepts meanwhile: a whole queue each."""
    return OWN + max_connections + 2 * BACKLOG


class Places(msgspec.Struct, frozen=True):
    """How many connections are ``held``, and how many more may be ``waiting`` to be read, or to be accepted."""

    held: int
    waiting: int


def places(files: int, wanted: int, queue: int) -> Places:
    """As many places as ``files`` descriptors are enough for: at most ``wanted``, and ``queue`` more.

    Where no descriptor is left, the kernel's queue is emptied by closing what is in it (libuv, uv__emfile_trick), the
    probes among it; and the daemons cannot be asked.
    """
    spare = max(files - OWN, files // 2)
    held = max(min(wanted, spare // 2), 1)
    return Places(held, max(min(queue, (spare - held) // 2), 1))


def nofile() -> int:
    """How many files this process may open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def require_descriptor() -> None:
    """Raise OwnLimit when no descriptor is left. The resolver and OpenSSL open files of their own, and blame the name
    or the certificate when they cannot."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        raise_own_limit(error)


def raise_nofile(count: int) -> int:
    """Let this process open ``count`` files, as far as its hard limit goes. Returns how many it may open.

    Neither limit is ever infinite: the kernel keeps both below fs.nr_open (kernel/sys.c, do_prlimit).
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(count, hard)
    if soft >= wanted:
        return soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
