"""A protocol core for tests of what carries it."""

from __future__ import annotations

from collections.abc import Sequence


class Mute:
    """A protocol that takes any bytes and says nothing."""

    def receive_data(self, data: bytes) -> Sequence[object]:
        return ()

    def data_to_send(self) -> bytes:
        return b""

    def eof_received(self) -> None:
        pass
