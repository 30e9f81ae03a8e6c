"""The single file starts without a network, and never out of a directory that another user could have filled."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from release import launcher, pyz

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"

PROGRAM = """\
import os, sys
def main():
    print(__file__, *sys.argv[1:])
    sys.exit(int(os.environ.get("EXIT", 0)))
"""


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A program of the same name that says where it is."""
    path = tmp_path / "ovsnet-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ovsnet/__init__.py", "")
        archive.writestr("ovsnet/cli.py", PROGRAM)
        archive.writestr("ovsnet-1.data/scripts/other", "not of ours")
    return path


@pytest.fixture
def file(tmp_path: Path, wheel: Path) -> Path:
    path = tmp_path / "ovsnet.pyz"
    path.write_bytes(pyz.single_file({HERE: [wheel]}, platform.machine(), 1_700_000_000))
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Private: pytest's own directories are."""
    path = tmp_path / "cache"
    path.mkdir(mode=0o700)
    return path


def run(file: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": os.defpath, "TMPDIR": str(file.parent), "HOME": "/proc/nowhere"}
    return subprocess.run([sys.executable, file, *arguments], env=clean | environment, capture_output=True, text=True)


def place_of(done: subprocess.CompletedProcess[str]) -> Path:
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.split()[0]).parents[1]


def test_file_is_the_same_bytes_each_time(wheel: Path) -> None:
    files = [pyz.single_file({HERE: [wheel]}, "x86_64", 1_700_000_000) for _ in range(2)]
    assert files[0] == files[1]
    assert files[0] != pyz.single_file({HERE: [wheel]}, "aarch64", 1_700_000_000)


def test_directories_that_hold_the_wheels_make_no_difference(wheel: Path, tmp_path: Path) -> None:
    """ovsnet's own wheel is in the directory that `--out` names."""
    files = []
    for own, others in (("a", "b"), ("b", "a")):
        for name in (f"{own}/{wheel.name}", f"{others}/rich-1-py3-none-any.whl"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            shutil.copy(wheel, tmp_path / name)
        wheels = [tmp_path / own / wheel.name, tmp_path / others / "rich-1-py3-none-any.whl"]
        files.append(pyz.single_file({HERE: wheels}, "x86_64", 1_700_000_000))
    assert files[0] == files[1]


def test_it_unpacks_once_for_its_user_alone(file: Path, cache: Path) -> None:
    first = place_of(run(file, "check", XDG_CACHE_HOME=str(cache)))
    assert first.parent == cache / "ovsnet"
    assert stat.S_IMODE(first.stat().st_mode) == 0o700
    assert not list(first.glob("*.data"))
    (first / "ovsnet/cli.py").write_text("def main(): print(__file__, 'kept')")
    done = run(file, XDG_CACHE_HOME=str(cache))
    assert done.stdout.endswith("kept\n")
    assert [path.name for path in (cache / "ovsnet").iterdir()] == [first.name]


def test_exit_code_is_that_of_the_program(file: Path, cache: Path) -> None:
    assert run(file, XDG_CACHE_HOME=str(cache), EXIT="1").returncode == 1


def test_cache_of_a_service_comes_first(file: Path, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "service").mkdir(mode=0o700)
    done = run(file, CACHE_DIRECTORY=str(tmp_path / "service"), XDG_CACHE_HOME=str(cache))
    assert place_of(done).is_relative_to(tmp_path / "service")


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_cache_that_others_can_write_is_left_alone(file: Path, cache: Path, mode: int) -> None:
    """Others could have put a directory of theirs there, or put one in the place of ours."""
    (cache / "ovsnet").mkdir()
    (cache / "ovsnet").chmod(mode)
    done = run(file, XDG_CACHE_HOME=str(cache))
    assert not place_of(done).is_relative_to(cache)
    assert "no cache directory is private" in done.stderr
    assert not list((cache / "ovsnet").iterdir())
    assert not list(file.parent.glob("ovsnet-pyz-*"))  # gone with the program


def test_directory_above_that_others_can_write_is_no_better(cache: Path, tmp_path: Path) -> None:
    (cache / "deep").mkdir(mode=0o700)
    assert launcher.is_private(str(cache / "deep"))
    cache.chmod(0o777)
    assert not launcher.is_private(str(cache / "deep"))
    cache.chmod(0o1777)  # as /tmp: nobody takes away there what is another's
    assert launcher.is_private(str(cache / "deep"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives directories away")
def test_directory_of_another_user_is_never_used(file: Path, cache: Path) -> None:
    os.chown(cache, 65534, 65534)
    assert not launcher.is_private(str(cache))
    os.chown(cache, 0, 0)
    planted = place_of(run(file, XDG_CACHE_HOME=str(cache)))
    (planted / "ovsnet/cli.py").write_text("def main(): print('planted')")
    os.chown(planted, 65534, 65534)
    done = run(file, XDG_CACHE_HOME=str(cache))
    assert not place_of(done).is_relative_to(cache)


def test_link_in_the_place_of_the_directory_is_not_followed(file: Path, cache: Path, tmp_path: Path) -> None:
    first = place_of(run(file, XDG_CACHE_HOME=str(cache)))
    first.rename(tmp_path / "elsewhere")
    first.symlink_to(tmp_path / "elsewhere")
    assert not place_of(run(file, XDG_CACHE_HOME=str(cache))).is_relative_to(cache)


def test_many_that_unpack_at_once_agree(file: Path, cache: Path) -> None:
    environment = {"PATH": os.defpath, "XDG_CACHE_HOME": str(cache)}
    argv = [sys.executable, str(file)]
    several = [subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = {each.communicate()[0] for each in several}
    assert [each.returncode for each in several] == [0] * 4
    assert len(said) == 1
    assert len(list((cache / "ovsnet").iterdir())) == 1


def test_damaged_file_is_named_and_nothing_is_left(file: Path, cache: Path, wheel: Path) -> None:
    content = file.read_bytes()
    at = content.index(b"print(__file__") if b"print(__file__" in content else content.index(wheel.read_bytes()[60:90])
    file.write_bytes(content[:at] + b"X" + content[at + 1 :])
    done = run(file, XDG_CACHE_HOME=str(cache))
    assert (done.returncode, done.stdout) == (3, "")
    assert "is damaged. Copy the file once more." in done.stderr
    assert not list((cache / "ovsnet").glob("pyz-*"))


def test_another_machine_and_another_python_are_told(tmp_path: Path, wheel: Path) -> None:
    file = tmp_path / "other.pyz"
    file.write_bytes(pyz.single_file({HERE: [wheel]}, "pdp11", 1_700_000_000))
    done = run(file)
    assert (done.returncode, done.stdout) == (3, "")
    assert f"made for pdp11, and this host is {platform.machine()}" in done.stderr
    file.write_bytes(pyz.single_file({"3.99": [wheel]}, platform.machine(), 1_700_000_000))
    done = run(file)
    assert done.returncode == 3
    assert f"this is Python {HERE}, and it runs on 3.99." in done.stderr


def test_wheel_that_belongs_elsewhere_is_refused(tmp_path: Path) -> None:
    odd = tmp_path / "odd-1-py3-none-any.whl"
    with zipfile.ZipFile(odd, "w") as archive:
        archive.writestr("odd-1.data/purelib/odd.py", "")
    with pytest.raises(ValueError, match="other places"):
        pyz.single_file({HERE: [odd]}, "x86_64", 0)


def test_contents_name_each_wheel_by_its_hash(file: Path, wheel: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        text = archive.read("__main__.py").decode()
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() in text
    assert "CONTENTS = {}" not in text
