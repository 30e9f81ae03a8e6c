"""How fast does ``ovsnet explain`` read, and in how much memory? ``python -m bench.explain_speed [MEGABYTES]``.

The log is made here: lines of the shapes that a busy ovs-vswitchd and ovn-controller write by the million, with a
restart of the switch in their midst. Beside it ``grep -c`` and hotsos, which greps for lines that it knows, read the
same. Then ``explain`` alone reads what is harder: the log packed, packed and cut off, lines of a journal, and garbage.
Each reader's seconds are those of its own CPU, so another load does not count.
"""

from __future__ import annotations

import gzip
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.peers import Peer, interpreter
from ovsnet.errors import OvsnetError
from ovsnet.explain.clock import stamp

MEGABYTES = 500
MOST_MEMORY = 200
"""Megabytes that ``explain`` may take, whatever it reads."""
HOTSOS = Peer("hotsos", "1.30.post8")
GREP = "grep -c"
BEGIN = 1_700_000_000.0
BLOCK = 10_000
"""Lines that are made at once, one a millisecond."""
NOISE = (
    ("poll_loop", "DBG", "wakeup due to [POLLIN] on fd 21 (<->/var/run/openvswitch/db.sock) at lib/stream-fd.c:157"),
    ("binding", "INFO", "Claiming lport ns1_pod-7d9f for this chassis."),
    ("dpif(handler5)", "WARN", "system@ovs-system: execute ct(commit) failed (Invalid argument) on packet tcp"),
    ("connmgr", "INFO", "br-int<->unix#42: 18 flow_mods in the last 0 s (9 adds, 9 deletes)"),
    ("netdev_linux", "INFO", "ioctl(SIOCGIFINDEX) on 4c2ab1_h device failed: No such device"),
    ("bridge", "INFO", "bridge br-int: added interface 4c2ab1_h on port 1017"),
    ("timeval", "WARN", "context switches: 0 voluntary, 12 involuntary"),
    ("reconnect", "DBG", "tcp:10.0.0.1:6642: idle 5000 ms, sending inactivity probe"),
)
START = (
    ("vlog", "INFO", "opened log file /var/log/openvswitch/ovs-vswitchd.log"),
    ("reconnect", "INFO", "unix:/var/run/openvswitch/db.sock: connecting..."),
    ("reconnect", "INFO", "unix:/var/run/openvswitch/db.sock: connected"),
    ("connmgr", "INFO", 'br-int: added service controller "punix:/var/run/openvswitch/br-int.mgmt"'),
)


def _block(begin: float, lines: Sequence[tuple[str, str, str]], count: int, own: Counter[str]) -> bytes:
    """``own`` counts the lines of each thread."""
    made: list[bytes] = []
    for number in range(count):
        module, level, text = lines[number % len(lines)]
        thread = module.partition("(")[2]
        own[thread] += 1  # each thread numbers its own lines
        made.append(f"{stamp(begin + number / 1000)}|{own[thread]:05}|{module}|{level}|{text}\n".encode())
    return b"".join(made)


def _write(path: Path, megabytes: int) -> None:
    begin = BEGIN
    with path.open("wb") as file:
        for end in (megabytes * 500_000, megabytes * 1_000_000):
            own: Counter[str] = Counter()
            file.write(_block(begin, START, len(START), own))
            while file.tell() < end:
                begin += BLOCK / 1000
                file.write(_block(begin, NOISE, BLOCK, own))
            begin += 60


def _cost(command: Sequence[str]) -> tuple[float, int]:
    """CPU seconds and the most kilobytes of ``command``."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, _, used = os.wait4(process.pid, 0)
    return used.ru_utime + used.ru_stime, used.ru_maxrss


@dataclass(frozen=True, slots=True)
class Row:
    """What a reader of a file cost."""

    name: str
    megabytes: float
    seconds: float
    memory: float

    def __str__(self) -> str:
        speed = self.megabytes / max(self.seconds, 0.01)
        return f"{self.name:28} {speed:8.0f} MB a second of CPU, {self.memory:6.0f} MB of memory"


def _row(name: str, path: Path, command: Sequence[str]) -> Row:
    seconds, kilobytes = _cost(command)
    return Row(name, path.stat().st_size / 1e6, seconds, kilobytes / 1000)


def _explain(path: Path) -> list[str]:
    return [sys.executable, "-m", "ovsnet", "explain", "--json", str(path)]


def _peers(path: Path, directory: Path) -> Iterator[Row]:
    """Readers of the same log."""
    yield _row("ovsnet explain", path, _explain(path))
    yield _row(GREP, path, ["grep", "-c", "connection failed", str(path)])
    try:
        python = interpreter(HOTSOS)
    except OvsnetError as error:
        print(f"{HOTSOS}: {error}")
        return
    logs = directory / "sos/var/log/openvswitch"
    logs.mkdir(parents=True)
    os.link(path, logs / "ovs-vswitchd.log")
    command = (str(python.parent / "hotsos"), "--openvswitch", "--all-logs", "--quiet", "--tmp-dir", str(directory))
    yield _row(str(HOTSOS), path, [*command, str(directory / "sos")])


def _harder(path: Path, directory: Path) -> Iterator[Row]:
    """Of the size of what is read from disk."""
    packed = directory / "packed.gz"
    with path.open("rb") as log, gzip.open(packed, "wb", compresslevel=1) as file:
        shutil.copyfileobj(log, file, 1 << 20)
    yield _row("a gzip", packed, _explain(packed))
    cut = directory / "cut.gz"
    cut.write_bytes(packed.read_bytes()[:-1000])
    yield _row("a gzip that ends early", cut, _explain(cut))
    for name, made in (("lines of a journal", _journal), ("garbage", _garbage)):
        noise = directory / name.replace(" ", "-")
        block = made()
        with noise.open("wb") as file:
            while file.tell() < path.stat().st_size / 4:
                file.write(block)
        yield _row(name, noise, _explain(noise))


def _journal() -> bytes:
    """Of a host that runs more than Open vSwitch: most lines have no bars."""
    words = "node1 kubelet[812]: I1125 23:30:02.114 812 scope.go:117] RemoveContainer containerID=0123456789"
    return f"{stamp(BEGIN)} {words}\n".encode() * 10_000


def _garbage() -> bytes:
    """Bytes that are neither text nor an archive, with line breaks and bars among them."""
    return b"x" + random.Random(1).randbytes(1 << 20).replace(b"\0", b"|")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        path = directory / "ovs-vswitchd.log"
        _write(path, int(sys.argv[1]) if sys.argv[1:] else MEGABYTES)
        rows = []
        for row in (*_peers(path, directory), *_harder(path, directory)):
            print(row)
            rows.append(row)
    grep = next(row for row in rows if row.name == GREP)
    for row in rows:
        if row.megabytes == grep.megabytes and row is not grep:
            print(f"{row.name:28} {row.seconds / max(grep.seconds, 0.01):8.1f} times the CPU of {GREP}")
    ours = [row for row in rows if not row.name.startswith((GREP, HOTSOS.name))]
    worst = max(row.memory for row in ours)
    print(f"{'as it must be' if worst < MOST_MEMORY else 'TOO MUCH'}: {worst:.0f} MB of {MOST_MEMORY}")


if __name__ == "__main__":
    main()
