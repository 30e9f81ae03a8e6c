"""Daemons that answer nearly right: an ovsdb-server, an ovs-vswitchd with its bridge, an ovn-controller."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.fuzz.inputs import bent, bent_json, encoded

ROW = "6d0c9d2e-0000-4000-8000-000000000001"
PORT = "6d0c9d2e-0000-4000-8000-000000000002"


def _column(kind: object) -> dict[str, object]:
    return {"type": kind}


_MAP = {"key": "string", "value": "string", "min": 0, "max": "unlimited"}
_SET = {"key": "string", "min": 0, "max": "unlimited"}
_NUMBER = {"key": "integer", "min": 0, "max": 1}
_TEXT = {"key": "string", "min": 0, "max": 1}
_STRINGS = ("name", "type", "datapath_type", "datapath_id")

SCHEMA: dict[str, Any] = {
    "name": "Open_vSwitch",
    "version": "8.3.1",
    "tables": {
        "Open_vSwitch": {
            "columns": {
                **{name: _column(_MAP) for name in ("external_ids", "other_config", "statistics")},
                **{name: _column("integer") for name in ("cur_cfg", "next_cfg")},
                **{name: _column(_TEXT) for name in ("ovs_version", "db_version")},
                "bridges": _column(_SET),
            },
            "isRoot": True,
            "maxRows": 1,
        },
        "Bridge": {"columns": {name: _column("string") for name in _STRINGS} | {"ports": _column(_SET)}},
        "Port": {"columns": {"name": _column("string"), "interfaces": _column(_SET)}},
        "Interface": {
            "columns": {
                **{name: _column("string") for name in ("name", "type")},
                **{name: _column(_TEXT) for name in ("error", "admin_state", "link_state")},
                **{name: _column(_NUMBER) for name in ("ofport", "mtu", "ifindex")},
                **{name: _column(_MAP) for name in ("external_ids", "options", "status", "bfd_status")},
            }
        },
        "Manager": {"columns": {"target": _column("string"), "is_connected": _column("boolean")}},
    },
}
TABLES: dict[str, Any] = {
    "Open_vSwitch": {
        ROW: {
            "initial": {
                "ovs_version": "3.1.0",
                "external_ids": [
                    "map",
                    [["system-id", "n1"], ["ovn-remote", "tcp:127.0.0.1:1"], ["ovn-encap-type", "geneve"]],
                ],
                "other_config": ["map", [["n-handler-threads", "2"]]],
            }
        }
    },
    "Bridge": {ROW: {"initial": {"name": "br-int", "datapath_type": "system"}}},
    "Interface": {PORT: {"initial": {"name": "p0", "ofport": -1, "error": "no such device", "type": "system"}}},
}

MODIFIED = {"Open_vSwitch": {ROW: {"modify": {"external_ids": ["map", [["a", "b"]]]}}}}

CONTROL = {
    "version": "ovs-vswitchd (Open vSwitch) 3.1.0",
    "ofproto/list": "br-int\n",
    "connection-status": "connected\n",
    "coverage/show": "Event coverage, hash=1\nnetlink_sent 0.0/sec 0.0/sec 0.0/sec total: 5\n",
    "memory/show": "handlers:2 ports:3 revalidators:1 rules:9\n",
    "list-commands": "The available commands are:\n  version\n",
}


def ovsdb_reply(rng: random.Random, method: str) -> Any:
    """What a server might answer."""
    match method:
        case "echo":
            return []
        case "list_dbs":
            return ["Open_vSwitch", "_Server"]
        case "get_schema":
            return bent_json(rng, SCHEMA) if rng.random() < 0.2 else SCHEMA
        case "monitor_cond_since":
            return [rng.random() < 0.02, ROW, bent_json(rng, TABLES) if rng.random() < 0.3 else TABLES]
        case "monitor_cond" | "monitor":
            return bent_json(rng, TABLES)
        case _:
            return bent_json(rng, [{"rows": [{"name": "x"}]}, {"count": 1}])


class Peers:
    """All of one node, over sockets in ``directory``. Every answer comes of one seed."""

    def __init__(self, rng: random.Random, directory: Path) -> None:
        self._rng = rng
        self._directory = directory
        self.answers = 0

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        (self._directory / "ovs-vswitchd.pid").write_bytes(bent(self._rng, f"{os.getpid()}\n".encode()))
        (self._directory / "ovsdb-server.pid").write_text(f"{os.getpid()}\n")
        names = {"db.sock": self._ovsdb, "br-int.mgmt": self._openflow}
        for daemon in ("ovs-vswitchd", "ovsdb-server", "ovn-controller"):
            names[f"{daemon}.{os.getpid()}.ctl"] = self._control
        servers = [await asyncio.start_unix_server(serve, self._directory / name) for name, serve in names.items()]
        try:
            yield
        finally:
            for server in servers:
                server.close()

    async def _ovsdb(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._json(reader, writer, control=False)

    async def _control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._json(reader, writer, control=True)

    async def _json(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, control: bool) -> None:
        rng, decoder, text, key = self._rng, json.JSONDecoder(), "", None
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while data := await reader.read(65536):
                text += data.decode(errors="replace")
                while text:
                    try:
                        asked, end = decoder.raw_decode(text)
                    except ValueError:
                        break
                    text = text[end:]
                    self.answers += 1
                    method = asked.get("method", "")
                    result = CONTROL.get(method, "") if control else ovsdb_reply(rng, method)
                    result = bent_json(rng, result) if control else result
                    error = None if rng.random() > 0.05 else bent_json(rng, {"error": "x", "details": "y"})
                    answer = {"id": asked.get("id"), "result": None if error else result, "error": error}
                    writer.write(encoded(rng, answer))
                    if method in ("monitor", "monitor_cond", "monitor_cond_since") and not control:
                        key = asked["params"][1]
                    if key is not None and rng.random() < 0.3:
                        update = {"method": "update3", "id": None, "params": [key, ROW, bent_json(rng, MODIFIED)]}
                        writer.write(encoded(rng, update))
                await writer.drain()
        writer.close()

    async def _openflow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        rng = self._rng
        writer.write(bent(rng, bytes.fromhex("06000008000000ff")))
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while data := await reader.read(65536):
                self.answers += 1
                kind = {2: 3, 5: 6, 18: 19, 20: 21, 24: 25}.get(data[1] if len(data) > 1 else 0, rng.randrange(30))
                body = rng.randbytes(rng.choice((0, 8, 24, 40, 200)))
                length = (8 + len(body)).to_bytes(2, "big")
                writer.write(bent(rng, bytes([6, kind]) + length + data[4:8] + body))
                await writer.drain()
        writer.close()
