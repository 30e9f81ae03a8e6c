"""What a package of a distribution puts on a host: the libraries below /opt, the program, and the service.

A venv would be bound to the one Python that made it, and gone with the distribution's next. So extension modules for
each Python lie side by side, and the program takes those that fit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from ovsnet import __version__
from ovsnet.deploy.systemd import units
from release import sbom
from release.archive import settle, unzip
from release.pins import SOURCE
from release.pyz import launcher

HOME = "/opt/ovsnet/lib"

PROGRAM = "/usr/bin/ovsnet"

DOC = "/usr/share/doc/ovsnet"

ENVIRONMENT = "# Settings of ovsnet as variables, OVSNET_..., which override /etc/ovsnet/ovsnet.toml.\n"


def lay(
    root: Path, family: units.Family, wheels: Mapping[str, Sequence[Path]], machine: str, epoch: int
) -> Sequence[str]:
    """Fill ``root``; gives the paths of the configuration, which a package manager never overwrites."""
    unpack(root, HOME, wheels)
    write_program(root, PROGRAM, "/usr/bin/python3", HOME, machine, list(wheels))
    for path, text in _service(family).items():
        _write(root, path, text)
    configuration = {units.CONFIG: units.configuration(), family.environment: ENVIRONMENT}
    for path, text in configuration.items():
        _write(root, path, text)
    _write(root, f"{DOC}/sbom.cdx.json", json.dumps(sbom.document(__version__, epoch), indent=1) + "\n")
    _write(root, f"{DOC}/CHANGELOG.md", (SOURCE / "CHANGELOG.md").read_text())
    _write(root, f"{DOC}/copyright", (SOURCE / "LICENSE").read_text())
    settle(root, epoch)
    return list(configuration)


def unpack(root: Path, home: str, wheels: Mapping[str, Sequence[Path]]) -> None:
    """The libraries below ``home``: what is the same for each Python, and what is machine code for one."""
    laid: set[str] = set()
    for python, some in wheels.items():
        for wheel in some:
            if wheel.name not in laid:
                laid.add(wheel.name)
                pure = wheel.name.endswith("-none-any.whl")
                unzip(wheel, _below(root, f"{home}/{'common' if pure else python}"))


def write_program(root: Path, path: str, python: str, home: str, machine: str, pythons: Sequence[str]) -> None:
    """The program that starts ovsnet out of ``home``."""
    contents = {"home": home, "machine": machine, "pythons": list(pythons)}
    _write(root, path, f"#!{python} -Es\n{launcher(contents)}", mode=0o755)


def _service(family: units.Family) -> Mapping[str, str]:
    """Where a package has its units. The order of ovn-controller is for the host's owner to want: where ovs-vswitchd's
    unit is up only after its first configuration, as on Debian, there is nothing to wait for."""
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
