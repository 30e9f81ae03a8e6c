"""Where the programs of Open vSwitch and OVN come from: PATH, or the distribution's packages unpacked in a cache."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ovsnet.errors import UnfitEnvironment
from ovsnet.sandbox import packages

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGES = ("openvswitch-switch", "ovn-central", "ovn-host")
PROGRAMS = (
    "ovsdb-server",
    "ovsdb-tool",
    "ovsdb-client",
    "ovs-vswitchd",
    "ovs-vsctl",
    "ovs-ofctl",
    "ovn-appctl",
    "ovs-appctl",
    "ovn-nbctl",
    "ovn-sbctl",
    "ovn-northd",
    "ovn-controller",
)
# Debian keeps ovs-vswitchd in the third and reaches it through update-alternatives.
_PROGRAM_DIRECTORIES = ("usr/bin", "usr/sbin", "usr/lib/openvswitch-switch", "bin", "sbin", "usr/local/bin")
_PROGRAM_DIRECTORIES_OF_HOST = (*_PROGRAM_DIRECTORIES, "usr/local/sbin")
_SCHEMA_DIRECTORIES = ("usr/share/openvswitch", "usr/share/ovn", "usr/local/share/openvswitch", "usr/local/share/ovn")


class Binaries(msgspec.Struct, frozen=True):
    """Programs of one origin. ``source`` is "PATH" or the directory that they were unpacked in."""

    source: str
    directories: tuple[Path, ...]
    libraries: tuple[Path, ...] = ()
    schemas: tuple[Path, ...] = ()

    def path(self, name: str) -> Path:
        """Full path of the program; raises UnfitEnvironment when it is not there."""
        if found := self._which(name):
            return found
        raise UnfitEnvironment(f"There is no {name} in {self.source}.", remedy=_INSTALL)

    def schema(self, name: str) -> Path:
        """Full path of ``vswitch.ovsschema``, ``ovn-nb.ovsschema`` or ``ovn-sb.ovsschema``."""
        for directory in self.schemas:
            if (path := directory / name).is_file():
                return path
        raise UnfitEnvironment(f"There is no {name} beside the programs of {self.source}.", remedy=_INSTALL)

    def environment(self) -> dict[str, str]:
        """``PATH``, and ``LD_LIBRARY_PATH`` when the packages brought libraries: what the programs need to run."""
        variables = {"PATH": _joined(self.directories, os.environ.get("PATH", os.defpath))}
        if self.libraries:
            variables["LD_LIBRARY_PATH"] = _joined(self.libraries, os.environ.get("LD_LIBRARY_PATH", ""))
        return variables

    def missing(self) -> list[str]:
        """Names of the programs of Open vSwitch and OVN that are not there."""
        return [name for name in PROGRAMS if self._which(name) is None]

    def version(self, name: str) -> str:
        """First line of what ``name --version`` prints."""
        done = subprocess.run(
            [self.path(name), "--version"], env=os.environ | self.environment(), capture_output=True, text=True
        )
        if done.returncode:
            raise UnfitEnvironment(f"{self.path(name)} does not run here: {done.stderr.strip()}", remedy=_INSTALL)
        return done.stdout.splitlines()[0]

    def _which(self, name: str) -> Path | None:
        found = shutil.which(name, path=_joined(self.directories))
        return Path(found) if found else None


def find(cache: Path | None = None) -> Binaries:
    """The programs on PATH when all are there, else those of the distribution's packages, unpacked in the cache.

    The first call on a machine fetches the packages, which takes seconds and needs the package mirror. Nothing is
    installed or started system-wide. Raises UnfitEnvironment, with what to install, where neither is possible.
    """
    on_path = _on_path()
    if not on_path.missing():
        return on_path
    try:
        fetched = fetch_packages(PACKAGES, cache)
    except UnfitEnvironment as error:
        missing = ", ".join(on_path.missing())
        raise UnfitEnvironment(f"Not on PATH: {missing}. {error}", remedy=f"{error.remedy} {_INSTALL}") from error
    if missing_in_packages := fetched.missing():
        raise UnfitEnvironment(f"{fetched.source} lacks {', '.join(missing_in_packages)}.", remedy=_INSTALL)
    return fetched


def fetch_packages(names: Sequence[str], cache: Path | None = None) -> Binaries:
    """Programs of any packages of the distribution, unpacked in the cache: ``fetch_packages(["wrk"]).path("wrk")``."""
    return from_root(packages.unpack(names, cache))


def from_root(root: Path) -> Binaries:
    """Programs in an unpacked tree. They run on the host's loader, so its C library must be as new as theirs."""
    return Binaries(
        source=str(root),
        directories=tuple(path for name in _PROGRAM_DIRECTORIES if (path := root / name).is_dir()),
        libraries=tuple(sorted([*root.glob("usr/lib/*-linux-gnu*"), *root.glob("lib/*-linux-gnu*")])),
        schemas=tuple(root / name for name in _SCHEMA_DIRECTORIES),
    )


def _on_path() -> Binaries:
    listed = [Path(entry) for entry in os.environ.get("PATH", os.defpath).split(os.pathsep) if entry]
    usual = [Path("/", name) for name in _PROGRAM_DIRECTORIES_OF_HOST]
    # A build in its own prefix has its schemas in PREFIX/share, beside PREFIX/bin.
    beside = [entry.parent / "share" / package for entry in listed for package in ("openvswitch", "ovn")]
    return Binaries(
        source="PATH",
        directories=tuple(dict.fromkeys([*listed, *usual])),
        schemas=tuple(dict.fromkeys([*beside, *(Path("/", name) for name in _SCHEMA_DIRECTORIES)])),
    )


def _joined(directories: Sequence[Path], rest: str = "") -> str:
    return os.pathsep.join([*map(str, directories), *([rest] if rest else [])])


_INSTALL = (
    "Install Open vSwitch and OVN, with their programs on PATH: openvswitch-switch, ovn-central and ovn-host on Debian "
    "and Ubuntu; openvswitch, ovn-central and ovn-host on Fedora and its kin."
)
