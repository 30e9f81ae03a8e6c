"""The files that the Debian package and the RPM install: the libraries below /opt, the program, and the service.

A venv works only with the Python that created it, and breaks when the distribution's next release replaces that. So the
extension modules for every supported Python are installed side by side, and the program picks those that fit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from ovsnet import __version__
from ovsnet.cli.completion import script
from ovsnet.deploy.systemd import units
from release import sbom
from release.archive import by_name, settle, unzip
from release.pins import SOURCE
from release.pyz import launcher

HOME = "/opt/ovsnet/lib"

PROGRAM = "/usr/bin/ovsnet"

DOC = "/usr/share/doc/ovsnet"

COMPLETIONS = {
    family: {
        "bash": "/usr/share/bash-completion/completions/ovsnet",
        "fish": "/usr/share/fish/vendor_completions.d/ovsnet.fish",
        "zsh": f"/usr/share/zsh/{directory}/_ovsnet",
    }
    for family, directory in (("debian", "vendor-completions"), ("rhel", "site-functions"))
}
"""Where each shell looks for what packages bring; zsh's ``fpath`` differs between the two families."""

ENVIRONMENT = "# Settings of ovsnet as variables, OVSNET_...; they override /etc/ovsnet/ovsnet.toml.\n"


def lay(
    root: Path, family: units.Family, wheels: Mapping[str, Sequence[Path]], machine: str, epoch: int
) -> Sequence[str]:
    """Fill ``root``; returns the paths of the configuration files, which an upgrade must not overwrite."""
    unpack(root, HOME, wheels)
    write_program(root, PROGRAM, "/usr/bin/python3", HOME, machine, list(wheels))
    for path, text in _service(family).items():
        _write(root, path, text)
    for shell, path in COMPLETIONS[family.name].items():
        _write(root, path, script(shell))
    configuration = {units.CONFIG: units.configuration(), family.environment: ENVIRONMENT}
    for path, text in configuration.items():
        _write(root, path, text)
    _write(root, f"{DOC}/sbom.cdx.json", json.dumps(sbom.document(__version__, epoch), indent=1) + "\n")
    _write(root, f"{DOC}/CHANGELOG.md", (SOURCE / "CHANGELOG.md").read_text())
    _write(root, f"{DOC}/copyright", (SOURCE / "LICENSE").read_text())
    settle(root, epoch)
    return list(configuration)


def unpack(root: Path, home: str, wheels: Mapping[str, Sequence[Path]]) -> None:
    """Unpack the libraries below ``home``: pure ones in ``common``, extension modules in a directory per Python."""
    laid: set[str] = set()
    for python, some in wheels.items():
        for wheel in by_name(some):
            if wheel.name not in laid:
                laid.add(wheel.name)
                pure = wheel.name.endswith("-none-any.whl")
                unzip(wheel, _below(root, f"{home}/{'common' if pure else python}"))


def write_program(root: Path, path: str, python: str, home: str, machine: str, pythons: Sequence[str]) -> None:
    """Write the program that runs ovsnet from ``home``."""
    contents = {"home": home, "machine": machine, "pythons": list(pythons)}
    _write(root, path, f"#!{python} -Es\n{launcher(contents)}", mode=0o755)


def _service(family: units.Family) -> Mapping[str, str]:
    """The units, by path. The drop-in that orders ovn-controller after OpenFlow is only an example: where the unit of
    ovs-vswitchd starts after the first configuration, as on Debian, there is nothing to wait for."""
    place = "/usr/lib/systemd/system"
    return {
        f"{place}/ovsnet.service": units.service(family, PROGRAM),
        f"{place}/ovsnet.socket": units.socket(family),
        f"{place}/ovsnet-doctor.service": units.doctor(PROGRAM),
        "/usr/lib/tmpfiles.d/ovsnet.conf": units.tmpfiles(),
        f"{DOC}/examples/ovn-controller.service.d/ovsnet.conf": units.wait_for_openflow(PROGRAM),
    }


def _write(root: Path, path: str, text: str, mode: int = 0o644) -> None:
    target = _below(root, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    target.chmod(mode)


def _below(root: Path, path: str) -> Path:
    return root / path.lstrip("/")
