"""A server of one small table that does at each request what a script says: changes rows, converts the schema, cuts the
connections. A real one does none of it at a given byte."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from ovsnet.ovsdb import Uuid
from ovsnet.ovsdb.monitor_methods import NO_TXN

Cell: TypeAlias = tuple[int, str | None]
"""The number of a row, and what is written into all its columns; None deletes it."""

CUT = "cut"
CONVERT = "convert"
FORGET = "forget"
"""Forget which transactions there were."""

Event: TypeAlias = Cell | str


class Converting:
    """Its database is D. ``CONVERT`` gives its table T the column ``extra``, or takes it away again.

    ``script`` holds what happens before each request of a client is answered; a cut leaves it unanswered.
    """

    def __init__(self, script: Iterable[Iterable[Event]] = ()) -> None:
        self.rows: dict[Uuid, dict[str, str]] = {}
        self.script = deque(tuple(events) for events in script)
        self._columns = ["c"]
        self._version = 1
        self._txn = 0
        self._history: dict[str, dict[Uuid, dict[str, str]]] = {}
        self._monitors: dict[asyncio.StreamWriter, dict[str, list[str]]] = {}

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._monitors[writer] = {}
        try:
            with contextlib.suppress(ConnectionError):
                await self._serve(reader, writer)
        finally:
            self._monitors.pop(writer, None)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        text, decoder = "", json.JSONDecoder()
        while data := await reader.read(1 << 16):
            text += data.decode()
            while text:
                request, end = decoder.raw_decode(text)
                text = text[end:]
                self._answer(writer, request)

    def _happen(self, events: Iterable[Event]) -> None:
        for event in events:
            if event == CUT:
                for writer in self._monitors:
                    writer.transport.abort()
                self._monitors.clear()
            elif event == CONVERT:
                self._convert()
            elif event == FORGET:
                self._history.clear()
            else:
                assert isinstance(event, tuple)
                self._write(*event)

    def _answer(self, writer: asyncio.StreamWriter, request: dict[str, Any]) -> None:
        if self.script:
            self._happen(self.script.popleft())
        if writer not in self._monitors:
            return
        result, error = self._result(writer, request["method"], request["params"])
        _send(writer, {"id": request["id"], "result": result, "error": error})

    def _result(self, writer: asyncio.StreamWriter, method: str, params: list[Any]) -> tuple[object, object]:
        match method, params:
            case "get_schema", _:
                return self._schema(), None
            case "monitor_cond_since", [_, _, {"T": [{"columns": columns}]}, _] if set(columns) - set(self._columns):
                return None, {"error": "unknown column", "details": "It was there a moment ago."}
            case "monitor_cond_since", [_, key, {"T": [{"columns": columns}]}, txn]:
                return self._begin(writer, key, columns, txn), None
            case "monitor_cancel", [key]:
                self._monitors[writer].pop(key, None)
        return {}, None

    def _schema(self) -> dict[str, Any]:
        columns = {name: {"type": "string"} for name in self._columns}
        return {"name": "D", "version": f"{self._version}.0.0", "tables": {"T": {"columns": columns}}}

    def _begin(self, writer: asyncio.StreamWriter, key: str, columns: list[str], txn: str) -> list[object]:
        self._monitors[writer][key] = columns
        known = self._history.get(txn)
        updates = _difference(known or {}, self.rows, columns, new_as="insert" if known is not None else "initial")
        return [known is not None, self._now(), {"T": updates}]

    def _now(self) -> str:
        return str(Uuid(f"{self._txn:08}-0000-4000-8000-000000000000")) if self._txn else NO_TXN

    def _write(self, number: int, value: str | None) -> None:
        before, uuid = dict(self.rows), Uuid(f"00000000-0000-4000-8000-{number:012}")
        self.rows.pop(uuid, None)
        if value is not None:
            self.rows[uuid] = dict.fromkeys(self._columns, value)
        self._txn += 1
        self._history[self._now()] = dict(self.rows)
        for writer, monitors in self._monitors.items():
            for key, columns in monitors.items():
                updates = _difference(before, self.rows, columns, new_as="insert")
                if updates:
                    _send(writer, {"id": None, "method": "update3", "params": [key, self._now(), {"T": updates}]})

    def _convert(self) -> None:
        self._columns = ["c"] if "extra" in self._columns else ["c", "extra"]
        self._version += 1
        self._txn += 1
        self.rows = {uuid: {name: row.get(name, "") for name in self._columns} for uuid, row in self.rows.items()}
        self._history = {self._now(): dict(self.rows)}
        for writer, monitors in self._monitors.items():
            for key in monitors:
                _send(writer, {"id": None, "method": "monitor_canceled", "params": [key]})
            monitors.clear()


def _difference(
    old: Mapping[Uuid, dict[str, str]], new: Mapping[Uuid, dict[str, str]], columns: list[str], *, new_as: str
) -> dict[str, object]:
    """``<table-updates2>`` of the one table, for a monitor of these columns."""
    updates: dict[str, object] = {uuid: {"delete": None} for uuid in old if uuid not in new}
    for uuid, row in new.items():
        was = old.get(uuid)
        changed = {name: row.get(name, "") for name in columns if was is None or row.get(name) != was.get(name)}
        if was is None:
            updates[uuid] = {new_as: changed}
        elif changed:
            updates[uuid] = {"modify": changed}
    return updates


def _send(writer: asyncio.StreamWriter, message: object) -> None:
    writer.write(json.dumps(message).encode())
