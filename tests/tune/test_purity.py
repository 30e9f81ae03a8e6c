"""Planning and judging touch no world; only what is named here does. No tuning leans on the doctor."""

from __future__ import annotations

import pytest

from tests.test_layers import FILES, IMPURE_MODULES, imports

IMPURE = {"tune/sessions.py", "tune/apply.py", "tune/reconciler.py", "tune/readers/files.py"}


@pytest.mark.parametrize("file", sorted(file for file in FILES if file.startswith("tune/") and file not in IMPURE))
def test_file_imports_no_world(file: str) -> None:
    assert not {name.partition(".")[0] for name in imports(FILES[file])} & IMPURE_MODULES


@pytest.mark.parametrize(("package", "other"), [("tune", "doctor"), ("doctor", "tune")])
def test_tuning_and_examining_share_the_node_and_nothing_of_each_other(package: str, other: str) -> None:
    names = {name for file in FILES if file.startswith(f"{package}/") for name in imports(FILES[file], types_too=True)}
    assert not [name for name in names if name.startswith(f"ovsnet.{other}")]
    assert [name for name in names if name.startswith("ovsnet.node.facts")]
