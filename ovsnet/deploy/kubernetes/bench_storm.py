"""The Job that runs one storm from several pods. Each is a shard of it, and prints its document for ``bench merge``."""

from __future__ import annotations

from collections.abc import Mapping

from ovsnet.config import Group, Setting, Settings, declared
from ovsnet.deadlines import CHASSIS_PER_WORKER
from ovsnet.deploy.kubernetes.deployment import NAME, Deployment
from ovsnet.deploy.kubernetes.kube_ovn import NOBODY
from ovsnet.deploy.kubernetes.named_files import mount, volume
from ovsnet.deploy.kubernetes.workload import SECURITY, Document
from ovsnet.io.tls import Tls

STORM = f"{NAME}-bench-storm"
LABELS = {"app.kubernetes.io/name": STORM}

SHARD = "$(JOB_COMPLETION_INDEX)+1/"
"""Kubernetes puts the number in, which counts from 0 (Job, "Completion mode")."""

KUBE_OVN_TLS = Tls("/var/run/tls/key", "/var/run/tls/cert", "/var/run/tls/cacert")
"""The keys of Kube-OVN's secret, where its own pods mount it."""

CONDUCTOR_MIB, WORKER_MIB = 64, 32
CHASSIS_KIB = {False: 20, True: 270}
"""By whether it speaks TLS: at the worst moment of a storm. At rest it is a third, or a half."""

CHASSIS_MILLICORES = {False: 0.1, True: 0.2}
"""While it probes every 5 s, with its share of the joining."""


def job(deployment: Deployment) -> Document:
    """Nothing of it is done twice: a pod that fails keeps its log, and the others go on."""
    storm = deployment.storm
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": STORM, "namespace": deployment.namespace, "labels": LABELS},
        "spec": {
            "completionMode": "Indexed",
            "completions": storm.pods,
            "parallelism": storm.pods,
            "backoffLimitPerIndex": 0,
            "template": {"metadata": {"labels": LABELS}, "spec": _pod(deployment)},
        },
    }


def _pod(deployment: Deployment) -> Document:
    """On as many nodes as there are: each is to be a machine of its own."""
    volumes = [volume("tls", deployment.storm.tls_secret)] if deployment.storm.tls else []
    spread = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "topologySpreadConstraints": [{**spread, "labelSelector": {"matchLabels": LABELS}}],
        "containers": [_container(deployment)],
        **({"volumes": volumes} if volumes else {}),
    }


def _container(deployment: Deployment) -> Document:
    storm = deployment.storm
    part = -(-storm.chassis // storm.pods)  # of the first pod, whose part is the largest (bench/shard.py)
    workers = -(-part // CHASSIS_PER_WORKER)
    start_at: Mapping[str, object] = {"name": "START_AT", "value": storm.start_at}
    # A node of a cluster has other work to do, and a Job takes exit code 1 for a reason to run once more.
    shard = ("--shard", f"{SHARD}{storm.pods}", "--start-at", "$(START_AT)", "--any-load", "--json")
    tls = (deployment.settings.tls or KUBE_OVN_TLS) if storm.tls else None
    files = _files(tls) if tls else []
    mounts = [mount("tls", {setting.name: file for setting, file in files})] if files else []
    variables = [{"name": setting.variable, "value": file} for setting, file in files]
    return {
        "name": NAME,
        **deployment.image_keys,
        # First, so that --workers given as an option wins.
        "args": ["bench", "storm", "--workers", str(workers), *storm.options, *shard],
        "env": [start_at, *variables],
        "resources": resources(part, workers, tls=storm.tls),
        "securityContext": {"runAsNonRoot": True, "runAsUser": NOBODY, "runAsGroup": NOBODY, **SECURITY},
        **({"volumeMounts": mounts} if mounts else {}),
    }


def resources(chassis: int, workers: int, *, tls: bool) -> Mapping[str, Mapping[str, str]]:
    """Measured, on a small southbound. Twice the memory is the limit, for a chassis that receives much at once. No
    limit of CPU: a generator that is held up measures itself."""
    memory = CONDUCTOR_MIB + workers * WORKER_MIB + chassis * CHASSIS_KIB[tls] // 1024
    cpu = max(round(chassis * CHASSIS_MILLICORES[tls]), 100)
    return {"requests": {"cpu": f"{cpu}m", "memory": f"{memory}Mi"}, "limits": {"memory": f"{2 * memory}Mi"}}


def _files(tls: Tls) -> list[tuple[Setting, str]]:
    known = Settings(tls_key=tls.key, tls_certificate=tls.certificate, tls_ca=tls.ca)
    return [(setting, getattr(known, setting.name)) for setting in declared() if setting.group is Group.TLS]
