"""Names and addresses replaced, each by the same one everywhere in a report. Pure.

Hosts, chassis, logical ports, networks and addresses are learned first, of all parts, and replaced then: so a host that
one log names and another only mentions has one new name in both. Addresses become those for benchmarks (RFC 2544) and
documentation (RFC 3849). What they were is kept nowhere.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter

_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}(?:[0-9a-fA-F]{1,4}|(?:\d{1,3}\.){3}\d{1,3})?(?![\w:])")
_MAC = re.compile(r"(?<![\w:])[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}(?![\w:])")
_TOKEN = re.compile(r"\w(?:[\w.-]*\w)?")
_HOME = re.compile(r"(/home/|/Users/)[^/\s\"]+")

_NAMING = (
    ("port", re.compile(r"\blports? ([\w.-]+)")),
    ("port", re.compile(r"\b(?:interface|device|port|netdev) ([\w.-]+)")),
    ("node", re.compile(r"\bp?(?:tcp|ssl):([A-Za-z][\w.-]*):\d")),
    ("chassis", re.compile(r"\bfor lport \S+ from (\S+) to ")),
    ("chassis", re.compile(r"\bfor lport \S+ from \S+ to ([^\s,]+?)\.?(?=\s|$)")),
    ("network", re.compile(r"ovn-bridge-mappings[\"'=:, ]+([\w.-]+):")),
)
"""Where logs and settings name what is not ours to publish."""
_COMMON = re.compile(
    r"br-(?:int|ex|local|tun)|ovs-(?:system|netdev)|(?:genev|vxlan|gre)_sys(?:_\d+)?"
    r"|(?:ovs|ovn)[a-z-]*(?:\.\w+)?|localhost(?:\..*)?|[\d.]+"
)
"""Names that every node has."""
_KEPT = frozenset(("state", "status", "code", "reason", "severity", "stage"))
"""Keys of our own documents whose values are our own words."""


class Disguise:
    """Learn from every part, then replace in every part."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._certain: dict[str, str] = {}
        self._addresses: dict[str, int] = {}
        self._counts: Counter[str] = Counter()
        self._pattern: re.Pattern[str] | None = None

    def know(self, kind: str, name: str) -> None:
        """A name for certain, wherever it is found as a word: a host with its domain and without, a chassis."""
        for each in dict.fromkeys((name, name.partition(".")[0])):
            if each and not _COMMON.fullmatch(each) and each not in self._certain:
                self._certain[each] = self._next(kind)
                self._pattern = None

    def learn(self, text: str) -> None:
        """Names that ``text`` shows by what stands before them."""
        for kind, pattern in _NAMING:
            for found in pattern.finditer(text):
                name = found[1].strip(".:")
                plausible = any(letter in "0123456789_-." for letter in name)  # else it is a word of the sentence
                if plausible and name not in self._names and not _COMMON.fullmatch(name):
                    self._names[name] = self._next(kind)

    def learn_in(self, document: object) -> None:
        """The same of a decoded JSON document."""
        match document:
            case str():
                self.learn(document)
            case dict():
                for key, value in document.items():
                    if key in ("hostname", "system-id", "node") and isinstance(value, str):
                        self.know("chassis" if key == "system-id" else "node", value)
                    self.learn_in(value)
            case ["hostname" | "system-id" as key, str() as name]:
                self.know("chassis" if key == "system-id" else "node", name)
            case ["ovn-bridge-mappings", str() as mappings]:
                self.learn("".join(f"ovn-bridge-mappings={each} " for each in mappings.split(",")))
            case list():
                for each in document:
                    self.learn_in(each)

    def text(self, text: str) -> str:
        """``text`` with everything replaced that was learned, and all addresses."""
        text = _HOME.sub(r"\1user", text)
        text = self._certainly().sub(lambda found: self._certain[found[0]], text)
        text = _MAC.sub(lambda found: self._mac(found[0]), text)
        text = _IPV6.sub(lambda found: self._ip(found[0]), text)
        text = _IPV4.sub(lambda found: self._ip(found[0]), text)
        return _TOKEN.sub(lambda found: self._names.get(found[0], found[0]), text)

    def document(self, document: object) -> object:
        """A decoded JSON document, but for the words of ours that programs match on."""
        match document:
            case str():
                return self.text(document)
            case dict():
                return {
                    self.text(str(key)): value if key in _KEPT and isinstance(value, str) else self.document(value)
                    for key, value in document.items()
                }
            case list():
                return [self.document(each) for each in document]
        return document

    def _next(self, kind: str) -> str:
        self._counts[kind] += 1
        return f"{kind}-{self._counts[kind]}"

    def _certainly(self) -> re.Pattern[str]:
        if self._pattern is None:
            names = sorted(map(re.escape, self._certain), key=len, reverse=True)
            self._pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(names)})(?![A-Za-z0-9])" if names else r"(?!)")
        return self._pattern

    def _mac(self, text: str) -> str:
        text = text.lower()
        if int(text[:2], 16) & 1 or text == "00:00:00:00:00:00":  # a group's (IEEE 802, section 8.2), or none
            return text
        number = self._numbered("mac", text)
        return f"02:00:00:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"

    def _ip(self, text: str) -> str:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return text  # a time of day, a version
        if address.is_loopback or address.is_unspecified or address.is_multicast or text.startswith("255."):
            return text
        if address.version == 4:
            number = self._numbered("ipv4", str(address))
            return str(ipaddress.IPv4Address(int(ipaddress.IPv4Address("198.18.0.0")) + number % (1 << 17)))
        number = self._numbered("ipv6", str(address))
        return str(ipaddress.IPv6Address(int(ipaddress.IPv6Address("2001:db8::")) + number))

    def _numbered(self, kind: str, address: str) -> int:
        if (known := self._addresses.get(address)) is None:
            self._counts[kind] += 1
            known = self._addresses[address] = self._counts[kind]
        return known
