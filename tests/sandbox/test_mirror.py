"""Where another suite's packages come from: wherever this host's do."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovsnet.errors import UnfitEnvironment
from ovsnet.sandbox.suite import mirror


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("sources.list", "# deb http://old.example/debian x main\ndeb http://mirror.example/debian trixie main\n"),
        ("sources.list.d/debian.sources", "Types: deb\nURIs: http://mirror.example/debian\nSuites: trixie\n"),
    ],
)
def test_mirror_is_that_of_the_hosts_own_sources(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
    assert mirror(tmp_path) == "http://mirror.example/debian"


def test_host_without_a_debian_mirror_says_so(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text("deb http://mirror.example/ubuntu noble main\n")
    with pytest.raises(UnfitEnvironment, match="no Debian mirror"):
        mirror(tmp_path)
