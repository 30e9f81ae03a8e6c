"""The image of the Containerfile, built by buildah without a registry, and the agent that runs in it."""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ovsnet.sandbox import binaries
from ovsnet.sandbox.supervisor import die_with_parent
from release.pins import SOURCE
from tests.patience import PATIENCE
from tests.system.machine import until

BUILD_TIMEOUT = 1500.0
"""Seconds for one call of buildah. It decides nothing: a build takes a minute, most of it pip's."""

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

PIP_SETTINGS = ("cert", "index-url", "extra-index-url", "trusted-host", "proxy", "timeout")
"""What of this machine's pip configuration a build needs in order to reach packages. It stays out of the image."""


class Buildah:
    """Debian's buildah, unpacked and not installed, with its storage in ``directory``."""

    def __init__(self, directory: Path) -> None:
        self._tool = binaries.fetch_packages(["buildah"])
        self._directory = directory
        # It starts itself again with an empty environment (chroot/run_linux.go), so LD_LIBRARY_PATH would not last.
        self._libraries = directory / "ld.so.cache"
        subprocess.run(["/sbin/ldconfig", "-X", "-C", self._libraries, *self._tool.libraries], check=True)

    def run(self, command: str, *arguments: object) -> str:
        """What it prints, without the line's end."""
        stores = [f"--root={self._directory}/root", f"--runroot={self._directory}/run", "--storage-driver=vfs"]
        etc = Path(self._tool.source, "etc/containers")
        argv = ["unshare", "--mount", "--propagation=private", "sh", "-euc"]
        argv += ['mount --bind "$0" /etc/ld.so.cache; exec "$@"', str(self._libraries)]
        argv += [str(self._tool.path("buildah")), *stores, f"--registries-conf={etc}/registries.conf", command]
        done = subprocess.run(
            [*argv, *map(str, arguments)],
            env=os.environ | {"BUILDAH_ISOLATION": "chroot", "TMPDIR": str(self._directory)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=BUILD_TIMEOUT,
        )
        assert done.returncode == 0, f"buildah {command}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout.strip()

    def base(self, tree: Path) -> str:
        """An image of a directory."""
        container = self.run("from", "scratch")
        self.run("add", "--quiet", container, tree, "/")
        self._policed("commit", "--quiet", container, "base")
        return "localhost/base"

    def build(self, base: str) -> str:
        """An image of the source tree. The way to its packages is lent to the steps of the build alone."""
        lent = [f"--volume={source}:{target}:ro" for source, target in _way_to_packages(self._directory)]
        flags = ["--network=host", "--pull-never", "--quiet", f"--build-arg=BASE={base}", "--tag=ovsnet"]
        self._policed("build", *flags, *lent, f"--file={SOURCE}/Containerfile", SOURCE)
        return "localhost/ovsnet"

    def derive(self, image: str, *command: str) -> str:
        """An image of the same files that starts something else."""
        container = self._policed("from", "--pull-never", image)
        self.run("config", f"--entrypoint={json.dumps(command)}", "--cmd=", container)
        return self._policed("commit", "--quiet", container)

    def save(self, image: str, file: Path, name: str) -> None:
        """As a file that other runtimes import, under that name."""
        self._policed("push", "--quiet", image, f"docker-archive:{file}:{name}")

    def load(self, file: Path) -> str:
        """The id of an image out of a file."""
        return self._policed("pull", "--quiet", f"oci-archive:{file}")

    def unpacked(self, image: str) -> Path:
        """The image's file system."""
        return Path(self.run("mount", self._policed("from", "--pull-never", image)))

    def configuration(self, image: str) -> dict[str, object]:
        """What a runtime is told: user, entry point, environment."""
        found: dict[str, object] = json.loads(self.run("inspect", "--type=image", image))["OCIv1"]["config"]
        return found

    def _policed(self, command: str, *arguments: object) -> str:
        policy = Path(self._tool.source, "etc/containers/policy.json")
        return self.run(command, f"--signature-policy={policy}", *arguments)


def _way_to_packages(directory: Path) -> Iterator[tuple[Path, str]]:
    found = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    settings: dict[str, str] = {}
    for line in found.stdout.splitlines():
        name, _, value = line.partition("=")
        if (key := name.rpartition(".")[2]) in PIP_SETTINGS:
            settings[key] = value.strip("'\"")
    if "cert" in settings:
        yield Path(settings["cert"]).resolve(), "/etc/lent-authorities.pem"
        settings["cert"] = "/etc/lent-authorities.pem"
    configuration = directory / "pip.conf"
    configuration.write_text("[global]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items()))
    yield configuration, "/etc/pip.conf"


_BECOME = """\
import ctypes, os, sys
root, user, group, *command = sys.argv[1:]
libc = ctypes.CDLL(None)
os.chroot(root)
os.chdir("/")
for capability in range(64):
    libc.prctl(24, capability, 0, 0, 0)
os.setgroups([])
os.setresgid(*[int(group)] * 3)
os.setresuid(*[int(user)] * 3)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()) == 0
os.execv(command[0], command)
"""
"""What a runtime does before it starts a program of an image, in which no tool need be: PR_CAPBSET_DROP and
PR_SET_NO_NEW_PRIVS of prctl(2), and capset(2) of version 3."""


class Container:
    """A container of a manifest, on the file system of an image, as the kubelet's runtime would have it: nothing
    writable, the host's directories read-only, no capability, its own pid namespace unless the pod has ``hostPID``.

    Use as a context manager.
    """

    def __init__(self, root: Path, pod: Mapping[str, Any], log: Path, **environment: str) -> None:
        (self._spec,) = pod["containers"]
        self._own_pids = not pod["hostPID"]
        self._root = root
        self._log = log
        self._environment = {each["name"]: each["value"] for each in self._spec.get("env", ())} | environment
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Container:
        namespaces = ["--mount", "--propagation=private"]
        if self._own_pids:
            namespaces += ["--pid", "--fork", "--kill-child"]
        argv = [*die_with_parent(), "unshare", *namespaces, "sh", "-euc", self._script()]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={"PATH": PATH, **self._environment}
            )
        self.address = until(self._serving, f"the agent's address in {self._log}")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def ask(self, path: str) -> tuple[int, str]:
        """As the kubelet does: a connection for each question."""
        client = http.client.HTTPConnection(self.address, timeout=PATIENCE)
        try:
            client.request("GET", path, headers={"Connection": "close"})
            response = client.getresponse()
            return response.status, response.read().decode()
        finally:
            client.close()

    def diagnosis(self) -> str:
        """Its code."""
        return str(json.loads(self.ask("/status")[1])["diagnosis"]["code"])

    def capabilities(self) -> set[str]:
        """All that it has or could get. Only where it shares our pid namespace is its process the one we started."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return set(re.findall(r"^Cap(?:Inh|Prm|Eff|Bnd|Amb):\t(.*)$", status, re.M))

    def options(self, path: str) -> str:
        """Whether the mount at a path of its file system is ``ro`` or ``rw``."""
        assert self._process is not None
        lines = Path(f"/proc/{self._process.pid}/mountinfo").read_text().splitlines()
        return {line.split()[4]: line.split()[5].partition(",")[0] for line in lines}[path]

    def _script(self) -> str:
        """Mounts, then the agent in place of the shell."""
        lines = [f"mount --bind -o ro {self._root} {self._root}"]
        for each in self._spec["volumeMounts"]:
            assert each["readOnly"]
            lines.append(f"mount --bind -o ro {each['mountPath']} {self._root}{each['mountPath']}")
        lines.append(f"mount --rbind /dev {self._root}/dev")
        lines.append(
            f"mount -t proc proc {self._root}/proc" if self._own_pids else f"mount --rbind /proc {self._root}/proc"
        )
        security = self._spec["securityContext"]
        assert security["capabilities"] == {"drop": ["ALL"]}
        become = [sys.executable, "-Ic", _BECOME, str(self._root)]
        become += [str(security[name]) for name in ("runAsUser", "runAsGroup")]
        lines.append(f"exec {shlex.join([*become, '/opt/ovsnet/bin/ovsnet', *self._spec['args']])}")
        return "\n".join(lines)

    def _serving(self) -> str:
        assert self._process is not None
        said = self._log.read_text()
        assert self._process.poll() is None, said
        found = re.search(r"serving on http://([0-9.:]+)", said)
        return found[1] if found else ""
