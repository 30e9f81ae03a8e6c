"""Documents in files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ovsnet.bench import format1
from ovsnet.bench.result import FORMAT, Document, Run
from ovsnet.bench.workload import find
from ovsnet.errors import UsageError
from ovsnet.files import read_bytes
from ovsnet.protocol.jsonrpc import BAD_JSON

MOST_BYTES = 512 << 20
"""Of a result: hours of a storm with every moment in it."""

_OF_JSON = (b"{", b"}", b" ", b"\t")
"""How a line of a document begins, and no sentence."""


def encode(document: Document) -> bytes:
    """JSON for a file."""
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def read(path: Path) -> Document:
    """A document that ``--out`` or ``--json`` wrote, or the log of a container that printed it, where sentences of
    stderr may be between its lines. Raises UsageError when the file holds something else."""
    try:
        lines = read_bytes(path, MOST_BYTES).splitlines()
        return decode(b"\n".join(line for line in lines if line[:1] in _OF_JSON))
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error.strerror}.", remedy="Name a file that --out wrote.") from error
    except (*BAD_JSON, UsageError) as error:
        raise UsageError(
            f"{path} is not a result of ovsnet bench: {error}.", remedy="Name a file that --out wrote."
        ) from error


def decode(text: bytes) -> Document:
    """Raises MsgspecError, or UsageError for a workload that this version does not know."""
    found = msgspec.json.decode(text, type=dict[str, Any])
    runs = msgspec.convert(found.pop("runs", []), list[dict[str, Any]])
    document = msgspec.convert(found, Document)
    if document.ovsnet_bench < FORMAT:
        document.ovsnet_bench, runs = FORMAT, [format1.upgraded(run) for run in runs]
    document.runs = [_run(run) for run in runs]
    return document


def _run(run: dict[str, Any]) -> Run[Any]:
    measures: Any = find(str(run.get("kind"))).measures
    converted: Run[Any] = msgspec.convert(run, Run[measures], str_keys=True)
    return converted
