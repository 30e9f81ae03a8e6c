"""``ovsnet bench storm``: everybody loses the southbound at once, and comes back."""

from __future__ import annotations

import functools

import click

from ovsnet.bench.storm.storm import Blow, Scheme, Storm, require_possible, storms
from ovsnet.cli.bench import Common, measurement
from ovsnet.cli.bench_run import run_on_own_nodes
from ovsnet.cli.options import Number
from ovsnet.config import Group, Settings
from ovsnet.errors import UsageError


@click.command()
@click.option("--chassis", "numbers", multiple=True, default=(100,), show_default=True, type=click.IntRange(1, 10_000),
              help="How many; repeat to compare.")  # fmt: skip
@click.option("--probe-interval", "intervals", multiple=True, default=(5.0,), show_default=True, metavar="SECONDS",
              type=Number(0, 3600), help="Repeat to sweep; 0 for no probes.")  # fmt: skip
@click.option("--scheme", default="unix", show_default=True, type=click.Choice(["unix", "tcp", "ssl"]),
              help="How they reach the sandbox's southbound.")  # fmt: skip
@click.option("--raft", is_flag=True, help="The sandbox's southbound is a cluster of three.")
@click.option("--ports", default=100, show_default=True, type=click.IntRange(1, 10_000), help="Of the sandbox.")
@click.option("--fault", type=click.Choice(["kill", "freeze", "none"]), help="What befalls the leader. [kill]")
@click.option("--fault-time", default=2.0, show_default=True, metavar="SECONDS", type=Number(0, 600),
              help="For how long it is gone or frozen.")  # fmt: skip
@click.option("--over", type=Number(0, 3600), metavar="SECONDS",
              help="Let them join within so long; 0 for all at once. [200 a second]")  # fmt: skip
@click.option("--hold", type=Number(0, 86400), metavar="SECONDS",
              help="How long to watch once all are there. [two probe intervals, at least 3]")  # fmt: skip
@click.option("--patience", default=120.0, show_default=True, type=Number(0.1, 3600), metavar="SECONDS",
              help="How long all may take to join, and to come back.")  # fmt: skip
@click.option("--monitor-all", is_flag=True, help="As with ovn-monitor-all: everybody monitors everything.")
@click.option("--register", is_flag=True, help="Each writes its Chassis row, which all others are told of.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes. [one a processor, or one for 1000 chassis]")
@click.option("--address", metavar="ADDRESSES", help="A real southbound, such as tcp:10.0.0.1:6642,tcp:10.0.0.2:6642.")
@click.option("--rounds", default=1, show_default=True, type=click.IntRange(1, 1000), help="Repeat so often.")
@measurement(Group.TLS)
def storm(
    numbers: tuple[int, ...], intervals: tuple[float, ...], scheme: Scheme, raft: bool, ports: int, fault: Blow | None,
    fault_time: float, over: float | None, hold: float | None, patience: float, monitor_all: bool, register: bool,
    workers: int | None, address: str | None, rounds: int, common: Common, settings: Settings,
) -> None:  # fmt: skip
    """Simulated chassis monitor a southbound, lose its leader, and all come back.

    Each connects, probes, gives up and backs off as ovn-controller does. Every run has a sandbox of its own, unless
    --address names a real southbound, which is neither struck nor written to. Ends with the smallest probe interval
    (ovn-remote-probe-interval) that made nobody give up on a server that lived.
    """
    planned = [
        Storm(
            chassis=number,
            probe_interval=interval,
            address=address,
            scheme=scheme,
            raft=raft,
            ports=ports,
            blow=fault or ("none" if address else "kill"),
            blow_seconds=fault_time,
            over=number / 200 if over is None else over,
            hold=hold,
            patience=patience,
            everything=monitor_all,
            register=register,
            workers=workers,
            tls=settings.tls,
        )
        for number in numbers
        for interval in intervals
    ]
    if common.sandbox and address:
        raise UsageError("--sandbox and --address exclude each other.", remedy="Leave one of them out.")
    for each in planned:
        require_possible(each, common.shard)
    work = functools.partial(storms, planned=planned, rounds=rounds, shard=common.shard)
    run_on_own_nodes("storm", work, common)
