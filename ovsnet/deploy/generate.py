"""The files of the source tree that are written from declarations: ``python -m ovsnet.deploy.generate .``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from ovsnet.deploy import api, monitoring
from ovsnet.deploy.kubernetes import files as kubernetes
from ovsnet.deploy.systemd import units

SOURCES: dict[str, Callable[[], Mapping[str, str]]] = {
    "systemd": units.rendered,
    "prometheus": monitoring.rendered,
    "kubernetes": kubernetes.rendered,
    "docs/api": api.rendered,
}
"""Directory, and what gives its files by their paths in it."""


def rendered() -> dict[str, str]:
    """Text by path."""
    return {f"{directory}/{path}": text for directory, files in SOURCES.items() for path, text in files().items()}


def write(root: Path) -> None:
    """Write them all below ``root``."""
    for path, text in rendered().items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        if target.suffix == ".sh":
            target.chmod(0o755)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
