"""Every form in which settings are read. Adding one is one declaration in one of the files here. Pure."""

from __future__ import annotations

from ovsnet.errors import ConfigError
from ovsnet.tune.readers import (
    config_text,
    database_file,
    own_documents,
    printed_tables,
    relay_config,
    show,
    vsctl_get,
    vsctl_list,
)
from ovsnet.tune.readers.reading import Reader, Reading, rows_of
from ovsnet.tune.readers.values import check_maps

READERS: tuple[Reader, ...] = (
    database_file.READER,
    own_documents.READER,
    relay_config.READER,
    *printed_tables.READERS,
    vsctl_list.READER,
    vsctl_get.READER,
    show.READER,
    config_text.READER,
)
"""Asked in this order: a form that can be mistaken for another comes after it."""


def recognise(text: str) -> Reading | None:
    """As the first reader that knows the form takes it; None when none does. Raises ConfigError for a text that is
    cut off or damaged."""
    for reader in READERS:
        if (reading := reader.read(text)) is not None:
            for _, row in rows_of(reading.tables):
                check_maps(row)
            return reading
    return None


def forms() -> str:
    """The forms, for a person."""
    return "; ".join(reader.form for reader in READERS)


def refused(why: str) -> ConfigError:
    """What to say of material that was not understood."""
    return ConfigError(why, remedy=f"Readable forms: {forms()}; or a directory or tar of such files.")
