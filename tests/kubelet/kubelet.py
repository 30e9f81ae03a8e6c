"""A kubelet without an API server: it runs the pods whose manifests lie in a directory."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ovsnet.sandbox.supervisor import die_with_parent
from tests.kubelet.containerd import SOCKET
from tests.kubelet.source import kubelet
from tests.patience import PATIENCE
from tests.system.machine import until

NODE = "node"

PODS_LOGS = Path("/var/log/pods")
"""Of all containers (pkg/kubelet/kuberuntime)."""

NEVER_EVICT = "memory.available<0%,nodefs.available<0%,nodefs.inodesFree<0%,imagefs.available<0%"
"""How full this machine is must not decide a test."""


class ContainerStatus(msgspec.Struct, frozen=True):
    """What a kubelet says of a container. ``id`` is empty before the first start."""

    id: str
    running: bool
    restarts: int


class Kubelet:
    """Use as a context manager, in an enclosure."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "kubelet"
        self._manifests = directory / "manifests"
        self._log = directory / "kubelet.log"
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Kubelet:
        self._manifests.mkdir()
        argv = [*die_with_parent(), str(kubelet()), *self._flags()]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(self._serves, "the kubelet", self.log)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def run(self, pod: Mapping[str, Any]) -> Pod:
        """Have it run a pod. It keeps running until its ``remove``."""
        name = pod["metadata"]["name"]
        manifest = self._manifests / f"{name}.json"
        unfinished = self._manifests / f".{name}"  # which a kubelet does not read
        unfinished.write_text(json.dumps(pod))
        unfinished.rename(manifest)
        return Pod(self, manifest, f"{name}-{NODE}")

    def pods(self) -> dict[str, Any]:
        """What it says of each pod, by name."""
        found = json.loads(self._get("/pods"))["items"] or []
        return {pod["metadata"]["name"]: pod for pod in found}

    def probes(self, container: str, kind: str, result: str) -> int:
        """How many probes of a container had a result so far: ``Liveness`` and ``successful``, say."""
        for line in self._get("/metrics/probes").splitlines():
            labels = dict(re.findall(r'(\w+)="([^"]*)"', line))
            if (labels.get("container"), labels.get("probe_type"), labels.get("result")) == (container, kind, result):
                return int(float(line.rpartition(" ")[2]))
        return 0

    def log(self) -> str:
        """All that it has logged."""
        return self._log.read_text(errors="replace")

    def _get(self, path: str) -> str:
        assert self._process is not None
        assert self._process.poll() is None, self.log()
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=PATIENCE) as answer:
            return str(answer.read().decode())

    def _serves(self) -> bool:
        try:
            self._get("/healthz")
        except OSError:
            return False
        return True

    def _flags(self) -> list[str]:
        return [
            f"--pod-manifest-path={self._manifests}",
            "--container-runtime=remote",
            f"--container-runtime-endpoint=unix://{SOCKET}",
            f"--hostname-override={NODE}",
            "--address=127.0.0.1",
            f"--port={free_port()}",
            f"--read-only-port={self._port}",
            "--healthz-port=0",
            f"--root-dir={self._directory}",
            f"--cert-dir={self._directory}/pki",
            f"--volume-plugin-dir={self._directory}/plugins",
            "--file-check-frequency=1s",
            # The machine stays as it is: no rules of a firewall, no settings of the kernel, no groups above the pods'.
            "--make-iptables-util-chains=false",
            "--protect-kernel-defaults=true",
            "--cgroup-driver=cgroupfs",
            "--cgroups-per-qos=false",
            "--enforce-node-allocatable=",
            "--fail-swap-on=false",
            f"--eviction-hard={NEVER_EVICT}",
            "--image-gc-high-threshold=100",
            "--v=2",
        ]


class Pod:
    """A pod that a kubelet was given."""

    def __init__(self, kubelet: Kubelet, manifest: Path, name: str) -> None:
        self._kubelet = kubelet
        self._manifest = manifest
        self._name = name

    def ready(self) -> bool:
        """Whether its condition says so."""
        conditions = self._status().get("conditions") or []
        return {"Ready": "True"}.items() <= {each["type"]: each["status"] for each in conditions}.items()

    def container(self, name: str) -> ContainerStatus:
        """As the kubelet last saw it."""
        for each in self._status().get("containerStatuses") or []:
            if each["name"] == name:
                identity = each.get("containerID", "").rpartition("/")[2]
                return ContainerStatus(identity, "running" in each["state"], each["restartCount"])
        return ContainerStatus("", running=False, restarts=0)

    def restarts(self) -> dict[str, int]:
        """By container."""
        return {each["name"]: each["restartCount"] for each in self._status().get("containerStatuses") or []}

    def until_ready(self) -> None:
        """Return when it is."""
        until(self.ready, f"readiness of {self._name}", self.story)

    def until_not_ready(self) -> None:
        """Return when it is known not to be."""
        until(lambda: not self.ready(), f"the end of the readiness of {self._name}", self.story)

    def until_restarted(self, name: str, restarts: int) -> None:
        """Return when a container runs that was started again so often."""

        def fact() -> bool:
            status = self.container(name)
            return status.running and status.restarts >= restarts

        until(fact, f"restart {restarts} of {name}", self.story)

    def remove(self) -> None:
        """Return when the kubelet knows it no more."""
        self._manifest.unlink()
        until(lambda: self._name not in self._kubelet.pods(), f"the end of {self._name}", self.story)

    def story(self) -> str:
        """What the kubelet says of it."""
        return json.dumps(self._status(), indent=1)

    def _status(self) -> dict[str, Any]:
        found: dict[str, Any] = self._kubelet.pods().get(self._name, {}).get("status", {})
        return found


def logs_of_pods() -> str:
    """What all containers have printed since the kubelet's start."""
    files = sorted(PODS_LOGS.glob("*/*/*.log"), key=lambda file: file.stat().st_mtime)
    return "\n".join(f"{file.relative_to(PODS_LOGS)}:\n{file.read_text(errors='replace')}" for file in files)


def free_port() -> int:
    """One of the loopback's that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port
