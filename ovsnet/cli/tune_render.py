"""``ovsnet tune render``: what sets the same knobs on many nodes."""

from __future__ import annotations

import click

from ovsnet.cli.completers import knobs
from ovsnet.cli.terminal import say
from ovsnet.cli.tune_lint import named_version
from ovsnet.deploy.kubernetes.deployment import Deployment
from ovsnet.deploy.kubernetes.image import required
from ovsnet.deploy.tuning import Fleet, Mode, agent_file, agents, commands, playbook
from ovsnet.errors import ConfigError
from ovsnet.tune.knob import Product
from ovsnet.tune.profiles import PROFILES

DEFAULT = Deployment()

SET = click.option(
    "--set",
    "pairs",
    multiple=True,
    metavar="KNOB=VALUE",
    shell_complete=knobs,
    help="Value to set; an empty one removes the setting.",
)


@click.command()
@click.argument("form", type=click.Choice(["agent", "daemonset", "ansible", "commands"]))
@click.option("--profile", default="", type=click.Choice(["", *PROFILES]), help="Named set of values.")
@SET
@click.option("--force", is_flag=True, help="Also accept values that are not safe.")
@click.option(
    "--mode",
    type=click.Choice(["enforce", "observe"]),
    default="enforce",
    show_default=True,
    help="agent, daemonset: whether drift is corrected or only reported.",
)
@click.option("--ovn-version", default="", metavar="VERSION", help="commands: version of OVN on those hosts.")
@click.option("--ovs-version", default="", metavar="VERSION", help="commands: version of OVS on those hosts.")
@click.option("--image", metavar="NAME", help="daemonset: the agent's image, such as REGISTRY/ovsnet:TAG.")
@click.option("--local-image", is_flag=True, help="daemonset: the image was loaded into the nodes; never pull it.")
@click.option("--namespace", default=DEFAULT.namespace, show_default=True, help="daemonset: namespace of the objects.")
def render(
    form: str,
    profile: str,
    pairs: tuple[str, ...],
    force: bool,
    mode: Mode,
    ovn_version: str,
    ovs_version: str,
    image: str | None,
    local_image: bool,
    namespace: str,
) -> None:
    """Print what sets the same knobs on many nodes.

    agent is a file for `tune_file`; daemonset is a cluster's agents with such a file, for `kubectl apply -f -`; ansible
    is a playbook; commands is a shell script for hosts without ovsnet. Only commands needs the versions: with the
    others, each node determines for itself what has an effect there.
    """
    fleet = Fleet(profile, pairs, mode, force)
    if not fleet.wishes():
        raise ConfigError("No values were given.", remedy="Use --profile or --set.")
    if form == "agent":
        text = agent_file(fleet)
    elif form == "daemonset":
        image = required(image, local=local_image)
        text = agents(fleet, Deployment(image=image, local_image=local_image, namespace=namespace))
    elif form == "ansible":
        text = playbook(fleet)
    else:
        named = {Product.OVN: named_version(ovn_version), Product.OVS: named_version(ovs_version)}
        text = commands(fleet, {product: version for product, version in named.items() if version is not None})
    say(text, nl=False)
