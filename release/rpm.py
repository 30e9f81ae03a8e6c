"""The package for RHEL, Fedora and their kin, built by rpmbuild from ``ovsnet.spec``."""

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
    """The file in ``out``. Raises UnfitEnvironment where rpmbuild cannot be had."""
    with tempfile.TemporaryDirectory() as place:
        root, top = Path(place, "root"), Path(place, "rpm")
        lay(root, RHEL, wheels, machine, epoch)
        (top / "SOURCES").mkdir(parents=True)
        _tar(root, top / f"SOURCES/ovsnet-{__version__}-tree.tar")
        rpmbuild(
            *("-bb", f"--target={machine}-linux", f"--define=_topdir {top}", f"--define=_tmppath {place}"),
            *(f"--define=ovsnet_version {__version__}", f"--define=_rpmdir {out.absolute()}"),
            *("--define=_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm", str(SPEC)),
            epoch=epoch,
        )
    return next(out.glob("ovsnet-*.rpm"))


def tools() -> Binaries:
    """Debian's rpm, unpacked and not installed."""
    return binaries.fetch_packages(["rpm"])


def rpmbuild(*arguments: str, epoch: int = 0) -> str:
    """What it prints. It finds its macros and its helpers beside it."""
    return run("rpmbuild", *arguments, environment={"SOURCE_DATE_EPOCH": str(epoch)})


def run(name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """What a program of the package prints; raises RuntimeError with it when it fails."""
    found = tools()
    home = Path(found.source, "usr/lib/rpm")
    places = found.environment() | {"RPM_CONFIGDIR": str(home)}
    done = subprocess.run(
        [str(found.path(name)), f"--define=_rpmconfigdir {home}", *arguments],
        env={**os.environ, **places, **(environment or {})},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return str(done.stdout)


def _tar(root: Path, file: Path) -> None:
    """Owned by root, whoever builds."""

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        return member

    with tarfile.open(file, "w") as archive:
        for path in sorted(root.iterdir()):
            archive.add(path, path.name, filter=plain)
