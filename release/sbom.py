"""The bill of materials for scanners: a CycloneDX 1.5 document, derived from the pins.

Fields: https://cyclonedx.org/docs/1.5/json/. ``scope`` is required for what is installed with ovsnet, optional for what
`ovsnet bench` draws its plots with, and excluded for what only builds and tests it.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from importlib import metadata

from release.pins import Pin, needed, pins, requires

PYTHON = "3.11"
"""The oldest supported: newer ones need no more packages."""


def document(version: str, epoch: int) -> dict[str, object]:
    """A function of the pins, the version and the timestamp alone."""
    pinned = pins()
    run = needed("ovsnet", PYTHON)
    drawn = run | {name for extra in ("matplotlib", "numpy") for name in {extra, *needed(extra, PYTHON)}}
    scopes = {name: "required" if name in run else "optional" if name in drawn else "excluded" for name in pinned}
    ours = f"pkg:pypi/ovsnet@{version}"
    content = json.dumps([[pin.name, pin.version, pin.hashes] for pin in pinned.values()])
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, ours + content)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "bom-ref": ours,
                "name": "ovsnet",
                "version": version,
                "purl": ours,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            },
        },
        "components": [_component(pin, scopes[pin.name]) for pin in pinned.values()],
        "dependencies": [
            {"ref": ours, "dependsOn": sorted(_purl(pinned[name]) for name in requires("ovsnet", PYTHON))},
            *(_dependencies(pin, pinned) for pin in pinned.values() if scopes[pin.name] != "excluded"),
        ],
    }


def _component(pin: Pin, scope: str) -> dict[str, object]:
    """One hash per file of the package; which file is installed depends on the Python and the machine."""
    return {
        "type": "library",
        "bom-ref": _purl(pin),
        "name": pin.name,
        "version": pin.version,
        "scope": scope,
        "purl": _purl(pin),
        "hashes": [{"alg": "SHA-256", "content": digest} for digest in pin.hashes],
    }


def _dependencies(pin: Pin, pinned: dict[str, Pin]) -> dict[str, object]:
    try:
        named = requires(pin.name, PYTHON)
    except metadata.PackageNotFoundError:  # for another operating system
        named = []
    return {"ref": _purl(pin), "dependsOn": sorted(_purl(pinned[name]) for name in named if name in pinned)}


def _purl(pin: Pin) -> str:
    return f"pkg:pypi/{pin.name}@{pin.version}"
