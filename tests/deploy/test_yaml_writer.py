"""What is written is what a YAML reader finds."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ovsnet.deploy.yaml_writer import dumps, stream

WORDS = st.text(st.characters(codec="utf-8"))
LEAVES = WORDS | st.integers() | st.booleans() | st.none() | st.sampled_from(["yes", "On", "1:20", "0x1", "~", "a: b"])
NODES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3))


@given(st.dictionaries(WORDS, NODES, min_size=1, max_size=4))
def test_any_document_is_read_as_it_was(document: dict[str, object]) -> None:
    assert yaml.safe_load(dumps(document)) == document


@pytest.mark.parametrize(
    "word",
    ["yes", "NO", "on", "null", "~", "1", "1.5", "0o7", "12:30", "a #b", "a: b", "- a", "", " a", "a:", "{}", "*"],
)
def test_word_that_might_be_something_else_is_quoted(word: str) -> None:
    assert yaml.safe_load(dumps({"key": word})) == {"key": word}


def test_text_is_easy_to_read() -> None:
    document = {"kind": "Pod", "spec": {"ports": [{"name": "http", "port": 10670}], "args": ["serve"], "volumes": []}}
    assert dumps(document).splitlines() == [
        "kind: Pod",
        "spec:",
        "  ports:",
        "    - name: http",
        "      port: 10670",
        "  args:",
        "    - serve",
        "  volumes: []",
    ]


def test_stream_holds_every_document() -> None:
    assert list(yaml.safe_load_all(stream([{"a": 1}, {"b": "x"}]))) == [{"a": 1}, {"b": "x"}]


def test_what_yaml_cannot_say_is_refused() -> None:
    with pytest.raises(TypeError):
        dumps({"a": object()})
