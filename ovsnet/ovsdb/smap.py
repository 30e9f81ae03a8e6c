"""String maps (``other_config``, ``external_ids``, ``options``) read as the daemons read them."""

from __future__ import annotations

from collections.abc import Mapping


def smap_bool(smap: Mapping[str, str], key: str, default: bool = False) -> bool:
    """A boolean as ``smap_get_bool`` of lib/smap.c reads it: no error, and the default decides what a typo means.

    By default false, only ``true`` is true; by default true, only ``false`` is false. Upper and lower case are alike
    (Ansible writes ``True``), blanks are not trimmed.
    """
    value = smap.get(key, "").lower()
    return value != "false" if default else value == "true"
