"""``ovsnet tune render``: what sets the same knobs on many nodes."""

from __future__ import annotations

import click

from ovsnet.cli.terminal import say
from ovsnet.cli.tune_lint import named_version
from ovsnet.deploy.kubernetes.deployment import Deployment
from ovsnet.deploy.tuning import Fleet, Mode, agent_file, agents, commands, playbook
from ovsnet.errors import ConfigError
from ovsnet.tune.knob import Product
from ovsnet.tune.profiles import PROFILES

DEFAULT = Deployment()


@click.command()
@click.argument("form", type=click.Choice(["agent", "daemonset", "ansible", "commands"]))
@click.option("--profile", default="", type=click.Choice(["", *PROFILES]), help="A known set of values.")
@click.option(
    "--set", "pairs", multiple=True, metavar="KNOB=VALUE", help="One value; an empty one removes the setting."
)
@click.option("--force", is_flag=True, help="Also take values that are not safe.")
@click.option(
    "--mode",
    type=click.Choice(["enforce", "observe"]),
    default="enforce",
    show_default=True,
    help="agent, daemonset: whether drift is corrected, or only reported.",
)
@click.option("--ovn-version", default="", metavar="VERSION", help="commands: what runs there.")
@click.option("--ovs-version", default="", metavar="VERSION", help="commands: what runs there.")
@click.option("--image", default=DEFAULT.image, show_default=True, help="daemonset: the agent's image.")
@click.option("--namespace", default=DEFAULT.namespace, show_default=True, help="daemonset: where it is to run.")
def render(
    form: str,
    profile: str,
    pairs: tuple[str, ...],
    force: bool,
    mode: Mode,
    ovn_version: str,
    ovs_version: str,
    image: str,
    namespace: str,
) -> None:
    """Print what sets the same knobs on many nodes.

    agent is a file for `tune_file`; daemonset the agents of a cluster with it, for `kubectl apply -f -`; ansible a
    playbook; commands a shell script for hosts without ovsnet. Only the last needs to be told the versions: the others
    have each node judge for itself what has an effect there.
    """
    fleet = Fleet(profile, pairs, mode, force)
    if not fleet.wishes():
        raise ConfigError("Nothing is wanted.", remedy="Give --profile or --set.")
    if form == "agent":
        text = agent_file(fleet)
    elif form == "daemonset":
        text = agents(fleet, Deployment(image=image, namespace=namespace))
    elif form == "ansible":
        text = playbook(fleet)
    else:
        named = {Product.OVN: named_version(ovn_version), Product.OVS: named_version(ovs_version)}
        text = commands(fleet, {product: version for product, version in named.items() if version is not None})
    say(text, nl=False)
