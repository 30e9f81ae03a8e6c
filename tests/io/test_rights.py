"""What keeps a user from a path is named, and who would be let in."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ovsnet.io import rights
from ovsnet.io.address import Address
from ovsnet.io.connect import connect_error
from ovsnet.io.rights import Refusal, _refused, refusal, unreadable
from tests.unprivileged import UNPRIVILEGED

STRANGER = 4_000_000


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with a user and a group for Open vSwitch, whose numbers are nobody's here."""
    users, groups = tmp_path / "passwd", tmp_path / "group"
    users.write_text(f"root:x:0:0::/root:/bin/sh\nopenvswitch:x:{STRANGER}:1::/:/sbin/nologin\n")
    groups.write_text(f"root:x:0:\nhugetlbfs:x:{STRANGER}:openvswitch\n")
    monkeypatch.setattr(rights, "USERS", str(users))
    monkeypatch.setattr(rights, "GROUPS", str(groups))


def refused(mode: int, wanted: int, owner: int = STRANGER, group: int = STRANGER) -> Refusal:
    found = os.stat_result((stat.S_IFDIR | mode, 0, 0, 1, owner, group, 0, 0, 0, 0))
    return _refused(Path("/run/openvswitch"), found, wanted)


@pytest.mark.parametrize(
    ("mode", "wanted", "remedy"),
    [
        (0o750, os.X_OK, "Run ovsnet as root or as user openvswitch or in group hugetlbfs."),
        (0o700, os.X_OK, "Run ovsnet as root or as user openvswitch."),
        (0o750, os.W_OK, "Run ovsnet as root or as user openvswitch."),
        (0o000, os.R_OK, "Run ovsnet as root."),
    ],
)
@pytest.mark.usefixtures("names")
def test_remedy_names_whoever_the_mode_lets_in(
    mode: int, wanted: int, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    found = refused(mode, wanted)
    owned = f"belongs to user openvswitch and group hugetlbfs, with mode {mode:04o}"
    assert found == Refusal("/run/openvswitch", owned, remedy)
    assert found.cause("/run/openvswitch") == f"it {owned}"
    assert found.cause("/run/openvswitch/db.sock") == f"/run/openvswitch {owned}"


@pytest.mark.usefixtures("names")
def test_root_without_its_capability_is_not_told_to_become_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert refused(0o700, os.X_OK, owner=0).remedy == "Run ovsnet as root with the capability CAP_DAC_OVERRIDE."


@pytest.mark.usefixtures("names")
def test_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    found = refused(0o700, os.X_OK, owner=STRANGER + 1)
    assert "as user 4000001" in found.remedy
    monkeypatch.setattr(rights, "USERS", "/nonexistent")
    assert "as user 4000000" in refused(0o700, os.X_OK).remedy


def test_nothing_keeps_us_from_what_is_ours_or_is_not_there(tmp_path: Path) -> None:
    assert refusal(str(tmp_path)) is None
    assert refusal(str(tmp_path / "none" / "none")) is None
    assert refusal("/\0") is None


@pytest.mark.parametrize(("user", "remedy"), [(0, "CAP_SYS_PTRACE may be missing"), (1000, "Run ovsnet as root.")])
def test_what_owner_and_mode_allow_is_kept_from_us_by_something_else(
    tmp_path: Path, user: int, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As what /proc shows of another's process. The remedy of a doctor does not name the doctor."""
    monkeypatch.setattr(os, "geteuid", lambda: user)
    error = unreadable(str(tmp_path))
    assert str(error) == f"This user may not read {tmp_path}."
    assert remedy in error.remedy
    assert "doctor" not in error.remedy


@pytest.mark.parametrize("below", ["", "/inner", "/inner/db.sock"])
def test_first_directory_that_may_not_be_searched_is_named(tmp_path: Path, below: str) -> None:
    kept = tmp_path / "kept"
    (kept / "inner").mkdir(parents=True)
    (kept / "inner/db.sock").touch()
    kept.chmod(0)
    code = "import sys; from ovsnet.io.rights import refusal; print(*refusal(sys.argv[1])[:2])"
    unsearching = [each.replace("-dac_override", "-dac_override,-dac_read_search") for each in UNPRIVILEGED]
    command = [*unsearching, sys.executable, "-c", code, f"{kept}{below}"]
    try:
        said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    finally:
        kept.chmod(0o700)
    assert said.startswith(f"{os.path.realpath(kept)} belongs to user ")
    assert said.endswith("with mode 0000\n")


def test_port_that_a_filter_forbids_is_no_matter_of_users() -> None:
    error = connect_error(Address.parse("tcp:127.0.0.1:6640"), PermissionError(1, "Operation not permitted"))
    assert "This host forbids ovsnet to connect to tcp:127.0.0.1:6640." in str(error)
    assert "IPAddressAllow=" in error.remedy


def test_socket_that_only_a_policy_forbids_is_not_said_to_lack_a_right(tmp_path: Path) -> None:
    (tmp_path / "db.sock").touch()
    error = connect_error(Address.unix(tmp_path / "db.sock"), PermissionError(13, "Permission denied"))
    assert "belongs to" not in str(error)
    assert "SELinux or AppArmor" in error.remedy
