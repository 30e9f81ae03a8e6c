"""The options of ``ovsnet kubernetes render bench-storm``, validated before a pod gets them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from ovsnet.bench.shard import Shard, parse_moment
from ovsnet.bench.storm.storm import Storm, require_possible
from ovsnet.bench.workload import find
from ovsnet.cli.bench import command
from ovsnet.deploy.kubernetes.deployment import StormJob
from ovsnet.errors import UsageError
from ovsnet.io.address import parse_remotes

OURS = {
    "shard": "--shard",
    "start_at": "--start-at",
    "sandbox": "--sandbox",
    "processes": "--processes",
    "as_json": "--json",
    "out": "--out",
    "report": "--report",
    "tls_key": "--tls-key",
    "tls_certificate": "--tls-certificate",
    "tls_ca": "--tls-ca",
    "config": "--config",
}
"""Options that the manifest sets for every pod, or that make no sense in a pod."""


def storm_job(options: Sequence[str], pods: int, start_at: str, tls_secret: str) -> StormJob:
    """Raises UsageError for options that no pod can serve, and click's for those that a storm does not have."""
    parse_moment(start_at)
    job = replace(StormJob(), options=tuple(options) or StormJob().options)
    wished, plain = _parsed(job.options), _parsed([])
    _require_only_the_pods(wished, plain)
    _require_possible(wished, pods)
    tls = any(remote.scheme == "ssl" for remote in parse_remotes(wished["address"]))
    return replace(job, chassis=max(wished["numbers"]), tls=tls, pods=pods, start_at=start_at, tls_secret=tls_secret)


def _parsed(words: Sequence[str]) -> Mapping[str, Any]:
    return command(find("storm")).make_context("ovsnet bench storm", list(words)).params


def _require_only_the_pods(wished: Mapping[str, Any], plain: Mapping[str, Any]) -> None:
    """Raise UsageError for options that are set for all pods."""
    if ours := [flag for name, flag in OURS.items() if wished[name] != plain[name]]:
        raise UsageError(
            f"{', '.join(ours)} is set by the manifest.",
            remedy="Use --pods, --start-at and the TLS files before the `--`; each pod prints its own document.",
        )


def _require_possible(wished: Mapping[str, Any], pods: int) -> None:
    if wished["address"] is None:
        raise UsageError("A storm from several pods needs a southbound.", remedy="Name it: -- --address ADDRESS.")
    if any(remote.scheme == "unix" for remote in parse_remotes(wished["address"])):
        raise UsageError("A pod cannot reach a unix socket of another host.", remedy="Name a tcp: or ssl: address.")
    for number in wished["numbers"]:
        for interval in wished["intervals"]:
            planned = Storm(number, interval, wished["address"], register=wished["register"])
            require_possible(replace(planned, fault=wished["fault"] or "none"), Shard(1, pods))
