"""Planning and judging touch no world; only sessions, gather, apply and keeping do."""

from __future__ import annotations

import pytest

from tests.test_layers import FILES, IMPURE_MODULES, imports

IMPURE = {"tune/sessions.py", "tune/gather.py", "tune/apply.py", "tune/keeping.py"}


@pytest.mark.parametrize("file", sorted(file for file in FILES if file.startswith("tune/") and file not in IMPURE))
def test_file_imports_no_world(file: str) -> None:
    assert not {name.partition(".")[0] for name in imports(FILES[file])} & IMPURE_MODULES
