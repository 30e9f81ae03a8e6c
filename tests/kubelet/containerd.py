"""Debian's containerd, unpacked and not installed, with all that it keeps in one directory."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ovsnet.sandbox import binaries
from ovsnet.sandbox.supervisor import die_with_parent
from tests.patience import PATIENCE
from tests.system.machine import until

PAUSE = "localhost/pause:test"
"""What holds a pod's namespaces."""

SOCKET = "/run/containerd/containerd.sock"

# AppArmor: the profile would stay in the kernel. opt: it makes /opt/containerd. oom_score_adj: root may lower it with
# CAP_SYS_RESOURCE alone.
_CONFIGURATION = """\
version = 2
root = "{root}"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  disable_apparmor = true
  restrict_oom_score_adj = true
"""


class Containerd:
    """Use as a context manager. Containers that still run at its end are the enclosure's to kill."""

    def __init__(self, directory: Path) -> None:
        self._tool = binaries.fetch_packages(["containerd"])
        self._directory = directory
        self._log = directory / "containerd.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Containerd:
        configuration = self._directory / "containerd.toml"
        root = self._directory / "containerd"
        configuration.write_text(_CONFIGURATION.format(root=root, socket=SOCKET, pause=PAUSE))
        argv = [*die_with_parent(), str(self._tool.path("containerd")), f"--config={configuration}"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment()
            )
        until(self._serves, "containerd", self.log)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(PATIENCE)

    def load(self, file: Path) -> None:
        """An image, for the kubelet."""
        self._ctr("images", "import", str(file))

    def pid(self, container: str) -> int:
        """Of a container's first process, as this machine counts."""
        rows = [line.split() for line in self._ctr("tasks", "list").splitlines()]
        return next(int(row[1]) for row in rows if row[0] == container)

    def status(self, container: str) -> dict[str, str]:
        """Of the same process (proc_pid_status(5))."""
        lines = Path(f"/proc/{self.pid(container)}/status").read_text().splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def log(self) -> str:
        """All that it has logged."""
        return self._log.read_text(errors="replace")

    def _serves(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log()
        return self._call("version").returncode == 0

    def _ctr(self, *arguments: str) -> str:
        done = self._call(*arguments)
        assert done.returncode == 0, f"ctr {arguments}: {done.stderr}\n{self.log()}"
        return done.stdout

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [str(self._tool.path("ctr")), f"--address={SOCKET}", "--namespace=k8s.io", *arguments]
        return subprocess.run(argv, env=self._environment(), capture_output=True, text=True, timeout=PATIENCE)

    def _environment(self) -> dict[str, str]:
        return os.environ | self._tool.environment()
