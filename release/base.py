"""The base layer of the container image: Python and the libraries it needs, from Debian packages.

It has no shell and no package manager. ``base.txt`` pins each package by its SHA-256; ``python -m release.base`` renews
the pins after a point release of Debian, which removes the previous packages from the mirrors.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ovsnet.errors import UnfitEnvironment
from ovsnet.sandbox import suite
from ovsnet.sandbox.packages import default_cache
from ovsnet.sandbox.tools import call

SUITE = "bookworm"

PYTHON = "3.11"
"""The version in that suite."""

PINS = Path(__file__).with_name("base.txt")

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""Machine names of the kernel, and what Debian and the OCI image-spec (after Go) call them."""

PACKAGES = (
    *("python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib"),
    *("libc6", "gcc-12-base", "libgcc-s1", "libstdc++6", "libssl3", "libexpat1", "zlib1g"),
    *("libffi8", "libbz2-1.0", "liblzma5", "libsqlite3-0", "libuuid1"),
)

UNWANTED = (
    # iconv tables, since Python has its own codecs; the vector mathematics library, which nothing here links against.
    *("usr/lib/*/gconv", "lib/*/libmvec.so.1"),
    *("usr/share/doc/*/*[!t]", "usr/share/lintian", "usr/share/man", "usr/share/bug", "usr/share/binfmts"),
    *("usr/share/applications", "usr/share/pixmaps", "usr/share/gcc*", "usr/share/gdb", "usr/share/python3"),
    # Modules whose libraries are left out, since ovsnet does not import them.
    *(f"usr/lib/python{PYTHON}/lib-dynload/{name}.*" for name in ("_dbm", "nis", "_crypt", "readline")),
    f"usr/lib/python{PYTHON}/lib-dynload/_curses*",
    # Development tools, and legacy encodings of East Asia.
    *(f"usr/lib/python{PYTHON}/{name}" for name in ("sitecustomize.py", "_pydecimal.py", "turtle.py", "pydoc_data")),
    *(f"usr/lib/python{PYTHON}/{name}" for name in ("unittest", "doctest.py", "pydoc.py", "pickletools.py")),
    f"usr/lib/python{PYTHON}/lib-dynload/_codecs_*",
    "etc/python*",
)
"""Glob patterns of files that are left out. The licences are kept, as they require."""

DIRECTORIES = ("dev", "etc", "proc", "run", "sys", "tmp")
"""Mount points for the runtime, and directories that programs expect."""

FILES = {
    "etc/passwd": "root:x:0:0:root:/:/\nnobody:x:65534:65534:nobody:/:/\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}

LINKS = {"usr/bin/python3": f"python{PYTHON}", "var/run": "../run"}
"""The second, for OVN-Kubernetes: it names the southbound unix:/var/run/ovn/ovnsb_db.sock, and /run/ovn is what is
mounted."""

EPOCH = 315532800
"""The timestamp of all files: 1980, so that every release has the same base layer."""

_RENEW = "Renew the pins with `python -m release.base`, and review the changes."


def lay(root: Path, machine: str) -> None:
    """Unpack the pinned packages in ``root``. Raises UnfitEnvironment if they cannot be fetched."""
    for archive in fetch(machine):
        call(["dpkg-deb", "-x", str(archive), str(root)], remedy=_RENEW)
        _note(root, archive)
    for pattern in UNWANTED:
        for path in sorted(root.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
    for name in DIRECTORIES:
        (root / name).mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (root / name).write_text(text)
    for name, target in LINKS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(target)


def fetch(machine: str) -> list[Path]:
    """Download the pinned packages into the user's cache."""
    shelf = default_cache() / "base"
    shelf.mkdir(parents=True, exist_ok=True)
    return [_file(shelf, digest, path) for digest, path in pinned(machine)]


def pinned(machine: str) -> list[tuple[str, str]]:
    """SHA-256 and path on a mirror of each package for that machine."""
    pairs = [line.split() for line in PINS.read_text().splitlines()]
    return [(digest, path) for digest, path in pairs if path.endswith(f"_{ARCHITECTURES[machine]}.deb")]


def compiled(root: Path, places: Iterable[str], but_for: str = "^$") -> None:
    """Byte-compile these directories below ``root``, except paths that match ``but_for``: a container's file system is
    often read-only.

    The image's own Python does it, on this machine: byte code does not depend on the machine.
    """
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        lay(home, platform.machine())
        loader = next(home.glob("lib/*-linux-gnu/ld-linux*.so.*"))
        libraries = ":".join(str(path) for path in (*home.glob("lib/*-linux-gnu"), *home.glob("usr/lib/*-linux-gnu")))
        argv = [str(loader), "--library-path", libraries, f"{home}/usr/bin/python{PYTHON}", "-s", "-m", "compileall"]
        argv += ["-q", "--invalidation-mode=unchecked-hash", "-s", str(root), "-p", "/", "-x", but_for]
        # The order in which a frozenset is written depends on the seed.
        environment = {"PYTHONHOME": f"{home}/usr", "PYTHONHASHSEED": "0", "PATH": os.defpath}
        done = subprocess.run(
            [*argv, *(str(root / place) for place in places)], env=environment, capture_output=True, text=True
        )
    if done.returncode:
        raise RuntimeError(f"compileall: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def _note(root: Path, archive: Path) -> None:
    """Record the package where image scanners look for it when there is no dpkg database."""
    said = subprocess.run(["dpkg-deb", "--field", str(archive)], capture_output=True, text=True, check=True).stdout
    notes = root / "var/lib/dpkg/status.d"
    notes.mkdir(parents=True, exist_ok=True)
    (notes / archive.name.partition("_")[0]).write_text(said)


def _file(shelf: Path, digest: str, path: str) -> Path:
    file = shelf / Path(path).name
    if not file.exists():
        with tempfile.TemporaryDirectory(dir=shelf) as place:
            fresh = Path(place, "deb")
            # apt-helper uses the proxies and certificates of apt's configuration.
            argv = ["/usr/lib/apt/apt-helper", "download-file", f"{suite.mirror()}/{path}", str(fresh)]
            call([*argv, f"SHA256:{digest}"], remedy=_RENEW)
            fresh.rename(file)
    if hashlib.sha256(file.read_bytes()).hexdigest() != digest:
        raise UnfitEnvironment(f"{file} is not what base.txt pins.", remedy=f"Remove {file}.")
    return file


def renew() -> None:
    """Pin the current packages of the suite, for all machines."""
    lines = []
    for architecture in ARCHITECTURES.values():
        with tempfile.TemporaryDirectory() as build:
            words = suite.apt(Path(build), SUITE, architecture)
            argv = ["apt-cache", *words[1:3], f"--option=APT::Architecture={architecture}", "show", *PACKAGES]
            shown = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        for entry in shown.strip().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in entry.splitlines() if ": " in line and line[0] != " ")
            lines.append(f"{fields['SHA256']}  {fields['Filename']}\n")
    PINS.write_text("".join(lines))


if __name__ == "__main__":
    renew()
