"""The certificates that the row SSL of a database names, as ``ovn-nbctl set-ssl`` and ``ovs-vsctl set-ssl`` write it.

A row that nothing uses harms nobody: it counts once one of the targets beside it goes through TLS. ovn-ctl and ovs-ctl
have their servers read it (``--certificate=db:DATABASE,SSL,certificate``), whether or not it is there.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ovsnet.node.process import command_line
from ovsnet.ovsdb.values import Row

COLUMNS = ("certificate", "ca_cert", "private_key")


class TlsRow(msgspec.Struct, frozen=True):
    """Paths, as the programs that read the row see them."""

    certificate: str
    ca: str
    key: str


def tls_row(rows: Iterable[Row]) -> TlsRow | None:
    """Of the rows of SSL, of which there is one at most; None where none was made."""
    row = next(iter(rows), None)
    return None if row is None else TlsRow(*(str(row.get(each, "")) for each in COLUMNS))


def go_through_tls(targets: Iterable[str]) -> bool:
    """Whether any of these, such as ``pssl:6641``, does."""
    return any(each.startswith(("ssl:", "pssl:")) for each in targets)


def reads_row(pid: int, database: str) -> bool:
    """Whether a server takes its certificate from the row of this database, as its command line says."""
    return any(word.endswith(f"db:{database},SSL,certificate") for word in command_line(pid))


def remotes_given(pid: int) -> list[str]:
    """The remotes on a server's command line."""
    return [word.removeprefix("--remote=") for word in command_line(pid) if word.startswith("--remote=")]
