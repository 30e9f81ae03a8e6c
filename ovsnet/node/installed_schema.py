"""The schemas that were installed with a program, as its process sees them."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import msgspec

from ovsnet.errors import UnfitEnvironment
from ovsnet.node.host_files import Host


class _Schema(msgspec.Struct):
    version: str = ""


def installed_schema(pid: int, name: str, proc: Path = Path("/proc")) -> str:
    """The version of the schema file of OVN beside the program that this process runs; empty when nobody can say.

    That file is what `ovn-ctl` converts a database to. After an upgrade it is that of the next start: the program that
    runs is then one whose file was replaced, and wants what it was built with.
    """
    try:
        program = os.readlink(proc / str(pid) / "exe")
        if program.endswith(" (deleted)"):
            return ""
        place = PurePosixPath(program).parent.parent / "share/ovn" / name  # $(pkgdatadir) beside $(bindir)
        text = Host(proc / str(pid) / "root").read(str(place))
        return msgspec.json.decode(text or "{}", type=_Schema).version
    except (OSError, UnfitEnvironment, msgspec.MsgspecError):
        return ""
