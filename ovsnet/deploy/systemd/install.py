"""Put the files of the service in place below a root, and take them out again. Says what it did, step by step."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path

import msgspec

from ovsnet.deploy.systemd.units import CONFIG, DEBIAN, FAMILIES, MARK, RHEL, Family, configuration, files
from ovsnet.errors import UnfitEnvironment, UsageError
from ovsnet.files import MOST_DOCUMENT, read_text, replace
from ovsnet.node.host_files import Host

HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")
"""What ProtectHome= and PrivateTmp= hide from the service: a program in there would not be found."""


_PATH = re.compile(r"/[A-Za-z0-9_.+@:,=~/-]+")
"""What neither systemd (systemd.service(5), "Command lines") nor its specifiers read as anything else."""


class Action(StrEnum):
    """What becomes of one file."""

    WRITE = "write"
    KEEP = "keep"
    REMOVE = "remove"


class Step(msgspec.Struct, frozen=True):
    """One file, what becomes of it, and why where that is not plain."""

    action: Action
    path: Path
    text: str = ""
    why: str = ""


def family_of(root: Path) -> Family:
    """By ``os-release`` below ``root``. A system that is not akin to Debian is taken for one akin to RHEL."""
    fields: Mapping[str, str] = {}
    for place in ("/etc/os-release", "/usr/lib/os-release"):
        with contextlib.suppress(UnfitEnvironment):  # one that cannot be read says nothing
            if (text := Host(root).read(place)) is not None:
                fields = _os_release(text)
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
    """What to do to install. A file of someone else's is never overwritten: raises UsageError.

    Also raises it for a program that the service could not see.
    """
    if program.startswith(tuple(f"{place}/" for place in HIDDEN)):
        raise UsageError(
            f"The service could not read {program}: its unit hides that directory (ProtectHome, PrivateTmp).",
            remedy="Install ovsnet in /opt/ovsnet or system-wide, or name the right one with --program.",
        )
    if not _PATH.fullmatch(program):
        raise UsageError(
            f"{program!r} is not a path that a unit can name.", remedy="Give the whole path, of plain characters."
        )
    steps = [_write(_place(root, path), text) for path, text in files(family, program).items()]
    config = _place(root, CONFIG)
    if os.path.lexists(config):
        return [*steps, Step(Action.KEEP, config, why="it may be yours")]
    return [*steps, Step(Action.WRITE, config, configuration())]


def removal(root: Path) -> list[Step]:
    """What to do to take everything out that is ours; an edited configuration stays."""
    steps = []
    for path in files(RHEL, ""):  # those of Debian are among them, and 0.1 installed all of them there, too
        target = _place(root, path)
        if os.path.lexists(target):
            steps.append(
                Step(Action.REMOVE, target) if _is_ours(target) else Step(Action.KEEP, target, why="it is not ours")
            )
    config = _place(root, CONFIG)
    if os.path.lexists(config):
        unchanged = _text(config) == configuration()
        steps.append(Step(Action.REMOVE, config) if unchanged else Step(Action.KEEP, config, why="it was changed"))
    return steps


def carry_out(steps: Iterable[Step]) -> None:
    """Do them. Raises UnfitEnvironment when a file cannot be written or removed."""
    for step in steps:
        try:
            if step.action is Action.WRITE:
                _make_directory(step.path.parent)
                replace(step.path, step.text.encode())
            elif step.action is Action.REMOVE:
                step.path.unlink()
                _remove_if_empty(step.path.parent)
        except OSError as error:
            raise UnfitEnvironment(
                f"Cannot {step.action} {step.path}: {error.strerror}.", remedy="Run it as root, or name another --root."
            ) from error


def _write(path: Path, text: str) -> Step:
    if os.path.lexists(path) and not _is_ours(path):
        raise UsageError(f"{path} is there already, and not ours.", remedy="Move it away first.")
    return Step(Action.WRITE, path, text)


def _is_ours(path: Path) -> bool:
    return _text(path).startswith(MARK)


def _text(path: Path) -> str:
    """What is behind a link is not what we wrote, wherever it leads; what cannot be read is not ours either."""
    try:
        return "" if path.is_symlink() else read_text(path, MOST_DOCUMENT)
    except OSError:
        return ""


def _place(root: Path, path: str) -> Path:
    """Below ``root``: links are followed as a process with that root would, and never out of it. The last part
    is not followed."""
    whole = Path(path)
    return Host(root).locate(whole.parent) / whole.name


def _make_directory(path: Path) -> None:
    """Others read what is in there: a umask of root's must not shut them out."""
    if not path.is_dir():
        _make_directory(path.parent)
        path.mkdir(exist_ok=True)
        path.chmod(0o755)


def _remove_if_empty(directory: Path) -> None:
    if directory.name in ("ovn-controller.service.d", "ovsnet") and not any(directory.iterdir()):
        directory.rmdir()


def _os_release(text: str) -> dict[str, str]:
    fields = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and not name.startswith("#"):
            with contextlib.suppress(ValueError):  # a quote that is never closed
                fields[name] = "".join(shlex.split(value))
    return fields
