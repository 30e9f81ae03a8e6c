"""Which right to a path this process lacks: what refuses it, to whom that belongs, and who would be let in.

The kernel says EACCES and no more. A path is refused by the first directory on it that may not be searched, else by the
file itself: a connection needs the right to write to the socket (unix(7)), and a listing that to read the directory.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

from ovsnet.errors import UnfitEnvironment
from ovsnet.files import read_text

USERS, GROUPS = "/etc/passwd", "/etc/group"
"""Read as files: a name service that asks the network (nsswitch.conf(5)) would block, on a node without network."""

BY_POLICY = "The owner and the mode allow it, so SELinux or AppArmor may deny it: see `ovsnet doctor`."
BEYOND = (
    "The owner and the mode allow root to read it: CAP_SYS_PTRACE may be missing, or SELinux or AppArmor denies it."
)
"""Of what /proc shows of a process the kernel asks for that, whatever the mode (proc(5), ptrace(2))."""


class Refusal(NamedTuple):
    """``owned`` says to whom ``place`` belongs, as the rest of a sentence; ``remedy`` is a sentence."""

    place: str
    owned: str
    remedy: str

    def cause(self, path: str) -> str:
        """The clause for a sentence that names ``path``."""
        return f"{'it' if self.place == os.path.realpath(path) else self.place} {self.owned}"


def unreadable(path: str, place: str = "") -> UnfitEnvironment:
    """The error for a file that this process may not read. ``place`` is where it is opened, if ``path`` is its name on
    a host that is mounted there."""
    said = f"This user may not read {path}"
    if (found := refusal(place or path, reading=True)) is None:
        return UnfitEnvironment(f"{said}.", remedy=BEYOND if os.geteuid() == 0 else "Run ovsnet as root.")
    return UnfitEnvironment(f"{said}: {found.cause(place or path)}.", remedy=found.remedy)


def refusal(path: str, *, reading: bool = False) -> Refusal | None:
    """What keeps this process from ``path``: from connecting to a socket or listing a directory, or from ``reading`` a
    file. None where owner and mode keep nothing from it, or nothing is there."""
    try:
        whole = Path(os.path.realpath(path))
    except (OSError, ValueError):
        return None
    for place in (*reversed(whole.parents), whole):
        try:
            found = place.stat()
        except (OSError, ValueError):
            return None
        wanted = os.X_OK
        if place == whole:
            wanted = os.R_OK if reading or stat.S_ISDIR(found.st_mode) else os.W_OK
        if not os.access(place, wanted, effective_ids=True):
            return _refused(place, found, wanted)
    return None


def _refused(place: Path, found: os.stat_result, wanted: int) -> Refusal:
    owner, group = _name(USERS, found.st_uid), _name(GROUPS, found.st_gid)
    mode = stat.S_IMODE(found.st_mode)
    owned = f"belongs to user {owner} and group {group}, with mode {mode:04o}"
    others = []
    if mode >> 6 & wanted and found.st_uid not in (0, os.geteuid()):
        others.append(f"as user {owner}")
    if mode >> 3 & wanted and found.st_gid not in (os.getegid(), *os.getgroups()):
        others.append(f"in group {group}")
    root = "as root with the capability CAP_DAC_OVERRIDE" if os.geteuid() == 0 else "as root"
    return Refusal(str(place), owned, f"Run ovsnet {' or '.join((root, *others))}.")


def _name(file: str, number: int) -> str:
    """The name of a user or a group as the files of this host have it, else its number (passwd(5), group(5))."""
    try:
        lines = read_text(file).splitlines()
    except OSError:
        return str(number)
    rows = (line.split(":") for line in lines)
    return next((row[0] for row in rows if len(row) > 2 and row[2] == str(number)), str(number))
