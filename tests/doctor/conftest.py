"""Made-up hosts: a tree of files below which every examination can be made."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ovsnet.doctor import DatabaseFacts, Finding, Host, Live
from ovsnet.doctor.examination import EXAMINATIONS
from ovsnet.node.rundir import Rundir

NOW = 1_800_000_000.0
RUNDIR = Path("/run/openvswitch")
UNIX_HEAD = "Num       RefCount Protocol Flags    Type St Inode Path\n"


class Tree:
    """A healthy host with kernel 5.15, four CPUs, all modules loaded and no daemon; change it before ``look``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.live = Live()
        self.write("/proc/net/if_inet6", "")
        self.write("/proc/net/unix", UNIX_HEAD)
        self.write("/sys/devices/system/cpu/online", "0-3\n")
        self.kernel("5.15.0-91-generic")
        self.process(2, "kthreadd")
        for module in ("openvswitch", "geneve", "ip_tables"):
            (root / "sys/module" / module).mkdir(parents=True)
        (root / "run/openvswitch").mkdir(parents=True)
        (root / "var").mkdir()
        (root / "var/run").symlink_to("/run")
        os.utime(root / "run/openvswitch", (NOW - 5, NOW - 5))

    def path(self, path: str | Path) -> Path:
        return self.root / str(path).lstrip("/")

    def write(self, path: str | Path, text: str = "") -> None:
        self.path(path).parent.mkdir(parents=True, exist_ok=True)
        self.path(path).write_text(text)

    def kernel(self, release: str) -> None:
        self.write("/proc/sys/kernel/osrelease", release + "\n")

    def unload(self, *modules: str) -> None:
        for module in modules:
            (self.root / "sys/module" / module).rmdir()

    def process(
        self, pid: int, name: str, *, uid: int = 0, cpus: str = "0-3", nspid: str = "", state: str = "S"
    ) -> None:
        self.write(f"/proc/{pid}/stat", f"{pid} ({name}) {state} 1 1")
        self.write(
            f"/proc/{pid}/status",
            f"Name:\t{name}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nNSpid:\t{nspid or pid}\nCpus_allowed_list:\t{cpus}\n",
        )

    def daemon(self, name: str, pid: int, **status: str | int) -> None:
        self.process(pid, name, **status)  # type: ignore[arg-type]
        self.write(RUNDIR / f"{name}.pid", f"{pid}\n")
        self.write(f"/proc/{pid}/limits", "Max open files            65536                65536                files\n")
        self.write(f"/proc/{pid}/cgroup", "0::/ovs.slice/ovs.service\n")

    def threads(self, pid: int, handlers: int, revalidators: int) -> None:
        names = [f"handler{n}" for n in range(handlers)] + [f"revalidator{n}" for n in range(revalidators)]
        for number, name in enumerate(names):
            self.write(f"/proc/{pid}/task/{pid + number}/comm", name + "\n")

    def socket(self, name: str, *, mode: int = 0o750) -> Path:
        path = RUNDIR / name
        os.mknod(self.path(path), stat.S_IFSOCK | mode)
        self.path(path).chmod(mode)
        return path

    def listen(self, *paths: str | Path) -> None:
        rows = "".join(f"0: 00000002 00000000 00010000 0001 01 {n} {path}\n" for n, path in enumerate(paths))
        self.write("/proc/net/unix", UNIX_HEAD + rows)

    def database(self, **facts: object) -> None:
        self.live = Live(DatabaseFacts(**facts), self.live.versions)  # type: ignore[arg-type]

    def host(self, rundir: Path = RUNDIR) -> Host:
        return Host(self.root, Rundir(rundir, rundir), now=NOW)

    def look(self, code: str) -> list[Finding]:
        return list(EXAMINATIONS[code].findings(self.host(), self.live))

    def one(self, code: str) -> Finding:
        (finding,) = self.look(code)
        return finding


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


Denied = Callable[[str], None]


@pytest.fixture
def deny(monkeypatch: pytest.MonkeyPatch) -> Denied:
    """Make one path of the host unreadable, as it is for a user who is not root; root itself reads everything."""
    denied: set[str] = set()
    locate = Host.locate

    def guarded(host: Host, path: str | Path) -> Path:
        if str(path) in denied:
            raise PermissionError(13, "Permission denied", str(path))
        return locate(host, path)

    monkeypatch.setattr(Host, "locate", guarded)
    return denied.add
