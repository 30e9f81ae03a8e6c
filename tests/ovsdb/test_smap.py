"""Booleans mean to us what they mean to the daemons."""

import pytest

from ovsnet.ovsdb.smap import smap_bool
from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.finding import read

READINGS = {
    # text: read by default false, read by default true
    "true": (True, True),
    "True": (True, True),
    "TRUE": (True, True),
    "false": (False, False),
    "False": (False, False),
    "": (False, True),
    " true": (False, True),
    "true ": (False, True),
    " false": (False, True),
    "1": (False, True),
    "0": (False, True),
    "yes": (False, True),
    "no": (False, True),
}


@pytest.mark.parametrize("text", READINGS)
def test_text_is_read_as_smap_get_bool_reads_it(text: str) -> None:
    assert (smap_bool({"key": text}, "key"), smap_bool({"key": text}, "key", default=True)) == READINGS[text]


def test_missing_key_means_the_default() -> None:
    assert smap_bool({}, "key") is False
    assert smap_bool({}, "key", default=True) is True


@pytest.mark.parametrize("text", READINGS)
def test_lint_reads_flags_the_same_way(text: str) -> None:
    flags = [knob for knob in KNOBS.values() if knob.is_flag]
    assert {knob.flag_default for knob in flags} == {False, True}
    for knob in flags:
        assert read(knob, text) == READINGS[text][knob.flag_default]
