"""The package for RHEL, Fedora and their derivatives, built by rpmbuild from ``ovsnet.spec``."""

from __future__ import annotations

import os
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ovsnet import __version__
from ovsnet.deploy.systemd.units import RHEL
from ovsnet.sandbox import binaries
from ovsnet.sandbox.binaries import Binaries
from release.tree import lay

SPEC = Path(__file__).with_name("ovsnet.spec")


def package(out: Path, wheels: Mapping[str, Sequence[Path]], machine: str, epoch: int) -> Path:
    """Build the package in ``out``; its path. Raises UnfitEnvironment if rpmbuild cannot be fetched."""
    with tempfile.TemporaryDirectory() as place:
        root, top = Path(place, "root"), Path(place, "rpm")
        lay(root, RHEL, wheels, machine, epoch)
        (top / "SOURCES").mkdir(parents=True)
        _tar(root, top / f"SOURCES/ovsnet-{__version__}-tree.tar")
        _rpmbuild(
            *("-bb", f"--target={machine}-linux", f"--define=_topdir {top}", f"--define=_tmppath {place}"),
            *(f"--define=ovsnet_version {__version__}", f"--define=_rpmdir {out.absolute()}"),
            *("--define=_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm", str(SPEC)),
            epoch=epoch,
        )
    return next(out.glob("ovsnet-*.rpm"))


def tools() -> Binaries:
    """Debian's rpm, unpacked but not installed."""
    return binaries.fetch_packages(["rpm"])


def _rpmbuild(*arguments: str, epoch: int) -> None:
    """Raises RuntimeError with its output if it fails. Its macros and helpers are unpacked beside it."""
    found = tools()
    home = Path(found.source, "usr/lib/rpm")
    places = found.environment() | {"RPM_CONFIGDIR": str(home), "SOURCE_DATE_EPOCH": str(epoch)}
    done = subprocess.run(
        [str(found.path("rpmbuild")), f"--define=_rpmconfigdir {home}", *arguments],
        env=os.environ | places,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"rpmbuild: {done.stdout[-2000:]}\n{done.stderr[-4000:]}")


def _tar(root: Path, file: Path) -> None:
    """Owned by root, regardless of the user who builds it."""

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        return member

    with tarfile.open(file, "w") as archive:
        for path in sorted(root.iterdir()):
            archive.add(path, path.name, filter=plain)
