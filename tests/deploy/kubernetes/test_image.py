"""Which images a node can pull."""

from __future__ import annotations

import pytest

from ovsnet.deploy.kubernetes.image import required
from ovsnet.errors import UsageError

DIGEST = "sha256:" + 64 * "a"


@pytest.mark.parametrize(
    "name",
    [
        "registry.example/ovsnet",
        "registry.example:5000/net/ovsnet:0.2.0",
        f"registry.example/ovsnet@{DIGEST}",
        f"registry.example/ovsnet:1@{DIGEST}",
        "localhost:5001/ovsnet:1",
        "[fd00::1]:5000/ovsnet:1",
        "REGISTRY/ovsnet",
        "docker.io/team/ovs_net__1",
        "team/ovsnet",
    ],
)
def test_image_of_a_registry_can_be_pulled(name: str) -> None:
    assert required(name, local=False) == name


@pytest.mark.parametrize("name", ["ovsnet", "ovsnet:latest", f"ovsnet@{DIGEST}", "localhost/ovsnet:1"])
def test_image_without_a_registry_runs_only_where_it_was_loaded(name: str) -> None:
    with pytest.raises(UsageError, match="No node can pull") as refused:
        required(name, local=False)
    assert "--local-image" in refused.value.remedy
    assert required(name, local=True) == name


@pytest.mark.parametrize(
    "name", ["", "Ovsnet", "registry.example/Ovsnet", "registry.example/", "a b", "ovsnet:", "http://registry/ovsnet"]
)
@pytest.mark.parametrize("local", [False, True])
def test_what_is_not_the_name_of_an_image_is_refused(name: str, local: bool) -> None:
    with pytest.raises(UsageError, match="is not the name of an image"):
        required(name, local=local)
