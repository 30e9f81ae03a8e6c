"""Control groups for one run: all that it starts is in them, and nothing of them is left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from ovsnet.errors import UnfitEnvironment
from tests.system.machine import until

PREFIX = "ovsnet-kubelet-"

NEEDED = ("cpu", "memory", "pids")
"""Controllers that a kubelet does not do without."""

_REMEDY = "Run it where root may make control groups."


def hierarchies(mountinfo: str) -> list[Path]:
    """Where they are mounted (proc_pid_mountinfo(5)): one in version 2, one for each controller in version 1."""
    lines = (line.split(" - ") for line in mountinfo.splitlines())
    return [Path(left.split()[4]) for left, right in lines if right.split()[0] in ("cgroup", "cgroup2")]


@contextmanager
def groups() -> Iterator[list[Path]]:
    """A group of our own in each hierarchy. Raises UnfitEnvironment where none can be made."""
    places = hierarchies(Path("/proc/self/mountinfo").read_text())
    for place in places:
        _sweep(place)
    made = [place / f"{PREFIX}{os.getpid()}" for place in places]
    try:
        for group in made:
            _make(group)
        _require_controllers(made)
        yield made
    finally:
        for group in made:
            _remove(group)


def _make(group: Path) -> None:
    try:
        group.mkdir()
        for name in ("cpuset.cpus", "cpuset.mems"):  # of version 1, where a group without takes no process
            if (group / name).exists() and not (group / "cgroup.controllers").exists():
                (group / name).write_text((group.parent / name).read_text())
    except OSError as error:
        raise UnfitEnvironment(f"There can be no control group {group}: {error}.", remedy=_REMEDY) from error


def _require_controllers(made: list[Path]) -> None:
    found = set().union(*map(_controllers, made))
    if lacking := [name for name in NEEDED if name not in found]:
        raise UnfitEnvironment(f"Control groups have no {' and no '.join(lacking)} here.", remedy=_REMEDY)


def _controllers(group: Path) -> set[str]:
    """Those of ``NEEDED`` that it has. Some of their files version 2 shows without them, too."""
    if (listed := group / "cgroup.controllers").exists():
        return set(listed.read_text().split())
    return {name for name in NEEDED if list(group.glob(f"{name}.*"))}


def _sweep(place: Path) -> None:
    """Remove what is left of runs that were killed: their processes are gone with their namespace."""
    for group in place.glob(f"{PREFIX}*"):
        if not Path("/proc", group.name.removeprefix(PREFIX)).exists():
            _remove(group)


def _remove(group: Path) -> None:
    """With all groups below it, as soon as the kernel has done away with the processes that were killed."""
    for path, _, _ in os.walk(group, topdown=False):
        until(partial(_is_removed, path), f"the end of {path}")


def _is_removed(path: str) -> bool:
    with suppress(OSError):
        os.rmdir(path)
    return not os.path.exists(path)
