"""Peers come from pip, whole or not at all. Nothing is fetched here."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench import peers
from bench.peers import OS_KEN, interpreter
from ovsnet.errors import UnfitEnvironment


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """What would have been run."""
    asked: list[Sequence[str]] = []
    monkeypatch.setattr(peers, "_run", lambda *command: _note(asked, command))
    return asked


def _note(asked: list[Sequence[str]], command: Sequence[str]) -> None:
    asked.append(command)
    if command[1:3] == ("-m", "venv"):
        Path(command[3]).mkdir(parents=True)


def test_peer_is_installed_once_at_its_version(commands: list[Sequence[str]], tmp_path: Path) -> None:
    python = interpreter(OS_KEN, tmp_path)
    assert interpreter(OS_KEN, tmp_path) == python
    assert python.is_relative_to(tmp_path)
    assert len(commands) == 2
    assert commands[1][-1] == f"os-ken=={OS_KEN.version}"


def test_half_an_installation_is_done_anew(commands: list[Sequence[str]], tmp_path: Path) -> None:
    place = interpreter(OS_KEN, tmp_path).parents[1]
    (place / ".complete").unlink()
    interpreter(OS_KEN, tmp_path)
    assert len(commands) == 4


def test_pip_that_fails_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(command: Sequence[str], **how: object) -> None:
        raise subprocess.CalledProcessError(1, command, stderr="no route to host")

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(UnfitEnvironment, match="no route to host"):
        interpreter(OS_KEN, tmp_path)
