"""The package for Debian and its derivatives, built by dpkg-deb, which honours ``SOURCE_DATE_EPOCH``."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ovsnet import __version__
from ovsnet.deploy.systemd.units import DEBIAN
from ovsnet.sandbox.tools import call
from release.archive import settle
from release.base import ARCHITECTURES
from release.tree import lay

SCRIPTS = Path(__file__).parent / "debian"
"""The maintainer scripts: Debian Policy, chapter 6."""

CONTROL = """\
Package: ovsnet
Version: {version}
Architecture: {architecture}
Maintainer: ovsnet maintainers <root@localhost>
Installed-Size: {size}
Depends: python3 (>= 3.11), python3 (<< 3.15), libc6 (>= 2.28)
Recommends: openvswitch-switch
Section: net
Priority: optional
Description: health agent for Open vSwitch and OVN
 An agent that queries the daemons in their own protocols, serves readiness and
 liveness over HTTP with the root cause and the remedy, explains slow starts,
 and judges what tunes them.
"""


def package(out: Path, wheels: Mapping[str, Sequence[Path]], machine: str, epoch: int) -> Path:
    """Build the package in ``out``; its path. Raises UnfitEnvironment where there is no dpkg-deb."""
    architecture = ARCHITECTURES[machine]
    with tempfile.TemporaryDirectory() as place:
        root = Path(place, "root")
        configuration = lay(root, DEBIAN, wheels, machine, epoch)
        files = sorted(path for path in root.rglob("*") if path.is_file())
        size = sum(path.stat().st_size for path in files) // 1024
        sums = "".join(
            f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(root)}\n"
            for path in files
            if f"/{path.relative_to(root)}" not in configuration
        )
        control = root / "DEBIAN"
        control.mkdir()
        text = CONTROL.format(version=__version__, architecture=architecture, size=size)
        (control / "control").write_text(text)
        (control / "conffiles").write_text("".join(f"{path}\n" for path in configuration))
        (control / "md5sums").write_text(sums)
        for script in sorted(SCRIPTS.iterdir()):
            (control / script.name).write_text(script.read_text())
            (control / script.name).chmod(0o755)
        settle(root, epoch)
        file = out / f"ovsnet_{__version__}_{architecture}.deb"
        argv = ["dpkg-deb", "-Zzstd", "-z3", "--threads-max=1", "--root-owner-group", "--build", str(root), str(file)]
        call(argv, remedy="Build it on Debian or a derivative.", environment={"SOURCE_DATE_EPOCH": str(epoch)})
    return file
