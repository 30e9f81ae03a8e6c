"""What scripts, units and dashboards of others lean on stays as it is, to the letter."""

import pytest

from tests.golden.faces import FACES, HERE


@pytest.mark.parametrize("name", FACES)
def test_face_is_as_it_was(name: str) -> None:
    assert FACES[name]() == (HERE / name).read_text(encoding="utf-8")
