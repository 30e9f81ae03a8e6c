"""What is written in a sandbox directory, so that another process can act on it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ovsnet.errors import UsageError
from ovsnet.files import MOST_DOCUMENT, read_bytes, replace
from ovsnet.protocol.jsonrpc import BAD_JSON
from ovsnet.sandbox.daemons import Chassis, Door, RaftMember
from ovsnet.sandbox.proc import Process

SETTINGS = "sandbox.json"
PROCESSES = "processes.json"


class Settings(msgspec.Struct, frozen=True):
    """What the sandbox was asked to be. ``made_directory`` is true when leaving it must remove the directory too."""

    ports: int
    ovn: bool
    with_bridge: bool
    members: tuple[RaftMember, ...]
    binaries_root: str | None
    made_directory: bool
    doors: dict[str, Door] = {}
    chassis: Chassis | None = None


def write_settings(directory: Path, settings: Settings) -> None:
    """Write them once, when the sandbox is made."""
    _replace(directory / SETTINGS, msgspec.json.encode(settings))


def read_settings(directory: Path) -> Settings:
    """Raises UsageError when no sandbox was made here."""
    try:
        return msgspec.json.decode(read_bytes(directory / SETTINGS, MOST_DOCUMENT), type=Settings)
    except (OSError, *BAD_JSON) as error:
        raise UsageError(
            f"There is no sandbox in {directory}.", remedy=f"Make one: ovsnet sandbox up {directory}"
        ) from error


def read_processes(directory: Path) -> dict[str, Process]:
    """The last known process of each daemon that was ever started; it may have ended."""
    try:
        return msgspec.json.decode(read_bytes(directory / PROCESSES, MOST_DOCUMENT), type=dict[str, Process])
    except FileNotFoundError:
        return {}
    except (OSError, *BAD_JSON) as error:
        raise UsageError(
            f"The record of the processes in {directory} is damaged.", remedy="End its daemons by hand, and remove it."
        ) from error


def write_process(directory: Path, name: str, process: Process) -> None:
    """Note the process that is this daemon from now on."""
    processes = read_processes(directory) | {name: process}
    _replace(directory / PROCESSES, msgspec.json.encode(processes))


def _replace(path: Path, content: bytes) -> None:
    # A reader in another process never sees half a document.
    replace(path, content, 0o600)
