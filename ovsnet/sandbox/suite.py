"""Run a command with the Open vSwitch and OVN of another Debian suite: ``python -m ovsnet.sandbox.suite sid COMMAND``.

So one test suite runs against versions that this host does not have, without root and without a container: the
suite's packages are unpacked with all that they need, down to the C library, and each program is started through the
loader of its own tree. Nothing is installed, and no maintainer script runs.
"""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ovsnet.errors import OvsnetError, UnfitEnvironment, UsageError
from ovsnet.files import read_text
from ovsnet.sandbox.binaries import PACKAGES, PROGRAMS, from_root
from ovsnet.sandbox.packages import default_cache
from ovsnet.sandbox.tools import call

KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"

_REMEDY = f"It takes apt-get, dpkg-deb, the keys in {KEYS} and a way to this host's Debian mirror."

# An empty status file makes apt resolve all dependencies again, the C library's among them.
_CONFIGURATION = """\
Dir::Etc::SourceList "{build}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State::status "{build}/status";
Dir::State::Lists "{build}/lists";
Dir::Cache "{build}/cache";
Dir::Cache::Archives "{build}/archives";
Debug::NoLocking "1";
APT::Install-Recommends "false";
Acquire::Languages "none";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""

# --argv0: the daemons name their control sockets and themselves after argv[0] (lib/util.c, set_program_name).
_WRAPPER = '#!/bin/sh\nexec {loader} --library-path {libraries} --argv0 {program} {program} "$@"\n'


def mirror(apt: Path = Path("/etc/apt")) -> str:
    """Where this host gets its Debian packages from, by its own apt sources (sources.list(5)). Raises
    UnfitEnvironment."""
    for file in sorted([*apt.glob("sources.list"), *apt.glob("sources.list.d/*")]):
        lines = (line for line in read_text(file, errors="replace").splitlines() if not line.lstrip().startswith("#"))
        for word in " ".join(lines).split():
            if "://" in word and word.rstrip("/").endswith("/debian"):
                return word
    raise UnfitEnvironment("The apt sources of this host name no Debian mirror.", remedy=_REMEDY)


def programs(
    suite: str, cache: Path | None = None, packages: Sequence[str] = PACKAGES, names: Sequence[str] = PROGRAMS
) -> Path:
    """A directory for PATH that holds the suite's programs; their schemas are in ``share`` beside it. Any other
    ``packages``, and the ``names`` of programs in them, do as well as those of Open vSwitch and OVN.

    Filled once: for those, 40 MB are fetched, 150 MB unpacked. Raises UnfitEnvironment where there is no apt, no key
    or no mirror.
    """
    shelf = f"debian-{suite}" if packages == PACKAGES else f"debian-{suite}-{'+'.join(packages)}"
    home = (cache or default_cache()).absolute() / shelf
    if not home.is_dir():
        try:
            home.parent.mkdir(parents=True, exist_ok=True)
            _build(suite, home, packages, names)
        except OSError as error:
            raise UnfitEnvironment(f"The programs of {suite} cannot be fetched: {error}.", remedy=_REMEDY) from error
    if not all((home / "bin" / name).exists() for name in names):  # filled when fewer were asked for
        _wrap(home, home, names)
    return home / "bin"


def _build(suite: str, home: Path, packages: Sequence[str], names: Sequence[str]) -> None:
    """In a temporary directory that becomes ``home`` when it is complete."""
    with tempfile.TemporaryDirectory(prefix=".building-", dir=home.parent, ignore_cleanup_errors=True) as name:
        build = Path(name)
        tree = build / "tree"
        (tree / "root").mkdir(parents=True)
        for archive in _download(build, suite, packages):
            call(["dpkg-deb", "-x", str(archive), str(tree / "root")], remedy=_REMEDY)
        _wrap(tree, home, names)
        try:
            tree.rename(home)
        except OSError:
            if not home.is_dir():  # else another process was faster
                raise


def apt(build: Path, suite: str, architecture: str = "") -> list[str]:
    """Words that run apt-get for a suite, with lists and archives of its own in ``build``, as on an empty machine.

    Raises UnfitEnvironment where there is no apt, no key or no mirror.
    """
    for directory in ("lists/partial", "archives/partial", "cache"):
        (build / directory).mkdir(parents=True)
    (build / "status").touch()
    (build / "sources.list").write_text(f"deb [signed-by={KEYS}] {mirror()} {suite} main\n")
    configuration = build / "apt.conf"
    configuration.write_text(_CONFIGURATION.format(build=build))
    words = ["apt-get", "--config-file", str(configuration), "--quiet", "--yes"]
    words += [f"--option=APT::Architecture={architecture}"] if architecture else []
    call([*words, "update"], remedy=_REMEDY)
    return words


def _download(build: Path, suite: str, packages: Sequence[str]) -> list[Path]:
    call([*apt(build, suite), "--download-only", "install", *packages], remedy=_REMEDY)
    return sorted((build / "archives").glob("*.deb"))


def _wrap(tree: Path, home: Path, names: Sequence[str] = PROGRAMS) -> None:
    """Write ``bin``, whose scripts name ``home``: that is where the tree will be."""
    root = tree / "root"
    # The second: before all of Debian was in /usr, in bookworm.
    places = ("usr/lib*/ld-linux*.so.*", "lib/*-linux-gnu/ld-linux*.so.*")
    loader = next((path for place in places for path in sorted(root.glob(place))), None)
    if loader is None:
        raise UnfitEnvironment(f"There is no loader in the packages of {tree}.")
    final = home / "root"
    found = from_root(root)
    libraries = ":".join(str(final / path.relative_to(root)) for path in found.libraries)
    (tree / "bin").mkdir(exist_ok=True)
    for name in names:
        program = final / found.path(name).relative_to(root)
        script = tree / "bin" / f".{name}.{os.getpid()}"
        script.write_text(
            _WRAPPER.format(
                loader=shlex.quote(str(final / loader.relative_to(root))),
                libraries=shlex.quote(libraries),
                program=shlex.quote(str(program)),
            )
        )
        script.chmod(0o755)
        script.rename(tree / "bin" / name)
    if not (tree / "share").exists():
        (tree / "share").symlink_to("root/usr/share")


def main(arguments: list[str]) -> None:
    """Become the command; on an error, say it and exit with its code."""
    try:
        if len(arguments) < 2:
            raise UsageError("A suite and a command are wanted.", remedy="python -m ovsnet.sandbox.suite trixie pytest")
        suite, *command = arguments
        path = f"{programs(suite)}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    except OvsnetError as error:
        sys.stderr.write(f"{error} {error.remedy}\n")
        sys.exit(error.exit_code)
    os.environ["PATH"] = path
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
