"""``ovsnet kubernetes``: manifests with the user's settings."""

from __future__ import annotations

from pathlib import Path

import click

from ovsnet.cli.groups import CommandGroup
from ovsnet.cli.options import Whole, with_settings
from ovsnet.cli.terminal import say
from ovsnet.config import Group, Settings
from ovsnet.deploy.kubernetes.deployment import Deployment
from ovsnet.deploy.kubernetes.files import PIECES, SCRIPTS, USERS, files
from ovsnet.deploy.yaml_writer import stream
from ovsnet.errors import UnfitEnvironment, UsageError
from ovsnet.files import replace

DEFAULT = Deployment()


@click.group(cls=CommandGroup)
def kubernetes() -> None:
    """The agent on a cluster."""


@kubernetes.command()
@click.argument("piece", type=click.Choice([*PIECES, *SCRIPTS]), default="daemonset")
@click.argument("storm_options", nargs=-1, metavar="[-- STORM OPTIONS]")
@click.option("--image", default=DEFAULT.image, show_default=True, help="The agent's image.")
@click.option("--namespace", default=DEFAULT.namespace, show_default=True, help="Where it is to run.")
@click.option("--user", type=Whole(0), help="Number of the user who runs Open vSwitch. [0; kube-ovn: 65534]")
@click.option(
    "--host-pid/--no-host-pid",
    default=DEFAULT.host_pid,
    show_default=True,
    help="Whether the agent sees the daemons' processes. Without, it cannot prove that one hangs.",
)
@click.option("--pods", default=DEFAULT.storm.pods, show_default=True, type=Whole(1, 1000),
              help="bench-storm: how many share the chassis.")  # fmt: skip
@click.option("--start-at", default=DEFAULT.storm.start_at, show_default=True, metavar="TIME",
              help="bench-storm: when all pods begin, so late that all are there: Unix time or ISO 8601.")  # fmt: skip
@click.option("--tls-secret", default=DEFAULT.storm.tls_secret, show_default=True, metavar="NAME",
              help="bench-storm: the secret with key, certificate and CA for an ssl: address.")  # fmt: skip
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path), help="Write all pieces there, for kustomize.")
@with_settings(*Group)
def render(
    settings: Settings, piece: str, storm_options: tuple[str, ...], image: str, namespace: str, user: int | None,
    host_pid: bool, pods: int, start_at: str, tls_secret: str, out: Path | None,
) -> None:  # fmt: skip
    """Print a PIECE for `kubectl apply -f -`, for `helm --post-renderer` (kube-ovn-helm), or for
    `kubectl patch --patch-file` (kube-ovn).

    Settings that differ from their defaults become variables of the container, the run directories its mounts.
    bench-storm is a Job that runs `ovsnet bench storm` from several pods; give its options after `--`.
    """
    user = USERS.get(piece, DEFAULT.user) if user is None else user
    storm = DEFAULT.storm
    if piece == "bench-storm":
        from ovsnet.cli.kubernetes_storm import storm_job

        storm = storm_job(storm_options, pods, start_at, tls_secret)
    elif storm_options:
        raise UsageError(f"{piece} takes no more words.", remedy="Options of a storm go with bench-storm.")
    deployment = Deployment(settings, image, namespace, user, host_pid, storm)
    if out is None and piece in SCRIPTS:
        say(SCRIPTS[piece](deployment), nl=False)
        return
    if out is None:
        say(stream(PIECES[piece](deployment)), nl=False)
        return
    for path, text in files(deployment).items():
        _write(out / path, text)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, text.encode(), 0o755 if path.suffix == ".sh" else 0o644)
    except OSError as error:
        raise UnfitEnvironment(
            f"Cannot write {path}: {error.strerror}.", remedy="Name a directory that you may write."
        ) from error
    say(f"wrote {path}")
