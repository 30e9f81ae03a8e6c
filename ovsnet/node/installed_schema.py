"""The schemas that were installed with an ovn-northd, as its process sees them."""

from __future__ import annotations

import functools
import os
from pathlib import Path, PurePosixPath

import msgspec

from ovsnet.errors import UnfitEnvironment
from ovsnet.files import read_bytes, signature
from ovsnet.node.components import NORTHD
from ovsnet.node.host_files import Host
from ovsnet.node.process import RUNNERS, command_line


class _Schema(msgspec.Struct):
    version: str = ""


def installed_schema(pid: int, name: str, proc: Path = Path("/proc")) -> str:
    """The version of the schema file of OVN beside the ovn-northd that this process is; empty when nobody can say.

    That file is what `ovn-ctl` converts a database to. After an upgrade it is that of the next start: the program that
    runs is then one whose file was replaced, and wants what it was built with.
    """
    try:
        program = _program(pid, proc)
        if program.endswith(" (deleted)"):
            return ""
        place = PurePosixPath(program).parent.parent / "share/ovn" / name  # $(pkgdatadir) beside $(bindir)
        file = Host(proc / str(pid) / "root").locate(str(place))
        seen = signature(file)
        return "" if seen is None else _version(file, seen)
    except (OSError, UnfitEnvironment, msgspec.MsgspecError):
        return ""


@functools.lru_cache(maxsize=8)
def _version(file: Path, seen: tuple[int, ...]) -> str:
    """Of the file as it was ``seen``: it has 0.1 MB, and is another one only after an upgrade. Raises OSError."""
    return msgspec.json.decode(read_bytes(file) or b"{}", type=_Schema).version


def _program(pid: int, proc: Path) -> str:
    """By its own name, also where a loader runs it. Raises OSError."""
    path = os.readlink(proc / str(pid) / "exe")
    if not os.path.basename(path).startswith(RUNNERS):
        return path
    words = (word for word in command_line(pid, proc)[1:] if word.startswith("/"))
    return next((word for word in words if os.path.basename(word) == NORTHD.daemon), path)
