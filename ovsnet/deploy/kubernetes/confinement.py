"""What confines the agent on a node: the Pod Security level of its namespace, SELinux and AppArmor.

A pod on the host's network with directories of the host needs the level "privileged" (Pod Security Standards). SELinux
gives a container that is not privileged the type container_t, and container_t no socket of another domain's process.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ovsnet.deploy.kubernetes.deployment import NAME, Deployment
from ovsnet.errors import ConfigError

LEVEL = "privileged"
"""Of Pod Security: hostNetwork, hostPID and hostPath are all refused below it."""

MODES = ("enforce", "audit", "warn")

UNCONFINED = "unconfined"

OTHERS = re.compile(r"default|kube-.*|openshift-.*|ovn-kubernetes")
"""Namespaces that are not ours: deleting our manifests would delete one of these with all that is in it."""

_SELINUX_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def namespace(deployment: Deployment) -> Mapping[str, object]:
    """The namespace itself, which lets the agent's pods in. Raises ConfigError for one that is not ours."""
    name = deployment.namespace
    if OTHERS.fullmatch(name):
        raise ConfigError(
            f"The namespace {name} belongs to the cluster, so these manifests do not include it.",
            remedy="Name one of your own, such as --namespace ovsnet, or leave --own-namespace out.",
        )
    labels = {f"pod-security.kubernetes.io/{mode}": LEVEL for mode in MODES}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": NAME, **labels}},
    }


def security_modules(deployment: Deployment) -> Mapping[str, object]:
    """Keys of a container's securityContext; none leave it to the container runtime. Raises ConfigError."""
    selinux, apparmor = deployment.selinux_type, deployment.apparmor_profile
    if selinux and not _SELINUX_TYPE.fullmatch(selinux):
        raise ConfigError(
            f"{selinux!r} is no type of SELinux.", remedy="Give the type alone, such as spc_t of a label u:r:spc_t:s0."
        )
    return {
        **({"seLinuxOptions": {"type": selinux}} if selinux else {}),
        **({"appArmorProfile": _apparmor(apparmor)} if apparmor else {}),
    }


def _apparmor(profile: str) -> Mapping[str, str]:
    """Kubernetes 1.30 and newer have the field; older ones ignore it."""
    if profile == UNCONFINED:
        return {"type": "Unconfined"}
    return {"type": "Localhost", "localhostProfile": profile}
