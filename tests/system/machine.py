"""A real systemd that boots from an image, in namespaces of its own; what it writes is gone with it."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ovsnet.sandbox import binaries
from ovsnet.sandbox.supervisor import die_with_parent
from tests.patience import PATIENCE

T = TypeVar("T")


def until(fact: Callable[[], T], what: str, instead: Callable[[], str] = str) -> T:
    """What ``fact`` returns as soon as it is true. ``instead`` tells what was there when it never came."""
    deadline = time.monotonic() + PATIENCE
    while not (found := fact()):
        assert time.monotonic() < deadline, f"{what} never came\n{instead()}"
        time.sleep(0.02)
    return found


class Machine:
    """Fill ``root`` before ``boot``; ``run`` a command in it afterwards. Use as a context manager."""

    def __init__(self, image: Path) -> None:
        self._image = image
        self._base = Path(tempfile.mkdtemp(prefix="ovsnet-machine-"))
        self.root = self._base / "root"
        self.leader = 0
        self._nspawn: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Machine:
        mount("-t", "tmpfs", "tmpfs", self._base)
        for name in ("upper", "work", "root"):
            (self._base / name).mkdir()
        layers = f"lowerdir={self._image},upperdir={self._base}/upper,workdir={self._base}/work"
        mount("-t", "overlay", "overlay", "-o", layers, self.root)
        return self

    def __exit__(self, *_: object) -> None:
        if self._nspawn is not None:
            self._nspawn.terminate()  # systemd-nspawn has the machine power off in order
            try:
                self._nspawn.wait(PATIENCE)
            finally:
                self._nspawn.kill()
                self._nspawn.wait()
        for place in (self.root, self._base):
            subprocess.run(["umount", "--lazy", str(place)], check=True)
        self._base.rmdir()

    def write(self, path: str, text: str) -> None:
        """A file below the root, before the boot."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def chroot(self, *argv: str, check: bool = True) -> str:
        """Run a command on the file system, before the boot."""
        return _output(["chroot", str(self.root), *argv], check=check)

    def boot(self) -> None:
        """Return when systemd says that it is done, one way or the other."""
        tool = binaries.fetch_packages(["systemd-container"])
        libraries = [f"{place}/systemd" for place in tool.libraries] + [str(place) for place in tool.libraries]
        argv = [*die_with_parent(), str(tool.path("systemd-nspawn")), "--quiet", "--register=no", "--keep-unit"]
        argv += ["--console=read-only", "--private-network", f"--directory={self.root}", "--boot"]
        with (self._base / "console").open("wb") as console:
            self._nspawn = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                env=os.environ | {"LD_LIBRARY_PATH": ":".join(libraries)},
            )
        self.leader = until(self._find_leader, "the machine's first process")
        until(self._is_up, f"the end of the boot ({self._base}/console)")

    def run(self, *argv: str, check: bool = True) -> str:
        """What a command prints in the booted machine."""
        return _output([*self.enter(), *argv], check=check)

    def enter(self) -> list[str]:
        """Words before a command that run it in the machine."""
        return [
            "nsenter",
            "--target",
            str(self.leader),
            "--mount",
            "--uts",
            "--ipc",
            "--net",
            "--pid",
            "--cgroup",
            "--",
        ]

    def inside(self, path: str) -> Path:
        """A path of the booted machine as we reach it from outside."""
        return Path(f"/proc/{self.leader}/root{path}")

    def show(self, unit: str, name: str) -> str:
        """One property of a unit."""
        return self.run("systemctl", "show", unit, "--property", name, "--value").strip()

    def until_active(self, unit: str) -> None:
        """Return when a unit is active."""
        until(lambda: self.show(unit, "ActiveState") == "active", f"{unit} active")

    def signal(self, unit: str, number: signal.Signals) -> None:
        """To the main process of a unit."""
        self.run("systemctl", "kill", "--kill-whom=main", f"--signal={number.name}", unit)

    def journal(self, unit: str) -> str:
        """All that a unit has logged."""
        return self.run("journalctl", "--unit", unit, "--output=cat", "--no-pager")

    def _find_leader(self) -> int:
        assert self._nspawn is not None
        assert self._nspawn.poll() is None, (self._base / "console").read_text()
        # die_with_parent() became nspawn by exec. Its first child makes the namespaces and goes; the second stays.
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text().split()
        return next((int(pid) for pid in children if _is_first_of_its_namespace(pid)), 0)

    def _is_up(self) -> bool:
        return self.run("systemctl", "is-system-running", check=False).strip() in ("running", "degraded")


def _is_first_of_its_namespace(pid: str) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    return any(line.startswith("NSpid:") and line.endswith("\t1") for line in status.splitlines())


def mount(*arguments: object) -> None:
    """mount(8)."""
    subprocess.run(["mount", *map(str, arguments)], check=True)


def _output(argv: list[str], *, check: bool = True) -> str:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
    assert not check or done.returncode == 0, f"{argv}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
