"""The limit of open files follows from the settings, as far as the hard limit goes."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovsnet.config import Settings
from ovsnet.errors import OwnLimit
from ovsnet.io import nofile
from ovsnet.io.nofile import require_descriptor
from ovsnet.io.tls import Tls

MAY = """
import resource, sys
from ovsnet.io.nofile import raise_nofile
soft, hard, wanted = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print(raise_nofile(wanted), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "may"), [(256, 1024, 512, 512), (256, 1024, 4096, 1024), (512, 1024, 256, 512)]
)
def test_soft_limit_is_raised_to_what_is_wanted_and_may_be(soft: int, hard: int, wanted: int, may: int) -> None:
    argv = [sys.executable, "-c", MAY, str(soft), str(hard), str(wanted)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(may), str(may), str(hard)]


def test_more_connections_need_more_files() -> None:
    few, many = (nofile.nofile_needed(count) for count in (1, 1001))
    assert many - few == 1000


def test_this_machine_may_open_what_the_tests_need() -> None:
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= nofile.nofile_needed(Settings().max_connections)


@contextlib.contextmanager
def no_descriptor_left() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open(os.devnull, os.O_RDONLY)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        os.close(lowest)


def test_lack_of_descriptors_is_ours() -> None:
    require_descriptor()
    with no_descriptor_left(), pytest.raises(OwnLimit):
        require_descriptor()


def test_tls_files_that_cannot_be_opened_for_lack_of_descriptors_are_not_blamed(tmp_path: Path) -> None:
    files = [str(tmp_path / name) for name in ("key", "certificate", "ca")]
    for file in files:
        Path(file).touch()
    with no_descriptor_left(), pytest.raises(OwnLimit):
        Tls(*files).context()
