"""``python -m release``: everything that is handed out, in one directory, with its checksums."""

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
"""Those that the single file and the packages carry extension modules for."""

PACKAGES = {"deb": deb.package, "rpm": rpm.package, "image": image.package}

PIECES = ("python", "pyz", *PACKAGES)


@click.command()
@click.argument("pieces", nargs=-1, type=click.Choice(PIECES))
@click.option("--out", default="dist", show_default=True, type=click.Path(path_type=Path), help="Emptied first.")
@click.option("--machine", default=platform.machine(), show_default=True, help="Of the files that hold machine code.")
def release(pieces: Sequence[str], out: Path, machine: str) -> None:
    """Build PIECES, or all of them."""
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
    (out / "SHA256SUMS").write_text("".join(lines))
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
