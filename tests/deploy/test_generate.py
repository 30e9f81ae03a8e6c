"""The files that are written from declarations say what these say now."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovsnet.deploy.generate import SOURCES, rendered, write

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", rendered())
def test_file_is_what_the_declarations_say(path: str) -> None:
    """When this fails: `make docs`."""
    assert (ROOT / path).read_text(encoding="utf-8") == rendered()[path]


@pytest.mark.parametrize("directory", SOURCES)
def test_no_file_is_left_from_an_older_declaration(directory: str) -> None:
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / directory).rglob("*") if path.is_file()}
    written = {path for path in there if not path.endswith((".md", "Containerfile", ".containerignore"))}
    assert written <= rendered().keys()


def test_writing_makes_every_file(tmp_path: Path) -> None:
    write(tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} == set(rendered())
