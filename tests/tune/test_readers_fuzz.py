"""No damage to what people paste is a traceback."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovsnet.errors import ConfigError
from ovsnet.tune.lint import lint
from ovsnet.tune.offline import facts_of_readings
from ovsnet.tune.readers import recognise

from .test_readers import CONTROLLER, CSV, JSON, LIST, NB_GLOBAL, SB_CONNECTION, TABLE, WRAPPED
from .test_readers_configuration import CONFIGURATION, RELAY


def record(body: str) -> str:
    body += "\n"
    return f"OVSDB JSON {len(body)} {hashlib.sha1(body.encode()).hexdigest()}\n{body}"


FILE = record(
    '{"name":"Open_vSwitch","tables":{"Open_vSwitch":{"columns":{"other_config":{"type":{"max":"unlimited"}}}}}}'
)
FILE += record('{"Open_vSwitch":{"1":{"other_config":["map",[["max-idle","5"]]]}}}')
FILE += record('{"_is_diff":true,"Open_vSwitch":{"1":{"other_config":["map",[["max-idle","5"],["flow-limit","7"]]]}}}')

DUMP = f"Open_vSwitch table\n{TABLE}\nManager table\n_uuid target\n----- ------\n"
SAMPLES = (
    *(LIST, WRAPPED, CONTROLLER, SB_CONNECTION, NB_GLOBAL, TABLE, CSV, JSON, DUMP, RELAY, FILE),
    *CONFIGURATION.values(),
    'ovs-vsctl set open . external-ids:ovn-remote=tcp:1.2.3.4:6642 other_config:max-idle="5"\n',
)


def judge(text: str) -> None:
    try:
        reading = recognise(text)
    except ConfigError:
        return
    if reading is not None:
        for facts in facts_of_readings([reading], ovn=(25, 3), ovs=(3, 5)):
            lint(facts)


def test_samples_themselves_are_recognised() -> None:
    for sample in SAMPLES:
        assert recognise(sample) is not None
        judge(sample)


def test_file_of_differences_ends_as_the_database_did() -> None:
    reading = recognise(FILE)
    assert reading is not None
    (row,) = reading.tables["Open_vSwitch", "Open_vSwitch"]
    assert row["other_config"] == {"flow-limit": "7"}


PIECES = st.text(max_size=6) | st.sampled_from(
    [
        "{",
        "}",
        "[",
        "]",
        '"',
        "\\",
        "\n",
        "\x00",
        "=",
        ": ",
        "{}",
        "[]",
        "null",
        '["map",[[',
        "-1",
        "99999999999999999999",
        "é",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(SAMPLES), st.floats(0, 1), st.integers(0, 60), PIECES)
def test_damaged_sample_is_read_or_refused(sample: str, where: float, length: int, piece: str) -> None:
    at = int(where * len(sample))
    judge(sample[:at] + piece + sample[at + length :])


ATOMS = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.sampled_from(["uuid", "max-idle", "5"])
CELLS = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(st.sampled_from(["map", "set", "uuid", "named-uuid"]), st.lists(inner, max_size=2) | inner).map(
            list
        )
        | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=6,
)
COLUMNS = ("_uuid", "external_ids", "other_config", "options", "inactivity_probe", "target", "ovs_version", "status")


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(COLUMNS), CELLS, min_size=1))
def test_column_that_holds_what_it_never_does_is_read_or_refused(row: dict[str, object]) -> None:
    table = {"caption": "Open_vSwitch table", "headings": list(row), "data": [list(row.values())]}
    for document in (table, table | {"caption": ""}):
        judge(json.dumps(document))
    for name in ("Open_vSwitch", "NB_Global"):
        columns = {column: {"type": {"max": "unlimited"}} for column in row}
        schema = {"name": name, "tables": {name: {"columns": columns}}}
        judge(record(json.dumps(schema)) + record(json.dumps({name: {"1": row}})))


@pytest.mark.parametrize("held", ["[1]", '"[""uuid"",""x""]"'])
def test_map_that_is_none_is_refused(held: str) -> None:
    with pytest.raises(ConfigError, match="other_config is not a map here"):
        recognise(f"_uuid,ovs_version,other_config\nx,3.5.0,{held}\n")


def test_csv_with_a_bare_carriage_return_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"This CSV cannot be read"):
        recognise("_uuid,ovs_version,other_config\nx\ry,3.5.0,{}\n")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    judge(text)


@pytest.mark.parametrize(
    "body",
    [
        '{"name":"Open_vSwitch","tables":[]}',
        '{"name":"Open_vSwitch","tables":{"Open_vSwitch":null}}',
        '{"name":[],"tables":{"Connection":{"columns":[]}}}',
        "{}",
    ],
)
@pytest.mark.parametrize(
    "change", ['{"Connection":{"1":[]}}', '{"Open_vSwitch":{"1":{"other_config":["map",[1]]}}}', "{}"]
)
def test_sound_record_of_a_wrong_shape_is_read_or_refused(body: str, change: str) -> None:
    judge(record(body) + record(change))
    judge((record(body) + record(change)).replace("JSON", "CLUSTER"))
