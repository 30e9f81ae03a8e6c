"""The sockets that OVN-Kubernetes names in a node's settings are, for the agent, those of the host."""

from __future__ import annotations

import posixpath
from pathlib import PurePosixPath
from typing import Any

import pytest

from ovsnet.deploy.kubernetes.deployment import Deployment
from ovsnet.deploy.kubernetes.files import for_ovn_kubernetes
from ovsnet.deploy.kubernetes.workload import daemonset
from release.base import LINKS

SOCKETS = ("ovn/ovnsb_db.sock", "ovn/ovnnb_db.sock", "openvswitch/db.sock", "openvswitch/br-int.mgmt")
"""``ovn-remote`` and ``ovn-nb`` of its chart name the first two below /var/run (go-controller/pkg/config), Open vSwitch
makes the others."""


def in_the_image(path: PurePosixPath) -> PurePosixPath:
    """Through its links."""
    for link, target in LINKS.items():
        if path.is_relative_to(f"/{link}"):
            place = posixpath.normpath(posixpath.join("/", posixpath.dirname(link), target))
            return PurePosixPath(place) / path.relative_to(f"/{link}")
    return path


def on_the_host(document: Any, path: PurePosixPath) -> PurePosixPath | None:
    """Through the mounts; None where none holds it."""
    pod = document["spec"]["template"]["spec"]
    (agent,) = pod["containers"]
    volumes = {each["name"]: PurePosixPath(each["hostPath"]["path"]) for each in pod["volumes"]}
    for mount in agent["volumeMounts"]:
        if path.is_relative_to(mount["mountPath"]):
            return volumes[mount["name"]] / path.relative_to(mount["mountPath"])
    return None


@pytest.mark.parametrize("rundir", ["/var/run", "/run"])
@pytest.mark.parametrize("socket", SOCKETS)
def test_socket_that_the_node_names_is_in_the_hosts_one_directory(socket: str, rundir: str) -> None:
    document = daemonset(for_ovn_kubernetes(Deployment()))
    found = on_the_host(document, in_the_image(PurePosixPath(rundir, socket)))
    assert found == PurePosixPath("/run/openvswitch", PurePosixPath(socket).name)
