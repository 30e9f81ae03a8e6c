"""Programs of another suite: what needs no mirror. ``make test-versions`` runs the rest."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ovsnet.errors import UnfitEnvironment
from ovsnet.sandbox import suite
from ovsnet.sandbox.binaries import PROGRAMS


def unpacked(tree: Path) -> Path:
    """A tree as dpkg-deb leaves it, whose loader is a shell that runs the program it is given."""
    root = tree / "root"
    for name in PROGRAMS:
        path = root / "usr/bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('#!/bin/sh\necho "$0 $*"\n')
        path.chmod(0o755)
    loader = root / "usr/lib64/ld-linux-x86-64.so.2"
    loader.parent.mkdir(parents=True)
    loader.write_text('#!/bin/sh\nshift 4\nexec "$@"\n')
    loader.chmod(0o755)
    (root / "usr/share/openvswitch").mkdir(parents=True)
    return tree


def test_wrapper_starts_its_program_through_the_trees_own_loader(tmp_path: Path) -> None:
    tree = unpacked(tmp_path / "a place")
    suite._wrap(tree, tree)
    done = subprocess.run([tree / "bin/ovs-vsctl", "--no-wait", "a b"], capture_output=True, text=True, check=True)
    assert done.stdout == f"{tree}/root/usr/bin/ovs-vsctl --no-wait a b\n"
    assert (tree / "share/openvswitch").is_dir()


def test_tree_without_a_loader_is_unfit(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    with pytest.raises(UnfitEnvironment, match="no loader"):
        suite._wrap(tmp_path, tmp_path)


def fill(bin_: Path) -> None:
    """As if it had been fetched."""
    bin_.mkdir(parents=True)
    for name in PROGRAMS:
        (bin_ / name).touch()


def test_suite_that_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    fill(tmp_path / "debian-forky/bin")
    assert suite.programs("forky", tmp_path) == tmp_path / "debian-forky/bin"


def test_programs_that_were_not_asked_for_at_first_are_wrapped_from_what_was_fetched(tmp_path: Path) -> None:
    home = unpacked(tmp_path / "debian-forky")
    suite._wrap(home, home, PROGRAMS[:3])
    bin_ = suite.programs("forky", tmp_path)
    assert sorted(os.listdir(bin_)) == sorted(PROGRAMS)


def test_failed_fetch_is_told_with_what_it_takes_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "apt-get").write_text("#!/bin/sh\necho 'E: no such suite' >&2\nexit 100\n")
    (tools / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    with pytest.raises(UnfitEnvironment, match="E: no such suite") as error:
        suite.programs("forky", tmp_path / "cache")
    assert "debian-archive-keyring" in error.value.remedy
    assert not list((tmp_path / "cache").iterdir())


def test_host_without_apt_is_unfit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnfitEnvironment, match="apt-get cannot be found"):
        suite.programs("forky", tmp_path / "cache")


def test_command_runs_with_the_programs_first_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, list[str]]] = []
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.setattr("os.execvp", lambda file, argv: ran.append((file, argv)))
    bin_ = tmp_path / "ovsnet/debian-forky/bin"
    fill(bin_)
    suite.main(["forky", "pytest", "-q"])
    assert ran == [("pytest", ["pytest", "-q"])]
    assert os.environ["PATH"] == f"{bin_}:/usr/bin"


def test_missing_command_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        suite.main(["forky"])
    assert ended.value.code == 2
    assert "A suite and a command" in capsys.readouterr().err
