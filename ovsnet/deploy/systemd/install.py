"""Put the files of the service in place below a root, and take them out again. Says what it did, step by step."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ovsnet.deploy.systemd.units import CONFIG, DEBIAN, FAMILIES, MARK, RHEL, Family, configuration, files
from ovsnet.errors import UnfitEnvironment, UsageError

HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")
"""What ProtectHome= and PrivateTmp= hide from the service: a program in there would not be found."""


class Action(StrEnum):
    """What becomes of one file."""

    WRITE = "write"
    KEEP = "keep"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Step:
    """One file, what becomes of it, and why where that is not plain."""

    action: Action
    path: Path
    text: str = ""
    why: str = ""


def family_of(root: Path) -> Family:
    """By ``os-release`` below ``root``. Who is no kin of Debian's is taken for one of RHEL's."""
    fields: Mapping[str, str] = {}
    for place in ("etc/os-release", "usr/lib/os-release"):
        if (root / place).is_file():
            fields = _os_release(root / place)
            break
    kin = {fields.get("ID", ""), *fields.get("ID_LIKE", "").split()}
    return DEBIAN if "debian" in kin else RHEL


def family_named(name: str, root: Path) -> Family:
    """``auto`` looks; raises UsageError for an unknown name."""
    if name == "auto":
        return family_of(root)
    if name not in FAMILIES:
        raise UsageError(f"There is no family {name!r}.", remedy=f"Name one of {', '.join(FAMILIES)}.")
    return FAMILIES[name]


def installation(root: Path, family: Family, program: str) -> list[Step]:
    """What to do to install. A file of somebody else is never overwritten: raises UsageError.

    Also raises it for a program that the service could not see.
    """
    if program.startswith(tuple(f"{place}/" for place in HIDDEN)):
        raise UsageError(
            f"The service is shut out of the directory of {program}.",
            remedy="Install ovsnet in /opt/ovsnet or system-wide, or name the right one with --program.",
        )
    steps = [_write(root / path.lstrip("/"), text) for path, text in files(family, program).items()]
    config = root / CONFIG.lstrip("/")
    if config.exists():
        return [*steps, Step(Action.KEEP, config, why="it may be yours")]
    return [*steps, Step(Action.WRITE, config, configuration())]


def removal(root: Path) -> list[Step]:
    """What to do to take everything out that is ours; a configuration that somebody changed stays."""
    steps = []
    for path in files(DEBIAN, ""):  # the paths are the same for all
        target = root / path.lstrip("/")
        if target.is_file():
            steps.append(
                Step(Action.REMOVE, target) if _is_ours(target) else Step(Action.KEEP, target, why="it is not ours")
            )
    config = root / CONFIG.lstrip("/")
    if config.is_file():
        unchanged = config.read_text(encoding="utf-8") == configuration()
        steps.append(Step(Action.REMOVE, config) if unchanged else Step(Action.KEEP, config, why="it was changed"))
    return steps


def carry_out(steps: Iterable[Step]) -> None:
    """Do them. Raises UnfitEnvironment when a file cannot be written or removed."""
    for step in steps:
        try:
            if step.action is Action.WRITE:
                step.path.parent.mkdir(parents=True, exist_ok=True)
                step.path.write_text(step.text, encoding="utf-8")
            elif step.action is Action.REMOVE:
                step.path.unlink()
                _remove_if_empty(step.path.parent)
        except OSError as error:
            raise UnfitEnvironment(
                f"Cannot {step.action} {step.path}: {error.strerror}.", remedy="Run it as root, or name another --root."
            ) from error


def _write(path: Path, text: str) -> Step:
    if path.is_file() and not _is_ours(path):
        raise UsageError(f"{path} is there already, and not ours.", remedy="Move it away first.")
    return Step(Action.WRITE, path, text)


def _is_ours(path: Path) -> bool:
    return path.read_text(encoding="utf-8", errors="replace").startswith(MARK)


def _remove_if_empty(directory: Path) -> None:
    if directory.name in ("ovn-controller.service.d", "ovsnet") and not any(directory.iterdir()):
        directory.rmdir()


def _os_release(path: Path) -> dict[str, str]:
    fields = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not name.startswith("#"):
            fields[name] = "".join(shlex.split(value))
    return fields
