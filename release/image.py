"""The container image: Debian's Python and ovsnet with its libraries; no shell, no pip, no compiler.

The Containerfile builds one on a base image of your choice; this one needs no registry, and is reproducible.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ovsnet import __version__
from release import base, oci, sbom
from release.archive import settle
from release.tree import unpack, write_program

PROGRAM = "/opt/ovsnet/bin/ovsnet"
"""As in the manifests and the Containerfile."""

HOME = "/opt/ovsnet/lib"

BILL = "/opt/ovsnet/sbom.cdx.json"

LABELS = {
    "org.opencontainers.image.title": "ovsnet",
    "org.opencontainers.image.version": __version__,
    "org.opencontainers.image.licenses": "Apache-2.0",
}

UNUSED = ("*.pyx", "*.pxd", "*.pxi", "*.pyi", "*.c", "*.h")
"""Sources that wheels ship beside their extension modules."""

SELDOM = "/pygments/"
"""Not byte-compiled: the lexers of Pygments, which rich depends on and ovsnet does not use. Saves 4 MB."""

RUN: Mapping[str, object] = {
    "User": "65534:65534",
    "Entrypoint": [PROGRAM],
    "Cmd": ["serve"],
    "Env": ["PATH=/opt/ovsnet/bin:/usr/bin"],
    "ExposedPorts": {"10670/tcp": {}},
    "WorkingDir": "/",
}
"""As in the Containerfile. The user is nobody, as Kube-OVN runs Open vSwitch; elsewhere, override it with the owner
of the OVS sockets."""


def package(out: Path, wheels: Mapping[str, Sequence[Path]], machine: str, epoch: int) -> Path:
    """Build the image in ``out``; its path. Raises UnfitEnvironment if the packages of its base cannot be fetched."""
    layers = [_base_layer(machine), _own_layer(wheels[base.PYTHON], machine, epoch)]
    file = out / f"ovsnet-{__version__}-{machine}.oci.tar"
    architecture = base.ARCHITECTURES[machine]
    oci.write(file, f"ovsnet:{__version__}", layers, architecture, {**RUN, "Labels": LABELS}, epoch)
    return file


def _base_layer(machine: str) -> oci.Layer:
    """The same for every release until its pins are renewed."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        base.lay(root, machine)
        base.compiled(root, [f"usr/lib/python{base.PYTHON}"])
        settle(root, base.EPOCH)
        return oci.Layer.of(root, f"Python {base.PYTHON} of Debian {base.SUITE}", base.EPOCH)


def _own_layer(wheels: Sequence[Path], machine: str, epoch: int) -> oci.Layer:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        unpack(root, HOME, {base.PYTHON: wheels})
        for pattern in UNUSED:
            for path in root.rglob(pattern):
                path.unlink()
        write_program(root, PROGRAM, f"/usr/bin/python{base.PYTHON}", HOME, machine, [base.PYTHON])
        bill = json.dumps(sbom.document(__version__, epoch), indent=1)
        (root / BILL.lstrip("/")).write_text(bill + "\n")
        base.compiled(root, [f"{HOME.lstrip('/')}/{part}" for part in ("common", base.PYTHON)], SELDOM)
        settle(root, epoch)
        return oci.Layer.of(root, f"ovsnet {__version__}", epoch)
