"""Objects come out whole, in order, at a cost that grows with the bytes alone; anything else is one lasting error."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovsnet.errors import ConnectionLost, ProtocolError
from ovsnet.protocol import json_stream
from ovsnet.protocol.json_stream import MAX_DEPTH, JsonStream
from ovsnet.protocol.long_object import LongObject

# A slow machine is not a failure, and a run leaves nothing behind.
unhurried = settings(deadline=None, database=None)

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.text(alphabet='{}[]"\\ \n:,é😀'),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet='{}"\\ab'), inner, max_size=4),
    max_leaves=12,
)
JSON_TEXTS = st.builds(
    lambda value, ascii_only: json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass"),
    st.dictionaries(st.text(), JSON_VALUES, max_size=4),
    st.booleans(),
)
WHITE_SPACE = st.text(alphabet=" \t\r\n", max_size=3).map(str.encode)
NEARLY_JSON = st.text(alphabet='{}{}""\\\\[],: \na', max_size=30).map(str.encode)


def cut(data: bytes, cuts: Iterable[int]) -> Iterator[bytes]:
    """``data`` in chunks that end at ``cuts``."""
    start = 0
    for end in sorted({position % (len(data) + 1) for position in cuts}):
        yield data[start:end]
        start = end
    yield data[start:]


def feed(chunks: Iterable[bytes], stream: JsonStream | None = None) -> list[bytes]:
    stream = stream or JsonStream()
    texts = [text_of(text) for chunk in chunks for text in stream.receive_data(chunk)]
    stream.eof_received()
    return texts


def text_of(given: bytes | LongObject) -> bytes:
    return given if isinstance(given, bytes) else bytes(given.text)


def outcome(chunks: Iterable[bytes], stream: JsonStream) -> tuple[list[bytes], bool]:
    """The texts that came, and whether an error ended it."""
    texts: list[bytes] = []
    try:
        for chunk in chunks:
            texts += map(text_of, stream.receive_data(chunk))
        stream.eof_received()
    except (ProtocolError, ConnectionLost):
        return texts, True
    return texts, False


def single_bytes(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


def no_shortcut(text: bytes) -> None:
    raise ValueError(text)


WHOLE_OBJECTS = [
    pytest.param(b"{}", id="empty"),
    pytest.param(b'{"id":0,"result":[],"error":null}', id="reply"),
    pytest.param(b'{"a":{"b":{"c":{}}},"d":[{},{}]}', id="nested"),
    pytest.param(b'{"a":"}{"}', id="boundary in a string"),
    pytest.param(b'{"}{":"{","{":"}"}', id="braces in strings"),
    pytest.param(b'{"a":"\\"}{\\""}', id="escaped quotes"),
    pytest.param(b'{"a":"\\\\"}', id="escaped backslash before the quote"),
    pytest.param(b'{"a":"\\\\\\"}{\\\\\\\\"}', id="runs of backslashes"),
    pytest.param(b'{"a":"\\n\\\\n\\u00e9\\""}', id="other escapes"),
    pytest.param('{"é😀":"😀}é{"}'.encode(), id="multi-byte characters"),
    pytest.param(b'{"a":\\}', id="escape outside a string"),
    pytest.param(b'{"a":"\\ud834"}', id="lone surrogate"),
    pytest.param(b'{"a":"\xff\xfe"}', id="no UTF-8"),
    pytest.param(b'{\n  "a" : [ 1 ]\n}', id="indented"),
    pytest.param(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", id="arrays too deep for the decoder"),
]


@pytest.mark.parametrize("text", WHOLE_OBJECTS)
def test_an_object_comes_out_as_it_was_sent_however_it_is_cut(text: bytes) -> None:
    assert feed([text]) == [text]
    assert feed(single_bytes(text)) == [text]
    for position in range(min(len(text), 100)):
        assert feed([text[:position], text[position:]]) == [text]


@pytest.mark.parametrize("text", WHOLE_OBJECTS)
def test_the_scanner_alone_finds_the_same_end_as_the_shortcut(text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "_skip_one_value", no_shortcut)
    assert feed([text, text + text]) == [text, text, text]


@pytest.mark.parametrize(
    "data",
    [b"{}{}", b"{}\n{}", b" {}\t\r\n {} \n", b"\n\n{}{}\n", b"{}          {}"],
)
def test_white_space_around_objects_is_legal_and_dropped(data: bytes) -> None:
    assert feed([data]) == [b"{}", b"{}"]
    assert feed(single_bytes(data)) == [b"{}", b"{}"]


def test_white_space_alone_is_no_object_and_no_error() -> None:
    assert feed([b" \n", b"", b"\t\r"]) == []


@unhurried
@given(texts=st.lists(JSON_TEXTS, max_size=4), space=WHITE_SPACE, cuts=st.lists(st.integers(0, 10**6), max_size=8))
def test_any_split_of_a_valid_stream_gives_the_same_texts(texts: list[bytes], space: bytes, cuts: list[int]) -> None:
    data = space + space.join(texts) + space
    assert feed(cut(data, cuts)) == texts
    assert feed(single_bytes(data)) == texts


@unhurried
@given(data=NEARLY_JSON | st.binary(max_size=30), cuts=st.lists(st.integers(0, 100), max_size=4))
def test_any_split_of_any_bytes_ends_alike(data: bytes, cuts: list[int]) -> None:
    """The same texts, or an error; a larger chunk may lose texts only to the error."""
    one_by_one, failed = outcome(single_bytes(data), JsonStream(max_bytes=20, max_depth=3))
    for chunks in ([data], cut(data, cuts)):
        texts, failed_too = outcome(chunks, JsonStream(max_bytes=20, max_depth=3))
        assert failed_too == failed
        assert texts == one_by_one[: len(texts)]
        assert failed or texts == one_by_one


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b"null",
        b"x",
        b"\x00",
        b"}",
        b"{}x",
        b"{}}",
        b"{},{}",
        b"{} x{}",
        b'{}"',
        b'{} "}',
        b"{}\x0b",
        b'{"a":{}}]{}',
        b"\xef\xbb\xbf{}",
        b"{}\\}{",
    ],
)
def test_anything_but_objects_and_white_space_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError, match="something else than JSON objects"):
        feed([data])
    with pytest.raises(ProtocolError, match="something else than JSON objects"):
        feed(single_bytes(data))


def test_an_object_of_max_bytes_passes_and_one_byte_more_does_not() -> None:
    text = b'{"a":"bcd"}'
    space = b" " * 50
    for chunks in ([text], [space + text + space], single_bytes(space + text + space)):
        assert feed(chunks, JsonStream(max_bytes=len(text))) == [text]
    for chunks in ([text], single_bytes(text)):
        with pytest.raises(ProtocolError, match="more than 10 bytes") as caught:
            feed(chunks, JsonStream(max_bytes=len(text) - 1))
        assert "max_bytes" in caught.value.remedy


def test_never_more_than_max_bytes_are_kept() -> None:
    stream = JsonStream(max_bytes=1000)
    for chunk in [b'{"a":"', *[b"b" * 331] * 3]:
        stream.receive_data(chunk)
    assert stream.pending_bytes == 999
    with pytest.raises(ProtocolError):
        stream.receive_data(b"b" * 331)
    assert stream.pending_bytes == 0


@pytest.mark.parametrize("step", [1, 7, 10**6])
def test_objects_nest_max_depth_deep_and_no_deeper(step: int) -> None:
    def chunks(depth: int) -> list[bytes]:
        data = b'{"a":' * (depth - 1) + b"{}" + b"}" * (depth - 1)
        return [data[i : i + step] for i in range(0, len(data), step)]

    assert len(feed(chunks(MAX_DEPTH))) == 1
    with pytest.raises(ProtocolError, match="nests more than 1000"):
        feed(chunks(MAX_DEPTH + 1))


def test_pending_bytes_grow_with_the_object_and_drop_with_its_end() -> None:
    stream = JsonStream()
    assert stream.pending_bytes == 0
    stream.receive_data(b'{}  {"a"')
    assert stream.pending_bytes == 4
    stream.receive_data(b":1")
    assert stream.pending_bytes == 6
    assert stream.receive_data(b"}\n") == [b'{"a":1}']
    assert stream.pending_bytes == 0


@pytest.mark.parametrize("data", [b"{", b'{"a":"', b'{"a":"\\', b'{}{"a"'])
def test_an_end_inside_an_object_is_a_lost_connection(data: bytes) -> None:
    """It was not the peer's will: what came before is as good as if the cut had been between two."""
    stream = JsonStream()
    stream.receive_data(data)
    with pytest.raises(ConnectionLost, match="closed the connection inside a message") as caught:
        stream.eof_received()
    assert caught.value.remedy


def test_after_an_error_every_call_raises_the_same_again() -> None:
    stream = JsonStream()
    with pytest.raises(ProtocolError) as first:
        stream.receive_data(b"{}garbage")
    for again in (lambda: stream.receive_data(b"{}"), lambda: stream.receive_data(b""), stream.eof_received):
        with pytest.raises(ProtocolError) as later:
            again()
        assert str(later.value) == str(first.value)
        assert later.value.remedy == first.value.remedy


SNAPSHOT = json.dumps({"result": [{"name": f"lsp-{i}", "match": f'ip4 == {{"{i}"}}'} for i in range(2000)]}).encode()
HOSTILE = b'{"a":"' + b"}{" * 40_000 + b'","b":[' + b"{}," * 20_000 + b'{}],"c":"' + b'\\"' * 40_000 + b'"}'


@pytest.mark.parametrize("step", [1, 13, 4096, 1 << 20])
@pytest.mark.parametrize(
    "data", [SNAPSHOT, HOSTILE, b'{"id":0,"result":[]}' * 5000], ids=["snapshot", "hostile", "small"]
)
def test_each_byte_is_looked_at_a_fixed_number_of_times(
    data: bytes, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most once by the shortcut and once by the scanner, whatever the chunks: the cost is linear."""
    offered, scanned = [0], [0]
    skip, ends_with = json_stream._skip_one_value, json_stream._Nesting.ends_with

    def counting_skip(text: bytes) -> object:
        offered[0] += len(text)
        return skip(text)

    def counting_ends_with(nesting: json_stream._Nesting, piece: bytes) -> bool:
        scanned[0] += len(piece)
        return ends_with(nesting, piece)

    monkeypatch.setattr(json_stream, "_skip_one_value", counting_skip)
    monkeypatch.setattr(json_stream._Nesting, "ends_with", counting_ends_with)
    texts = feed(data[i : i + step] for i in range(0, len(data), step))
    assert b"".join(texts) == data
    assert offered[0] <= len(data)
    assert scanned[0] <= len(data)
    assert offered[0] + scanned[0] >= len(data)
