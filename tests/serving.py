"""``ovsnet serve`` as a process of its own, for tests that meet it as its users do."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from ovsnet.sandbox.supervisor import die_with_parent
from ovsnet.sandbox.waiting import until
from tests.patience import PATIENCE

_SERVING = re.compile(r"serving on (http://[\w.:\[\]]+)")


@dataclass(frozen=True, slots=True)
class Serving:
    """Where it serves, and its process."""

    pid: int
    url: str
    log: Path
    """What it has said."""

    @property
    def host(self) -> str:
        return str(urlsplit(self.url).hostname)

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"


@contextlib.asynccontextmanager
async def serving(rundir: Path, *options: str, files: int = 0) -> AsyncIterator[Serving]:
    """The agent on a free port, once its first round of checks is over. It ends with the block, in order. It may open
    ``files`` files, if that is said."""
    with tempfile.NamedTemporaryFile() as log, _started(rundir, options, log, files) as process:

        def said() -> str:
            return Path(log.name).read_text()

        def place() -> str | None:
            assert process.poll() is None, said()
            found = _SERVING.search(said())
            return found[1] if found else None

        try:
            yield Serving(process.pid, await until(place, PATIENCE, "The agent never served."), Path(log.name))
        finally:
            process.terminate()
            try:
                assert process.wait(PATIENCE) == 0, said()
            finally:
                process.kill()


def _started(rundir: Path, options: Sequence[str], log: IO[bytes], files: int) -> subprocess.Popen[bytes]:
    limited = ["prlimit", f"--nofile={files}:{files}"] if files else []
    argv = [*limited, *die_with_parent(), sys.executable, "-m", "ovsnet", "serve"]
    argv += ["--log-format", "human", "--rundir", str(rundir), "--listen", "127.0.0.1:0", *options]
    return subprocess.Popen(argv, stderr=log)
