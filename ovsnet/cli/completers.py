"""What a shell may complete an argument to. Nothing is asked of a daemon: a key that hangs is worse than one that does
nothing. Imports are inside the functions, so only a completion pays for them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ovsnet.errors import OvsnetError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    Items = list[CompletionItem[Any]]


def check_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """``check vsw``: checks, each with its question."""
    from ovsnet.health.checks import CHECKS

    return _items(((name, check.question) for name, check in CHECKS.items()), incomplete)


def knobs(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """``--set max-``: knobs that can be set, up to the equals sign."""
    from ovsnet.tune.catalogue import KNOBS

    return _items(((f"{knob.name}=", knob.meaning) for knob in KNOBS.values() if knob.place), incomplete)


def sandbox_daemons(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """``sandbox restart DIR ovs``: the daemons of the node in DIR."""
    from ovsnet.sandbox.node import Sandbox

    directory = ctx.params.get("directory")
    try:
        names = list(Sandbox.attach(Path(directory)).daemons) if directory else []
    except (OvsnetError, OSError):
        return []
    return _items(((name, "") for name in names), incomplete)


def files(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Whatever the shell finds, for an argument that cannot be of click's type for paths, because ``-`` is allowed."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def _items(known: Iterable[tuple[str, str]], incomplete: str) -> Items:
    from click.shell_completion import CompletionItem

    return [CompletionItem(name, help=text or None) for name, text in known if name.startswith(incomplete)]
