"""Run a command where it can leave nothing behind: ``python -m tests.kubelet.enclosure COMMAND``.

It sees this machine, its files and its network, but has processes, mounts and control groups of its own. What it writes
to /run and /var is in memory alone. When it ends, in whatever way, the kernel kills all that it started.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from ovsnet.errors import UnfitEnvironment
from ovsnet.sandbox.supervisor import die_with_parent
from tests.kubelet.cgroups import groups
from tests.kubelet.needs import missing
from tests.system.machine import mount

PLACE = "KUBELET_PLACE"
"""The variable that names a file system in memory, for what the command keeps."""

TUNABLES = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1_000_000,
    "kernel/keys/root_maxbytes": 25_000_000,
}
"""What a kubelet wants of the kernel (setupKernelTunables in pkg/kubelet/cm/container_manager_linux.go). It would set
them for the whole machine, so it is shown files that hold these already."""

# A namespace of control groups begins at the groups of the process that makes it.
_ENTER = """\
for group; do echo $$ > "$group/cgroup.procs"; done
exec unshare --cgroup sh -euc "$LEAVE_ROOT" sh "$@"
"""

# In version 2 only a group without processes hands controllers down.
_LEAVE_ROOT = """\
for group; do
  test -e "$group/cgroup.controllers" || continue
  mkdir "$group/leaf"
  echo $$ > "$group/leaf/cgroup.procs"
  for name in $(cat "$group/cgroup.controllers"); do echo "+$name" > "$group/cgroup.subtree_control"; done
done
exec unshare --mount --propagation=private --pid --fork --kill-child --mount-proc sh -euc "$STAY" sh "$@"
"""

# The shell stays, as the first process of its namespace, and reaps those whose parents have ended.
_STAY = f"""\
{shlex.quote(sys.executable)} -m tests.kubelet.enclosure --mount "$@"
eval "$COMMAND" || exit $?
exit 0
"""


def enclosed(command: str, made: Sequence[Path], place: str) -> int:
    """The exit code of a shell's command."""
    scripts = {"LEAVE_ROOT": _LEAVE_ROOT, "STAY": _STAY, "COMMAND": command}
    argv = [*die_with_parent(), "sh", "-euc", _ENTER, "sh", *map(str, made)]
    process = subprocess.Popen(argv, env=os.environ | scripts | {PLACE: place})
    # Ctrl-C goes to all of us: the command ends in order, and we after it.
    signal.signal(signal.SIGINT, lambda *_: None)
    return process.wait()


def furnish(made: Sequence[Path], place: Path) -> None:
    """The mounts, from within."""
    for group in made:
        mount("--bind", group, group.parent)
    mount("-t", "tmpfs", "tmpfs", place)
    for name in ("run", "var"):
        layers = [f"lowerdir=/{name}"]
        for layer in ("upper", "work"):
            (place / name / layer).mkdir(parents=True)
            layers.append(f"{layer}dir={place}/{name}/{layer}")
        mount("-t", "overlay", "-o", ",".join(layers), "overlay", f"/{name}")
    for name, value in TUNABLES.items():
        file = place / name.replace("/", ".")
        file.write_text(f"{value}\n")
        mount("--bind", file, f"/proc/sys/{name}")


def main(arguments: Sequence[str]) -> int:
    """The exit code of the command; 3 where this host has no room for it."""
    if arguments[0] == "--mount":
        furnish([Path(each) for each in arguments[1:]], Path(os.environ[PLACE]))
        return 0
    try:
        if sentence := missing():
            raise UnfitEnvironment(sentence)
        with groups() as made, tempfile.TemporaryDirectory(prefix="ovsnet-kubelet-", dir="/tmp") as place:
            return enclosed(shlex.join(arguments), made, place)
    except UnfitEnvironment as error:
        click.echo(f"NOT RUN: make test-kubelet: {error} {error.remedy}".rstrip(), err=True)
        return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
