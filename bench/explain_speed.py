"""How fast does ``ovsnet explain`` read, and in how much memory? ``python -m bench.explain_speed [MEGABYTES]``.

The log is made here: lines of the shapes that a busy ovs-vswitchd and ovn-controller write by the million, with a
restart of the switch in their midst. Each reader's seconds are those of its own CPU, so another load does not count.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from ovsnet.explain.clock import stamp

MEGABYTES = 500
BEGIN = 1_700_000_000.0
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


def _block(begin: float, lines: Sequence[tuple[str, str, str]], count: int) -> bytes:
    own: Counter[str] = Counter()
    made: list[bytes] = []
    for number in range(count):
        module, level, text = lines[number % len(lines)]
        thread = module.partition("(")[2]
        own[thread] += 1  # each thread numbers its own lines
        made.append(f"{stamp(begin + number / 1000)}|{own[thread]:05}|{module}|{level}|{text}\n".encode())
    return b"".join(made)


def _write(path: Path, megabytes: int) -> None:
    noise = _block(BEGIN + 60, NOISE, 10_000)
    with path.open("wb") as file:
        file.write(_block(BEGIN, START, len(START)))
        while file.tell() < megabytes * 500_000:
            file.write(noise)
        file.write(_block(BEGIN + 3600, START, len(START)))
        while file.tell() < megabytes * 1_000_000:
            file.write(noise)


def _cost(command: Sequence[str]) -> tuple[float, int]:
    """CPU seconds and the most kilobytes of ``command``."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, _, used = os.wait4(process.pid, 0)
    return used.ru_utime + used.ru_stime, used.ru_maxrss


def _rows(path: Path) -> Iterator[str]:
    megabytes = path.stat().st_size / 1e6
    ours = [sys.executable, "-c", "from ovsnet.cli import main; main()", "explain", "--json", str(path)]
    for name, command in (("ovsnet explain", ours), ("grep -c", ["grep", "-c", "connection failed", str(path)])):
        seconds, kilobytes = _cost(command)
        yield f"{name:16} {megabytes / seconds:8.0f} MB a second of CPU, {kilobytes / 1000:6.0f} MB of memory"


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "ovs-vswitchd.log"
        _write(path, int(sys.argv[1]) if sys.argv[1:] else MEGABYTES)
        for row in _rows(path):
            print(row)


if __name__ == "__main__":
    main()
