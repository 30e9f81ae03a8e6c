"""What the system tests need of the host; ``python -m tests.system.needs`` fetches it, or says in one line what lacks.

Exit code 3 when something does: then ``make test-system`` cannot run here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ovsnet.errors import UnfitEnvironment
from ovsnet.sandbox import binaries, suite

TOOLS = ("apt-get", "dpkg-deb", "mount", "unshare", "nsenter", "chroot")

PACKAGES = ("systemd-container", "debootstrap", "prometheus", "buildah", "chromium-headless-shell")
"""Of this distribution, unpacked and not installed."""


def missing() -> str:
    """A sentence on what this host lacks, or empty."""
    if sentence := unable(TOOLS) or unfetched(PACKAGES):
        return sentence
    try:
        kustomize()
    except UnfitEnvironment as error:
        return f"{error} {error.remedy}"
    return ""


def unable(tools: Sequence[str]) -> str:
    """What keeps this host from being root's to divide into namespaces, as a sentence; or empty."""
    if os.geteuid() != 0:
        return "it needs root, because it makes namespaces and mounts."
    if lacking := [name for name in tools if shutil.which(name) is None]:
        return f"{' and '.join(lacking)} cannot be found: it runs on Debian and its kin."
    if "\toverlay\n" not in Path("/proc/filesystems").read_text():
        return "the kernel has no overlay file system: `modprobe overlay`."
    if subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True).returncode:
        return "root may make no namespaces here: give the container more privileges."
    return ""


def unfetched(packages: Sequence[str]) -> str:
    """Why one of these packages cannot be fetched, as a sentence; or empty, and all are in the cache."""
    try:
        for name in packages:
            binaries.fetch_packages([name])
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
