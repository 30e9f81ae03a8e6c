"""Commands under the Python of another Debian suite: in a tree of that suite's own packages, without a network."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from ovsnet.sandbox.suite import programs

PYTHONS = {"trixie": (3, 13), "sid": (3, 14)}
"""Suites whose Python this host, a bookworm with 3.11, has not; none has 3.12. Debian moves sid on, and then this."""

_LINKS = {"lib": "usr/lib", "lib64": "usr/lib64", "bin": "usr/bin"}
"""What the package base-files would bring; Python does not depend on it."""

_ENTER = """\
root=$1; layers=$2; shift 2
mount -t overlay -o "lowerdir=$layers" overlay "$root"
for place; do
    shift
    test "$place" = -- && break
    mount --rbind "$place" "$root$place"
done
exec chroot "$root" "$@"
"""


class Enclosed:
    """A tree that is assembled for each command, from layers that stay as they are."""

    def __init__(self, suite: str, place: Path, shown: Sequence[Path]) -> None:
        """``shown`` are directories of the host that are there, too; ``place`` is an empty one."""
        self._root, self.extra = place / "root", place / "extra"
        self._shown = [Path("/proc"), Path("/dev"), *shown]
        for each in (self._root, *(self.extra / str(shown).lstrip("/") for shown in self._shown)):
            each.mkdir(parents=True)
        for name, target in _LINKS.items():
            (self.extra / name).symlink_to(target)
        self._layers = f"{self.extra}:{programs(suite).parent / 'root'}"

    def run(self, *argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
        words = ["unshare", "--net", "--mount", "--", "sh", "-euc", _ENTER, "sh", str(self._root), self._layers]
        words += [*map(str, self._shown), "--", *argv]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"} | environment
        return subprocess.run(words, env=environment, capture_output=True, text=True)
