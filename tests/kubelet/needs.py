"""What a kubelet's tests need of the host, fetched and built; or one sentence on what lacks."""

from __future__ import annotations

from pathlib import Path

from ovsnet.errors import UnfitEnvironment
from ovsnet.sandbox import suite
from tests.kubelet.source import TOOLS, kubelet
from tests.system import needs
from tests.system.image import RELEASE

PACKAGES = ("debootstrap", "buildah", "containerd")
"""Of this distribution, unpacked and not installed."""


def missing() -> str:
    """A sentence on what this host lacks, or empty."""
    if sentence := needs.unable((*needs.TOOLS, *TOOLS)) or needs.unfetched(PACKAGES):
        return sentence
    if not Path("/dev/kmsg").exists():
        return "there is no /dev/kmsg, from which a kubelet learns whom the kernel killed for want of memory."
    try:
        suite.programs(RELEASE)
        kubelet()
    except UnfitEnvironment as error:
        return f"{error} {error.remedy}"
    return ""
