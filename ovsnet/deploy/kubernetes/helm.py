"""The DaemonSet as a chart for helm, and for what renders charts by itself, such as Argo CD.

Its template is the manifest that ``daemonset`` makes, with values in the place of some of its lines, so that the two
cannot drift apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

from ovsnet import __version__
from ovsnet.deploy.kubernetes.confinement import security_modules
from ovsnet.deploy.kubernetes.deployment import NAME, Deployment
from ovsnet.deploy.kubernetes.workload import daemonset
from ovsnet.deploy.yaml_writer import dumps

LINES = {
    "namespace": "{{ .Release.Namespace | quote }}",
    "image": "{{ .Values.image | quote }}",
    "hostPID": "{{ .Values.hostPid }}",
    # Helm reads numbers as floating point, and would write a large one as 1e+06.
    "runAsUser": "{{ .Values.user | int64 }}",
    "runAsGroup": "{{ .Values.user | int64 }}",
}
"""By their key."""

BLOCKS = {"env": "args", "seLinuxOptions": "seccompProfile", "appArmorProfile": "seccompProfile"}
"""Blocks of lines that may be missing, each with the one that it follows."""

OPTIONAL = """\
{indent}{{{{- with .Values.{key} }}}}
{indent}{key}:
{indent}  {{{{- toYaml . | nindent {deeper} }}}}
{indent}{{{{- end }}}}
"""

VALUES = """\
# user is the number of the user who runs Open vSwitch, for its sockets are open to no other.
# Without hostPid the agent cannot prove that a daemon hangs.
# env holds settings as variables (docs/settings.md). The template's probes and mounts follow from some of them: rundir,
# ovn_rundir, listen, interval, fall, and those that name a file. To change one of these, render the chart again.
# Where SELinux enforces, seLinuxOptions is {type: spc_t}; where AppArmor denies the agent something, appArmorProfile is
# {type: Unconfined} (docs/deployment.md).
"""


def chart(deployment: Deployment) -> Mapping[str, str]:
    """Text by path in the chart's directory."""
    about = {
        "apiVersion": "v2",
        "name": NAME,
        "description": "Tells on each node whether Open vSwitch and OVN really work.",
        "type": "application",
        "version": __version__,
        "appVersion": __version__,
        "kubeVersion": ">=1.20.0-0",
    }
    values = {
        "image": deployment.image,
        "user": deployment.user,
        "hostPid": deployment.host_pid,
        "env": deployment.environment,
        "seLinuxOptions": {},
        "appArmorProfile": {},
        **security_modules(deployment),
    }
    return {
        "Chart.yaml": dumps(about),
        "values.yaml": VALUES + dumps(values),
        "templates/daemonset.yaml": _template(dumps(daemonset(deployment))),
    }


def _template(manifest: str) -> str:
    """The optional blocks are values, whether this deployment has one or not."""
    whole = manifest
    for key, before in BLOCKS.items():
        whole = re.sub(_block(key), "", whole)
        whole = re.sub(_block(before), partial(_with_optional, key), whole)
    for key, value in LINES.items():
        whole = re.sub(rf"(?m)^( *(?:- )?{key}): .*$", rf"\1: {value}", whole)
    return whole


def _block(key: str) -> str:
    """A key with the lines below it, as a regular expression."""
    return rf"(?m)^( *){key}:\n(?:\1  .*\n)+"


def _with_optional(key: str, before: re.Match[str]) -> str:
    indent = before[1]
    return before[0] + OPTIONAL.format(indent=indent, key=key, deeper=len(indent) + 2)
