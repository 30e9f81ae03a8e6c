"""What the system tests need of the host; ``python -m tests.system.needs`` fetches it, or says in one line what lacks.

Exit code 3 when something does: then ``make test-system`` cannot run here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

from ovsnet.errors import UnfitEnvironment
from ovsnet.sandbox import binaries, suite

TOOLS = ("apt-get", "dpkg-deb", "mount", "unshare", "nsenter", "chroot")

PACKAGES = ("systemd-container", "debootstrap", "prometheus", "buildah", "chromium-headless-shell")
"""Of this distribution, unpacked and not installed."""


def missing() -> str:
    """A sentence on what this host lacks, or empty."""
    if os.geteuid() != 0:
        return "it needs root, because it boots a systemd."
    if tools := [name for name in TOOLS if shutil.which(name) is None]:
        return f"{' and '.join(tools)} cannot be found: it runs on Debian and its kin."
    if "\toverlay\n" not in Path("/proc/filesystems").read_text():
        return "the kernel has no overlay file system: `modprobe overlay`."
    if subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True).returncode:
        return "root may make no namespaces here: give the container more privileges."
    try:
        for name in PACKAGES:
            binaries.fetch_packages([name])
        kustomize()
    except UnfitEnvironment as error:
        return f"{error} {error.remedy}"
    return ""


def kustomize() -> Path:
    """The program: Debian's, from the first suite that has one."""
    return suite.programs("trixie", packages=("kustomize",), names=("kustomize",)) / "kustomize"


if __name__ == "__main__":
    if sentence := missing():
        click.echo(sentence, err=True)
        sys.exit(3)
