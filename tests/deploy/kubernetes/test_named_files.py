"""What the settings name is in the agent's container, or refused before a pod tries it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import kubernetes_validate
import pytest
import yaml

from ovsnet.config import Settings, declared
from ovsnet.config.settings import Form
from ovsnet.deploy.kubernetes import kube_ovn
from ovsnet.deploy.kubernetes.deployment import Deployment
from ovsnet.deploy.kubernetes.files import PIECES
from ovsnet.deploy.kubernetes.workload import daemonset
from ovsnet.errors import ConfigError
from tests.cli.conftest import Ovsnet, ovsnet

__all__ = ["ovsnet"]

FILES = [setting.name for setting in declared() if setting.form is Form.FILE]

AGENTS = ("daemonset", "kube-ovn", "ovn-kubernetes")


def pod(document: Any) -> Any:
    return document["spec"]["template"]["spec"]


def agent(document: Any) -> Any:
    return next(each for each in pod(document)["containers"] if each["name"] == "ovsnet")


def paths(document: Any) -> list[str]:
    """What the container's environment names of its file system, an image's /var/run being a link."""
    values = [text for each in agent(document)["env"] for text in each["value"].split(",")]
    plain = (text.removeprefix("unix:") for text in values)
    return [path.replace("/var/run/", "/run/") for path in plain if path.startswith("/")]


@pytest.mark.parametrize("piece", AGENTS)
def test_every_path_of_the_environment_is_below_a_mount(piece: str) -> None:
    files: dict[str, Any] = {name: f"/etc/ovsnet/files/{name}" for name in FILES}
    settings = Settings(**files, database="unix:/var/run/openvswitch/db.sock", rundir="/run/openvswitch")
    (document,) = PIECES[piece](Deployment(settings, secret="mine"))
    mounts = [mount["mountPath"] for mount in agent(document)["volumeMounts"]]
    assert len(paths(document)) >= len(FILES) + 2
    assert [path for path in paths(document) if not any(PurePosixPath(path).is_relative_to(at) for at in mounts)] == []


@pytest.mark.parametrize("version", ["1.29", "1.37"])
def test_secret_is_mounted_read_only_at_the_directory_of_its_files(version: str) -> None:
    document: Any = daemonset(Deployment(Settings(credentials="/etc/ovsnet/files/clients.toml"), secret="mine"))
    kubernetes_validate.validate(document, version, strict=True)
    (volume,) = [each for each in pod(document)["volumes"] if "secret" in each]
    (mount,) = [each for each in agent(document)["volumeMounts"] if each["name"] == volume["name"]]
    assert volume["secret"] == {"secretName": "mine"}
    assert (mount["mountPath"], mount["readOnly"]) == ("/etc/ovsnet/files", True)


def test_patch_of_kube_ovn_brings_the_volume_along() -> None:
    settings = Settings(credentials="/etc/ovsnet/files/clients.toml")
    assert [each["name"] for each in pod(kube_ovn.patch(Deployment(settings, secret="mine")))["volumes"]] == [
        mount["name"] for mount in agent(kube_ovn.patch(Deployment(settings, secret="mine")))["volumeMounts"][2:]
    ]
    assert "volumes" not in pod(kube_ovn.patch(Deployment()))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("piece", AGENTS)
def test_file_that_no_mount_holds_is_refused(piece: str, name: str) -> None:
    files: dict[str, Any] = {name: "/etc/ovsnet/files/x"}
    with pytest.raises(ConfigError, match=f"no mount with the files of {name}: /etc/ovsnet/files/x") as refused:
        PIECES[piece](Deployment(Settings(**files)))
    assert "--secret" in refused.value.remedy


def test_file_in_a_run_directory_needs_no_secret() -> None:
    settings = Settings(tls_key="/run/ovn/key", tls_certificate="/var/run/ovn/cert", tls_ca="/run/openvswitch/ca")
    assert not [each for each in pod(daemonset(Deployment(settings)))["volumes"] if "secret" in each]


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (Settings(), "No setting names a file"),
        (Settings(credentials="/a/x", tune_file="/b/y"), "several directories"),
        (Settings(credentials="/x"), "cannot be mounted at /"),
        (Settings(credentials="x"), "cannot be mounted at"),
        (Settings(credentials="/run/x"), "cannot be mounted at /run"),
        (Settings(credentials="/var/run/x"), "cannot be mounted at /var/run"),
    ],
)
def test_secret_that_would_serve_for_nothing_or_hide_something_is_refused(settings: Settings, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        daemonset(Deployment(settings, secret="mine"))


@pytest.mark.parametrize(
    "settings",
    [
        Settings(database="unix:/somewhere/db.sock"),
        Settings(database="unix:/run/openvswitch/../db.sock"),
        Settings(listen=("127.0.0.1:10670", "unix:/run/ovsnet.sock")),
    ],
)
def test_socket_that_the_container_does_not_have_and_cannot_make_is_refused(settings: Settings) -> None:
    with pytest.raises(ConfigError):
        daemonset(Deployment(settings))


def test_secret_is_an_option_of_the_command(ovsnet: Ovsnet) -> None:
    words = ("--credentials=/etc/ovsnet/files/clients.toml", "--secret=mine")
    ended = ovsnet("kubernetes", "render", "--image=registry.example/ovsnet", *words)
    document = yaml.safe_load(ended.out)
    assert agent(document)["volumeMounts"][-1]["mountPath"] == "/etc/ovsnet/files"
    refused = ovsnet("kubernetes", "render", "--image=registry.example/ovsnet", words[0])
    assert (refused.code, refused.out, "--secret" in refused.err) == (2, "", True)
