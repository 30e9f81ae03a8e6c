"""Documents as YAML that people like to read: block style, one fact a line. Written only, never read.

YAML 1.2.2 (section 10.3) says which plain words are not strings; YAML 1.1, which the tools of Kubernetes still read,
takes ``yes``, ``on`` and more for something else, too. So only what can be nothing but a string is written plain, and
the rest as JSON, which YAML takes as it is (section 1.3).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

_PLAIN = re.compile(
    r"[A-Za-z/]([A-Za-z0-9_./@%-]| (?=[A-Za-z0-9_./@%-])|:(?=[A-Za-z0-9_./@%-]))*|[0-9]+([a-df-z]|[KMGT]i)"
)
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""What JSON leaves as it is and YAML forbids or folds (YAML 1.2.2, rule 1 and section 5.4)."""

_NO_STRINGS = {"true", "false", "yes", "no", "on", "off", "y", "n", "null"}


def dumps(document: Mapping[str, object]) -> str:
    """One document of mappings, sequences, strings, numbers, truth values and None. Raises TypeError for others."""
    return "".join(f"{line}\n" for line in _block(document))


def stream(documents: Iterable[Mapping[str, object]]) -> str:
    """Several documents in one text."""
    return "---\n".join(map(dumps, documents))


def _block(value: object) -> Iterator[str]:
    """Lines of a collection that is not empty."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _entry(f"{_scalar(key)}:", each)
    elif isinstance(value, Sequence):
        for each in value:
            yield from _item(each)


def _entry(head: str, value: object) -> Iterator[str]:
    if _is_collection(value) and value:
        yield head
        yield from (f"  {line}" for line in _block(value))
    else:
        yield f"{head} {_scalar(value)}"


def _item(value: object) -> Iterator[str]:
    if _is_collection(value) and value:
        lines = _block(value)
        yield f"- {next(lines)}"
        yield from (f"  {line}" for line in lines)
    else:
        yield f"- {_scalar(value)}"


def _is_collection(value: object) -> bool:
    return isinstance(value, Mapping | Sequence) and not isinstance(value, str)


def _scalar(value: object) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _NO_STRINGS:
        return value
    text = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
