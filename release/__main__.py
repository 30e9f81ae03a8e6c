"""``python -m release``: build every file of a release in one directory, with checksums."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from ovsnet import __version__
from ovsnet.errors import UnfitEnvironment
from release import deb, image, pyz, rpm, sbom
from release.python_packages import build, epoch
from release.wheelhouse import wheelhouse

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""Supported versions: the single file and the packages have extension modules for each."""

PACKAGES = {"deb": deb.package, "rpm": rpm.package, "image": image.package}

PIECES = ("python", "pyz", *PACKAGES)

SUMS = "SHA256SUMS"


def _without_strangers(_: click.Context, __: click.Parameter, out: Path) -> Path:
    """Refuse a directory that holds anything but an earlier release, because it is removed."""
    for path in out.glob("*"):
        if not path.is_file() or not path.name.startswith(("ovsnet-", "ovsnet_", SUMS)):
            raise click.BadParameter(f"{path} is not part of a release. Choose an empty directory.")
    return out


@click.command()
@click.argument("pieces", nargs=-1, type=click.Choice(PIECES))
@click.option(
    "--out",
    default="dist",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    callback=_without_strangers,
    help="Directory to write to. An earlier release in it is removed.",
)
@click.option("--machine", default=platform.machine(), show_default=True, help="Machine to build machine code for.")
def release(pieces: Sequence[str], out: Path, machine: str) -> None:
    """Build PIECES of a release; all by default. Wheel and source archive are always built."""
    shutil.rmtree(out, ignore_errors=True)
    chosen = pieces or PIECES
    wheel, _ = build(out)
    bill = json.dumps(sbom.document(__version__, epoch()), indent=1)
    (out / f"ovsnet-{__version__}.cdx.json").write_text(bill + "\n")
    with tempfile.TemporaryDirectory() as shelf:
        if set(chosen) - {"python"}:
            wheels = {each: _wheels(Path(shelf, each), each, machine, wheel) for each in PYTHONS}
            _with_machine_code(chosen, wheels, out, machine)
    names = sorted(path.name for path in out.iterdir())
    lines = [f"{hashlib.sha256((out / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (out / SUMS).write_text("".join(lines))
    click.echo("".join(lines), nl=False)


def _wheels(directory: Path, python: str, machine: str, own: Path) -> Sequence[Path]:
    return [*wheelhouse(directory, python, machine).iterdir(), own]


def _with_machine_code(pieces: Sequence[str], wheels: Mapping[str, Sequence[Path]], out: Path, machine: str) -> None:
    if "pyz" in pieces:
        file = out / f"ovsnet-{__version__}-{machine}.pyz"
        file.write_bytes(pyz.single_file(wheels, machine, epoch()))
        file.chmod(0o755)
    for piece in [each for each in PACKAGES if each in pieces]:
        try:
            PACKAGES[piece](out, wheels, machine, epoch())
        except UnfitEnvironment as error:
            click.echo(f"NOT RUN: {piece}: {error} {error.remedy}", err=True)


if __name__ == "__main__":
    release()
