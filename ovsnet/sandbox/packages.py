"""Unpack packages of the distribution into a cache directory, without installing anything.

apt resolves the names against this machine, so only what is missing here is fetched. Its lists and archives are
private to the call, and no maintainer script runs: the machine is the same afterwards, but for the cache.
"""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ovsnet.errors import UnfitEnvironment
from ovsnet.sandbox.tools import call

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BUILDING = ".building-"
_MIRROR = "Check that this machine reaches its package mirror, or install the packages yourself."

# The hooks are cleared because container images put one there that wipes the machine's own apt cache.
_APT_CONFIGURATION = """\
Dir::State::Lists "{build}/lists";
Dir::Cache "{build}/cache";
Dir::Cache::Archives "{build}/archives";
Debug::NoLocking "1";
APT::Install-Recommends "false";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


def default_cache() -> Path:
    """``$XDG_CACHE_HOME/ovsnet``, else ``~/.cache/ovsnet`` (XDG Base Directory specification)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path(os.path.expanduser("~"), ".cache")) / "ovsnet"


def unpack(names: Sequence[str], cache: Path | None = None) -> Path:
    """Directory that holds the unpacked packages and what they depend on; filled once, then only looked up.

    Two processes may ask at once: the second waits for the first. The directory appears complete or not at all.
    Raises UnfitEnvironment when there is no apt here, when the cache cannot be written, or when apt fails.
    """
    shelf = (cache or default_cache()).absolute() / _release()
    target = shelf / "+".join(names)
    try:
        if not target.is_dir():
            _require_apt(names)
            shelf.mkdir(parents=True, exist_ok=True)
            with _locked(shelf):
                if not target.is_dir():
                    _fill(target, names)
    except OSError as error:
        raise UnfitEnvironment(
            f"Cannot use the package cache {shelf}: {error.strerror or error}.",
            remedy="Set XDG_CACHE_HOME to a directory that you may write.",
        ) from error
    return target


def _release() -> str:
    """Name of the shelf: packages of another release or architecture would not run here."""
    try:
        fields = platform.freedesktop_os_release()
    except OSError:
        fields = {}
    version = fields.get("VERSION_ID") or fields.get("VERSION_CODENAME") or "rolling"
    return f"{fields.get('ID', 'linux')}-{version}-{platform.machine()}"


def _require_apt(names: Sequence[str]) -> None:
    if missing := [tool for tool in ("apt-get", "dpkg-deb") if shutil.which(tool) is None]:
        raise UnfitEnvironment(
            f"{', '.join(names)} cannot be fetched: there is no {' and no '.join(missing)} here.",
            remedy=f"Install what {', '.join(names)} is called on this distribution, so that it is on PATH.",
        )


@contextmanager
def _locked(shelf: Path) -> Iterator[None]:
    with (shelf / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # The process that made these was killed: nobody builds while we hold the lock.
        for leftover in shelf.glob(f"{_BUILDING}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield


def _fill(target: Path, names: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory(prefix=_BUILDING, dir=target.parent, ignore_cleanup_errors=True) as build:
        root = Path(build, "root")
        root.mkdir()
        for archive in _download(Path(build), names):
            call(["dpkg-deb", "-x", str(archive), str(root)], remedy=_MIRROR)
        root.rename(target)


def _download(build: Path, names: Sequence[str]) -> list[Path]:
    for directory in ("lists/partial", "archives/partial", "cache"):
        (build / directory).mkdir(parents=True)
    configuration = build / "apt.conf"
    configuration.write_text(_APT_CONFIGURATION.format(build=build))
    apt = ["apt-get", "--config-file", str(configuration), "--quiet", "--yes"]
    call([*apt, "update"], remedy=_MIRROR)
    # --reinstall: what is named must be fetched even if it is installed, for it was not found complete on PATH.
    call([*apt, "--download-only", "--reinstall", "install", *names], remedy=_MIRROR)
    return sorted((build / "archives").glob("*.deb"))
