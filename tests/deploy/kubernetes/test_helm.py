"""The chart gives what ``daemonset`` gives: the few forms of helm's templates that it uses are carried out here."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from ovsnet import __version__
from ovsnet.config import Settings
from ovsnet.deploy.kubernetes.deployment import Deployment
from ovsnet.deploy.kubernetes.helm import chart
from ovsnet.deploy.kubernetes.workload import daemonset
from tests.cli.conftest import Ovsnet, ovsnet

__all__ = ["ovsnet"]

WITH = re.compile(r"\n *\{\{- with \.Values\.(\w+) \}\}(.*?)\n *\{\{- end \}\}", re.DOTALL)
TO_YAML = re.compile(r"\n *\{\{- toYaml \. \| nindent ([0-9]+) \}\}")
VALUE = re.compile(r"\{\{ \.(Values|Release)\.(\w+)(?: \| (quote|int64))? \}\}")

CLUSTER = Deployment(
    Settings(listen=("127.0.0.1:8000", "[$(HOST_IP)]:8000"), rundir="/opt/run", credentials="/etc/ovsnet/files/x"),
    image="registry.example/ovsnet:1",
    namespace="net",
    user=4294967294,
    host_pid=False,
    secret="clients",
    selinux_type="spc_t",
    apparmor_profile="ovsnet",
)


def rendered(texts: Any, namespace: str, **changed: object) -> str:
    """``helm template``."""
    values = yaml.safe_load(texts["values.yaml"]) | changed

    def block(found: re.Match[str]) -> str:
        value = values[found[1]]
        return TO_YAML.sub(lambda inner: "\n" + indented(value, int(inner[1])), found[2]) if value else ""

    def one(found: re.Match[str]) -> str:
        value = values[found[2]] if found[1] == "Values" else {"Namespace": namespace}[found[2]]
        return json.dumps(str(value) if found[3] == "quote" else value)

    whole = VALUE.sub(one, WITH.sub(block, texts["templates/daemonset.yaml"]))
    assert "{{" not in whole
    return whole


def indented(value: object, by: int) -> str:
    return "\n".join(" " * by + line for line in yaml.safe_dump(value).splitlines())


@pytest.mark.parametrize("deployment", [Deployment(), CLUSTER], ids=["default", "cluster"])
def test_chart_gives_the_daemonset_of_the_same_settings(deployment: Deployment) -> None:
    found = yaml.safe_load(rendered(chart(deployment), deployment.namespace))
    assert found == daemonset(deployment)
    kubernetes_validate.validate(found, "1.37", strict=True)


def test_values_of_the_user_take_the_place_of_ours() -> None:
    settings = Settings(bridge=("br0",))
    wanted = Deployment(
        settings, image="on", namespace="yes", user=998, host_pid=False, selinux_type="a_t", apparmor_profile="b"
    )
    values: dict[str, object] = {
        "image": "on",
        "user": 998,
        "hostPid": False,
        "env": [{"name": "OVSNET_BRIDGE", "value": "br0"}],
        "seLinuxOptions": {"type": "a_t"},
        "appArmorProfile": {"type": "Localhost", "localhostProfile": "b"},
    }
    assert yaml.safe_load(rendered(chart(Deployment()), "yes", **values)) == daemonset(wanted)


def test_chart_has_the_version_of_the_agent() -> None:
    about = yaml.safe_load(chart(Deployment())["Chart.yaml"])
    assert (about["apiVersion"], about["name"], about["version"]) == ("v2", "ovsnet", __version__)


def test_chart_is_written_by_itself(ovsnet: Ovsnet, tmp_path: Path) -> None:
    words = ("kubernetes", "render", "helm", "--image=registry.example/ovsnet", "--interval=2s")
    assert ovsnet(*words, "--out", tmp_path).code == 0
    files = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob("*") if path.is_file()}
    assert files.keys() == {"Chart.yaml", "values.yaml", "templates/daemonset.yaml"}
    values = yaml.safe_load(files["values.yaml"].read_text())
    assert values["image"] == "registry.example/ovsnet"
    assert values["env"] == [{"name": "OVSNET_INTERVAL", "value": "2.0"}]


def test_chart_is_no_stream(ovsnet: Ovsnet) -> None:
    ended = ovsnet("kubernetes", "render", "helm", "--image=registry.example/ovsnet")
    assert (ended.code, ended.out, "--out DIR" in ended.err) == (2, "", True)
