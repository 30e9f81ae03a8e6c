"""Which Open vSwitch and OVN are installed on a host, by its databases of packages. Nothing is run.

Read as files, so that a host below ``--root`` and one without a running daemon can be told, too.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator

import msgspec

from ovsnet.errors import UnfitEnvironment
from ovsnet.files import open_regular
from ovsnet.node.host_files import Host
from ovsnet.node.version import Version, parse_version

OVS, OVN = "Open vSwitch", "OVN"

PACKAGES = {
    **dict.fromkeys(("openvswitch-switch", "openvswitch-common", "openvswitch"), OVS),
    **dict.fromkeys(("ovn-common", "ovn-host", "ovn", "microovn"), OVN),
}
"""Those of Debian, Red Hat and Alpine, and the snap."""

_NUMBERED = re.compile(r"(openvswitch|ovn)\d+\.\d+$")
"""Red Hat's Fast Datapath: openvswitch3.1, ovn23.06."""

DPKG = "/var/lib/dpkg/status"
APK = "/lib/apk/db/installed"
RPM = ("/usr/lib/sysimage/rpm/rpmdb.sqlite", "/var/lib/rpm/rpmdb.sqlite")
SNAPS = ("/snap", "/var/lib/snapd/snap")

NAME, VERSION = 1000, 1001
"""Tags of a package's header (rpm's lib/rpmtag.h)."""

HEADER = struct.Struct(">II")
INDEX = struct.Struct(">IIII")


class Package(msgspec.Struct, frozen=True):
    """``product`` is OVS or OVN; ``text`` the version as the package has it."""

    product: str
    name: str
    text: str

    @property
    def version(self) -> Version | None:
        """Without an epoch."""
        return parse_version(self.text.rpartition(":")[2])

    def __str__(self) -> str:
        return f"{self.name} {self.text}"


def packages(host: Host) -> list[Package]:
    """Those that are installed. Raises UnfitEnvironment where a database may not be read."""
    return [*_dpkg(host), *_apk(host), *_rpm(host), *_snaps(host)]


def _package(name: str, text: str) -> Iterator[Package]:
    numbered = _NUMBERED.match(name)
    base = numbered[1] if numbered else name
    if base in PACKAGES and text:
        yield Package(PACKAGES[base], name, text)


def _dpkg(host: Host) -> Iterator[Package]:
    for fields in _entries(host.read(DPKG), "Package: ", ": "):
        if fields.get("Status", "").endswith(" installed"):
            yield from _package(fields.get("Package", ""), fields.get("Version", ""))


def _apk(host: Host) -> Iterator[Package]:
    for fields in _entries(host.read(APK), "P:", ":"):
        yield from _package(fields.get("P", ""), fields.get("V", ""))


def _entries(text: str | None, name: str, separator: str) -> Iterator[dict[str, str]]:
    """The fields of those paragraphs that name a package of ours; there are thousands of others."""
    for entry in (text or "").split("\n\n"):
        if f"{name}openvswitch" in entry or f"{name}ovn" in entry:
            yield dict(line.split(separator, 1) for line in entry.splitlines() if separator in line)


def _snaps(host: Host) -> Iterator[Package]:
    for place in SNAPS:
        text = host.read(f"{place}/microovn/current/meta/snap.yaml")
        if text is not None and (found := re.search(r"^version:\s*['\"]?([^'\"\s]+)", text, re.MULTILINE)):
            yield from _package("microovn", found[1])


def _rpm(host: Host) -> Iterator[Package]:
    path = next((each for each in RPM if host.exists(each)), None)
    if path is None:
        return
    import sqlite3  # 1 MB, for the hosts that have such a database

    try:
        os.close(open_regular(host.locate(path)))
        # immutable: no lock is taken and no file is made beside it.
        with sqlite3.connect(f"file:{host.locate(path)}?mode=ro&immutable=1", uri=True) as database:
            rows = database.execute(
                "SELECT blob FROM Packages JOIN Name ON Packages.hnum = Name.hnum "
                "WHERE Name.key LIKE 'openvswitch%' OR Name.key LIKE 'ovn%'"
            ).fetchall()
        database.close()
        found = [_header(row[0]) for row in rows]
    except (OSError, sqlite3.Error, struct.error) as error:
        raise UnfitEnvironment(f"{path} cannot be read: {error}.") from error
    for tags in found:
        yield from _package(tags.get(NAME, ""), tags.get(VERSION, ""))


def _header(blob: bytes) -> dict[int, str]:
    """The two strings that are wanted of a package's header: entries of tag, type, offset and count, then the data."""
    count, _ = HEADER.unpack_from(blob)
    data = blob[HEADER.size + count * INDEX.size :]
    entries = (INDEX.unpack_from(blob, HEADER.size + number * INDEX.size) for number in range(count))
    return {
        tag: data[offset:].partition(b"\0")[0].decode(errors="replace")
        for tag, _, offset, _ in entries
        if tag in (NAME, VERSION)
    }
