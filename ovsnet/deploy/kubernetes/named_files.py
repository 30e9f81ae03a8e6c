"""A secret with the files that settings name, mounted read-only in the directory where they name them; the ConfigMap of
``ovsnet tune render daemonset`` likewise.

An agent whose settings name a file that is not there ends at each start, so that is refused before a pod tries it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from ovsnet.config import Settings, declared
from ovsnet.config.settings import Form
from ovsnet.deploy.kubernetes.deployment import Deployment
from ovsnet.errors import ConfigError

VOLUME, KNOBS_VOLUME = "ovsnet-files", "tune"

UNIX = "unix:"


def volume(name: str, secret: str) -> Mapping[str, object]:
    """For a pod."""
    return {"name": name, "secret": {"secretName": secret}}


def mount(name: str, files: Mapping[str, str]) -> Mapping[str, object]:
    """For a container, at the one directory of all files, which are given by setting. Raises ConfigError."""
    directories = {str(PurePosixPath(file).parent) for file in files.values()}
    if len(directories) > 1:
        raise ConfigError(
            f"The files of {', '.join(files)} are in several directories, and a secret is mounted at one.",
            remedy="Name files of one directory.",
        )
    return {"name": name, "mountPath": directories.pop(), "readOnly": True}


def volumes(deployment: Deployment) -> list[Mapping[str, object]]:
    """What the agent's pod needs besides the run directories."""
    knobs = {"name": KNOBS_VOLUME, "configMap": {"name": deployment.knobs_map}}
    return [
        *([volume(VOLUME, deployment.secret)] if deployment.secret else []),
        *([knobs] if deployment.knobs_map else []),
    ]


def mounts(deployment: Deployment) -> list[Mapping[str, object]]:
    """What the agent's container needs besides the run directories. Raises ConfigError for a setting that names a file
    or a socket which no mount would hold."""
    _require_sockets(deployment)
    files = {name: file for name, file in _files(deployment.settings) if not _is_mounted(deployment, file)}
    knobs = [mount(KNOBS_VOLUME, {"tune_file": files.pop("tune_file")})] if deployment.knobs_map else []
    return [*_mounts_of_secret(deployment, files), *knobs]


def _mounts_of_secret(deployment: Deployment, files: Mapping[str, str]) -> list[Mapping[str, object]]:
    if not deployment.secret:
        if files:
            raise ConfigError(
                f"The pod has no mount with the files of {', '.join(files)}: {', '.join(files.values())}.",
                remedy="Put them into a secret of the pod's namespace, and name it: --secret NAME.",
            )
        return []
    if not files:
        raise ConfigError(
            f"No setting names a file of the secret {deployment.secret}.",
            remedy="Name one, such as --credentials /etc/ovsnet/files/credentials.toml, or leave --secret out.",
        )
    found = mount(VOLUME, files)
    _require_own_directory(deployment, PurePosixPath(str(found["mountPath"])))
    return [found]


def _files(settings: Settings) -> Iterator[tuple[str, str]]:
    """Each file that is named, by its setting."""
    for setting in declared():
        if setting.form is Form.FILE and (file := getattr(settings, setting.name)):
            yield setting.name, file


def _require_sockets(deployment: Deployment) -> None:
    settings = deployment.settings
    if own := [address for address in settings.listen if address.startswith(UNIX)]:
        raise ConfigError(
            f"The agent cannot make {', '.join(own)} in its container, where it may write nothing.",
            remedy="Let it listen at HOST:PORT, such as 127.0.0.1:10670.",
        )
    if settings.database.startswith(UNIX) and not _is_mounted(deployment, settings.database.removeprefix(UNIX)):
        raise ConfigError(
            f"The pod has no mount with the socket of `database`: {settings.database}.",
            remedy="Name its directory with --rundir.",
        )


def _require_own_directory(deployment: Deployment, directory: PurePosixPath) -> None:
    below = (_resolved(place).is_relative_to(_resolved(str(directory))) for place in _places(deployment))
    if not directory.is_absolute() or any(below):
        raise ConfigError(
            f"A secret cannot be mounted at {directory}.",
            remedy="Name its files in a directory of their own, such as /etc/ovsnet/files.",
        )


def _places(deployment: Deployment) -> tuple[str, ...]:
    return (*deployment.rundirs, *deployment.aliases)


def _is_mounted(deployment: Deployment, path: str) -> bool:
    return any(_resolved(path).is_relative_to(_resolved(place)) for place in _places(deployment))


def _resolved(path: str) -> PurePosixPath:
    """Through the image's link /var/run -> /run."""
    plain = PurePosixPath(posixpath.normpath(path))
    return PurePosixPath("/run") / plain.relative_to("/var/run") if plain.is_relative_to("/var/run") else plain
