"""Follow the ports of a bridge over several connections, and report only what is new."""

from __future__ import annotations

from collections.abc import Iterable

from ovsnet.protocol.openflow import Port, PortChange


class PortPicture:
    """The ports that one reader knows of, by number. Pure."""

    def __init__(self, ports: Iterable[Port]) -> None:
        self._ports = {port.number: port for port in ports}

    def difference(self, ports: Iterable[Port]) -> list[PortChange]:
        """What is new to the reader where these are all ports."""
        present = {port.number: port for port in ports}
        gone = [PortChange("deleted", port) for number, port in self._ports.items() if number not in present]
        said = [PortChange("added", port) for port in present.values()]
        return [news for change in (*gone, *said) for news in self.changed(change)]

    def changed(self, change: PortChange) -> list[PortChange]:
        """What is new to the reader in what the switch said. It may say again what it has listed meanwhile."""
        port = change.port
        before = self._ports.pop(port.number, None)
        if change.change == "deleted":
            return [] if before is None else [change]
        self._ports[port.number] = port
        if before is None:
            return [PortChange("added", port)]
        return [] if port == before else [PortChange("modified", port)]
