"""What is read can neither hold us up nor fill our memory, and nothing is read in any other way."""

from __future__ import annotations

import ast
import errno
import gzip
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ovsnet import files
from ovsnet.config.settings import Settings
from ovsnet.config.sources import load
from ovsnet.deploy.systemd.install import family_of, installation, removal
from ovsnet.deploy.systemd.units import DEBIAN
from ovsnet.errors import ConfigError, OvsnetError
from ovsnet.io.tls import ServingTls, Tls
from ovsnet.node.certificates import PemFile, dated
from ovsnet.node.database_file import damage
from ovsnet.node.host_files import Host
from ovsnet.node.pidfile import Lock, pidfile_locked, read_pidfile
from ovsnet.sandbox import record
from ovsnet.tune.reconciler import wishes
from tests.test_layers import FILES

READERS = {"read_text", "read_bytes"}

BY_NAME = {
    *("os.open", "io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open", "tarfile.open", "tomllib.load"),
    *("json.load", "click.File", "click.open_file", "zipfile.ZipFile", "zipfile.is_zipfile", "fileinput.input"),
}
"""What opens a file by its name, whether it is called here or handed on."""

LIBRARIES = {"load_cert_chain", "load_verify_locations"}
"""Methods that do so within a library."""

OTHERWISE = {
    "archives/streams.py": {"gzip.open", "bz2.open", "lzma.open", "tarfile.open"},  # of streams that are open already
    "report/contents.py": {"tarfile.open"},  # of a buffer, to write
    "cli/install.py": {"zipfile.is_zipfile"},  # the program that runs here
    "files.py": {"os.open"},
    "io/listen.py": {"os.open"},  # the place of a socket, which is not opened (O_PATH)
    "io/tls.py": LIBRARIES,  # of files that were looked at before: OpenSSL opens them itself
    "io/nofile.py": {"os.open"},  # /dev/null, to see whether a descriptor is left
    "web/page.py": {"read_bytes"},  # our own page, out of the package
    "web/runbook.py": {"read_text"},  # ours, too
    "sandbox/supervisor.py": {"open"},  # the log of a daemon that we started, in a directory that is ours
}
"""What may open files by other ways, and which."""


MAY_WRITE = {
    "files.py": {"fdopen"},
    "report/contents.py": {"open"},  # an archive in a buffer
    "deploy/generate.py": {"write_text"},  # these two, the source tree
    "deploy/tables.py": {"write_text"},
}
"""What else writes, and how. The sandbox does, too, in a directory that is ours alone."""


def openings(path: Path) -> Iterator[str]:
    """What opens a file to read it: ``open(…)`` and its like in a mode that reads, and what reads all of it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and (name := ast.unparse(node)) in BY_NAME:
            yield name
        elif isinstance(node, ast.Call):
            yield from _called(node)


def _called(call: ast.Call) -> Iterator[str]:
    name = ast.unparse(call.func)
    last = name.rpartition(".")[2]
    if last in READERS | LIBRARIES and isinstance(call.func, ast.Attribute):
        yield last
    elif last == "open" and name not in BY_NAME and _may_read(call, builtin=name == "open"):
        yield "open"


def _may_read(call: ast.Call, *, builtin: bool) -> bool:
    """``Path.open`` takes a mode first, or words like encoding=; sessions have an ``open`` that takes other things."""
    modes = [each.value for each in call.args[int(builtin) :][:1] if isinstance(each, ast.Constant)]
    modes += [each.value.value for each in call.keywords if each.arg == "mode" and isinstance(each.value, ast.Constant)]
    if modes and isinstance(modes[0], str) and not set(modes[0]) - set("rwaxbt+"):
        return not set(modes[0]) & set("wax")
    return builtin or any(each.arg in ("encoding", "errors", "buffering") for each in call.keywords)


def test_nothing_else_opens_files_to_read() -> None:
    found = {file: set(openings(path)) for file, path in FILES.items()}
    assert {file: names for file, names in found.items() if names} == OTHERWISE


def test_planted_opening_is_found(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(
        "open('x')\np.open('rb')\np.read_text()\nos.open('x', 0)\np.open('w')\nawait_(session.open(timeout=1))\n"
        "option(type=click.File('r'))\nopener = lzma.open\ncontext.load_cert_chain('x')\n"
    )
    found = ["click.File", "load_cert_chain", "lzma.open", "open", "open", "os.open", "read_text"]
    assert sorted(openings(planted)) == found


def writings(path: Path) -> Iterator[str]:
    """What writes a file where it is, and may leave half of it: ``files.replace`` does not."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            modes = [
                each.value
                for each in [*node.args, *(word.value for word in node.keywords)]
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            ]
            if name in ("write_text", "write_bytes") or (
                name in ("open", "fdopen") and any(set(each) & set("wax") and len(each) <= 3 for each in modes)
            ):
                yield name


def test_nothing_else_writes_files() -> None:
    found = {file: set(writings(path)) for file, path in FILES.items() if not file.startswith("sandbox/")}
    assert {file: names for file, names in found.items() if names} == MAY_WRITE


def test_device_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    """Root could do that to /dev/null."""
    make_fifo(tmp_path / "pipe")
    (tmp_path / "out").symlink_to(tmp_path / "pipe")
    for name in ("pipe", "out"):
        with pytest.raises(OSError, match="not a regular file"):
            files.replace(tmp_path / name, b"x")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["out", "pipe"]
    assert (tmp_path / "out").is_symlink()


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


def make_endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_directory(path: Path) -> None:
    path.mkdir()


def make_loop(path: Path) -> None:
    path.symlink_to(path)


HOSTILE = [make_fifo, make_sparse, make_endless, make_directory, make_loop]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", HOSTILE)
def test_hostile_file_holds_nobody_up(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """Each reader of each layer says its own word of it, at once and in little memory."""
    path = tmp_path / "it"
    make(path)
    with pytest.raises(OSError):  # noqa: PT011
        files.read_bytes(path)
    with pytest.raises(OSError):  # noqa: PT011
        files.require_document(path)
    assert read_pidfile(path) is None
    assert pidfile_locked(path).lock in (Lock.UNREADABLE, Lock.FREE)
    assert damage(path) in ("", "does not begin as a database does")
    assert dated([PemFile(str(path), "ours")], tmp_path) == [] or make is make_sparse
    with pytest.raises(ConfigError):
        load(path)
    with pytest.raises(ConfigError):
        wishes(Settings(tune_mode="enforce", tune_file=str(path)))
    for tls in (Tls(str(path), str(path), str(path)), ServingTls(str(path), str(path))):
        with pytest.raises(ConfigError):
            tls.context()
    with pytest.raises(OvsnetError):
        Host(tmp_path).need("/it")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", HOSTILE)
def test_hostile_file_holds_up_no_install(tmp_path: Path, make: Callable[[Path], None]) -> None:
    (tmp_path / "etc").mkdir()
    make(tmp_path / "etc/os-release")
    family_of(tmp_path)
    units = tmp_path / "etc/systemd/system"
    units.mkdir(parents=True)
    make(units / "ovsnet.service")
    with pytest.raises(OvsnetError):
        installation(tmp_path, DEBIAN, "/usr/bin/ovsnet")
    removal(tmp_path)


@pytest.mark.parametrize("make", HOSTILE)
def test_hostile_record_is_no_sandbox(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / record.SETTINGS)
    with pytest.raises(OvsnetError):
        record.read_settings(tmp_path)


def test_bound_counts(tmp_path: Path) -> None:
    path = tmp_path / "it"
    path.write_bytes(b"x" * 200_000)
    assert len(files.read_bytes(path, 200_000)) == 200_000
    assert files.read_head(path, 70_000) == b"x" * 70_000
    with pytest.raises(OSError, match="more than 199999") as told:
        files.read_bytes(path, 199_999)
    assert told.value.errno == errno.EFBIG


def test_tail_is_the_end(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"x" * 100_000 + b"end")
    assert files.read_tail(tmp_path / "log", 3) == b"end"
    assert files.read_tail(tmp_path / "log", 70_000) == b"x" * 69_997 + b"end"
    assert len(files.read_tail(tmp_path / "log", 200_000)) == 100_003


def test_files_of_the_kernel_are_read_whole() -> None:
    """They have no size, and come a page at a time."""
    path = Path("/proc/self/mountinfo")
    assert files.read_text("/proc/self/status").startswith("Name:")
    assert files.read_bytes(path) == path.read_bytes()


def test_what_unpacks_to_more_than_the_bound_is_refused() -> None:
    packed = gzip.compress(b"\0" * (1 << 20))
    assert len(files.unpacked(packed)) == 1 << 20
    with pytest.raises(OSError, match="unpacks to more"):
        files.unpacked(packed, 1000)
    with pytest.raises(EOFError):
        files.unpacked(packed[:-20])


def test_name_with_a_nul_is_no_file() -> None:
    with pytest.raises(OSError, match="null"):
        files.open_regular("a\0b")


def test_record_takes_one_read(tmp_path: Path) -> None:
    """So what never ends, or waits for a writer, holds nobody up."""
    os.mkfifo(tmp_path / "fifo")
    assert files.read_record(f"{tmp_path}/fifo") == ""
    assert set(files.read_record("/dev/zero")) == {"\0"}
    assert files.read_record("/proc/self/stat").startswith(f"{os.getpid()} (")
