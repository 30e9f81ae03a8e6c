"""The cache of unpacked packages; apt is a script here, so that its failures can be provoked and its calls counted."""

import threading
from pathlib import Path

import pytest

from ovsnet.errors import UnfitEnvironment
from ovsnet.sandbox import packages

APT = """#!/bin/sh
echo "$*" >> {calls}
[ -e {broken} ] && {{ echo 'E: no such mirror' >&2; exit 100; }}
archives=$(sed -n 's/Dir::Cache::Archives "\\(.*\\)";/\\1/p' "$2")
case "$*" in *install*) touch "$archives/wrk.deb";; esac
exit 0
"""
DPKG_DEB = """#!/bin/sh
mkdir -p "$3/usr/bin" && touch "$3/usr/bin/wrk"
"""


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the scripts; ``calls`` in it lists apt's calls, ``broken`` makes it fail."""
    programs = tmp_path / "apt"
    programs.mkdir()
    texts = {"apt-get": APT.format(calls=programs / "calls", broken=programs / "broken"), "dpkg-deb": DPKG_DEB}
    for name, text in texts.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return programs


def test_second_call_finds_what_the_first_unpacked(apt: Path, tmp_path: Path) -> None:
    first = packages.unpack(["wrk"], tmp_path / "cache")
    calls = (apt / "calls").read_text()
    assert (first / "usr/bin/wrk").is_file()
    assert packages.unpack(["wrk"], tmp_path / "cache") == first
    assert (apt / "calls").read_text() == calls


def test_two_at_once_fetch_once(apt: Path, tmp_path: Path) -> None:
    found: list[Path] = []
    both = [threading.Thread(target=lambda: found.append(packages.unpack(["wrk"], tmp_path / "c"))) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert len(found) == 2
    assert found[0] == found[1]
    assert (apt / "calls").read_text().count(" install ") == 1


def test_failed_fetch_says_why_and_leaves_nothing_half_filled(apt: Path, tmp_path: Path) -> None:
    (apt / "broken").touch()
    with pytest.raises(UnfitEnvironment, match="no such mirror"):
        packages.unpack(["wrk"], tmp_path / "cache")
    shelf = next((tmp_path / "cache").iterdir())
    assert [path.name for path in shelf.iterdir()] == ["lock"]


def test_what_a_killed_fetch_left_is_removed(apt: Path, tmp_path: Path) -> None:
    shelf = packages.unpack(["wrk"], tmp_path / "cache").parent
    leftover = shelf / ".building-killed"
    leftover.mkdir()
    packages.unpack(["another"], tmp_path / "cache")
    assert not leftover.exists()


def test_machine_without_apt_is_told_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnfitEnvironment, match="no apt-get and no dpkg-deb") as caught:
        packages.unpack(["wrk"], tmp_path)
    assert "wrk" in caught.value.remedy


def test_cache_that_cannot_be_written_is_named(apt: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnfitEnvironment, match="Cannot use the package cache"):
        packages.unpack(["wrk"], tmp_path / "file")


@pytest.mark.parametrize(("value", "expected"), [("/x", "/x/ovsnet"), ("relative", "/h/.cache/ovsnet")])
def test_cache_is_where_the_xdg_specification_says(value: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/h")
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    assert packages.default_cache() == Path(expected)
