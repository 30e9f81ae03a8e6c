"""Certificates that were renewed on disk, and that their daemon has not loaded.

It looks at both files in each turn of its main loop, and loads the certificate only when the key has changed as well
(lib/stream-ssl.c: ``stream_ssl_set_key_and_cert`` notes the certificate's new time, and then
``stream_ssl_set_certificate_file__`` finds nothing new). Tried with 3.1, 3.5 and 4.0: touching the key loads both.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ovsnet.errors import UnfitEnvironment
from ovsnet.node.host_files import Host
from ovsnet.node.process import command_line, identify

TOGETHER = 60.0
"""Seconds. Files whose times differ by less may have come at once, as those of a secret of Kubernetes do."""

_CERTIFICATE, _KEY = frozenset({"-c", "--certificate"}), frozenset({"-p", "--private-key"})


class KeyPair(msgspec.Struct, frozen=True):
    """The files of ``whose``, by that one's names for them, and its process."""

    certificate: str
    key: str
    whose: str
    pid: int


def pairs_named_by(pid: int, whose: str, proc: Path = Path("/proc")) -> Iterator[KeyPair]:
    """Of a daemon's command line; ``db:...`` is not a file."""
    found: dict[frozenset[str], str] = {}
    words = command_line(pid, proc)
    for word, following in itertools.zip_longest(words, words[1:], fillvalue=""):
        option, given, value = word.partition("=")
        for names in (_CERTIFICATE, _KEY):
            if option in names:
                found[names] = value if given else following
    certificate, key = found.get(_CERTIFICATE, ""), found.get(_KEY, "")
    if certificate.startswith("/") and key.startswith("/"):
        yield KeyPair(certificate, key, whose, pid)


def is_stale(certificate: float, key: float, *, started: float) -> bool:
    """Whether a process that started then goes on with an older certificate; times are those of the files. Pure."""
    return certificate > started and certificate - key > TOGETHER


def not_loaded(*pairs: KeyPair, proc: Path = Path("/proc")) -> KeyPair | None:
    """The first whose certificate is newer than what its process has. Raises nothing."""
    return next((each for each in pairs if _is_stale(each, proc)), None)


def _is_stale(pair: KeyPair, proc: Path) -> bool:
    process = identify(pair.pid, proc)
    host = Host(proc / str(pair.pid) / "root")
    try:
        certificate, key = (host.locate(path).stat().st_mtime for path in (pair.certificate, pair.key))
    except (OSError, ValueError, UnfitEnvironment):
        return False
    if process is None:
        return False
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return is_stale(certificate, key, started=booted + process.started)
