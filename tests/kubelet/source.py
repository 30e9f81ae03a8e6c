"""A kubelet, built from the sources of Debian's package ``kubernetes``: no suite has the program itself.

Of those sources bookworm's are the last that bring all that they are built from (``vendor``). apt fetches them, and
checks them by its signed index, as it does packages.
"""

from __future__ import annotations

import platform
import subprocess
import tempfile
from pathlib import Path

import click

from ovsnet.errors import UnfitEnvironment
from ovsnet.sandbox import suite
from ovsnet.sandbox.supervisor import die_with_parent
from ovsnet.sandbox.tools import call
from tests.system.image import once

SUITE = "bookworm"
PACKAGE = "kubernetes"
VERSION = "v1.20.2"
"""What Debian's 1.20.5+really1.20.2 is. It is told to the program, which cannot know it without git."""

GO = "1.19"
"""Of the same suite; a later one was not tried."""

TOOLS = ("tar", "env", "nice")

BUILD_TIMEOUT = 3600.0
"""Seconds. It decides nothing: two cores need five minutes."""

_REMEDY = "It takes apt-get, and a way to this host's Debian mirror."


def kubelet() -> Path:
    """The program, in the user's cache; the first call builds it."""
    return once(f"kubelet-{SUITE}-{platform.machine()}", _make) / "kubelet"


def _make(target: Path) -> None:
    click.echo(f"Building {PACKAGE} {VERSION}'s kubelet, once: two cores need five minutes.", err=True)
    toolchain = suite.programs(SUITE, packages=(f"golang-{GO}-go",), names=()).parent / f"root/usr/lib/go-{GO}"
    # Beside it, for it takes more than a gigabyte.
    with tempfile.TemporaryDirectory(dir=target.parent, ignore_cleanup_errors=True) as name:
        path = Path(name)
        source = path / "src/k8s.io/kubernetes"  # where its packages look for each other: go.mod is too old for this Go
        source.mkdir(parents=True)
        call(["tar", "-xzf", str(_fetched(path / "apt")), "-C", str(source), "--strip-components=1"], remedy=_REMEDY)
        _build(source, toolchain, path, target / "kubelet")


def _fetched(build: Path) -> Path:
    """The archive as Kubernetes released it: what Debian patches is kubectl's."""
    build.mkdir()
    apt = suite.apt(build, SUITE)
    sources = build / "sources.list"
    sources.write_text(sources.read_text().replace("deb ", "deb-src ", 1))
    call([*apt, "update"], remedy=_REMEDY)
    call(["env", f"--chdir={build}", *apt, "source", "--download-only", PACKAGE], remedy=_REMEDY)
    found = list(build.glob("*.orig.tar.gz"))
    if len(found) != 1:
        raise UnfitEnvironment(f"apt-get fetched no single archive of {PACKAGE}.", remedy=_REMEDY)
    return found[0]


def _build(source: Path, toolchain: Path, path: Path, program: Path) -> None:
    variables = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(path),
        "TMPDIR": str(path),
        "GOROOT": str(toolchain),
        "GOPATH": str(path),
        "GOCACHE": str(path / "cache"),
        "GO111MODULE": "off",
        "CGO_ENABLED": "0",  # as Debian builds kubectl: no C compiler is needed
    }
    version = f"-X k8s.io/kubernetes/vendor/k8s.io/component-base/version.gitVersion={VERSION}"
    argv = [*die_with_parent(), "nice", "-n", "5", str(toolchain / "bin/go"), "build"]
    argv += ["-ldflags", f"-s -w {version}", "-o", str(program), "./cmd/kubelet"]
    done = subprocess.run(
        argv,
        cwd=source,
        env=variables,
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT,
    )
    assert done.returncode == 0, done.stderr[-3000:]
