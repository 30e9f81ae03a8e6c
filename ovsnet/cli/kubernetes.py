"""``ovsnet kubernetes``: manifests with the user's settings."""

from __future__ import annotations

from pathlib import Path

import click

from ovsnet.cli.groups import CommandGroup
from ovsnet.cli.options import Whole, with_settings
from ovsnet.cli.terminal import say
from ovsnet.config import Group, Settings
from ovsnet.deploy.kubernetes.deployment import Deployment
from ovsnet.deploy.kubernetes.files import CHARTS, OF_A_NAMESPACE, PIECES, SCRIPTS, USERS, WITHOUT_IMAGE, files
from ovsnet.deploy.kubernetes.image import required
from ovsnet.deploy.yaml_writer import stream
from ovsnet.errors import UnfitEnvironment, UsageError
from ovsnet.files import replace

DEFAULT = Deployment()


@click.group(cls=CommandGroup)
def kubernetes() -> None:
    """Run the agent in a cluster."""


@kubernetes.command()
@click.argument("piece", type=click.Choice([*PIECES, *SCRIPTS, *CHARTS]), default="daemonset")
@click.argument("storm_options", nargs=-1, metavar="[-- STORM OPTIONS]")
@click.option("--image", metavar="NAME", help="The agent's image, such as REGISTRY/ovsnet:TAG; there is no public one.")
@click.option("--local-image", is_flag=True, help="The image was loaded into the nodes (kind, k3s); never pull it.")
@click.option("--namespace", default=DEFAULT.namespace, show_default=True, help="Namespace of the objects.")
@click.option("--own-namespace", is_flag=True,
              help="Include the namespace itself, labelled for the Pod Security level needed.")  # fmt: skip
@click.option("--selinux-type", default=DEFAULT.selinux_type, metavar="TYPE",
              help="SELinux type of the agent's container, such as spc_t. [the container runtime's]")  # fmt: skip
@click.option("--apparmor-profile", default=DEFAULT.apparmor_profile, metavar="NAME",
              help="AppArmor profile loaded on the nodes, or unconfined. [the container runtime's]")  # fmt: skip
@click.option("--user", type=Whole(0), help="Numeric user ID that runs Open vSwitch. [0; kube-ovn: 65534]")
@click.option(
    "--host-pid/--no-host-pid",
    default=DEFAULT.host_pid,
    show_default=True,
    help="Whether the agent sees the daemons' processes. Without them it cannot prove that one hangs.",
)
@click.option("--pods", default=DEFAULT.storm.pods, show_default=True, type=Whole(1, 1000),
              help="bench-storm: number of pods that share the chassis.")  # fmt: skip
@click.option("--start-at", default=DEFAULT.storm.start_at, show_default=True, metavar="TIME",
              help="bench-storm: when all pods begin, once all are up: Unix time or ISO 8601.")  # fmt: skip
@click.option("--tls-secret", default=DEFAULT.storm.tls_secret, show_default=True, metavar="NAME",
              help="bench-storm: the secret with key, certificate and CA for an ssl: address.")  # fmt: skip
@click.option(
    "--runbook-url",
    default="",
    metavar="URL",
    help="Alerts link to URL with the code appended, such as https://host/runbook.md#. [the agent itself]",
)
@click.option("--secret", default=DEFAULT.secret, metavar="NAME",
              help="A secret with the files that settings name, mounted in their directory.")  # fmt: skip
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path),
              help="Write all pieces here, for kustomize; of helm, its chart alone.")  # fmt: skip
@with_settings(*Group)
def render(
    settings: Settings, piece: str, storm_options: tuple[str, ...], image: str | None, local_image: bool,
    namespace: str, own_namespace: bool, selinux_type: str, apparmor_profile: str, user: int | None, host_pid: bool,
    pods: int, start_at: str, tls_secret: str, runbook_url: str, secret: str, out: Path | None,
) -> None:  # fmt: skip
    """Print manifests for a cluster. A PIECE is for `kubectl apply -f -`, except kube-ovn-helm (for
    `helm --post-renderer`), and kube-ovn and kube-ovn-dpdk (for `kubectl patch --patch-file`).

    Settings that differ from their defaults become environment variables of the container, and the run directories
    its mounts. helm is a chart, which --out writes. bench-storm is a Job that runs `ovsnet bench storm` from several
    pods; give its options after `--`.
    """
    if piece in CHARTS and out is None:
        raise UsageError(f"{piece} is a directory of files.", remedy="Name one: --out DIR.")
    if own_namespace and piece not in OF_A_NAMESPACE:
        raise UsageError(
            f"{piece} is for a namespace that is there.", remedy="Leave --own-namespace out (docs/deployment.md)."
        )
    if piece in SCRIPTS and user is not None:
        raise UsageError(f"{piece} takes the user from the chart that it renders.", remedy="Leave --user out.")
    user = USERS.get(piece, DEFAULT.user) if user is None else user
    storm = DEFAULT.storm
    if piece == "bench-storm":
        from ovsnet.cli.kubernetes_storm import storm_job

        storm = storm_job(storm_options, pods, start_at, tls_secret)
    elif storm_options:
        raise UsageError(f"{piece} takes no storm options.", remedy="Only bench-storm takes them.")
    if out is not None or piece not in WITHOUT_IMAGE:
        image = required(image, local=local_image)
    deployment = Deployment(
        settings, image or DEFAULT.image, local_image, namespace, user, host_pid, storm, runbook=runbook_url,
        secret=secret, own_namespace=own_namespace, selinux_type=selinux_type, apparmor_profile=apparmor_profile,
    )  # fmt: skip
    if out is None and piece in SCRIPTS:
        say(SCRIPTS[piece](deployment), nl=False)
        return
    if out is None:
        say(stream(PIECES[piece](deployment)), nl=False)
        return
    for path, text in CHARTS.get(piece, files)(deployment).items():
        _write(out / path, text)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, text.encode(), 0o755 if path.suffix == ".sh" else 0o644)
    except OSError as error:
        raise UnfitEnvironment(
            f"Cannot write {path}: {error.strerror}.", remedy="Name a directory that you may write to."
        ) from error
    say(f"wrote {path}")
