"""No name of a release vanishes without the notice that docs/upgrading.md promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovsnet import __version__
from tests.golden.faces import HERE
from tests.golden.names import names

RELEASES = sorted(HERE.glob("names-*.txt"))

GONE: dict[str, str] = {}
"""Name, and the version that removed it, once another version had called it deprecated in CHANGELOG.md."""

CHANGELOG = HERE.parents[1] / "CHANGELOG.md"


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.stem)
def test_every_name_of_a_release_is_there(release: Path) -> None:
    assert set(release.read_text().splitlines()) - names() - GONE.keys() == set()


def test_version_at_hand_has_its_list() -> None:
    """When this fails: `python -m tests.golden.names > tests/golden/names-VERSION.txt`."""
    assert f"names-{__version__}" in [path.stem for path in RELEASES]


def test_what_went_was_called_deprecated() -> None:
    text = CHANGELOG.read_text(encoding="utf-8")
    deprecated = [part.partition("\n### ")[0] for part in text.split("\n### Deprecated\n")[1:]]
    assert not [name for name in GONE if not any(name.rpartition(" ")[2] in part for part in deprecated)]


def test_names_of_every_kind_are_looked_for() -> None:
    """Or the rule would hold for an empty set."""
    kinds = {name.partition(" ")[0] for name in names()}
    assert kinds == {"check", "code", "command", "endpoint", "flag", "metric", "setting"}
    assert {"code vswitchd-hung", "metric ovsnet_ready", "endpoint /livez", "flag serve --listen"} <= names()
