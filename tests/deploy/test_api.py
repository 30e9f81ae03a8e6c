"""The reference has every public name, with the docstring that Python has for it."""

from __future__ import annotations

import enum
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovsnet.deploy import api

ROOT = Path(__file__).parents[2]
PAGES = api.rendered()


def squeezed(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def page(module: str) -> str:
    return PAGES[api.page_name(module)]


NAMES = [(module, name) for module in api.MODULES for name in api.public_names(module)]


@pytest.mark.parametrize(("module", "name"), NAMES, ids=[f"{module}.{name}" for module, name in NAMES])
def test_public_name_has_its_place(module: str, name: str) -> None:
    assert f"\n## `{name}`\n" in page(module)


def documented(module: str, name: str) -> Iterator[tuple[str, str | None]]:
    """The name, and the public callables and properties in it, with their docstrings."""
    found = getattr(importlib.import_module(module), name)
    if isinstance(found, type):
        yield name, found.__doc__
        if issubclass(found, enum.Enum):
            return
        for part, value in inspect.getmembers(found):
            owner = next(base for base in found.__mro__ if part in vars(base))
            called = callable(value) or isinstance(value, property)
            if not part.startswith("_") and called and owner.__module__.startswith("ovsnet."):
                yield f"{name}.{part}", inspect.getdoc(vars(owner)[part]) or inspect.getdoc(value)
    elif inspect.isfunction(found):
        yield name, found.__doc__


@pytest.mark.parametrize(("module", "name"), NAMES, ids=[f"{module}.{name}" for module, name in NAMES])
def test_docstring_of_every_public_callable_is_there(module: str, name: str) -> None:
    text = squeezed(page(module))
    for part, docstring in documented(module, name):
        if docstring is None and part in (importlib.import_module(module).__doc__ or ""):
            continue  # the tree of the errors says what each is
        assert docstring, part
        assert squeezed(docstring) in text, part


def test_signatures_show_types_and_defaults() -> None:
    text = page("ovsnet.openflow")
    assert 'async def echo(payload: bytes = b"", *, timeout: float = 1.0) -> float' in text
    assert "async def flow_monitor(\n    *,\n    table: int | None = None,\n" in text
    assert "* `packet_count: int | None`" in text
    assert "@classmethod\ndef attach(directory: Path | str) -> Sandbox" in page("ovsnet.sandbox.node")


def test_no_page_is_left_and_every_page_is_listed() -> None:
    assert {path.name for path in (ROOT / "docs/api").iterdir()} == set(PAGES)
    assert all(f"({name})" in PAGES["README.md"] for name in PAGES if name != "README.md")
