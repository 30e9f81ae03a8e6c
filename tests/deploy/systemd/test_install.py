"""``ovsnet install`` puts the files in place, and takes out what is its own."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from ovsnet.cli.install import install
from ovsnet.deploy.systemd.install import Action, Step, carry_out, family_named, family_of, installation, removal
from ovsnet.deploy.systemd.units import DEBIAN, RHEL, Family, configuration, files
from ovsnet.errors import UnfitEnvironment, UsageError

PROGRAM = "/usr/bin/ovsnet"


def tree(root: Path) -> set[str]:
    return {f"/{path.relative_to(root)}" for path in root.rglob("*") if path.is_file()}


def test_every_file_is_put_in_place_and_taken_out_again(tmp_path: Path) -> None:
    carry_out(installation(tmp_path, DEBIAN, PROGRAM))
    assert tree(tmp_path) == {*files(DEBIAN, PROGRAM), "/etc/ovsnet/ovsnet.toml"}
    carry_out(removal(tmp_path))
    assert tree(tmp_path) == set()
    assert not (tmp_path / "etc/systemd/system/ovn-controller.service.d").exists()
    assert removal(tmp_path) == []


def test_second_installation_renews_the_files_and_keeps_the_configuration(tmp_path: Path) -> None:
    carry_out(installation(tmp_path, DEBIAN, PROGRAM))
    config = tmp_path / "etc/ovsnet/ovsnet.toml"
    config.write_text("interval = 2\n")
    carry_out(installation(tmp_path, RHEL, PROGRAM))
    assert config.read_text() == "interval = 2\n"
    assert "User=openvswitch" in (tmp_path / "etc/systemd/system/ovsnet.service").read_text()
    steps = removal(tmp_path)
    assert [(step.action, step.why) for step in steps if step.path == config] == [(Action.KEEP, "it was changed")]


def test_file_of_somebody_else_is_neither_overwritten_nor_removed(tmp_path: Path) -> None:
    unit = tmp_path / "etc/systemd/system/ovsnet.service"
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\nExecStart=/mine\n")
    with pytest.raises(UsageError, match="not ours"):
        installation(tmp_path, DEBIAN, PROGRAM)
    assert [step.action for step in removal(tmp_path)] == [Action.KEEP]


@pytest.mark.parametrize("program", ["/root/venv/bin/ovsnet", "/home/me/bin/ovsnet", "/tmp/ovsnet"])
def test_program_that_the_service_could_not_see_is_refused(tmp_path: Path, program: str) -> None:
    with pytest.raises(UsageError, match="hides that directory") as caught:
        installation(tmp_path, DEBIAN, program)
    assert "--program" in caught.value.remedy


@pytest.mark.parametrize(
    ("release", "family"),
    [
        ("ID=debian\n", DEBIAN),
        ('ID=ubuntu\nID_LIKE="debian"\n', DEBIAN),
        ('# x\nID="rocky"\nID_LIKE="rhel centos fedora"\n', RHEL),
        ("", RHEL),
    ],
)
def test_family_is_read_from_the_root(tmp_path: Path, release: str, family: Family) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text(release)
    assert family_of(tmp_path) is family
    assert family_named("auto", tmp_path) is family


def test_unknown_family_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no family 'beos'"):
        family_named("beos", tmp_path)


def test_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "etc").write_text("a file where a directory belongs")
    with pytest.raises(UnfitEnvironment, match="Cannot write"):
        carry_out([Step(Action.WRITE, tmp_path / "etc/x", "text")])


def test_dry_run_says_everything_and_does_nothing(tmp_path: Path) -> None:
    done = CliRunner().invoke(install, ["--root", str(tmp_path), "--dry-run", "--program", PROGRAM])
    assert done.exit_code == 0
    assert done.output.count("would write ") == len(files(RHEL, PROGRAM)) + 1
    assert "Next: systemctl daemon-reload" in done.output
    assert tree(tmp_path) == set()


def test_command_says_what_it_did(tmp_path: Path) -> None:
    arguments = ["--root", str(tmp_path), "--program", PROGRAM]
    assert f"wrote {tmp_path}/etc/ovsnet/ovsnet.toml" in CliRunner().invoke(install, arguments).output
    assert "kept" in CliRunner().invoke(install, arguments).output
    assert (tmp_path / "etc/ovsnet/ovsnet.toml").read_text() == configuration()
    removed = CliRunner().invoke(install, ["--root", str(tmp_path), "--remove"])
    assert f"removed {tmp_path}/etc/ovsnet/ovsnet.toml" in removed.output
    assert "ovsnet is not installed." in CliRunner().invoke(install, ["--root", str(tmp_path), "--remove"]).output


def links_out(root: Path, outside: Path) -> None:
    """Everything that is written would lead out of the root, were links followed as ours."""
    (root / "etc/systemd").mkdir(parents=True)
    (root / "etc/tmpfiles.d").symlink_to(outside)
    (root / "etc/systemd/system").symlink_to("../../../" + str(outside))
    (root / "etc/ovsnet").mkdir()
    (root / "etc/ovsnet/ovsnet.toml").symlink_to(outside / "toml")


def test_no_link_leads_out_of_the_root(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    outside.mkdir()
    links_out(root, outside)
    carry_out(installation(root, DEBIAN, PROGRAM))
    assert not list(outside.iterdir())
    assert (root / str(outside).lstrip("/") / "ovsnet.service").is_file()  # where it leads for who has that root
    carry_out(removal(root))
    assert not list(outside.iterdir())


def test_link_in_the_place_of_a_unit_is_not_ours(tmp_path: Path) -> None:
    """A masked unit is one (systemctl(1), mask)."""
    unit = tmp_path / "etc/systemd/system/ovsnet.service"
    unit.parent.mkdir(parents=True)
    unit.symlink_to("/dev/null")
    with pytest.raises(UsageError, match="not ours"):
        installation(tmp_path, DEBIAN, PROGRAM)
    assert [step.action for step in removal(tmp_path)] == [Action.KEEP]


def test_modes_do_not_follow_the_umask(tmp_path: Path) -> None:
    """RHEL's user openvswitch reads them."""
    before = os.umask(0o077)
    try:
        carry_out(installation(tmp_path, RHEL, PROGRAM))
    finally:
        os.umask(before)
    for path in tmp_path.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644), path


def test_disk_that_is_full_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    carry_out(installation(tmp_path, DEBIAN, PROGRAM))
    before = {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UnfitEnvironment, match="No space left"):
        carry_out(installation(tmp_path, RHEL, PROGRAM))
    assert {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "program", ["/usr/bin/ovsnet\nUser=root", "/usr/bin/ovs net", "/usr/bin/%n", "ovsnet", "", "/a'b"]
)
def test_program_that_is_more_than_a_path_is_refused(tmp_path: Path, program: str) -> None:
    with pytest.raises(UsageError, match="not a path that a unit can name"):
        installation(tmp_path, DEBIAN, program)


def test_open_quote_in_os_release_is_no_end(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text('NAME="Debian\nID=debian\n')
    assert family_of(tmp_path) is DEBIAN


def test_single_file_installs_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = Path("/opt/ovsnet.pyz")
    monkeypatch.setattr("sys.argv", [str(file)])
    monkeypatch.setattr("zipfile.is_zipfile", lambda path: path == file)
    assert CliRunner().invoke(install, ["--root", str(tmp_path), "--family", "debian"]).exit_code == 0
    assert f"ExecStart={file} serve\n" in (tmp_path / "etc/systemd/system/ovsnet.service").read_text()


def test_json_has_the_steps(tmp_path: Path) -> None:
    line = ["--root", str(tmp_path), "--program", PROGRAM, "--family", "rhel", "--json"]
    planned = json.loads(CliRunner().invoke(install, [*line, "--dry-run"]).stdout)
    assert not any(each["done"] for each in planned)
    assert tree(tmp_path) == set()
    done = json.loads(CliRunner().invoke(install, line).stdout)
    assert [each | {"done": False} for each in done] == planned
    assert all(each["action"] == "write" and each["done"] for each in done)
