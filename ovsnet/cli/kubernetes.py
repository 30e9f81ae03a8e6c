"""``ovsnet kubernetes``: manifests with the user's settings."""

from __future__ import annotations

from pathlib import Path

import click

from ovsnet.cli.options import with_settings
from ovsnet.config import Settings, rows
from ovsnet.errors import UnfitEnvironment
from ovsnet.kubernetes.deployment import Deployment
from ovsnet.kubernetes.files import PIECES, USERS, files
from ovsnet.yaml_text import stream

DEFAULT = Deployment()


@click.group()
def kubernetes() -> None:
    """The agent on a cluster."""


@kubernetes.command()
@click.argument("piece", type=click.Choice(list(PIECES)), default="daemonset")
@click.option("--image", default=DEFAULT.image, show_default=True, help="The agent's image.")
@click.option("--namespace", default=DEFAULT.namespace, show_default=True, help="Where it is to run.")
@click.option("--user", type=click.IntRange(0), help="Number of the user who runs Open vSwitch. [0; kube-ovn: 65534]")
@click.option(
    "--host-pid/--no-host-pid",
    default=DEFAULT.host_pid,
    show_default=True,
    help="Whether the agent sees the daemons' processes. Without, it cannot prove that one hangs.",
)
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path), help="Write all pieces there, for kustomize.")
@with_settings(*(row.name for row in rows()))
def render(
    settings: Settings, piece: str, image: str, namespace: str, user: int | None, host_pid: bool, out: Path | None
) -> None:
    """Print a PIECE for `kubectl apply -f -`, or for `kubectl patch --patch-file` (kube-ovn).

    Settings that differ from their defaults become variables of the container, the run directories its mounts.
    """
    user = USERS.get(piece, DEFAULT.user) if user is None else user
    deployment = Deployment(settings, image, namespace, user, host_pid)
    if out is None:
        click.echo(stream(PIECES[piece](deployment)), nl=False)
        return
    for path, text in files(deployment).items():
        _write(out / path, text)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UnfitEnvironment(
            f"Cannot write {path}: {error.strerror}.", remedy="Name a directory that you may write."
        ) from error
    click.echo(f"wrote {path}")
