"""Reading below a root: links stay inside, absent and forbidden are told apart."""

import gzip
import os
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

from ovsnet.errors import UnfitEnvironment
from ovsnet.node.host_files import Host, count_cpus
from tests.unprivileged import UNPRIVILEGED


def test_absolute_links_stay_below_the_root(tmp_path: Path) -> None:
    (tmp_path / "run/openvswitch").mkdir(parents=True)
    (tmp_path / "var").mkdir()
    (tmp_path / "var/run").symlink_to("/run")
    (tmp_path / "run/openvswitch/a").write_text("inside")
    host = Host(tmp_path)
    assert host.read("/var/run/openvswitch/a") == "inside"
    assert host.real("/var/run/openvswitch") == Path("/run/openvswitch")


def test_parent_of_the_root_is_the_root(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("../../../../etc/passwd")
    assert Host(tmp_path).read("/link") is None
    assert Host(tmp_path).locate("/a/../../b") == tmp_path / "b"


def test_links_in_circles_are_told(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(UnfitEnvironment, match="circles"):
        Host(tmp_path).read("/a")


def test_absent_is_none_and_empty(tmp_path: Path) -> None:
    host = Host(tmp_path)
    assert host.read("/proc/1/stat") is None
    assert host.names("/proc") == []
    assert host.link("/x") is None
    assert not host.exists("/x")
    with pytest.raises(UnfitEnvironment, match="There is no /x"):
        host.need("/x")


def test_what_is_no_file_is_told_and_not_absent(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "broken.gz").write_bytes(b"\x1f\x8b")
    with pytest.raises(UnfitEnvironment, match="cannot be read"):
        Host(tmp_path).read("/d")
    with pytest.raises(UnfitEnvironment, match="cannot be read"):
        Host(tmp_path).read("/broken.gz")


def test_packed_files_are_unpacked(tmp_path: Path) -> None:
    (tmp_path / "config.gz").write_bytes(gzip.compress(b"CONFIG_MODULES=y\n"))
    assert Host(tmp_path).read("/config.gz") == "CONFIG_MODULES=y\n"


def test_names_of_processes_may_hold_anything(tmp_path: Path) -> None:
    for pid, stat in ((7, "7 (a) b (c) S 1"), (8, "8 (gone) Z 1")):
        (tmp_path / f"proc/{pid}").mkdir(parents=True)
        (tmp_path / f"proc/{pid}/stat").write_text(stat)
    assert Host(tmp_path).processes == {7: "a) b (c"}


def test_own_processes_are_seen_below_the_real_root() -> None:
    assert os.getpid() in Host().processes
    assert Host().release == os.uname().release
    assert Host().cpus == os.cpu_count()


@pytest.mark.parametrize(("text", "count"), [("0\n", 1), ("0-3", 4), ("0-1,4,6-7", 5)])
def test_cpu_lists_are_counted(text: str, count: int) -> None:
    assert count_cpus(text) == count


@pytest.mark.parametrize(
    "text", ["processor\t: 0\n\nprocessor\t: 1\n", "processor 0: version = FF\nprocessor 1: version\n"]
)
def test_cpus_are_counted_from_cpuinfo_of_any_machine(tmp_path: Path, text: str) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(text)
    assert Host(tmp_path).cpus == 2


def test_tail_is_the_end_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("first\nlast\n")
    assert Host(tmp_path).tail("/log", 5) == "last\n"
    assert Host(tmp_path).tail("/log", 1000) == "first\nlast\n"
    assert Host(tmp_path).tail("/none", 5) is None


@pytest.mark.parametrize(("kept", "mode"), [("etc", "0000"), ("etc/file", "0200")])
@pytest.mark.parametrize("under", ["/", "root"])
def test_file_that_is_kept_from_us_names_its_owner_its_mode_and_who_is_let_in(
    tmp_path: Path, kept: str, mode: str, under: str
) -> None:
    """As ``ovsnet check`` does for a socket: also of a file whose mode lets us write, and of one under --root."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/file").write_text("x")
    (tmp_path / kept).chmod(int(mode, 8))
    code = (
        "import sys; from pathlib import Path; from ovsnet.errors import UnfitEnvironment;"
        "from ovsnet.node.host_files import Host\n"
        "try: Host(Path(sys.argv[1])).read(sys.argv[2])\n"
        "except UnfitEnvironment as error: print(error, error.remedy)"
    )
    root, path = ("/", f"{tmp_path}/etc/file") if under == "/" else (str(tmp_path), "/etc/file")
    unreading = [each.replace("-dac_override", "-dac_override,-dac_read_search") for each in UNPRIVILEGED]
    try:
        said = subprocess.run([*unreading, sys.executable, "-c", code, root, path], stdout=PIPE, text=True, check=True)
    finally:
        (tmp_path / kept).chmod(0o700)
    place = "it" if kept == "etc/file" else os.path.realpath(tmp_path / kept)
    assert said.stdout.startswith(f"This user may not read {path}: {place} belongs to user ")
    assert f", with mode {mode}. Run ovsnet as root" in said.stdout
