"""Who else is connected to a unix socket of the node."""

from __future__ import annotations

import os
from pathlib import Path

CONNECTED = "03"
"""SS_CONNECTED of include/uapi/linux/net.h, as /proc/net/unix prints it."""


def accepted(path: str, table: Path = Path("/proc/net/unix")) -> int | None:
    """How many connections a listener has accepted on ``path``; None where the table cannot be read.

    An accepted socket carries its listener's path, as the listener spelt it: Debian's daemons say /var/run where we say
    /run. The table is that of our own network namespace.
    """
    try:
        lines = table.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    name, real = f"/{os.path.basename(path)}", os.path.realpath(path)
    return sum(1 for line in lines if line.endswith(name) and _is_connected(line, path, real))


def _is_connected(line: str, path: str, real: str) -> bool:
    # Num RefCount Protocol Flags Type St Inode Path
    fields = line.split(maxsplit=7)
    if len(fields) != 8 or fields[5] != CONNECTED:
        return False
    return fields[7] == path or os.path.realpath(fields[7]) == real
