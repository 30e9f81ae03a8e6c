"""Which right to a path this process lacks: what refuses it, to whom that belongs, and who would be let in.

The kernel says EACCES and no more. A path is refused by the first directory on it that may not be searched, else by the
file itself: a connection needs the right to write to the socket (unix(7)), and a listing that to read the directory.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

from ovsnet.files import read_text

USERS, GROUPS = "/etc/passwd", "/etc/group"
"""Read as files: a name service that asks the network (nsswitch.conf(5)) would block, on a node without network."""

BY_POLICY = "The owner and the mode allow it, so SELinux or AppArmor may deny it: see `ovsnet doctor`."


class Refusal(NamedTuple):
    """``owned`` says to whom ``place`` belongs, as the rest of a sentence; ``remedy`` is a sentence."""

    place: str
    owned: str
    remedy: str

    def cause(self, path: str) -> str:
        """The clause for a sentence that names ``path``."""
        return f"{'it' if self.place == os.path.realpath(path) else self.place} {self.owned}"


def refusal(path: str) -> Refusal | None:
    """What keeps this process from ``path``; None where owner and mode keep nothing from it, or nothing is there."""
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
            wanted = os.R_OK if stat.S_ISDIR(found.st_mode) else os.W_OK
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
