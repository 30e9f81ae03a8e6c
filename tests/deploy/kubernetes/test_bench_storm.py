"""The Job of a storm: its very command, run by processes that stand in for its pods."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import kubernetes_validate
import pytest
import yaml

from ovsnet.config import Settings
from ovsnet.deploy.kubernetes.bench_storm import job, resources
from ovsnet.deploy.kubernetes.deployment import Deployment, StormJob
from ovsnet.errors import ConfigError
from ovsnet.sandbox.node import Sandbox
from tests.cli.conftest import Ovsnet, ovsnet

pytestmark = pytest.mark.heavy

__all__ = ["ovsnet"]

IMAGE = "--image=registry.example/ovsnet:1"
QUICK = ("--chassis", "20", "--probe-interval", "60", "--hold", "0.1", "--over", "1")
NOBODY_THERE = ("--address", "tcp:127.0.0.1:1")


def container(document: Any) -> Any:
    (only,) = document["spec"]["template"]["spec"]["containers"]
    return only


def as_pod(document: Any, index: int) -> tuple[list[str], Mapping[str, str]]:
    """What Kubernetes makes of the container's words for the pod of this index."""
    found = container(document)
    environment = {each["name"]: each["value"] for each in found["env"]} | {"JOB_COMPLETION_INDEX": str(index)}
    return [re.sub(r"\$\((\w+)\)", lambda word: environment[word[1]], text) for text in found["args"]], environment


async def log_of_pod(document: Any, index: int, log: Path) -> int:
    """Its exit code; both its streams go to one log, as a container's do."""
    words, environment = as_pod(document, index)
    argv = [sys.executable, "-m", "ovsnet", *words]
    with log.open("wb") as file:
        done = await anyio.run_process(
            argv, stdout=file, stderr=subprocess.STDOUT, env={**os.environ, **environment}, check=False
        )
    return done.returncode


@pytest.mark.parametrize("scheme", ["tcp", "ssl"])
async def test_pods_run_one_storm_together_and_their_logs_are_merged(
    scheme: Any, ovsnet: Ovsnet, tmp_path: Path
) -> None:
    async with Sandbox(ports=2, door=scheme) as node:
        await node.wait_ready()
        tls = node.tls
        files = [f"--tls-key={tls.key}", f"--tls-certificate={tls.certificate}", f"--tls-ca={tls.ca}"] if tls else []
        (address,) = node.doors.values()
        words = ("--pods", "3", *files, "--", *QUICK, "--address", address)
        document: Any = yaml.safe_load(ovsnet("kubernetes", "render", "bench-storm", IMAGE, *words).out)
        logs = [tmp_path / f"{index}.log" for index in range(document["spec"]["completions"])]
        codes: list[int] = []

        async def pod(index: int) -> None:
            codes.append(await log_of_pod(document, index, logs[index]))

        async with anyio.create_task_group() as pods:
            for index in range(len(logs)):
                pods.start_soon(pod, index)
    assert codes == [0, 0, 0], [log.read_text() for log in logs]
    ended = ovsnet("bench", "merge", *logs, "--out", tmp_path / "all.json", "--json")
    assert (ended.code, ended.err) == (0, "")
    merged = json.loads(ended.out)
    assert merged["shards"] == ["1/3", "2/3", "3/3"]
    (run,) = merged["runs"]
    assert (run["measures"]["chassis"], run["measures"]["done"], run["problems"]) == (20, 20, [])


def test_every_pod_has_a_part_of_its_own_and_no_second_try() -> None:
    document: Any = job(Deployment(storm=StormJob(pods=3)))
    spec = document["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 3, 3)
    shards = [words[words.index("--shard") + 1] for words, _ in (as_pod(document, index) for index in range(3))]
    assert shards == ["0+1/3", "1+1/3", "2+1/3"]
    assert (spec["backoffLimitPerIndex"], spec["template"]["spec"]["restartPolicy"]) == (0, "Never")


def test_moment_is_the_same_for_all_and_easily_patched() -> None:
    """A list of arguments is patched as a whole, a variable by its name."""
    words, _ = as_pod(job(Deployment(storm=StormJob(start_at="2026-11-25T12:00:00Z"))), 0)
    assert words[words.index("--start-at") + 1] == "2026-11-25T12:00:00Z"


def test_pod_gets_no_privilege_and_no_token() -> None:
    document: Any = job(Deployment())
    spec = document["spec"]["template"]["spec"]
    assert not {"hostNetwork", "hostPID", "volumes"} & spec.keys()
    assert (spec["automountServiceAccountToken"], spec["enableServiceLinks"]) == (False, False)
    assert container(document)["securityContext"]["runAsUser"] == 65534


@pytest.mark.parametrize("version", ["1.29", "1.37"])
@pytest.mark.parametrize(
    ("settings", "directory"),
    [
        (Settings(), "/var/run/tls"),  # where Kube-OVN's pods have it
        (Settings(tls_key="/tls/tls.key", tls_certificate="/tls/tls.crt", tls_ca="/tls/ca.crt"), "/tls"),
    ],
)
def test_secret_is_mounted_where_the_settings_look_for_it(settings: Settings, directory: str, version: str) -> None:
    document: Any = job(Deployment(settings, storm=StormJob(tls=True, tls_secret="ovn-cert")))
    kubernetes_validate.validate(document, version, strict=True)
    (volume,) = document["spec"]["template"]["spec"]["volumes"]
    (mount,) = container(document)["volumeMounts"]
    assert (volume["secret"]["secretName"], volume["name"]) == ("ovn-cert", mount["name"])
    assert (mount["mountPath"], mount["readOnly"]) == (directory, True)
    _, environment = as_pod(document, 0)
    assert {os.path.dirname(path) for name, path in environment.items() if name.startswith("OVSNET_TLS_")} == {
        directory
    }


def test_secret_cannot_be_mounted_at_two_places() -> None:
    apart = Settings(tls_key="/a/key", tls_certificate="/b/cert", tls_ca="/b/ca")
    with pytest.raises(ConfigError, match="several directories"):
        job(Deployment(apart, storm=StormJob(tls=True)))


def amount(text: str) -> int:
    return int(text.removesuffix("Mi").removesuffix("m"))


def test_more_chassis_and_tls_take_more() -> None:
    few, many, secret = resources(100, 1, tls=False), resources(5000, 5, tls=False), resources(5000, 5, tls=True)
    for what in ("cpu", "memory"):
        asked = [amount(each["requests"][what]) for each in (few, many, secret)]
        assert asked == sorted(set(asked))
    assert all(amount(each["limits"]["memory"]) == 2 * amount(each["requests"]["memory"]) for each in (few, many))
    assert "cpu" not in many["limits"]


def test_most_chassis_of_a_sweep_decide(ovsnet: Ovsnet) -> None:
    words = ("--pods", 2, "--", *NOBODY_THERE, "--chassis", 200, "--chassis", 9000)
    document: Any = yaml.safe_load(ovsnet("kubernetes", "render", "bench-storm", IMAGE, *words).out)
    assert container(document)["resources"] == resources(4500, 5, tls=False)
    assert container(document)["args"][:4] == ["bench", "storm", "--workers", "5"]


@pytest.mark.parametrize(
    "words",
    [
        ("--start-at", "tomorrow"),
        ("--pods", "0"),
        ("--", "--chassis", "20"),
        ("--", "--address", "unix:/run/ovn/ovnsb_db.sock"),
        ("--", "--address", "nonsense"),
        ("--", *NOBODY_THERE, "--chassis", "3"),
        ("--", *NOBODY_THERE, "--fault", "kill"),
        ("--", *NOBODY_THERE, "--register"),
        ("--", *NOBODY_THERE, "--shard", "1/2"),
        ("--", *NOBODY_THERE, "--out", "here.json"),
        ("--", *NOBODY_THERE, "--chasis", "3"),
    ],
)
def test_what_no_pod_could_do_is_refused(ovsnet: Ovsnet, words: tuple[str, ...]) -> None:
    ended = ovsnet("kubernetes", "render", "bench-storm", IMAGE, *words)
    assert (ended.code, ended.out) == (2, "")
    assert "Traceback" not in ended.err


def test_other_pieces_take_no_options_of_a_storm(ovsnet: Ovsnet) -> None:
    ended = ovsnet("kubernetes", "render", "daemonset", IMAGE, "--", *QUICK)
    assert ended.code == 2
    assert "bench-storm" in ended.err
