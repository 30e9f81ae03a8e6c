"""The host as files: everything is read below a root, so that a mounted host or a made-up tree is read like our own.

Rules. 1: what is absent is None or empty; what may not be read raises UnfitEnvironment, because the two mean different
things. 2: symbolic links are followed inside the root, as chroot(2) would. 3: nothing is written, nothing is asked.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from ovsnet.errors import UnfitEnvironment
from ovsnet.files import read_bytes, read_tail, unpacked
from ovsnet.io.rights import unreadable
from ovsnet.node.layouts import LAYOUTS
from ovsnet.node.rundir import Rundir

T = TypeVar("T")

MOST_LINKS = 40
"""As the kernel's own bound (path_resolution(7))."""

USUAL_RUNDIR = Rundir(Path(LAYOUTS[0].ovs), Path(LAYOUTS[0].ovs))


class Host:
    """``rundir`` is in the terms of the root (``/run/openvswitch``). ``now`` is the wall clock in seconds.

    What is read of the processes is read once: one Host is one moment.
    """

    def __init__(self, root: Path | str = "/", rundir: Rundir = USUAL_RUNDIR, *, now: float = 0.0) -> None:
        self.root = Path(root)
        self.rundir = rundir
        self.now = now

    @cached_property
    def release(self) -> str:
        """The kernel's release, as ``uname -r`` prints it. Raises UnfitEnvironment."""
        return self.need("/proc/sys/kernel/osrelease").strip()

    def kernel_option(self, option: str) -> tuple[str, str] | None:
        """``y``, ``m`` or nothing for an option of the running kernel, and the file that says so; None when none does.
        Raises UnfitEnvironment."""
        return _kernel_option(self, option)

    @cached_property
    def processes(self) -> Mapping[int, str]:
        """Name by pid of every process that is not a zombie, as far as /proc shows them."""
        found = {}
        for entry in self.names("/proc"):
            if entry.isdigit() and (stat := self.read(f"/proc/{entry}/stat")):
                # The name is in parentheses and may hold any of " ()" itself (proc(5)).
                name, _, rest = stat.partition("(")[2].rpartition(")")
                if rest.split()[0] not in ("Z", "X"):
                    found[int(entry)] = name
        return found

    @property
    def sees_all_processes(self) -> bool:
        """True when /proc is that of the host: kthreadd has pid 2 in the first pid namespace, and in no other."""
        return self.processes.get(2) == "kthreadd"

    @cached_property
    def cpus(self) -> int:
        """How many CPUs are online. Raises UnfitEnvironment."""
        if online := self.read("/sys/devices/system/cpu/online"):
            return count_cpus(online)
        return len(re.findall(r"^processor\s*\d*\s*:", self.need("/proc/cpuinfo"), re.MULTILINE))

    def read(self, path: str | Path) -> str | None:
        """A file's text, or None when it is absent; one named ``.gz`` is unpacked. Raises UnfitEnvironment."""
        unpack = unpacked if str(path).endswith(".gz") else bytes
        data = _seen(path, lambda: unpack(read_bytes(self.locate(path))))
        return None if data is None else data.decode(errors="replace")

    def tail(self, path: str | Path, most: int) -> str | None:
        """The last bytes of a file, so many at most, as text; None when it is absent. Raises UnfitEnvironment."""
        data = _seen(path, lambda: read_tail(self.locate(path), most))
        return None if data is None else data.decode(errors="replace")

    def need(self, path: str | Path) -> str:
        """A file's text. Raises UnfitEnvironment when it is absent too."""
        text = self.read(path)
        if text is None:
            raise UnfitEnvironment(f"There is no {path} below {self.root}.")
        return text

    def names(self, path: str | Path) -> list[str]:
        """What a directory holds, sorted; empty when it is absent. Raises UnfitEnvironment."""
        return sorted(_seen(path, lambda: os.listdir(self.locate(path))) or [])

    def exists(self, path: str | Path) -> bool:
        """Whether something is there; a link that leads nowhere is not. Raises UnfitEnvironment."""
        return self.stat(path) is not None

    def stat(self, path: str | Path, *, follow: bool = True) -> os.stat_result | None:
        """None when it is absent. Raises UnfitEnvironment."""
        return _seen(path, lambda: os.stat(self._place(path, follow=follow), follow_symlinks=follow))

    def space(self, path: str | Path) -> os.statvfs_result | None:
        """Of the file system that holds it; None when it is absent. Raises UnfitEnvironment."""
        return _seen(path, lambda: os.statvfs(self.locate(path)))

    def link(self, path: str | Path) -> str | None:
        """Where a symbolic link points, or None when it is none. Raises UnfitEnvironment."""

        def read() -> str | None:
            entry = self._place(path, follow=False)
            return os.readlink(entry) if entry.is_symlink() else None

        return _seen(path, read)

    def real(self, path: str | Path) -> Path:
        """The path in the terms of the root, without any link."""
        return Path("/") / self.locate(path).resolve().relative_to(self.root.resolve())

    def locate(self, path: str | Path) -> Path:
        """Where to open it from here. Raises UnfitEnvironment for links that go in circles."""
        if self.root == Path("/"):
            return Path(path)
        root = found = str(self.root)  # several are looked for in each round of checks: a Path costs as much as a file
        links = 0
        pending = list(reversed(Path(path).parts))
        while pending:
            part = pending.pop()
            if part in ("/", ".."):
                found = root if part == "/" or found == root else os.path.dirname(found)
                continue
            entry = f"{found}/{part}"
            target = _target(entry)
            if target is None:
                found = entry
                continue
            if (links := links + 1) > MOST_LINKS:
                raise UnfitEnvironment(f"The links of {path} go in circles.", remedy="Remove the link that is wrong.")
            pending.extend(reversed(Path(target).parts))
        return Path(found)

    def _place(self, path: str | Path, *, follow: bool) -> Path:
        path = Path(path)
        return self.locate(path) if follow else self.locate(path.parent) / path.name


_kernel_options: dict[tuple[Path, str, str], tuple[str, str]] = {}
"""By root, release and option. A running kernel's configuration never changes, and to unpack it costs more than all
else that is read for the check ``host.fit``."""


def _kernel_option(host: Host, option: str) -> tuple[str, str] | None:
    key = (host.root, host.release, option)
    if key not in _kernel_options:
        for path in ("/proc/config.gz", f"/boot/config-{host.release}", f"/lib/modules/{host.release}/config"):
            if (text := host.read(path)) is not None:
                found = re.search(rf"^{option}=(\w+)$", text, re.MULTILINE)
                _kernel_options[key] = (found[1] if found else "", path)
                break
    return _kernel_options.get(key)


def count_cpus(cpu_list: str) -> int:
    """How many CPUs a list such as ``0-3,8`` names (cpuset(7), "List format")."""
    return len(cpus_of(cpu_list))


def cpus_of(cpu_list: str) -> frozenset[int]:
    """The CPUs that such a list names."""
    found: set[int] = set()
    for part in cpu_list.strip().split(","):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def _target(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None


def _seen(path: str | Path, read: Callable[[], T]) -> T | None:
    try:
        return read()
    except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
        return None
    except PermissionError as error:
        raise unreadable(str(path), str(error.filename or "")) from error
    except (OSError, EOFError, zlib.error) as error:
        raise UnfitEnvironment(f"{path} cannot be read: {error}.") from error
